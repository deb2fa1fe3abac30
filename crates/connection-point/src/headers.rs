//! What is meant for one hop only stays on it (RFC 9110 §7.6.1).

use cmglab_net::{EXCHANGE_HEADER, MESSAGE_HEADER};
use cmglab_tunnel::Envelope;
use http::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{StatusCode, Uri};

/// Headers of the onward request: the client's own, the management point's name, and the MessageID.
pub(crate) fn onward(headers: &mut HeaderMap, uri: &Uri, envelope: &Envelope) {
    strip(headers);
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
    strip(headers);
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

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "proxy-authenticate", EXCHANGE_HEADER, MESSAGE_HEADER] {
        headers.remove(name);
    }
}
