//! A part of a file as a stream: handed over piece by piece, never copied.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// `bytes` in pieces, so that what is sent is seen as it is sent, and a caller that leaves costs one piece.
pub(super) fn body(bytes: Bytes) -> Body {
    Body::new(Pieces { rest: bytes })
}

struct Pieces {
    rest: Bytes,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn pieces_are_slices_of_the_file() {
        let file = Bytes::from(vec![7; PIECE * 2 + 3]);
        let mut body = body(file.clone());
        let (mut at, mut lengths) = (file.as_ptr() as usize, Vec::new());
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert_eq!(piece.as_ptr() as usize, at);
            at += piece.len();
            lengths.push(piece.len());
        }
        assert_eq!(lengths, [PIECE, PIECE, 3]);
    }
}
