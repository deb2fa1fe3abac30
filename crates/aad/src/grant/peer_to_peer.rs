//! The certificate that a device shows to the other devices of its tenant (entra §3.4).
//!
//! Fidelity: observed. The certificate of the device must stand in the header as one text, not as a list.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::kinds::AadEvent;
use cmglab_pki::read::Certificate;
use serde_json::{Map, Value, json};

use super::Request;
use crate::answer::{Outcome, Trouble};
use crate::errors::{MALFORMED, Refusal};
use crate::proof;

/// Certifies the key of a request to the device that signed it.
pub(super) fn answer(request: &Request<'_>, jws: &str) -> Outcome {
    let (aad, now) = (request.aad, request.ask.now);
    let signed = proof::device_request(aad, jws, now)?;
    let tenant = proof::tenant(&request.path, &signed.device)?;
    if !signed.header.get("x5c").is_some_and(Value::is_string) {
        return Err(malformed("x5c must be one text here, not a list").into());
    }
    let payload = &signed.payload;
    fixed(payload, "cert_token_use", USE)?;
    fixed(payload, "csr_type", PKCS10)?;
    let csr: String = proof::text(payload, "csr")?.split_ascii_whitespace().collect();
    let csr = STANDARD.decode(csr).map_err(|_| malformed("csr is not base64"))?;
    let (device, names) = (signed.device.id, names(payload)?);
    let (authority, ids) = (aad.peer_authority(), &aad.deps().ids);
    let leaf = authority.issue_peer_to_peer(&csr, device.guid(), &names, now, ids);
    let leaf = leaf.map_err(|error| malformed(&error.to_string()))?;
    let certificate = Certificate::parse(&leaf).map_err(|error| Trouble::Failed(error.to_string()))?;
    let expires = certificate.validity.not_after;
    request.ask.voice.emit(AadEvent::PeerCertificateIssued { tenant, device, expires });
    Ok(json!({
        "token_type": "x509",
        "x5c": STANDARD.encode(&leaf),
        "cert_token_use": USE,
        "x5c_ca": STANDARD.encode(authority.cert_der()),
    })
    .into())
}

fn fixed(payload: &Map<String, Value>, name: &str, expected: &str) -> Result<(), Refusal> {
    match proof::text(payload, name)? {
        found if found.eq_ignore_ascii_case(expected) => Ok(()),
        _ => Err(malformed(&format!("{name} must be {expected}"))),
    }
}

/// The names of the machine; none is a machine without a name.
fn names(payload: &Map<String, Value>) -> Result<Vec<&str>, Refusal> {
    let wrong = || malformed("dns_names must be a list of at most 16 texts");
    let names = match payload.get("dns_names") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(names)) if names.len() <= MAX_NAMES => names,
        Some(_) => return Err(wrong()),
    };
    names.iter().map(|name| name.as_str().ok_or_else(wrong)).collect()
}

fn malformed(reason: &str) -> Refusal {
    MALFORMED.about(&[reason])
}

const USE: &str = "device_cert";
const PKCS10: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment#PKCS10";
const MAX_NAMES: usize = 16;
