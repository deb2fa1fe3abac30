//! The gateway's end: channels that connection points have dialled in.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use cmglab_net::{Deps, Listen, Peer, ServeError, ServerHandle, serve_streams};
use cmglab_tls::stream::ServerStream;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::{
    ALPN, CONNECTION_WINDOW, KEEP_ALIVE, KEEP_ALIVE_PATIENCE, LARGEST_HEAD, STREAM_WINDOW, in_words,
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
    /// Resolves with the cause, in words, when the channel is gone.
    pub gone: tokio::sync::oneshot::Receiver<String>,
}

/// A request that got no answer over a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// No connection point is connected.
    #[error("no connection point is connected")]
    NoChannel,
    /// The channel broke while the request was under way.
    #[error("the channel broke: {cause}")]
    Broken {
        /// The cause in words.
        cause: String,
    },
}

impl Channel {
    /// The channel's id.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Sends one request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`ChannelError::Broken`] when the channel is gone.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, ChannelError> {
        let mut sender = self.sender.clone();
        let broken = |error: hyper::Error| ChannelError::Broken { cause: in_words(&error) };
        sender.ready().await.map_err(broken)?;
        sender.send_request(request).await.map_err(broken)
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

    /// Takes a channel out.
    pub fn remove(&self, connection: &str) {
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|channel| channel.connection != connection);
    }

    /// The next channel, round robin.
    ///
    /// # Errors
    /// [`ChannelError::NoChannel`] when there is none.
    pub fn pick(&self) -> Result<Channel, ChannelError> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(channels.len()).ok_or(ChannelError::NoChannel)?;
        channels.get(index).cloned().ok_or(ChannelError::NoChannel)
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
                establish(connection, stream, peer, stop, on_up).await;
            }
        }
    })
    .await
}

async fn establish(
    connection: String,
    stream: ServerStream<TcpStream>,
    peer: Peer,
    stop: CancellationToken,
    on_up: &impl Fn(ChannelUp),
) {
    let handshake = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_PATIENCE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream));
    let Ok((sender, driver)) = handshake.await else { return };
    let mut driver = std::pin::pin!(driver);
    let (tell_gone, gone) = tokio::sync::oneshot::channel();
    on_up(ChannelUp { channel: Channel { connection, sender }, peer, gone });
    let (cause, ended) = tokio::select! {
        ended = driver.as_mut() => match ended {
            Ok(()) => ("closed by the connection point".to_owned(), true),
            Err(error) => (in_words(&error), true),
        },
        () = stop.cancelled() => ("the gateway is closing".to_owned(), false),
    };
    // Nobody may be waiting any more; the channel is gone all the same.
    let _nobody = tell_gone.send(cause);
    if !ended {
        // What is under way may finish, well or not; the port's grace is its bound.
        let _ended = driver.await;
    }
}
