//! Sessions of long polls: who has one, what passes through it, and when it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cmglab_net::{CallFailure, Peer, read_capped};
use http::{Request, Response, StatusCode};
use tokio::sync::{Mutex as Turn, watch};
use tokio_util::sync::CancellationToken;

use super::{answer, session_ended};
use crate::pieces::{Arrival, Incoming, Number, Outgoing, Wish};
use crate::pipe::{ToRead, Written, pipe};
use crate::{LARGEST_PIECE, POLL_WAIT, Stream};

/// The open sessions of one instance, by id.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One session. It is its opener's alone.
pub(super) struct Session {
    certificate: Option<Vec<u8>>,
    up: Turn<Up>,
    down: Turn<Down>,
    polled: watch::Sender<()>,
    /// Cancelled when the session is ended from outside.
    over: CancellationToken,
    /// Cancelled when the caller wants no more bytes, or knows that none will come.
    told: CancellationToken,
}

struct Up {
    incoming: Incoming,
    /// Gone when the caller has said that no more bytes will come.
    to_read: Option<ToRead>,
}

struct Down {
    outgoing: Outgoing,
    written: Written,
}

impl Sessions {
    /// Whether there was room for it.
    pub(super) fn insert(&self, id: &str, session: &Arc<Session>) -> bool {
        let mut sessions = self.lock();
        let room = sessions.len() < MOST_SESSIONS;
        if room {
            sessions.insert(id.to_owned(), Arc::clone(session));
        }
        room
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id).cloned()
    }

    pub(super) fn end(&self, id: &str) {
        if let Some(session) = self.lock().remove(id) {
            session.over.cancel();
        }
    }

    pub(super) fn end_all(&self) {
        self.lock().drain().for_each(|(_id, session)| session.over.cancel());
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// A session of the caller, and the stream that the engine runs over.
    pub(super) fn new(peer: &Peer) -> (Arc<Self>, impl Stream + 'static) {
        let (stream, written, to_read) = pipe();
        let session = Self {
            certificate: peer.chain.first().cloned(),
            up: Turn::new(Up { incoming: Incoming::default(), to_read: Some(to_read) }),
            down: Turn::new(Down { outgoing: Outgoing::default(), written }),
            polled: watch::Sender::new(()),
            over: CancellationToken::new(),
            told: CancellationToken::new(),
        };
        (Arc::new(session), stream)
    }

    pub(super) fn is_of(&self, peer: &Peer) -> bool {
        peer.chain.first() == self.certificate.as_ref()
    }

    /// Resolves with the cause when the session is to be cut.
    pub(super) async fn cut(&self) -> String {
        let mut polled = self.polled.subscribe();
        let forsaken =
            async { while let Ok(Ok(())) = tokio::time::timeout(FORSAKEN, polled.changed()).await {} };
        tokio::select! {
            () = self.over.cancelled() => "the session was ended".to_owned(),
            () = forsaken => {
                self.over.cancel();
                format!("nobody polled for {FORSAKEN:?}")
            }
        }
    }

    /// The engine has come to its end; its last bytes may still be fetched.
    pub(super) async fn linger(&self) {
        tokio::select! {
            () = self.told.cancelled() => {}
            () = self.over.cancelled() => {}
            () = tokio::time::sleep(LINGER) => {}
        }
    }

    /// The caller has left. What it has sent before counts.
    pub(super) async fn close(&self) -> Response<Body> {
        self.told.cancel();
        self.up.lock().await.to_read = None;
        answer(StatusCode::NO_CONTENT, "")
    }

    /// Takes a piece. It is taken whole or, when the caller leaves before that, not at all.
    pub(super) async fn up(&self, request: Request<Body>) -> Response<Body> {
        let Some(number) = number(request.uri().query()) else { return bad_request() };
        let piece = match read_capped(request.into_body(), LARGEST_PIECE).await {
            Ok(piece) => piece,
            Err(error) if error.failure == CallFailure::TooLarge => {
                return answer(StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n"));
            }
            Err(_broken) => return bad_request(),
        };
        tokio::select! {
            () = self.over.cancelled() => session_ended(),
            taken = self.take(number, piece) => taken,
        }
    }

    async fn take(&self, number: Number, piece: Bytes) -> Response<Body> {
        let mut up = self.up.lock().await;
        let Up { incoming, to_read } = &mut *up;
        match incoming.arrival(number) {
            Arrival::Next => {}
            Arrival::Again => return answer(StatusCode::NO_CONTENT, ""),
            Arrival::Gap => return gap(),
        }
        let Some(reader) = to_read else { return gap() };
        // A piece that nobody reads yet holds up its sender.
        let Ok(room) = reader.reserve().await else { return session_ended() };
        incoming.taken();
        if piece.is_empty() {
            drop(room);
            *to_read = None;
        } else {
            room.send(Ok(piece));
        }
        answer(StatusCode::NO_CONTENT, "")
    }

    /// Gives a piece as soon as there is one.
    pub(super) async fn down(&self, query: Option<&str>) -> Response<Body> {
        let Some(number) = number(query) else { return bad_request() };
        self.polled.send_replace(());
        let response = tokio::select! {
            () = self.over.cancelled() => session_ended(),
            given = self.give(number) => given,
            () = tokio::time::sleep(POLL_WAIT) => answer(StatusCode::NO_CONTENT, ""),
        };
        self.polled.send_replace(());
        response
    }

    async fn give(&self, number: Number) -> Response<Body> {
        let mut down = self.down.lock().await;
        let Down { outgoing, written } = &mut *down;
        let piece = match outgoing.wish(number) {
            Wish::Again(piece) => piece,
            Wish::New => outgoing.give(written.next().await),
            Wish::Gap => return gap(),
        };
        if piece.is_empty() {
            self.told.cancel();
        }
        answer(StatusCode::OK, piece)
    }
}

fn number(query: Option<&str>) -> Option<Number> {
    query?.strip_prefix("piece=")?.parse().ok()
}

fn bad_request() -> Response<Body> {
    answer(StatusCode::BAD_REQUEST, "send a piece by its number: ?piece=0\n")
}

fn gap() -> Response<Body> {
    answer(StatusCode::CONFLICT, "that piece is not due\n")
}

/// A gateway instance has a few connection points, and each of them one session, or two while it changes over.
const MOST_SESSIONS: usize = 64;
const FORSAKEN: Duration = Duration::from_secs(60);
const LINGER: Duration = Duration::from_secs(5);
