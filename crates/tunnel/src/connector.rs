//! The connection point's end: dial, serve, and dial again.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_net::{Deps, dial};
use cmglab_tls::stream::ClientStream;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    ALPN, CONNECTION_HEADER, CONNECTION_WINDOW, KEEP_ALIVE, KEEP_ALIVE_PATIENCE, LARGEST_HEAD, MOST_STREAMS,
    SETTINGS_PATH, STREAM_WINDOW, in_words,
};

/// Answers the requests that come down the channel.
pub type Serve =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

/// Keeps one channel to one gateway instance.
pub struct Connector {
    deps: Deps,
    host: String,
    port: u16,
    serve: Serve,
    cut: Option<watch::Receiver<u64>>,
}

/// A running connector. Dropping it cuts the channel.
#[derive(Debug)]
pub struct ConnectorHandle {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Where the connector stands.
enum State {
    Disconnected {
        failures: u32,
    },
    Dialling {
        failures: u32,
    },
    /// TLS stands on this side; the gateway has not said anything yet.
    Hello(Attempt, Box<Stream>),
    Connected(Attempt, Box<Stream>),
}

/// One attempt at a channel.
struct Attempt {
    connection: String,
    failures: u32,
}

/// Buffered, so that the gateway's first words can be awaited without taking them.
type Stream = BufReader<ClientStream<TcpStream>>;

impl Connector {
    /// A connector to `host:port` whose requests `serve` answers.
    #[must_use]
    pub fn new(deps: Deps, host: &str, port: u16, serve: Serve) -> Self {
        Self { deps, host: host.to_owned(), port, serve, cut: None }
    }

    /// Cuts the channel, with all that is under way on it, whenever the watched value changes; it is then
    /// dialled again.
    #[must_use]
    pub fn cut_by(mut self, cut: watch::Receiver<u64>) -> Self {
        self.cut = Some(cut);
        self
    }

    /// Dials now, and again whenever the channel is lost, until the handle is stopped.
    #[must_use]
    pub fn start(self) -> ConnectorHandle {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            // Leaving the loop drops the channel with everything on it.
            let _cut = stopped.run_until_cancelled(self.run()).await;
        });
        ConnectorHandle { stop, task }
    }

    async fn run(self) {
        let mut state = State::Dialling { failures: 0 };
        loop {
            state = match state {
                State::Disconnected { failures } => {
                    tokio::time::sleep(self.backoff(failures)).await;
                    State::Dialling { failures }
                }
                State::Dialling { failures } => self.dial(failures).await,
                State::Hello(attempt, stream) => self.hello(attempt, stream).await,
                State::Connected(attempt, stream) => {
                    self.serve_channel(*stream, &attempt.connection).await;
                    State::Disconnected { failures: 0 }
                }
            };
        }
    }

    async fn dial(&self, failures: u32) -> State {
        let attempt = Attempt { connection: self.deps.ids.guid().to_string(), failures };
        match dial(&self.deps, &self.host, self.port, &[ALPN]).await {
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(ALPN) => {
                State::Hello(attempt, Box::new(BufReader::new(stream)))
            }
            Ok(_other) => self.failed(attempt, "what answers there does not speak the channel's protocol"),
            Err(error) => self.failed(attempt, &error.cause),
        }
    }

    /// A client of TLS 1.3 believes itself connected before the server has judged its certificate; only
    /// the gateway's first words prove that this connection point was admitted.
    async fn hello(&self, attempt: Attempt, mut stream: Box<Stream>) -> State {
        let cause = match tokio::time::timeout(HELLO_PATIENCE, stream.fill_buf()).await {
            Ok(Ok([])) => "the gateway turned this connection point away".to_owned(),
            Ok(Ok(_first_words)) => return State::Connected(attempt, stream),
            Ok(Err(error)) => format!("the gateway turned this connection point away: {error}"),
            Err(_elapsed) => format!("the gateway said nothing within {HELLO_PATIENCE:?}"),
        };
        self.failed(attempt, &cause)
    }

    async fn serve_channel(&self, stream: Stream, connection: &str) {
        let serve = Arc::clone(&self.serve);
        let name = HeaderValue::from_str(connection).ok();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let name = name.clone().filter(|_| request.uri().path() == SETTINGS_PATH);
            let answer = serve(request);
            async move {
                let mut answer = answer.await;
                if let Some(name) = name {
                    answer.headers_mut().insert(CONNECTION_HEADER, name);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        self.deps.events.emit(ConnectionPointEvent::ChannelConnected {
            server: self.server(),
            connection: connection.to_owned(),
        });
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_PATIENCE)
            // Answers are stamped on the lab's clock, or not at all.
            .auto_date_header(false)
            .max_header_list_size(LARGEST_HEAD)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(MOST_STREAMS)
            .serve_connection(TokioIo::new(stream), service);
        let cause = tokio::select! {
            ended = serving => match ended {
                Ok(()) => "closed by the gateway".to_owned(),
                Err(error) => in_words(&error),
            },
            () = cut(self.cut.clone()) => "cut here".to_owned(),
        };
        self.deps.events.emit(ConnectionPointEvent::ChannelClosed { server: self.server(), cause });
    }

    fn failed(&self, attempt: Attempt, cause: &str) -> State {
        self.deps.events.emit(ConnectionPointEvent::ChannelFailed {
            server: self.server(),
            connection: attempt.connection,
            cause: cause.to_owned(),
        });
        State::Disconnected { failures: attempt.failures.saturating_add(1) }
    }

    /// Full jitter below a doubling bound; the documented one-minute maintenance is its ceiling.
    fn backoff(&self, failures: u32) -> Duration {
        let bound = FIRST_BACKOFF.saturating_mul(1 << failures.min(10)).min(MAINTENANCE);
        let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(20 + self.deps.ids.below(bound_ms))
    }

    fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

async fn cut(watched: Option<watch::Receiver<u64>>) {
    let Some(mut watched) = watched else { return std::future::pending().await };
    watched.mark_unchanged();
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("server", &self.server()).finish_non_exhaustive()
    }
}

impl ConnectorHandle {
    /// Cuts the channel and stops dialling.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // A panic in the task would be ours; there is nothing left to do about it here.
        let _ended = (&mut self.task).await;
    }
}

impl Drop for ConnectorHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Longer than the gateway takes to fetch CRLs.
const HELLO_PATIENCE: Duration = Duration::from_secs(15);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAINTENANCE: Duration = Duration::from_secs(60);
