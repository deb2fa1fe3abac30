//! Calling another role of the lab.

use std::fmt;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cmglab_clock::Stopwatch;
use cmglab_events::Source;
use cmglab_events::kinds::NetEvent;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::served::{reason_of, redact_query, shown};
use crate::{CallError, CallFailure, Deps, EXCHANGE_HEADER, Forwarder, read_capped};

/// An HTTPS client of one role: the lab's resolver, this machine's trust, no redirects, no proxies.
/// Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    forwarder: Forwarder,
}

/// One request.
#[derive(Clone)]
pub struct Call {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    largest_answer: usize,
}

/// One answer, read whole.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Reason phrase as received.
    pub reason: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Call {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            largest_answer: LARGEST_ANSWER,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// Adds a header. A value that cannot stand in a header is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a bearer token, marked sensitive.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) {
            value.set_sensitive(true);
            self.headers.insert(http::header::AUTHORIZATION, value);
        }
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header(http::header::CONTENT_TYPE, content_type);
        call.body = body.into();
        call
    }

    /// Takes an answer of at most so many bytes (1 MiB unless told).
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }
}

/// Bodies and queries may hold what grants something.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers, body, .. } = self;
        let (url, body) = (shown(url), format_args!("{} bytes", body.len()));
        f.debug_struct("Call")
            .field("method", method)
            .field("url", &url)
            .field("headers", headers)
            .field("body", &body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, reason, body, .. } = self;
        let body = format_args!("{} bytes", body.len());
        f.debug_struct("Answer")
            .field("status", status)
            .field("reason", reason)
            .field("body", &body)
            .finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client for one role.
    #[must_use]
    pub fn new(deps: &Deps) -> Self {
        Self { forwarder: Forwarder::new(deps) }
    }

    /// Sends one request and says so on the bus, in `voice`.
    ///
    /// # Errors
    /// [`CallError`] when there was no whole answer; any HTTP status is an answer.
    pub async fn send(&self, voice: &Source, call: &Call) -> Result<Answer, CallError> {
        let watch = Stopwatch::start();
        let outcome = tokio::time::timeout(PATIENCE, self.attempt(voice, call)).await;
        let outcome = outcome.unwrap_or_else(|_elapsed| {
            let cause = format!("{} did not answer within {PATIENCE:?}", host_of(&call.url));
            Err(CallError::new(CallFailure::Timeout, cause))
        });
        voice.emit(report(call, &outcome, watch.millis()));
        outcome
    }

    async fn attempt(&self, voice: &Source, call: &Call) -> Result<Answer, CallError> {
        let response = self.forwarder.send(request(voice, call)?).await?;
        let (status, reason) = (response.status().as_u16(), reason_of(&response));
        let headers = response.headers().clone();
        let body = read_capped(response.into_body(), call.largest_answer).await?;
        Ok(Answer { status, reason, headers, body })
    }
}

fn request(voice: &Source, call: &Call) -> Result<Request<Body>, CallError> {
    let unusable = |cause: &dyn std::error::Error| {
        CallError::new(CallFailure::Request, format!("{}: {cause}", call.url))
    };
    let uri: Uri = call.url.parse().map_err(|error| unusable(&error))?;
    let mut request = Request::new(Body::from(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = call.headers.clone();
    if let Some(exchange) = voice.exchange() {
        let value = HeaderValue::from_str(&exchange.to_string()).map_err(|error| unusable(&error))?;
        request.headers_mut().insert(EXCHANGE_HEADER, value);
    }
    Ok(request)
}

fn report(call: &Call, outcome: &Result<Answer, CallError>, taken_ms: u64) -> NetEvent {
    let (host, method) = (host_of(&call.url), call.method.to_string());
    let target = target_of(&call.url);
    match outcome {
        Ok(answer) => {
            let reason = answer.reason.clone();
            NetEvent::Called { host, method, target, status: answer.status, reason, taken_ms }
        }
        Err(error) => {
            let (tls, cause) = (error.tls(), error.cause.clone());
            NetEvent::CallFailed { host, method, target, tls, cause, taken_ms }
        }
    }
}

fn host_of(url: &str) -> String {
    split_url(url).0.to_owned()
}

fn target_of(url: &str) -> String {
    let target = split_url(url).1;
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", redact_query(query)),
        None => target.to_owned(),
    }
}

fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    rest.find(['/', '?']).map_or((rest, "/"), |end| rest.split_at(end))
}

const LARGEST_ANSWER: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);
