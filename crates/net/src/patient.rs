//! A body that must keep moving.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

/// Lets `body` through unchanged, and fails it when its sender gives nothing for `patience`. Time in which
/// nobody reads does not count.
pub fn until_still<B>(body: B, patience: Duration) -> impl HttpBody<Data = Bytes, Error = axum::BoxError>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    Patient { body, patience, waiting: None }
}

struct Patient<B> {
    body: B,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<B> HttpBody for Patient<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let due = || Box::pin(tokio::time::sleep(patience));
        if this.waiting.get_or_insert_with(due).as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(format!("nothing came for {patience:?}").into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    fn piece(text: &'static str) -> Result<Bytes, std::io::Error> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_fails_and_one_that_moves_does_not() {
        const PATIENCE: Duration = Duration::from_secs(60);
        let slow = stream::unfold(0, |sent| async move {
            tokio::time::sleep(Duration::from_secs(50)).await;
            (sent < 5).then(|| (piece("a"), sent + 1))
        });
        let whole = until_still(Body::from_stream(slow), PATIENCE).collect().await.unwrap();
        assert_eq!(whole.to_bytes(), "aaaaa");
        let hung = stream::unfold(true, |first| async move {
            if !first {
                std::future::pending::<()>().await;
            }
            Some((piece("a"), false))
        });
        let error = until_still(Body::from_stream(hung), PATIENCE).collect().await.unwrap_err();
        assert!(error.to_string().contains("60s"), "{error}");
    }
}
