//! Answers as IIS writes them.

use axum::body::Body;
use bytes::Bytes;
use cmglab_net::Substatus;
use cmglab_proto::refusal::Refusal;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;

/// A refusal with its status, substatus, reason phrase and body.
pub(crate) fn refusal(refusal: &impl Refusal) -> Response<Body> {
    let mut response = whole(refusal.status(), "text/plain", refusal.body());
    set_reason(&mut response, &refusal.reason());
    response.extensions_mut().insert(Substatus(refusal.substatus()));
    response
}

/// An answer whose body is known, with its length: public clients look that header up.
pub(crate) fn whole(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// How messaging answers a message that it drops, and one that wants no reply now (mp-wire §2).
pub(crate) fn empty() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    response
}

pub(crate) fn set_reason(response: &mut Response<Body>, reason: &str) {
    if let Ok(reason) = ReasonPhrase::try_from(reason.to_owned()) {
        response.extensions_mut().insert(reason);
    }
}
