//! Public keys as a key set publishes them (RFC 7517; Azure AD's form in entra section 1.3).

use serde::{Deserialize, Serialize};

use crate::TokenError;
use crate::error::limited;

/// One key. Members that this crate does not use are dropped when a set is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The kind of key; only `RSA` is used.
    pub kty: String,
    /// What it is for: `sig`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The key id; Azure AD's equals `x5t`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// base64url of the SHA-1 of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    /// The RSA modulus in base64url.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub n: String,
    /// The RSA exponent in base64url.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub e: String,
    /// The certificate in standard base64 of DER, without line breaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x5c: Vec<String>,
    /// Whose tokens it signs; version 2 key sets say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// A key set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys, in the order they are published.
    pub keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a key set document.
    ///
    /// # Errors
    /// [`TokenError::TooLarge`] past 256 KiB or 64 keys; [`TokenError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, TokenError> {
        limited("key set", json.len(), MAX_DOCUMENT)?;
        let set: Self =
            serde_json::from_slice(json).map_err(|error| TokenError::malformed("key set", error))?;
        set.check_count()?;
        Ok(set)
    }

    pub(crate) fn check_count(&self) -> Result<(), TokenError> {
        limited("number of keys in the key set", self.keys.len(), MAX_KEYS)
    }
}

impl FromIterator<Jwk> for Jwks {
    fn from_iter<T: IntoIterator<Item = Jwk>>(keys: T) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

const MAX_DOCUMENT: usize = 256 << 10;
const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_round_trip_and_foreign_members_are_dropped() {
        let json = r#"{"keys":[{"kty":"RSA","use":"sig","kid":"k","x5t":"k","n":"AQAB","e":"AQAB","x5c":["MA=="]}]}"#;
        let set = Jwks::parse(json.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), json);
        let more = json.replace("\"kty\"", "\"cloud_instance_name\":\"x\",\"kty\"");
        assert_eq!(Jwks::parse(more.as_bytes()).unwrap(), set);
    }

    #[test]
    fn keys_of_other_kinds_are_read() {
        let json = br#"{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ","kid":"k"}]}"#;
        assert_eq!(Jwks::parse(json).unwrap().keys[0].n, "");
    }

    #[test]
    fn limits_hold() {
        let set = |count: usize| format!(r#"{{"keys":[{}]}}"#, vec![r#"{"kty":"RSA"}"#; count].join(","));
        assert!(Jwks::parse(set(MAX_KEYS).as_bytes()).is_ok());
        assert!(matches!(Jwks::parse(set(MAX_KEYS + 1).as_bytes()), Err(TokenError::TooLarge { .. })));
        assert!(matches!(Jwks::parse(&vec![b' '; MAX_DOCUMENT + 1]), Err(TokenError::TooLarge { .. })));
        assert!(matches!(Jwks::parse(b"{}"), Err(TokenError::Malformed { .. })));
    }
}
