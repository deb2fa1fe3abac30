//! The gateway's end: channels that connection points have dialled in.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use cmglab_net::{Deps, Listen, Peer, ServeError, ServerHandle, serve_streams};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;

use crate::{
    ALPN, CONNECTION_WINDOW, KEEP_ALIVE, KEEP_ALIVE_PATIENCE, LARGEST_HEAD, MOST_STREAMS, STREAM_WINDOW,
    Stream, Transport, in_words,
};

/// One connection point's channel. Cheap to clone.
#[derive(Clone)]
pub struct Channel {
    connection: String,
    sender: SendRequest<Body>,
}

/// The channels of one gateway instance. Cheap to clone; clones are the same set.
#[derive(Clone, Default)]
pub struct Registry {
    channels: Arc<RwLock<Vec<Channel>>>,
    next: Arc<AtomicUsize>,
}

/// A channel that has just been established.
#[derive(Debug)]
pub struct ChannelUp {
    /// The channel.
    pub channel: Channel,
    /// Who dialled it.
    pub peer: Peer,
    /// How it was built.
    pub transport: Transport,
    /// Resolves with the cause, in words, when the channel is gone.
    pub gone: tokio::sync::oneshot::Receiver<String>,
}

/// A request that got no answer over a channel.
#[derive(Debug, thiserror::Error)]
#[error("the channel broke: {cause}")]
pub struct SendFailure {
    /// The cause in words.
    pub cause: String,
    /// The request, when nothing of it was sent: another channel may have it. One that was sent, even in
    /// part, may have been carried out.
    pub unsent: Option<Box<Request<Body>>>,
}

impl Channel {
    /// The channel's id.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// The same channel under the id by which the connection point knows it.
    #[must_use]
    pub fn named(self, connection: &str) -> Self {
        Self { connection: connection.to_owned(), ..self }
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`SendFailure`] when the channel is gone; it gives back a request that was not sent.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, SendFailure> {
        let mut sender = self.sender.clone();
        if let Err(error) = sender.ready().await {
            return Err(SendFailure { cause: in_words(&error), unsent: Some(Box::new(request)) });
        }
        sender.try_send_request(request).await.map_err(|mut failure| SendFailure {
            unsent: failure.take_message().map(Box::new),
            cause: in_words(&failure.into_error()),
        })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Registry {
    /// No channels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a channel that may carry requests now.
    pub fn add(&self, channel: Channel) {
        self.channels.write().unwrap_or_else(PoisonError::into_inner).push(channel);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channels.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a channel out.
    pub fn remove(&self, connection: &str) {
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|channel| channel.connection != connection);
    }

    /// The channels in the order in which the next request should try them: round robin, and after the
    /// one whose turn it is the others.
    #[must_use]
    pub fn turn(&self) -> Vec<Channel> {
        let mut channels = self.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(first) = turn.checked_rem(channels.len()) {
            channels.rotate_left(first);
        }
        channels
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Registry").field("channels", &channels.len()).finish()
    }
}

/// Accepts channels on `listen`, whatever protocols its TLS names. `admit` judges the caller before anything
/// is said; an error is the reason for turning it away. `on_up` receives each established channel.
///
/// When the port shuts down, each channel tells that it is gone, and then lives on for the requests under
/// way until the last copy of its [`Channel`] is dropped or the grace is over.
///
/// # Errors
/// [`ServeError`] when the port cannot be opened, or has no TLS.
pub async fn accept<A, U>(deps: &Deps, listen: Listen, admit: A, on_up: U) -> Result<ServerHandle, ServeError>
where
    A: Fn(&Peer) -> Result<(), String> + Send + Sync + 'static,
    U: Fn(ChannelUp) + Send + Sync + 'static,
{
    let (ids, handlers) = (deps.ids.clone(), Arc::new((admit, on_up)));
    let listen = Listen { tls: listen.tls.map(|tls| tls.with_alpn(&[ALPN])), ..listen };
    serve_streams(deps, listen, move |stream, peer, stop| {
        let (connection, handlers) = (ids.guid().to_string(), Arc::clone(&handlers));
        async move {
            let (admit, on_up) = &*handlers;
            // TLS lets a caller through that names no protocol at all.
            let channel = stream.get_ref().1.alpn_protocol() == Some(ALPN);
            if channel && admit(&peer).is_ok() {
                let on_up = |channel, gone| {
                    on_up(ChannelUp { channel, peer, transport: Transport::TcpTls, gone });
                };
                // The port itself cuts it.
                establish(connection, stream, stop, std::future::pending(), on_up).await;
            }
        }
    })
    .await
}

/// Runs the gateway's end of the engine over `stream` until the channel is gone. When `stop` is cancelled,
/// the channel tells that it is gone, and what is under way may still finish. `cut` ends it at once, with
/// the cause.
pub(crate) async fn establish(
    connection: String,
    stream: impl Stream + 'static,
    stop: CancellationToken,
    cut: impl Future<Output = String>,
    on_up: impl FnOnce(Channel, Gone),
) {
    let handshake = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_PATIENCE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(LARGEST_HEAD)
        // The connection point is trusted, and clients leave in the middle of answers as they like: what is
        // still on its way to them must not count against the channel.
        .max_concurrent_reset_streams(MOST_STREAMS as usize)
        .max_local_error_reset_streams(None)
        .handshake(TokioIo::new(stream));
    let Ok((sender, driver)) = handshake.await else { return };
    let (mut driver, mut cut) = (std::pin::pin!(driver), std::pin::pin!(cut));
    let (tell_gone, gone) = tokio::sync::oneshot::channel();
    on_up(Channel { connection, sender }, gone);
    let (cause, ended) = tokio::select! {
        ended = driver.as_mut() => match ended {
            Ok(()) => ("closed by the connection point".to_owned(), true),
            Err(error) => (in_words(&error), true),
        },
        cause = cut.as_mut() => (cause, true),
        () = stop.cancelled() => ("the gateway is closing".to_owned(), false),
    };
    // Nobody may be waiting any more; the channel is gone all the same.
    let _nobody = tell_gone.send(cause);
    if !ended {
        // What is under way may finish, well or not; the port's grace is its bound.
        tokio::select! {
            _ended = driver => {}
            _cause = cut => {}
        }
    }
}

/// Resolves with the cause when a channel is gone.
pub(crate) type Gone = tokio::sync::oneshot::Receiver<String>;
