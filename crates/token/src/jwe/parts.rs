//! The five parts (RFC 7516 section 7.1).

use serde_json::{Map, Value};

use crate::compact;
use crate::error::limited;
use crate::peek::clipped;
use crate::{TokenError, signature};

/// A message taken apart, nothing of it decrypted.
pub(super) struct Parts<'a> {
    /// The header as it stands there: the additional data of the encryption.
    pub(super) protected: &'a str,
    pub(super) header: Map<String, Value>,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Takes a message of at most 128 KiB apart.
    pub(super) fn of(jwe: &'a str) -> Result<Self, TokenError> {
        limited("encrypted message", jwe.len(), MAX_MESSAGE)?;
        // One more than there may be, so that a sixth part shows.
        let parts: Vec<_> = jwe.splitn(6, '.').collect();
        let [protected, encrypted_key, iv, ciphertext, tag] = parts[..] else {
            return Err(TokenError::malformed("encrypted message", "it does not have five parts"));
        };
        Ok(Self {
            protected,
            header: compact::decode_json("header", protected)?,
            encrypted_key: compact::decode("encrypted key", encrypted_key)?,
            iv: compact::decode("initialization vector", iv)?,
            ciphertext: compact::decode("ciphertext", ciphertext)?,
            tag: compact::decode("authentication tag", tag)?,
        })
    }

    /// The `alg`, if it is one of `accepted`; `enc` must be A256GCM, and nothing compressed.
    pub(super) fn algorithm(&self, accepted: &[&str]) -> Result<&str, TokenError> {
        let algorithm = signature::algorithm(&self.header, accepted)?;
        match self.header.get("enc").and_then(Value::as_str) {
            Some(ENC) => {}
            Some(other) => return Err(TokenError::Algorithm(clipped(other))),
            None => return Err(TokenError::malformed("header", "there is no enc")),
        }
        if self.header.contains_key("zip") {
            return Err(TokenError::malformed("header", "compressed messages (zip) are not read"));
        }
        Ok(algorithm)
    }
}

/// Puts a message together.
pub(super) fn join(protected: &str, rest: [&[u8]; 4]) -> String {
    let rest = rest.map(compact::encode).join(".");
    format!("{protected}.{rest}")
}

pub(super) const ENC: &str = "A256GCM";
pub(super) const MAX_MESSAGE: usize = 128 << 10;
