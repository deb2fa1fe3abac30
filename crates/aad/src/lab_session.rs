//! Judging a proof that binds a user token to a device ([`cmglab_proto::lab_session`]).
//!
//! Fidelity: lab. Client and user in the proof must be those of the request it comes with; the signature
//! and the nonce are judged like those of a device token request.

use cmglab_proto::lab_session::GRANT_TYPE;
use serde_json::{Map, Value};

use crate::errors::{DEVICE_PROOF_FOREIGN, MISSING_PARAMETER, Refusal};

/// Whether a payload is a proof for this client and this user.
pub(crate) fn check(payload: &Map<String, Value>, client_id: &str, username: &str) -> Result<(), Refusal> {
    for (name, expected) in [("grant_type", GRANT_TYPE), ("client_id", client_id), ("username", username)] {
        let found = payload.get(name).and_then(Value::as_str);
        let found = found.ok_or_else(|| MISSING_PARAMETER.about(&[name]))?;
        if !found.eq_ignore_ascii_case(expected) {
            return Err(DEVICE_PROOF_FOREIGN.about(&[name]));
        }
    }
    Ok(())
}
