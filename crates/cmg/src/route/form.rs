//! What a request must look like, whoever sends it.

use cmglab_proto::mapping::Rewritten;
use cmglab_proto::refusal::CmgRefusal;
use cmglab_proto::url::TargetError;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, Method};

use super::Refusal;

/// The verbs that devices between client and gateway must pass, and POST (configmgr §1.8).
pub(super) fn method_allowed(method: &Method) -> Result<(), Refusal> {
    if METHODS.split(", ").any(|one| one == method.as_str()) {
        return Ok(());
    }
    Err(Refusal::method(format!("the method is not one of {METHODS}"), METHODS))
}

/// For what the gateway answers by itself.
pub(super) fn only_read(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Refusal::method(format!("this path answers {READS} only"), READS)),
    }
}

/// A caller that declares an end-to-end header to be for one hop (RFC 9110 §7.6.1) would have the gate and
/// the management point see different requests.
pub(super) fn connection_allowed(headers: &HeaderMap) -> Result<(), Refusal> {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut named = named.flat_map(|list| list.split(',')).map(str::trim);
    match named.find(|name| END_TO_END.iter().any(|header| name.eq_ignore_ascii_case(header))) {
        Some(name) => Err(Refusal::new(
            CmgRefusal::BadRequest,
            format!("Connection names {name}, which is not for one hop only"),
        )),
        None => Ok(()),
    }
}

/// A length that is stated; of one that is not, the relay cuts what is too much.
pub(super) fn length_allowed(headers: &HeaderMap, rewritten: &Rewritten) -> Result<(), Refusal> {
    let stated = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match stated.and_then(|text| text.parse::<u64>().ok()) {
        Some(length) if length > rewritten.max_request_bytes => Err(Refusal::new(
            CmgRefusal::RequestEntityTooLarge,
            format!("{} takes at most {} bytes", rewritten.endpoint_name, rewritten.max_request_bytes),
        )),
        _ => Ok(()),
    }
}

pub(super) fn target_refused(error: &TargetError) -> Refusal {
    let refusal = match error {
        TargetError::TooLong { .. } => CmgRefusal::RequestUriTooLong,
        _ => CmgRefusal::BadRequest,
    };
    Refusal::new(refusal, error.to_string())
}

/// In the form of an `Allow` header.
const METHODS: &str = "GET, HEAD, POST, CCM_POST, BITS_POST, PROPFIND";
const READS: &str = "GET, HEAD";

/// No hop may take these from the next one. The last ones are those of clients of the site (configmgr §1.8).
const END_TO_END: [&str; 14] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "range",
    "ccmclientid",
    "ccmclientidsignature",
    "ccmclienttimestamp",
    "ccmclienttimestampssignature",
    "clienttoken",
    "clienttokensignature",
];
