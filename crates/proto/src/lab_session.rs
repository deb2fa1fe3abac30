//! Binding a user token to a device: what a client sends beside the user's password.
//!
//! Fidelity: lab. On Windows the user token of ccmsetup comes from a primary refresh token, which is bound
//! to the device, and so carries `deviceid` (entra §3.3, §4.1). In its place a client signs in with the
//! user's password and proves the device beside it: a compact JWS, signed RS256 with the key of the WPJ
//! certificate, in the form parameter [`FIELD`] or the header [`HEADER`]. The JWS header is that of a
//! device token request (`alg`, `typ`, `x5c`), the payload is a [`Proof`].

use serde::{Deserialize, Serialize};

/// The form parameter that carries the proof.
pub const FIELD: &str = "x_cmglab_device_proof";
/// The header that carries the proof, for clients that cannot add to the form.
pub const HEADER: &str = "x-cmglab-device-proof";
/// The value of `grant_type` in the payload.
pub const GRANT_TYPE: &str = "lab_session";

/// The payload of a proof. Client and user are those of the request it comes with, so that it is good
/// for no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Always [`GRANT_TYPE`].
    pub grant_type: String,
    /// A nonce of the token service, which makes the proof fresh.
    pub request_nonce: String,
    /// The application that asks.
    pub client_id: String,
    /// The user's principal name.
    pub username: String,
}

impl Proof {
    /// A proof for one request.
    #[must_use]
    pub fn new(nonce: &str, client_id: &str, username: &str) -> Self {
        Self {
            grant_type: GRANT_TYPE.to_owned(),
            request_nonce: nonce.to_owned(),
            client_id: client_id.to_owned(),
            username: username.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_has_four_members() {
        let json = serde_json::to_value(Proof::new("AwABAA", "app", "alice@lab.test")).unwrap();
        let expected = serde_json::json!({
            "grant_type": "lab_session", "request_nonce": "AwABAA", "client_id": "app",
            "username": "alice@lab.test",
        });
        assert_eq!(json, expected);
    }
}
