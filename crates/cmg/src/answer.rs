//! Answers that the gateway makes itself.

use axum::body::Body;
use cmglab_net::Substatus;
use cmglab_proto::refusal::{CmgRefusal, Refusal as _};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;

/// The refusal on the wire, with the rule that was broken in its body.
pub(crate) fn refusal(refusal: CmgRefusal, cause: &str) -> Response<Body> {
    let mut response = text(refusal.status(), format!("{}{cause}\n", refusal.body()));
    set_reason(&mut response, &refusal.reason());
    response.extensions_mut().insert(Substatus(refusal.substatus()));
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
