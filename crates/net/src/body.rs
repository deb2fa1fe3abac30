//! Bodies: read whole under a cap, or counted while they stream.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::{CallError, CallFailure};

/// Reads a body of at most `limit` bytes, within a minute.
///
/// # Errors
/// [`CallFailure::TooLarge`] past the limit, [`CallFailure::Broken`] when it ends early,
/// [`CallFailure::Timeout`] when it does not end.
pub async fn read_capped<B>(body: B, limit: usize) -> Result<Bytes, CallError>
where
    B: HttpBody,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let read = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    let Ok(read) = read else {
        return Err(CallError::new(
            CallFailure::Timeout,
            format!("the body did not end within {PATIENCE:?}"),
        ));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(CallError::new(CallFailure::TooLarge, format!("the body is larger than {limit} bytes")))
        }
        Err(error) => Err(CallError::new(CallFailure::Broken, format!("the body ended early: {error}"))),
    }
}

/// Lets `body` through unchanged and calls `done` once with the number of its bytes: at its end, at its
/// failure, or when it is dropped half-way.
pub fn counted<B>(body: B, done: impl FnOnce(u64) + Send + 'static) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Display + Into<axum::BoxError>,
{
    Body::new(Counted { body, bytes: 0, done: Some(Box::new(done)) })
}

/// Lets `body` through unchanged and calls `seen` with the bytes of every piece as it passes.
pub fn counted_as_it_flows<B>(body: B, mut seen: impl FnMut(u64) + Send + 'static) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    Body::new(body.map_frame(move |frame| {
        seen(frame.data_ref().map_or(0, |data| data.len() as u64));
        frame
    }))
}

struct Counted<B> {
    body: B,
    bytes: u64,
    done: Option<Box<dyn FnOnce(u64) + Send>>,
}

impl<B> HttpBody for Counted<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(_) => self.finish(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Counted<B> {
    fn finish(&mut self) {
        if let Some(done) = self.done.take() {
            done(self.bytes);
        }
    }
}

impl<B> Drop for Counted<B> {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A caller that sends a byte now and then holds its connection, and no longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::StreamBody;

    use super::*;

    type Told = Arc<Mutex<Vec<u64>>>;

    /// A counted body of these frames, and what it told.
    fn body(parts: Vec<Result<&'static str, &'static str>>) -> (Body, Told) {
        let told = Told::default();
        let teller = Arc::clone(&told);
        let frames =
            parts.into_iter().map(|part| part.map(|data| Frame::data(Bytes::from_static(data.as_bytes()))));
        let body = StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>()));
        let body = counted(body, move |bytes| teller.lock().unwrap().push(bytes));
        (body, told)
    }

    #[tokio::test]
    async fn the_count_is_told_once_however_the_body_ends() {
        let (whole, told) = body(vec![Ok("abc"), Ok(""), Ok("de")]);
        assert_eq!(read_capped(whole, 5).await.unwrap(), "abcde");
        assert_eq!(*told.lock().unwrap(), [5]);

        let (broken, told) = body(vec![Ok("abc"), Err("gone"), Ok("de")]);
        assert_eq!(read_capped(broken, 5).await.unwrap_err().failure, CallFailure::Broken);
        assert_eq!(*told.lock().unwrap(), [3]);

        let (mut half, told) = body(vec![Ok("abc"), Ok("de")]);
        half.frame().await.unwrap().unwrap();
        assert!(told.lock().unwrap().is_empty());
        drop(half);
        assert_eq!(*told.lock().unwrap(), [3]);

        let (unread, told) = body(vec![]);
        drop(unread);
        assert_eq!(*told.lock().unwrap(), [0]);
    }

    #[tokio::test]
    async fn a_body_keeps_its_size_and_its_cap() {
        let sized = counted(Body::from("abcde"), |_| {});
        assert_eq!(HttpBody::size_hint(&sized).exact(), Some(5));
        assert_eq!(read_capped(sized, 4).await.unwrap_err().failure, CallFailure::TooLarge);
        let (unsized_body, told) = body(vec![Ok("abc"), Ok("de")]);
        assert_eq!(read_capped(unsized_body, 4).await.unwrap_err().failure, CallFailure::TooLarge);
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
