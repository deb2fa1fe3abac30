//! Every answered request becomes one `Served` event, with the figures an IIS log needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Source;
use cmglab_events::kinds::{CertificateVerdict, NetEvent, Served};
use http::header::{CONTENT_LENGTH, DATE, HOST, HeaderMap, HeaderName, USER_AGENT};
use http::{Extensions, HeaderValue, Request, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::wire::{Head, Ledger};
use crate::{Deps, Peer, counted};

/// The IIS substatus of an answer, in its extensions (`403.7`: substatus 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substatus(pub u16);

/// The reason phrase of an answer: its own, or the standard one of its status.
#[must_use]
pub fn reason_of<B>(response: &Response<B>) -> String {
    reason_of_parts(response.status(), response.extensions())
}

pub(crate) fn reason_of_parts(status: StatusCode, extensions: &Extensions) -> String {
    match extensions.get::<ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    }
}

/// Bytes of a request's head, without the body: as they came over the wire where this process received
/// it, else as HTTP/1.1 would write it.
#[must_use]
pub fn request_head_bytes<B>(request: &Request<B>) -> u64 {
    if let Some(HeadBytes(bytes)) = request.extensions().get() {
        return *bytes;
    }
    let target = request.uri().path_and_query().map_or(1, |target| target.as_str().len());
    let line = request.method().as_str().len() + 1 + target + " HTTP/1.1\r\n".len();
    (line + headers_bytes(request.headers()) + "\r\n".len()) as u64
}

/// Bytes of an answer's head as HTTP/1.1 writes it, without the body.
#[must_use]
pub fn response_head_bytes<B: http_body::Body>(response: &Response<B>) -> u64 {
    let line = "HTTP/1.1 200 \r\n".len() + reason_of(response).len();
    // hyper adds the length when the handler did not state it.
    let added = match response.body().size_hint().exact() {
        Some(length) if !response.headers().contains_key(CONTENT_LENGTH) => {
            "content-length: \r\n".len() + length.to_string().len()
        }
        _ => 0,
    };
    (line + headers_bytes(response.headers()) + added + "\r\n".len()) as u64
}

fn headers_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

/// The size of a request's head on the wire, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadBytes(pub(crate) u64);

/// What is noted when a request comes in, to be told when it was answered.
pub(crate) struct Note {
    voice: Source,
    watch: Stopwatch,
    served: Served,
    received: Option<Arc<AtomicU64>>,
}

impl Note {
    pub(crate) fn take(
        voice: Source,
        request: &Request<Body>,
        head: Option<&Head>,
        peer: &Peer,
        (server, port): (&str, u16),
    ) -> Self {
        let text = |name: &HeaderName| {
            request.headers().get(name).map(|value| clipped(&String::from_utf8_lossy(value.as_bytes())))
        };
        let served = Served {
            method: clipped(request.method().as_str()),
            stem: clipped(request.uri().path()),
            query: request.uri().query().map(|query| clipped(&redact_query(query))),
            host: text(&HOST),
            version: format!("{:?}", request.version()),
            user_agent: text(&USER_AGENT),
            server: server.to_owned(),
            client: peer.address.ip().to_string(),
            port,
            status: 0,
            substatus: 0,
            reason: String::new(),
            request_bytes: 0,
            response_bytes: 0,
            taken_ms: 0,
            certificate: peer.verdict,
        };
        let received = head.map(|head| Arc::clone(&head.received));
        Self { voice, watch: Stopwatch::start(), served, received }
    }

    /// Completes the answer's head, and tells the event when its last byte is handed over. The request
    /// then counts with all of it that has arrived, whether the handler read it or not.
    pub(crate) fn finish(
        mut self,
        deps: &Deps,
        ledger: Arc<Ledger>,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let stamp = deps.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(stamp) = HeaderValue::from_str(&stamp) {
            response.headers_mut().insert(DATE, stamp);
        }
        name_reason(&mut response);
        self.served.status = response.status().as_u16();
        self.served.reason = reason_of(&response);
        self.served.substatus = response.extensions().get::<Substatus>().map_or(0, |substatus| substatus.0);
        let head_bytes = response_head_bytes(&response);
        response.map(|body| {
            counted(body, move |body_bytes| {
                ledger.answered(Box::new(move |exact| self.tell(exact.unwrap_or(head_bytes + body_bytes))));
            })
        })
    }

    fn tell(mut self, response_bytes: u64) {
        self.served.request_bytes = self.received.map_or(0, |bytes| bytes.load(Ordering::Relaxed));
        self.served.response_bytes = response_bytes;
        self.served.taken_ms = self.watch.millis();
        self.voice.emit(NetEvent::Served(self.served));
    }
}

/// hyper writes `<none>` for a status that has no phrase of its own; nothing is what is meant.
fn name_reason(response: &mut Response<Body>) {
    let extensions = response.extensions();
    if extensions.get::<ReasonPhrase>().is_none() && response.status().canonical_reason().is_none() {
        response.extensions_mut().insert(ReasonPhrase::from_static(b""));
    }
}

/// A URL, or a path with its query, as events and logs may show it: what grants something is blotted out,
/// and what is longer than anybody would read is cut. Events are kept; their size must not be a caller's
/// choice.
#[must_use]
pub fn shown(url: &str) -> String {
    match url.split_once('?') {
        Some((path, query)) => clipped(&format!("{path}?{}", redact_query(query))),
        None => clipped(url),
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Values that grant something are blotted out; their names stay. A name written with escapes could be any
/// of them.
pub(crate) fn redact_query(query: &str) -> String {
    let secret = |name: &str| {
        let listed = SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        listed || name.contains(['%', '+'])
    };
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name, _value)) if secret(name) => format!("{name}=[REDACTED]"),
        _ => pair.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

const LONGEST_SHOWN: usize = 1024;
const SECRET_PARAMETERS: [&str; 22] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "ctx",
    "device_code",
    "id_token",
    "id_token_hint",
    "logout_hint",
    "nonce",
    "otc",
    "passwd",
    "password",
    "refresh_token",
    "request",
    "request_nonce",
    "sig",
    "sso_nonce",
    "token",
    "user_code",
];

/// The verdict on a caller that could not present a certificate at all.
pub(crate) const NO_CERTIFICATE: CertificateVerdict = CertificateVerdict::Absent;
