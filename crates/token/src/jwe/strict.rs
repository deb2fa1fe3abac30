//! Decryption by RFC 7516 section 5.2: `RSA-OAEP`, `RSA-OAEP-256` and `dir`, each with `A256GCM`.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::content::{open_gcm, random};
use super::key::decrypt_key;
use super::parts::Parts;
use crate::TokenError;

/// What the reader of a message holds. It decides which algorithms are accepted, not the header.
#[derive(Clone, Copy)]
pub enum DecryptionKey<'a> {
    /// A private RSA key, PKCS#8 in DER.
    Rsa(&'a [u8]),
    /// The content key itself.
    Direct(&'a [u8; 32]),
}

/// A message that decrypted, header included in what was authenticated.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decrypted {
    /// The protected header.
    pub header: Map<String, Value>,
    /// The content.
    pub plaintext: Vec<u8>,
}

/// Decrypts a message of at most 128 KiB. For tools that look at messages of others: clients and service of
/// the lab read theirs with [`open`](super::open) and [`unwrap_session_key`](super::unwrap_session_key).
///
/// # Errors
/// [`TokenError::TooLarge`], [`TokenError::Malformed`]; [`TokenError::Unsigned`] and
/// [`TokenError::Algorithm`] for an `alg` that does not fit the key, or another `enc`; [`TokenError::Key`]
/// when the private key is none; [`TokenError::Decryption`], whichever of the two decryptions failed.
pub fn decrypt(jwe: &str, key: &DecryptionKey<'_>) -> Result<Decrypted, TokenError> {
    let parts = Parts::of(jwe)?;
    let key = match key {
        DecryptionKey::Rsa(pkcs8) => {
            let algorithm = parts.algorithm(&["RSA-OAEP", "RSA-OAEP-256"])?;
            // A random key in place of none: who sends the message learns nothing (RFC 7516 section 11.5).
            let instead = Zeroizing::new(random()?);
            decrypt_key(algorithm, pkcs8, &parts.encrypted_key)?.unwrap_or(instead)
        }
        DecryptionKey::Direct(key) => {
            parts.algorithm(&["dir"])?;
            if !parts.encrypted_key.is_empty() {
                return Err(TokenError::malformed("encrypted key", "there is one, and alg is dir"));
            }
            Zeroizing::new(**key)
        }
    };
    let plaintext = open_gcm(&key, &parts.iv, parts.protected, &parts.ciphertext, &parts.tag)?;
    Ok(Decrypted { header: parts.header, plaintext })
}

impl fmt::Debug for DecryptionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "Rsa(..)",
            Self::Direct(_) => "Direct(..)",
        })
    }
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("header", &self.header).finish_non_exhaustive()
    }
}
