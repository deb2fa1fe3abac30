//! What a refusing handler has not read of a request.
//!
//! A caller in the middle of sending a body would find the connection closed and never see why. So the rest
//! of a refused body is read and thrown away, within bounds, before the refusal is sent (RFC 9112 §9.6).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Where an unread body goes when its reader drops it.
#[derive(Clone, Default)]
pub(crate) struct Leftover(Arc<Mutex<Option<Body>>>);

impl Leftover {
    /// Watches the body of `request`. A caller that waits for leave to send it is told no by the refusal
    /// itself, so nothing of its body is ever read in vain.
    pub(crate) fn of(request: Request<Body>) -> (Self, Request<Body>) {
        let leftover = Self::default();
        if request.headers().contains_key(header::EXPECT) {
            return (leftover, request);
        }
        let slot = leftover.clone();
        (leftover, request.map(|body| Body::new(Watched { body: Some(body), slot })))
    }

    /// Reads and throws away what was left, up to a bound of bytes and of time.
    pub(crate) async fn discard(&self) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left else { return };
        let read = async {
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > LARGEST {
                    return;
                }
            }
        };
        // Whoever sends more, or more slowly, has the connection closed.
        let _in_time = tokio::time::timeout(PATIENCE, read).await;
    }
}

struct Watched {
    body: Option<Body>,
    slot: Leftover,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = unread;
    }
}

const LARGEST: usize = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
