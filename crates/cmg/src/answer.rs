//! Answers that the gateway makes itself.

use axum::body::Body;
use cmglab_net::Substatus;
use cmglab_proto::refusal::{CmgRefusal, Refusal as _};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;

/// The refusal on the wire, with the rule that was broken in its body.
pub(crate) fn refusal(refusal: CmgRefusal, cause: &str) -> Response<Body> {
    let mut response = text(refusal.status(), format!("{}{cause}\n", refusal.body()));
    set_reason(&mut response, &refusal.reason());
    response.extensions_mut().insert(Substatus(refusal.substatus()));
    if refusal == CmgRefusal::ServiceUnavailable {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

/// The same, with the methods that would have been right (RFC 9110 §15.5.6).
pub(crate) fn with_allow(mut response: Response<Body>, allow: &'static str) -> Response<Body> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

pub(crate) fn text(status: StatusCode, body: String) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", body)
}

pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Sets the reason phrase, unless it holds bytes that HTTP/1.1 does not allow there.
pub(crate) fn set_reason(response: &mut Response<Body>, reason: &str) {
    if let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes()) {
        response.extensions_mut().insert(reason);
    }
}

/// A channel that was lost, or settings that have not come yet, are usually there within this.
const RETRY_AFTER_SECONDS: &str = "5";
