//! The accept loop of every role.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cmglab_events::kinds::NetEvent;
use cmglab_proto::ids::ExchangeId;
use cmglab_tls::stream::{ServerStream, TlsAcceptor};
use cmglab_tls::{ClientJudge, ServerTls};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::forward::innermost;
use crate::leftover::Leftover;
use crate::served::{HeadBytes, NO_CERTIFICATE, Note};
use crate::wire::{Ledger, Wire};
use crate::wishes::Wishes;
use crate::{Deps, EXCHANGE_HEADER, Exchange, Peer, ServeError, crl, request_guard};

/// One port of one role.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The name that clients use.
    pub host: String,
    /// The port that clients use by documentation; 0 when it is the socket's own.
    pub port: u16,
    /// The socket of the lab; port 0 takes any free one.
    pub bind: SocketAddr,
    /// The IP address that logs show for this port; the socket's own when `None`.
    pub shown_ip: Option<IpAddr>,
    /// TLS, or plain HTTP when `None`.
    pub tls: Option<ServerTls>,
}

impl Listen {
    fn url(&self) -> String {
        let (scheme, usual) = if self.tls.is_some() { ("https", 443) } else { ("http", 80) };
        match self.port {
            port if port == usual => format!("{scheme}://{}", self.host),
            port => format!("{scheme}://{}:{port}", self.host),
        }
    }
}

/// A running port. Dropping it stops accepting; [`ServerHandle::shutdown`] also waits.
pub struct ServerHandle {
    local_addr: SocketAddr,
    url: String,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: TaskTracker,
    /// Alive as long as it accepts.
    port: Weak<Port>,
}

impl ServerHandle {
    /// The socket it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The URL clients use.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes over a connection that another socket has accepted, as behind a load balancer that keeps the
    /// caller's address. Gives it back when this port is closing.
    ///
    /// # Errors
    /// The connection, untouched.
    pub fn take_over(&self, stream: TcpStream, address: SocketAddr) -> Result<(), TcpStream> {
        match self.port.upgrade() {
            Some(port) if !self.stop.is_cancelled() => {
                port.spawn(stream, address);
                Ok(())
            }
            _ => Err(stream),
        }
    }

    /// Stops accepting, lets requests under way finish for at most `grace`, then cuts them.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.abort();
            // What is cut ends at once; a caller that waits for ever for it would be worse than a leak.
            let _ended = tokio::time::timeout(CUT_PATIENCE, self.tasks.wait()).await;
        }
    }

    /// Cuts everything at once.
    pub fn abort(&self) {
        self.stop.cancel();
        self.kill.cancel();
    }

    /// Waits until the port is closed and every connection gone.
    pub async fn closed(&self) {
        self.tasks.wait().await;
    }

    #[cfg(test)]
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("url", &self.url).field("local_addr", &self.local_addr).finish()
    }
}

/// Binds the port and serves `app` on it until the handle is shut down. The name is entered into the lab's
/// resolver. A connection that a handler turns into something else (status 101) is that handler's from then
/// on: the handle neither waits for it nor cuts it.
///
/// # Errors
/// [`ServeError`] when the socket or TLS cannot be set up.
pub async fn serve(deps: &Deps, listen: Listen, app: Router) -> Result<ServerHandle, ServeError> {
    open(deps, listen, App::Http(app)).await
}

/// Binds the port and hands every TLS connection, with its caller's verdict, to `on_stream`: for protocols
/// other than HTTP/1.1. The token is cancelled when the port shuts down.
///
/// # Errors
/// [`ServeError`] when the socket or TLS cannot be set up.
pub async fn serve_streams<F, Fut>(
    deps: &Deps,
    listen: Listen,
    on_stream: F,
) -> Result<ServerHandle, ServeError>
where
    F: Fn(ServerStream<TcpStream>, Peer, CancellationToken) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    if listen.tls.is_none() {
        let cause = "this protocol is spoken over TLS only; give the port an identity".to_owned();
        return Err(ServeError::Tls { what: listen.url(), cause });
    }
    let handler: OnStream = Box::new(move |stream, peer, stop| Box::pin(on_stream(stream, peer, stop)));
    open(deps, listen, App::Streams(handler)).await
}

type OnStream = Box<
    dyn Fn(ServerStream<TcpStream>, Peer, CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send>>
        + Send
        + Sync,
>;

enum App {
    Http(Router),
    Streams(OnStream),
}

async fn open(deps: &Deps, mut listen: Listen, app: App) -> Result<ServerHandle, ServeError> {
    let url = listen.url();
    let bind_error = |error: std::io::Error| ServeError::Bind {
        what: url.clone(),
        bind: listen.bind,
        cause: error.to_string(),
        fix: match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "a port below 1024 is root's: become root, or take free ports"
            }
            _ => "free the port or choose another address",
        },
    };
    let listener = TcpListener::bind(listen.bind).await.map_err(bind_error)?;
    let local_addr = listener.local_addr().map_err(bind_error)?;
    if listen.port == 0 {
        listen.port = local_addr.port();
    }
    let url = listen.url();
    let acceptor = match &listen.tls {
        Some(tls) => Some(
            tls.acceptor(&deps.clock)
                .map_err(|error| ServeError::Tls { what: url.clone(), cause: error.to_string() })?,
        ),
        None => None,
    };
    deps.resolver.point(&listen.host, listen.port, local_addr);
    deps.events.emit(NetEvent::Listening { url: url.clone(), address: local_addr.to_string() });
    let (stop, kill, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let port = Arc::new(Port {
        deps: deps.clone(),
        number: listen.port,
        shown_ip: listen.shown_ip.unwrap_or_else(|| local_addr.ip()).to_string(),
        acceptor,
        judge: listen.tls.as_ref().and_then(|tls| tls.judge().cloned()),
        app,
        stop: stop.clone(),
        kill: kill.clone(),
        tasks: tasks.clone(),
        handshakes: Semaphore::new(MOST_HANDSHAKES),
    });
    let alive = Arc::downgrade(&port);
    tasks.spawn(port.accept(listener));
    tasks.close();
    Ok(ServerHandle { local_addr, url, stop, kill, tasks, port: alive })
}

