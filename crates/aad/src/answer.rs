//! Answers: JSON whatever happens, with the headers of the real service (entra §5.1).

use std::fmt;

use axum::body::Body;
use axum::response::Response;
use cmglab_events::kinds::AadEvent;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::ask::{Ask, CLIENT_REQUEST_ID};
use crate::drs::Denied;
use crate::errors::Refusal;

/// Why there is no answer of success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Device registration says no.
    Denied(Denied),
    /// The lab itself failed; the text says at what.
    Failed(String),
    /// The same, and when to try again, in seconds.
    Later(Box<Self>, u32),
    /// The path takes these methods only.
    Method(&'static str),
    /// The real service has it, the lab has not.
    NotBuilt(String),
    /// No such path.
    NotFound,
    /// The token service says no.
    Refused(Refusal),
}

/// An answer of success.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing but the status 200.
    Empty,
    /// An encrypted answer: a compact JWE (entra §4.3).
    Jose(String),
    /// JSON.
    Json(Value),
    /// A page for a browser.
    Page(Page),
}

/// A page for a browser, or a redirection, which carries its link in the body too: some clients read it
/// from there (entra §4.3).
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// HTTP status.
    pub(crate) status: u16,
    /// Where a redirection leads.
    pub(crate) location: Option<String>,
    /// The HTML.
    pub(crate) html: String,
    /// Further headers, such as cookies.
    pub(crate) headers: Vec<(HeaderName, String)>,
}

/// What is answered may hold tokens.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Jose(_) => f.write_str("Jose([redacted])"),
            Self::Json(_) => f.write_str("Json([redacted])"),
            Self::Page(page) => f.debug_tuple("Page").field(page).finish(),
        }
    }
}

/// Links and cookies may hold codes and tokens.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("status", &self.status).finish_non_exhaustive()
    }
}

/// An answer of success, or the trouble.
pub(crate) type Outcome = Result<Reply, Trouble>;

impl From<Value> for Reply {
    fn from(json: Value) -> Self {
        Self::Json(json)
    }
}

impl From<Map<String, Value>> for Reply {
    fn from(members: Map<String, Value>) -> Self {
        Self::Json(Value::Object(members))
    }
}

impl From<Page> for Reply {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Denied> for Trouble {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// Makes the response and says what happened, where the handler has not.
pub(crate) fn render(ask: &Ask, outcome: Outcome) -> Response {
    let trouble = match outcome {
        Ok(reply) => return replied(ask, reply),
        Err(trouble) => trouble,
    };
    match trouble {
        Trouble::Refused(refusal) => {
            let row = refusal.row;
            let response = dressed(ask, row.status, JSON, refused(ask, refusal).to_string());
            if row.error == "invalid_token" {
                with(response, header::WWW_AUTHENTICATE, CHALLENGE)
            } else {
                response
            }
        }
        Trouble::Denied(denied) => {
            let status = denied.status;
            dressed(ask, status, JSON, self::denied(ask, denied).to_string())
        }
        Trouble::NotBuilt(gap) => dressed(ask, 501, JSON, not_built(ask, gap).to_string()),
        Trouble::Later(why, seconds) => {
            let response = render(ask, Err(*why));
            with(response, header::RETRY_AFTER, &seconds.to_string())
        }
        Trouble::Method(allow) => {
            let allow = allow.replace("GET", "GET, HEAD");
            let body = other(ask, "method_not_allowed", &format!("This path takes {allow} only."));
            with(dressed(ask, 405, JSON, body.to_string()), header::ALLOW, &allow)
        }
        Trouble::NotFound => {
            dressed(ask, 404, JSON, other(ask, "not_found", "There is no such path.").to_string())
        }
        Trouble::Failed(cause) => dressed(ask, 500, JSON, other(ask, "server_error", &cause).to_string()),
    }
}

/// With a header more, unless its value cannot stand in one.
fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn replied(ask: &Ask, reply: Reply) -> Response {
    match reply {
        Reply::Empty => dressed(ask, 200, JSON, Body::empty()),
        Reply::Jose(jwe) => dressed(ask, 200, JOSE, jwe),
        Reply::Json(json) => dressed(ask, 200, JSON, json.to_string()),
        Reply::Page(page) => {
            let mut response = dressed(ask, page.status, HTML, page.html);
            if let Some(location) = page.location {
                response = with(response, header::LOCATION, &location);
            }
            for (name, value) in page.headers {
                if let Ok(value) = HeaderValue::try_from(value) {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
    }
}

fn dressed(ask: &Ask, status: u16, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    dress(ask, &mut response);
    response
}

/// The envelope of a refusal; the event is told here.
pub(crate) fn refused(ask: &Ask, Refusal { row, text }: Refusal) -> Value {
    let (trace, correlation, time) = (ask.trace, ask.correlation, stamp(ask));
    let ids = format!("Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}");
    let mut body = json!({
        "error": row.error,
        "error_description": format!("AADSTS{}: {text} {ids}", row.code),
        "error_codes": [row.code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={}", row.code),
    });
    if let Some(suberror) = row.suberror {
        body["suberror"] = json!(suberror);
    }
    if row.suberror == Some("basic_action") {
        // What the client is to ask for next time, as a text (entra §5.1).
        body["claims"] = json!(r#"{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}"#);
    }
    let error = row.error.to_owned();
    ask.voice.emit(AadEvent::Refused { endpoint: ask.endpoint(), code: row.code, error, text });
    body
}

fn denied(ask: &Ask, denied: Denied) -> Value {
    let body = denied.body(ask.trace, &stamp(ask));
    let Denied { tenant, status, kind, message, .. } = denied;
    ask.voice.emit(AadEvent::DeviceRefused { tenant, status, error: kind.to_owned(), cause: message });
    body
}

fn not_built(ask: &Ask, gap: String) -> Value {
    let text = format!("Azure AD has this and the lab has not built it: {gap}.");
    let body = other(ask, "not_built", &text);
    ask.voice.emit(AadEvent::NotBuilt { gap });
    body
}

/// An error that is none of the service's own numbers, in the same envelope.
fn other(ask: &Ask, error: &str, text: &str) -> Value {
    json!({
        "error": error,
        "error_description": text,
        "error_codes": [],
        "timestamp": stamp(ask),
        "trace_id": ask.trace,
        "correlation_id": ask.correlation,
    })
}

fn stamp(ask: &Ask) -> String {
    ask.now.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn dress(ask: &Ask, response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in ask.headers_of_answer() {
        headers.insert(name, value.clone());
    }
    headers.insert(REQUEST_ID, guid(ask.trace));
    let wanted = ask.header("return-client-request-id");
    if wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case("true")) {
        headers.insert(CLIENT_REQUEST_ID, guid(ask.correlation));
    }
}

fn guid(guid: Uuid) -> HeaderValue {
    // Hexadecimal digits and hyphens are always a header value.
    HeaderValue::try_from(guid.to_string()).unwrap_or(HeaderValue::from_static(""))
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

const HTML: &str = "text/html; charset=utf-8";
const JOSE: &str = "application/jose; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// How a bearer token is refused (RFC 6750 §3).
const CHALLENGE: &str = "Bearer error=\"invalid_token\"";

/// Holds browsers to HTTPS.
pub(crate) const STRICT_TRANSPORT: (HeaderName, HeaderValue) =
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));

const FIXED: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store, no-cache"),
    (header::PRAGMA, "no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("p3p"), "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
    (HeaderName::from_static("x-ms-ests-server"), "2.1.0 - LAB"),
];
