//! A stream of bytes that something other than a socket moves: what the engine writes is fetched at the
//! other end in pieces, and pieces brought there are what it reads. Both ways are bounded.

use std::io;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::Stream as Pieces;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;

use crate::{LARGEST_PIECE, Stream};

/// The mover's end of what the engine writes.
#[derive(Debug)]
pub(crate) struct Written {
    stream: DuplexStream,
    buffer: BytesMut,
}

/// The mover's end of what the engine reads. Dropping it is the end of that stream.
pub(crate) type ToRead = mpsc::Sender<io::Result<Bytes>>;

/// The engine's end, and the mover's two. When the engine drops its end, [`Written`] comes to its end and
/// [`ToRead`] is closed.
pub(crate) fn pipe() -> (impl Stream + 'static, Written, ToRead) {
    let (write, stream) = tokio::io::duplex(LARGEST_PIECE);
    let (to_read, pieces) = mpsc::channel(1);
    let pieces = futures_util::stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    let pieces: Pin<Box<dyn Pieces<Item = io::Result<Bytes>> + Send>> = Box::pin(pieces);
    (tokio::io::join(StreamReader::new(pieces), write), Written { stream, buffer: BytesMut::new() }, to_read)
}

impl Written {
    /// The next bytes, at most [`LARGEST_PIECE`], or none at their end. Nothing is lost when this future is
    /// dropped.
    pub(crate) async fn next(&mut self) -> Bytes {
        self.buffer.reserve(LARGEST_PIECE);
        // The engine dropped its end: that is the end here too.
        let _read = self.stream.read_buf(&mut self.buffer).await;
        self.buffer.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn bytes_come_out_in_pieces_of_a_bounded_size_and_in_order() {
        let (mut engine, mut written, to_read) = pipe();
        let sent: Vec<u8> = (0..1_000_000_u32).map(|nth| nth.to_le_bytes()[1]).collect();
        let bytes = sent.clone();
        let writing = tokio::spawn(async move {
            engine.write_all(&bytes).await.unwrap();
            engine
        });
        let mut received = Vec::new();
        while received.len() < sent.len() {
            let piece = written.next().await;
            assert!((1..=LARGEST_PIECE).contains(&piece.len()));
            received.extend(piece);
        }
        assert!(received == sent);
        let mut engine = writing.await.unwrap();
        to_read.send(Ok(Bytes::from_static(b"hello"))).await.unwrap();
        drop(to_read);
        let mut read = String::new();
        engine.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "hello");
        drop(engine);
        assert!(written.next().await.is_empty());
    }

    #[tokio::test]
    async fn a_mover_that_does_not_fetch_halts_the_writer() {
        let (mut engine, mut written, to_read) = pipe();
        let bytes = vec![7; LARGEST_PIECE + 1];
        let mut writing = Box::pin(engine.write_all(&bytes));
        assert!(tokio::time::timeout(Duration::ZERO, writing.as_mut()).await.is_err());
        assert!(!written.next().await.is_empty());
        writing.await.unwrap();
        drop(engine);
        assert!(to_read.is_closed());
    }
}