struct Port {
    deps: Deps,
    number: u16,
    shown_ip: String,
    acceptor: Option<TlsAcceptor>,
    judge: Option<ClientJudge>,
    app: App,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: TaskTracker,
    handshakes: Semaphore,
}

impl Port {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => Arc::clone(&self).spawn(stream, address),
                // Out of descriptors, or a caller that left at once: the port itself is well.
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    fn spawn(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let tasks = self.tasks.clone();
        tasks.spawn(async move {
            let kill = self.kill.clone();
            let _cut = kill.run_until_cancelled(self.connection(stream, address)).await;
        });
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let _best_effort = stream.set_nodelay(true);
        let Some(acceptor) = self.acceptor.clone() else {
            let peer = Peer { address, chain: Arc::default(), verdict: NO_CERTIFICATE };
            return self.http(stream, peer).await;
        };
        let handshake = async {
            let _permit = self.handshakes.acquire().await;
            acceptor.accept(stream).await
        };
        let stream = tokio::select! {
            // Nothing was asked yet, so nothing is lost.
            () = self.stop.cancelled() => return,
            outcome = tokio::time::timeout(HANDSHAKE_PATIENCE, handshake) => match outcome {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return self.handshake_failed(address, &innermost(&error)),
                Err(_elapsed) => return self.handshake_failed(address, "the caller did not finish in time"),
            },
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
        let verdict = match &self.judge {
            Some(judge) => crl::judge(&self.deps, judge, &chain).await,
            None => NO_CERTIFICATE,
        };
        let peer = Peer { address, chain: Arc::new(chain), verdict };
        match &self.app {
            App::Streams(on_stream) => on_stream(stream, peer, self.stop.clone()).await,
            App::Http(_) => self.http(stream, peer).await,
        }
    }

    fn handshake_failed(&self, address: SocketAddr, cause: &str) {
        self.deps
            .events
            .emit(NetEvent::HandshakeFailed { peer: address.to_string(), cause: cause.to_owned() });
    }

    async fn http(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, peer: Peer) {
        let address = peer.address;
        let (wire, ledger) = Wire::new(stream);
        let (port, requests, wishes) = (Arc::clone(&self), Arc::clone(&ledger), Wishes::default());
        let ungranted = wishes.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (port, ledger, peer) = (Arc::clone(&port), Arc::clone(&requests), peer.clone());
            let (wish, wishes) = (Wishes::of(&request), wishes.clone());
            async move {
                let response = port.answer(request, ledger, peer).await;
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    wishes.refused(wish);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(LARGEST_HEAD)
            .max_header_size(LARGEST_HEAD)
            // Ours is on the lab's clock.
            .auto_date_header(false);
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(wire), service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if ended.is_ok() {
            ungranted.close().await;
        }
        // What hyper answers 400 by itself never reached a handler, and a body that breaks off only its
        // reader; here is their trace.
        if let Err(error) = ended
            && (error.is_parse() || error.is_parse_too_large())
        {
            self.malformed(address, &error.to_string());
        } else if let Some(cause) = ledger.broken() {
            self.malformed(address, cause);
        }
    }

    fn malformed(&self, peer: SocketAddr, cause: &str) {
        let event = NetEvent::MalformedRequest { peer: peer.to_string(), cause: cause.to_owned() };
        self.deps.events.emit(event);
    }

    async fn answer(&self, request: Request<Incoming>, ledger: Arc<Ledger>, peer: Peer) -> Response<Body> {
        let head = ledger.next_head();
        let exchange = self.exchange(&request);
        let flaw = request_guard::flaw(&request, head.as_ref());
        let mut request = request.map(Body::new);
        let voice = self.deps.events.in_exchange(exchange);
        let note = Note::take(voice, &request, head.as_ref(), &peer, (&self.shown_ip, self.number));
        let response = match flaw {
            Some(cause) => {
                self.malformed(peer.address, cause);
                refuse_malformed(cause)
            }
            None => {
                let extensions = request.extensions_mut();
                extensions.insert(peer);
                extensions.insert(Exchange(exchange));
                if let Some(head) = head {
                    extensions.insert(HeadBytes(head.bytes));
                }
                self.ask(request).await
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            ledger.upgraded();
        }
        note.finish(&self.deps, ledger, response)
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        let App::Http(app) = &self.app else { return Response::new(Body::empty()) };
        let (leftover, request) = Leftover::of(request);
        let response = match app.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if response.status().is_client_error() || response.status().is_server_error() {
            leftover.discard().await;
        }
        response
    }

    fn exchange<B>(&self, request: &Request<B>) -> ExchangeId {
        let named = request.headers().get(EXCHANGE_HEADER).and_then(|value| value.to_str().ok());
        named.and_then(|text| text.parse().ok()).unwrap_or_else(|| ExchangeId::new(self.deps.ids.guid()))
    }
}

fn refuse_malformed(cause: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{cause}\n")));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}

const CUT_PATIENCE: Duration = Duration::from_secs(2);
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// Also how long an idle connection is kept; IIS takes as long for both.
const HEAD_PATIENCE: Duration = Duration::from_secs(120);
const LARGEST_HEAD: usize = 64 * 1024;
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
const MOST_HANDSHAKES: usize = 256;
