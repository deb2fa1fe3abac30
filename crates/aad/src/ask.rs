//! A request, taken in whole under limits.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

use axum::extract::Request;
use bytes::Bytes;
use cmglab_events::Source;
use cmglab_events::kinds::CertificateVerdict;
use cmglab_net::{CallFailure, Deps, Exchange, Peer, read_capped};
use cmglab_token::{Header, TokenError, peek};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::answer::Trouble;
use crate::errors::{DUPLICATE_PARAMETER, MALFORMED, QUERY_TOO_LONG, Refusal, TOO_LARGE};
use crate::form::{Form, FormError, decode_segment};

/// A request and what its answer needs.
pub(crate) struct Ask {
    pub(crate) now: Timestamp,
    /// The method; HEAD counts as GET, and whoever sends the answer leaves its body out (RFC 9110 §9.3.2).
    pub(crate) method: Method,
    /// The path with its ASCII letters in lower case, decoded, without empty segments.
    pub(crate) segments: Vec<String>,
    /// The last of the segments as it was written.
    pub(crate) last_segment: String,
    pub(crate) query: Form,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body as a form, once somebody has asked for it.
    form: OnceLock<Result<Form, FormError>>,
    /// What the signed request in the form says, once somebody has looked.
    inside: OnceLock<Result<(Header, Value), TokenError>>,
    /// What the answer has to say beside its content, once it is known which face of the service answers.
    headers_of_answer: OnceLock<Vec<(HeaderName, HeaderValue)>>,
    pub(crate) peer: Option<Peer>,
    pub(crate) voice: Source,
    /// This answer's id.
    pub(crate) trace: Uuid,
    /// The caller's id for it, or one made here.
    pub(crate) correlation: Uuid,
}

impl Ask {
    /// Takes a request in. What is past a limit is left out, and the trouble told beside.
    pub(crate) async fn take(request: Request, deps: &Deps) -> (Self, Result<(), Trouble>) {
        let (parts, body) = request.into_parts();
        let exchange = parts.extensions.get::<Exchange>();
        let mut ask = Self {
            now: deps.clock.now(),
            method: if parts.method == Method::HEAD { Method::GET } else { parts.method },
            segments: Vec::new(),
            last_segment: String::new(),
            query: Form::default(),
            headers: parts.headers,
            body: Bytes::new(),
            form: OnceLock::new(),
            inside: OnceLock::new(),
            headers_of_answer: OnceLock::new(),
            peer: parts.extensions.get::<Peer>().cloned(),
            voice: exchange
                .map_or_else(|| deps.events.clone(), |Exchange(exchange)| deps.events.in_exchange(*exchange)),
            trace: deps.ids.guid(),
            correlation: deps.ids.guid(),
        };
        let sound = ask.take_target(parts.uri.path(), parts.uri.query()).and(ask.take_body(body).await);
        if let Some(given) = ask.caller_id() {
            ask.correlation = given;
        }
        (ask, sound)
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> Result<&Form, Refusal> {
        let form = self.form.get_or_init(|| Form::parse(&self.body)).as_ref();
        form.map_err(unreadable)
    }

    /// Says what the answer has to say beside its content; the first word counts.
    pub(crate) fn set_headers_of_answer(&self, headers: Vec<(HeaderName, HeaderValue)>) {
        let _first = self.headers_of_answer.set(headers);
    }

    pub(crate) fn headers_of_answer(&self) -> &[(HeaderName, HeaderValue)] {
        self.headers_of_answer.get().map_or(&[], Vec::as_slice)
    }

    /// Header and payload of the signed request in the form, unverified; nothing when there is none.
    pub(crate) fn inside(&self) -> Option<&Result<(Header, Value), TokenError>> {
        let jws = self.form().ok()?.get("request")?;
        Some(self.inside.get_or_init(|| peek(jws)))
    }

    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The caller's address; loopback when none is known.
    pub(crate) fn address(&self) -> IpAddr {
        self.peer.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.address.ip())
    }

    /// The caller's certificate in DER and its verdict.
    pub(crate) fn certificate(&self) -> (Option<&[u8]>, CertificateVerdict) {
        let Some(peer) = &self.peer else { return (None, CertificateVerdict::Absent) };
        (peer.chain.first().map(Vec::as_slice), peer.verdict)
    }

    /// The path as events show it.
    pub(crate) fn endpoint(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    fn take_target(&mut self, path: &str, query: Option<&str>) -> Result<(), Trouble> {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        if path.len() > MAX_PATH || segments.clone().count() > MAX_SEGMENTS {
            return Err(Trouble::NotFound);
        }
        let decoded: Result<Vec<_>, _> = segments.map(decode_segment).collect();
        let mut segments = decoded.map_err(|_| Trouble::NotFound)?;
        self.last_segment = segments.last().cloned().unwrap_or_default();
        segments.iter_mut().for_each(|segment| segment.make_ascii_lowercase());
        self.segments = segments;
        let query = query.unwrap_or_default();
        if query.len() > MAX_QUERY {
            return Err(QUERY_TOO_LONG.plain().into());
        }
        self.query = Form::parse(query.as_bytes()).map_err(|error| unreadable(&error))?;
        let largest = self.headers.values().map(http::HeaderValue::len).max().unwrap_or(0);
        if largest > MAX_HEADER || self.headers.len() > MAX_HEADERS {
            return Err(TOO_LARGE.about(&["a header is too long, or there are too many"]).into());
        }
        Ok(())
    }

    async fn take_body(&mut self, body: axum::body::Body) -> Result<(), Trouble> {
        self.body = read_capped(body, MAX_BODY).await.map_err(|error| match error.failure {
            CallFailure::TooLarge => TOO_LARGE.about(&["the body is larger than 65536 bytes"]),
            _ => MALFORMED.about(&["the body ended early"]),
        })?;
        Ok(())
    }

    /// `client-request-id` of the header, the query or the form (entra §5.1).
    fn caller_id(&self) -> Option<Uuid> {
        let parse = |text: &str| Uuid::try_parse(text).ok();
        let named = self.header(CLIENT_REQUEST_ID).and_then(parse);
        named
            .or_else(|| self.query.get(CLIENT_REQUEST_ID).and_then(parse))
            .or_else(|| self.form().ok()?.get(CLIENT_REQUEST_ID).and_then(parse))
    }
}

fn unreadable(error: &FormError) -> Refusal {
    match error {
        FormError::Repeated(name) => DUPLICATE_PARAMETER.about(&[name]),
        other => MALFORMED.about(&[&other.to_string()]),
    }
}

/// The name of a caller's own id, wherever it stands.
pub(crate) const CLIENT_REQUEST_ID: &str = "client-request-id";

const MAX_BODY: usize = 64 << 10;
const MAX_PATH: usize = 2 << 10;
const MAX_SEGMENTS: usize = 8;
const MAX_QUERY: usize = 8 << 10;
const MAX_HEADER: usize = 16 << 10;
const MAX_HEADERS: usize = 100;
