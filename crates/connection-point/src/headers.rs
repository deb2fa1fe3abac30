//! Headers of a message on its way to the management point and back.

use cmglab_net::{MESSAGE_HEADER, strip_hop_headers};
use cmglab_tunnel::Envelope;
use http::header::{HOST, HeaderMap, HeaderValue, LOCATION};
use http::{StatusCode, Uri};

/// Headers of the onward request: the client's own, the management point's name, and the MessageID.
pub(crate) fn onward(headers: &mut HeaderMap, uri: &Uri, envelope: &Envelope) {
    strip_hop_headers(headers);
    if let Some(host) = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        headers.insert(HOST, host);
    }
    if let Ok(message) = HeaderValue::from_str(&envelope.message.to_string()) {
        headers.insert(MESSAGE_HEADER, message);
    }
}

/// Headers of the answer that goes back: the management point's own, without where it pointed to if the
/// client is told something else in its place.
pub(crate) fn back(headers: &mut HeaderMap, mp_status: StatusCode, status: StatusCode) {
    strip_hop_headers(headers);
    if mp_status != status {
        headers.remove(LOCATION);
    }
}

/// Whether a request brings a bearer token.
pub(crate) fn has_bearer(headers: &HeaderMap) -> bool {
    let authorization = headers.get(http::header::AUTHORIZATION).map(HeaderValue::as_bytes);
    authorization
        .and_then(|value| value.get(..7))
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer "))
}
