//! The gateway's end of channels over HTTPS: by upgrade, and by long poll.

mod sessions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use cmglab_events::kinds::LabEvent;
use cmglab_fault::{Point, Verdict};
use cmglab_net::{Deps, Peer};
use cmglab_tls::ClientJudge;
use http::header::{CONNECTION, UPGRADE as UPGRADE_HEADER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gateway::{Gone, establish};
use crate::{Channel, ChannelUp, SESSION_ENDED, SESSIONS_PATH, Stream, Transport, UPGRADE, UPGRADE_PATH};
use sessions::{Session, Sessions};

/// The channels that connection points build to one instance over HTTPS, until it is shut down. Cheap to
/// clone; clones are the same channels.
#[derive(Clone)]
pub struct HttpsChannels {
    shared: Arc<Shared>,
}

struct Shared {
    deps: Deps,
    judge: ClientJudge,
    admit: Admit,
    on_up: Box<dyn Fn(ChannelUp) + Send + Sync>,
    sessions: Sessions,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: TaskTracker,
}

type Admit = Box<dyn Fn(&Peer) -> Result<(), String> + Send + Sync>;

impl HttpsChannels {
    /// Channels of those whom `judge` and then `admit` let in; `on_up` receives each one that is
    /// established. An error of `admit` is the reason for turning a caller away.
    #[must_use]
    pub fn new<A, U>(deps: &Deps, judge: ClientJudge, admit: A, on_up: U) -> Self
    where
        A: Fn(&Peer) -> Result<(), String> + Send + Sync + 'static,
        U: Fn(ChannelUp) + Send + Sync + 'static,
    {
        let shared = Shared {
            deps: deps.clone(),
            judge,
            admit: Box::new(admit),
            on_up: Box::new(on_up),
            sessions: Sessions::default(),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The paths of the channel and no others, for a port whose TLS asks for certificates. The certificate
    /// is judged here, whatever the port made of it.
    pub fn router(&self) -> Router {
        Router::new()
            .route(UPGRADE_PATH, get(upgrade))
            .route(SESSIONS_PATH, post(open))
            .route(&format!("{SESSIONS_PATH}/{{session}}"), delete(close))
            .route(&format!("{SESSIONS_PATH}/{{session}}/up"), post(up))
            .route(&format!("{SESSIONS_PATH}/{{session}}/down"), get(down))
            .with_state(Arc::clone(&self.shared))
    }

    /// Takes no further channel; each one tells that it is gone, and may live on for the requests under way
    /// for at most `grace`. Call it before the port's own shutdown: a long poll needs the port to finish.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(grace, self.shared.tasks.wait()).await.is_err() {
            self.abort();
            self.shared.tasks.wait().await;
        }
    }

    #[cfg(test)]
    pub(crate) fn sessions(&self) -> usize {
        self.shared.sessions.len()
    }

    /// Cuts every channel at once.
    pub fn abort(&self) {
        self.shared.stop.cancel();
        self.shared.kill.cancel();
        self.shared.sessions.end_all();
    }
}

impl fmt::Debug for HttpsChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsChannels").field("sessions", &self.shared.sessions.len()).finish_non_exhaustive()
    }
}

async fn upgrade(State(shared): State<Arc<Shared>>, mut request: Request<Body>) -> Response<Body> {
    let peer = match shared.admitted(request.extensions().get()).await {
        Ok(peer) => peer,
        Err(refusal) => return refusal,
    };
    let broken = shared.strikes(Point::Upgrade, request.uri().path(), Verdict::BreakUpgrade);
    if broken || !wishes_upgrade(request.headers()) || shared.stop.is_cancelled() {
        return switching(StatusCode::UPGRADE_REQUIRED);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let connection = shared.deps.ids.guid().to_string();
    let owner = Arc::clone(&shared);
    shared.spawn(async move {
        // The connection may end before it is a channel.
        let Ok(stream) = upgraded.await else { return };
        let cut = std::future::pending();
        owner.establish(connection, TokioIo::new(stream), peer, Transport::HttpsUpgrade, cut).await;
    });
    switching(StatusCode::SWITCHING_PROTOCOLS)
}

async fn open(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let peer = match shared.admitted(request.extensions().get()).await {
        Ok(peer) => peer,
        Err(refusal) => return refusal,
    };
    let id = shared.deps.ids.guid().to_string();
    let (session, stream) = Session::new(&peer);
    let room = !shared.stop.is_cancelled() && shared.sessions.insert(&id, &session);
    if !room {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "no room for another session\n");
    }
    let (connection, name) = (shared.deps.ids.guid().to_string(), id.clone());
    let owner = Arc::clone(&shared);
    shared.spawn(async move {
        owner.establish(connection, stream, peer, Transport::LongPoll, session.cut()).await;
        session.linger().await;
        owner.sessions.end(&name);
    });
    answer(StatusCode::OK, id)
}

