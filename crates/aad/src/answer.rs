//! Answers: JSON whatever happens, with the headers of the real service (entra §5.1).

use axum::body::Body;
use axum::response::Response;
use cmglab_events::kinds::AadEvent;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
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
    /// The path takes these methods only.
    Method(&'static str),
    /// The real service has it, the lab has not.
    NotBuilt(String),
    /// No such path.
    NotFound,
    /// The token service says no.
    Refused(Refusal),
}

/// An answer of success, or the trouble.
pub(crate) type Outcome = Result<Value, Trouble>;

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

/// Makes the response and says what happened, where the handler has not. An answer of `null` is an empty
/// body.
pub(crate) fn render(ask: &Ask, outcome: Outcome) -> Response {
    let (status, body, allow) = match outcome {
        Ok(body) => (StatusCode::OK.as_u16(), body, None),
        Err(Trouble::Refused(refusal)) => (refusal.row.status, refused(ask, refusal), None),
        Err(Trouble::Denied(denied)) => (denied.status, self::denied(ask, denied), None),
        Err(Trouble::NotBuilt(gap)) => (501, not_built(ask, gap), None),
        Err(Trouble::Method(allow)) => {
            (405, other(ask, "method_not_allowed", &format!("This path takes {allow} only.")), Some(allow))
        }
        Err(Trouble::NotFound) => (404, other(ask, "not_found", "There is no such path."), None),
        Err(Trouble::Failed(cause)) => (500, other(ask, "server_error", &cause), None),
    };
    let mut response =
        Response::new(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    dress(ask, &mut response);
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn refused(ask: &Ask, Refusal { row, text }: Refusal) -> Value {
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

const FIXED: [(HeaderName, &str); 7] = [
    (header::CONTENT_TYPE, "application/json; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store, no-cache"),
    (header::PRAGMA, "no-cache"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("p3p"), "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
    (HeaderName::from_static("x-ms-ests-server"), "2.1.0 - LAB"),
];
