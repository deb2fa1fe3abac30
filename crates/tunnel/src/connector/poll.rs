//! The connection point's end of a long poll: one request carries bytes up, another waits for bytes down.
//!
//! A request whose connection is lost is sent again; its number keeps it from counting twice.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use cmglab_net::Deps;
use http::Method;
use tokio_util::sync::CancellationToken;

use super::attempt::HELLO_PATIENCE;
use super::http1::{Http, Reply, refused};
use crate::pieces::Number;
use crate::pipe::{ToRead, Written, pipe};
use crate::{POLL_WAIT, SESSIONS_PATH, Stream};

/// Opens a session. Its two requests go on in a task of their own, which says farewell to the gateway when
/// the stream is dropped.
pub(super) async fn open(deps: &Deps, host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let mut up = Http::new(deps, host, port);
    let opening = up.ask(Method::POST, SESSIONS_PATH, Bytes::new());
    let opened = tokio::time::timeout(HELLO_PATIENCE, opening).await;
    let opened = opened.map_err(|_elapsed| format!("no answer within {HELLO_PATIENCE:?}"))??;
    let session = match (opened.status, session(&opened.body)) {
        (200, Some(session)) => session,
        (200, None) => return Err("what answers there gives no session".to_owned()),
        (status, _) => return Err(refused(status, &opened.reason)),
    };
    let (stream, written, to_read) = pipe();
    let down = Http::new(deps, host, port);
    tokio::spawn(run(up, down, session, written, to_read));
    Ok(Box::new(stream))
}

/// The path of the session that the answer names.
fn session(body: &[u8]) -> Option<String> {
    let id = std::str::from_utf8(body).ok().filter(|id| id.len() <= LONGEST_ID)?;
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    plain.then(|| format!("{SESSIONS_PATH}/{id}"))
}

async fn run(mut up: Http, down: Http, session: String, written: Written, to_read: ToRead) {
    let (mut to_read, left) = (Some(to_read), CancellationToken::new());
    let both = futures_util::future::try_join(
        fetch(down, &session, &mut to_read, &left),
        send(&mut up, &session, written),
    );
    let farewell = async {
        left.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let ended = tokio::select! {
        ended = both => ended.map(drop),
        () = farewell => Ok(()),
    };
    if let (Err(cause), Some(to_read)) = (ended, to_read) {
        // Nobody may be reading any more.
        let _unread = to_read.send(Err(io::Error::other(cause))).await;
    }
    // The gateway would find out by itself, only later.
    let leaving = up.ask(Method::DELETE, &session, Bytes::new());
    let _left = tokio::time::timeout(FAREWELL, leaving).await;
}

/// Moves bytes down until their end, or until nobody reads them any more.
async fn fetch(
    mut http: Http,
    session: &str,
    to_read: &mut Option<ToRead>,
    left: &CancellationToken,
) -> Result<(), String> {
    let (mut number, nothing): (Number, _) = (0, Bytes::new());
    while let Some(reader) = to_read.clone() {
        let target = format!("{session}/down?piece={number}");
        let reply = tokio::select! {
            reply = persist(&mut http, Method::GET, &target, &nothing) => reply?,
            () = reader.closed() => break,
        };
        match reply {
            Reply { status: 204, .. } => {}
            Reply { status: 200, body, .. } if body.is_empty() => *to_read = None,
            Reply { status: 200, body, .. } => {
                number += 1;
                if reader.send(Ok(body)).await.is_err() {
                    break;
                }
            }
            Reply { status, reason, .. } => return Err(refused(status, &reason)),
        }
    }
    if to_read.is_some() {
        left.cancel();
    }
    Ok(())
}

/// Moves bytes up, and their end.
async fn send(http: &mut Http, session: &str, mut written: Written) -> Result<(), String> {
    let mut number: Number = 0;
    loop {
        let piece = written.next().await;
        let target = format!("{session}/up?piece={number}");
        match persist(http, Method::POST, &target, &piece).await? {
            Reply { status: 204, .. } if piece.is_empty() => return Ok(()),
            Reply { status: 204, .. } => number += 1,
            Reply { status, reason, .. } => return Err(refused(status, &reason)),
        }
    }
}

/// Sends a request until it is answered, over as many connections as that takes within reason.
async fn persist(http: &mut Http, method: Method, target: &str, body: &Bytes) -> Result<Reply, String> {
    let mut wait = FIRST_WAIT;
    for _attempt in 1..MOST_ATTEMPTS {
        if let Ok(reply) = attempt(http, &method, target, body).await {
            return Ok(reply);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    attempt(http, &method, target, body).await
}

async fn attempt(http: &mut Http, method: &Method, target: &str, body: &Bytes) -> Result<Reply, String> {
    let asked = http.ask(method.clone(), target, body.clone());
    tokio::time::timeout(REQUEST_PATIENCE, asked)
        .await
        .unwrap_or_else(|_elapsed| Err(format!("no answer within {REQUEST_PATIENCE:?}")))
}

const LONGEST_ID: usize = 64;
const REQUEST_PATIENCE: Duration = POLL_WAIT.saturating_add(Duration::from_secs(10));
const FIRST_WAIT: Duration = Duration::from_millis(10);
const MOST_ATTEMPTS: usize = 9;
/// How long the last bytes may take when the stream was dropped.
const FAREWELL: Duration = Duration::from_secs(2);
