//! The byte stream under an HTTP/1.1 connection: what came in, request by request, and what went out.
//!
//! hyper tidies a head before anyone sees it: of Content-Length beside Transfer-Encoding nothing is left,
//! and two equal Content-Lengths become one. A gateway must refuse both (RFC 9112 §6.1, §6.3), so the bytes
//! are looked at on their way in. They are not changed, and bodies are not copied.

mod chunks;
mod framing;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

#[cfg(test)]
pub(crate) use framing::Form;
use framing::Framing;
pub(crate) use framing::Head;

/// A stream that keeps a [`Ledger`].
pub(crate) struct Wire<S> {
    stream: S,
    ledger: Arc<Ledger>,
    /// Runs while the other side takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// What passed over one connection.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<State>);

/// Told the bytes of an answer on the wire once they are handed over, or `None` when they cannot be told
/// from those of its neighbour: pipelined answers that were stuck behind a slow reader.
pub(crate) type Tell = Box<dyn FnOnce(Option<u64>) + Send>;

#[derive(Default)]
struct State {
    framing: Framing,
    /// Requests given to the service, and answers that it has completed.
    taken: u64,
    completed: u64,
    waiting: VecDeque<Tell>,
    written: u64,
    told: u64,
    /// Whether an answer's bytes may have gone out under its predecessor's name.
    blurred: bool,
    closed: bool,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S) -> (Self, Arc<Ledger>) {
        let ledger = Arc::new(Ledger::default());
        (Self { stream, ledger: Arc::clone(&ledger), stalled: None }, ledger)
    }

    /// Lets a write or a flush through, and fails one that the other side has held up for too long: whoever
    /// does not read must not hold its answer, and its place, for ever.
    fn moved<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let due = || Box::pin(tokio::time::sleep(READER_PATIENCE));
        ready!(self.stalled.get_or_insert_with(due).as_mut().poll(cx));
        let cause = format!("the other side took nothing for {READER_PATIENCE:?}");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, cause)))
    }
}

impl Ledger {
    /// The form of the next request, or `None` when the bytes before it had no clear end.
    pub(crate) fn next_head(&self) -> Option<Head> {
        let mut state = self.state();
        state.taken += 1;
        state.framing.next_head()
    }

    /// Takes note that an answer is complete; `tell` is called when its last byte is handed over.
    pub(crate) fn answered(&self, tell: Tell) {
        let mut state = self.state();
        state.completed += 1;
        state.waiting.push_back(tell);
        if state.closed {
            Self::settle(state);
        }
    }

    /// Why the incoming bytes stopped making sense in the middle of a body, if they did.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.state().framing.broken()
    }

    /// Takes note that what comes in from now on is no HTTP/1.1.
    pub(crate) fn upgraded(&self) {
        self.state().framing.stop();
    }

    fn received(&self, bytes: &[u8]) {
        self.state().framing.feed(bytes);
    }

    fn wrote(&self, bytes: usize) {
        self.state().written += bytes as u64;
    }

    fn flushed(&self) {
        let state = self.state();
        if !state.waiting.is_empty() {
            Self::settle(state);
        }
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        if !state.waiting.is_empty() {
            Self::settle(state);
        }
    }

    fn settle(mut state: MutexGuard<'_, State>) {
        let idle = state.taken == state.completed;
        let exact = idle && !state.blurred && state.waiting.len() == 1;
        let bytes = exact.then_some(state.written - state.told);
        state.told = state.written;
        state.blurred = !idle;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(|tell| tell(bytes));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.ledger.received(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buffer);
        let written = ready!(self.moved(cx, polled))?;
        self.ledger.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        let written = ready!(self.moved(cx, polled))?;
        self.ledger.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all it has, and so at the end of every answer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        ready!(self.moved(cx, polled))?;
        self.ledger.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> Drop for Wire<S> {
    fn drop(&mut self) {
        self.ledger.close();
    }
}

/// As long as IIS lets a connection stand still.
const READER_PATIENCE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
