//! Proof of a user on a device: a request signed with the session key of a primary refresh token
//! (entra §4.3).

use cmglab_token::assertion::numeric_date;
use cmglab_token::session_jws::SessionRequest;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{fresh, text};
use crate::errors::{ASSERTION_CLAIMS, ASSERTION_DATES, GRANT_MALFORMED, MALFORMED, NONCE, Refusal};
use crate::grant::for_user::device_now;
use crate::prt::Prt;
use crate::{Aad, Device};

/// What a request proves.
pub(crate) struct SessionProof {
    pub(crate) prt: Prt,
    /// The device as it is now.
    pub(crate) device: Device,
    pub(crate) payload: Map<String, Value>,
}

/// What shows that a request is no replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// A nonce of ours.
    Nonce,
    /// A nonce of ours, or the time at which it was made.
    NonceOrTime,
}

/// Who signed `jws`. Checked in this order: token known and in force, signature, times, device in the
/// directory, device enabled, nonce.
pub(crate) fn session(
    aad: &Aad,
    jws: &str,
    freshness: Freshness,
    now: Timestamp,
) -> Result<SessionProof, Refusal> {
    let request = SessionRequest::parse(jws)
        .map_err(|error| MALFORMED.about(&[&format!("signed request: {error}")]))?;
    let prt = aad.prt(text(request.unverified(), "refresh_token")?, now)?;
    let payload = request.verify(&prt.session_key);
    let payload = payload.map_err(|_| GRANT_MALFORMED.about(&["it is not signed with its session key"]))?;
    in_time(payload, now)?;
    let device = device_now(&aad.directory(), prt.tenant, prt.device)?.clone();
    match (freshness, payload.get("request_nonce"), payload.get("iat")) {
        (Freshness::NonceOrTime, None | Some(Value::Null), Some(made)) => recent(made, now)?,
        _ => fresh(aad, payload, now)?,
    }
    let payload = payload.clone();
    Ok(SessionProof { prt, device, payload })
}

/// Checks `nbf` and `exp`, where they are, with five minutes for clocks that differ.
pub(crate) fn in_time(claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
    let date = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => numeric_date(value)
            .map(Some)
            .ok_or_else(|| ASSERTION_CLAIMS.about(&[&format!("{name} is not a time")])),
    };
    let outside =
        |when: String| Err(ASSERTION_DATES.about(&[&now.strftime("%FT%TZ").to_string(), when.as_str()]));
    match (date("nbf")?, date("exp")?) {
        (Some(from), _) if now.duration_since(from) < -SKEW => {
            outside(format!("start time of assertion: {from}"))
        }
        (_, Some(to)) if now.duration_since(to) >= SKEW => outside(format!("expiry time of assertion: {to}")),
        _ => Ok(()),
    }
}

/// Browsers of old send the time instead of a nonce.
fn recent(made: &Value, now: Timestamp) -> Result<(), Refusal> {
    match numeric_date(made) {
        Some(made) if now.duration_since(made).abs() <= SKEW => Ok(()),
        Some(_) => Err(NONCE.about(&["not provided, and the request was not made just now"])),
        None => Err(NONCE.about(&["not provided, and iat is not a time"])),
    }
}

const SKEW: SignedDuration = SignedDuration::from_mins(5);
