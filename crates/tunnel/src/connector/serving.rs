//! A channel that stands: what comes down it is answered.

use std::convert::Infallible;
use std::pin::pin;

use axum::body::Body;
use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_net::Deps;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Serve;
use super::attempt::{Attempt, Opened, Up};
use crate::{
    CONNECTION_HEADER, CONNECTION_WINDOW, KEEP_ALIVE, KEEP_ALIVE_PATIENCE, LARGEST_HEAD, MOST_STREAMS,
    SETTINGS_PATH, STREAM_WINDOW, Transport, in_words,
};

/// A channel that is being served.
pub(super) struct Serving {
    pub(super) transport: Transport,
    /// Cancel it to take no further request and end when those under way are answered.
    pub(super) drain: CancellationToken,
    /// Cancelled when the channel is gone.
    pub(super) ended: CancellationToken,
}

/// Serves the channel in a task of `served`. It is cut whenever the value that `cut` watches changes.
pub(super) fn start(
    served: &mut JoinSet<()>,
    deps: &Deps,
    up: Up,
    serve: Serve,
    cut: Option<watch::Receiver<u64>>,
) -> Serving {
    let Up { attempt: Attempt { transport, server, connection, .. }, stream } = up;
    let (drain, ended) = (CancellationToken::new(), CancellationToken::new());
    let serving = Serving { transport, drain: drain.clone(), ended: ended.clone() };
    let events = deps.events.clone();
    events.emit(ConnectionPointEvent::ChannelConnected {
        transport,
        server: server.clone(),
        connection: connection.clone(),
    });
    served.spawn(async move {
        let _ended = ended.drop_guard();
        let cause = run(stream, &connection, serve, drain, cut).await;
        events.emit(ConnectionPointEvent::ChannelClosed { transport, server, connection, cause });
    });
    serving
}

/// Returns why the channel ended.
async fn run(
    stream: Opened,
    connection: &str,
    serve: Serve,
    drain: CancellationToken,
    cut: Option<watch::Receiver<u64>>,
) -> String {
    let (name, draining) = (HeaderValue::from_str(connection).ok(), drain.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let of_settings = request.uri().path() == SETTINGS_PATH;
        let (name, draining) = (name.clone().filter(|_| of_settings), draining.clone());
        let answer = serve(request);
        async move {
            let mut answer = tokio::select! {
                answer = answer => answer,
                // The gateway waits here for news that would come over another channel.
                () = draining.cancelled(), if of_settings => unavailable(),
            };
            if let Some(name) = name {
                answer.headers_mut().insert(CONNECTION_HEADER, name);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut serving = pin!(engine().serve_connection(TokioIo::new(stream), service));
    let mut cut = pin!(changed(cut));
    let cause = tokio::select! {
        ended = serving.as_mut() => return closed(ended),
        () = cut.as_mut() => return CUT.to_owned(),
        () = drain.cancelled() => "drained here".to_owned(),
    };
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ended = serving => cause,
        () = cut => CUT.to_owned(),
    }
}

fn engine() -> http2::Builder<TokioExecutor> {
    let mut engine = http2::Builder::new(TokioExecutor::new());
    engine
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_PATIENCE)
        // Answers are stamped on the lab's clock, or not at all.
        .auto_date_header(false)
        .max_header_list_size(LARGEST_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MOST_STREAMS)
        // The gateway is trusted, and all its clients may leave at once.
        .max_pending_accept_reset_streams(MOST_STREAMS as usize)
        .max_local_error_reset_streams(None);
    engine
}

fn closed(ended: hyper::Result<()>) -> String {
    match ended {
        Ok(()) => "closed by the gateway".to_owned(),
        Err(error) => in_words(&error),
    }
}

fn unavailable() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

async fn changed(watched: Option<watch::Receiver<u64>>) {
    let Some(mut watched) = watched else { return std::future::pending().await };
    watched.mark_unchanged();
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

const CUT: &str = "cut here";