async fn up(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    match shared.session(&id, request.uri().path(), request.extensions().get()).await {
        Ok(session) => session.up(request).await,
        Err(refusal) => refusal,
    }
}

async fn down(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    match shared.session(&id, request.uri().path(), request.extensions().get()).await {
        Ok(session) => session.down(request.uri().query()).await,
        Err(refusal) => refusal,
    }
}

async fn close(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    match shared.session(&id, request.uri().path(), request.extensions().get()).await {
        Ok(session) => session.close().await,
        Err(refusal) => refusal,
    }
}

impl Shared {
    /// The caller with this port's verdict, or the refusal.
    async fn admitted(&self, peer: Option<&Peer>) -> Result<Peer, Response<Body>> {
        let refused = || answer(StatusCode::FORBIDDEN, "not a connection point of this site\n");
        let Some(mut peer) = peer.cloned() else { return Err(refused()) };
        peer.verdict = cmglab_net::judge(&self.deps, &self.judge, &peer.chain).await;
        match (self.admit)(&peer) {
            Ok(()) => Ok(peer),
            Err(_told) => Err(refused()),
        }
    }

    /// The session, if it is the caller's own. A caller that was let in once is known by its certificate.
    async fn session(
        &self,
        id: &str,
        path: &str,
        peer: Option<&Peer>,
    ) -> Result<Arc<Session>, Response<Body>> {
        let found = match (self.sessions.find(id), peer) {
            (Some(session), Some(peer)) if session.is_of(peer) => Some(session),
            _ => None,
        };
        let Some(session) = found else {
            self.admitted(peer).await?;
            return Err(session_ended());
        };
        if self.strikes(Point::Poll, path, Verdict::EndSession) {
            self.sessions.end(id);
            return Err(session_ended());
        }
        Ok(session)
    }

    fn strikes(&self, point: Point, path: &str, expected: Verdict) -> bool {
        if self.deps.faults.is_empty() || self.deps.faults.at(point, path) != Some(expected) {
            return false;
        }
        let (point, verdict) = match point {
            Point::Upgrade => ("upgrade", "break-upgrade"),
            _ => ("poll", "end-session"),
        };
        self.deps
            .events
            .emit(LabEvent::FaultApplied { point: point.to_owned(), verdict: verdict.to_owned() });
        true
    }

    /// Runs a channel until it ends or is cut.
    fn spawn(&self, channel: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tasks.spawn(async move {
            let _cut = kill.run_until_cancelled_owned(channel).await;
        });
    }

    async fn establish(
        &self,
        connection: String,
        stream: impl Stream + 'static,
        peer: Peer,
        transport: Transport,
        cut: impl Future<Output = String>,
    ) {
        let on_up = |channel: Channel, gone: Gone| {
            (self.on_up)(ChannelUp { channel, peer, transport, gone });
        };
        establish(connection, stream, self.stop.clone(), cut, on_up).await;
    }
}

fn wishes_upgrade(headers: &HeaderMap) -> bool {
    let has = |name: http::HeaderName, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    has(CONNECTION, "upgrade") && has(UPGRADE_HEADER, UPGRADE)
}

/// That the protocol changes, or would have to (RFC 9110 §15.5.22).
fn switching(status: StatusCode) -> Response<Body> {
    let mut response = answer(status, "");
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(UPGRADE_HEADER, HeaderValue::from_static(UPGRADE));
    response
}

fn session_ended() -> Response<Body> {
    let (status, reason) = SESSION_ENDED;
    let mut response = answer(StatusCode::from_u16(status).unwrap_or(StatusCode::GONE), "");
    response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    response
}

fn answer(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}
