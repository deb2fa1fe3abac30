//! The session key of a primary refresh token, and the keys derived from it.
//!
//! Fidelity: documented (MS-OAPXBC) and observed. The derivation is the counter mode of NIST SP 800-108 with
//! HMAC-SHA256, one block long (entra section 4.3). Requests use either version, answers only the first.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::TokenError;

/// The key that a device and the token service share for one primary refresh token. Wiped when dropped;
/// compared in constant time.
#[derive(Clone)]
pub struct SessionKey(Zeroizing<[u8; 32]>);

/// Which context enters the derivation; the header member `kdf_ver` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KdfVersion {
    /// `ctx` as it is. A request without `kdf_ver` means this.
    #[default]
    V1,
    /// SHA-256 of `ctx` followed by the payload's bytes, so that a derived key fits one request only.
    V2,
}

/// A key derived from a [`SessionKey`] for one message. Wiped when dropped.
#[derive(Clone)]
pub struct DerivedKey(Zeroizing<[u8; 32]>);

impl SessionKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the system has no randomness.
    pub fn generate() -> Result<Self, TokenError> {
        let mut key = Self(Zeroizing::new([0; 32]));
        rand::fill(key.0.as_mut()).map_err(TokenError::key)?;
        Ok(key)
    }

    /// The key of these 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The 32 bytes, to keep or to wrap.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one message. `ctx` and `payload` are decoded bytes; the payload only counts in version 2.
    #[must_use]
    pub fn derive(&self, version: KdfVersion, ctx: &[u8], payload: &[u8]) -> DerivedKey {
        match version {
            KdfVersion::V1 => self.expand(ctx),
            KdfVersion::V2 => {
                let mut context = digest::Context::new(&SHA256);
                context.update(ctx);
                context.update(payload);
                self.expand(context.finish().as_ref())
            }
        }
    }

    /// The first and only block: its number, label, a zero, context, and the length wanted in bits.
    fn expand(&self, context: &[u8]) -> DerivedKey {
        let mut block = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, self.expose()));
        block.update(&1u32.to_be_bytes());
        block.update(LABEL);
        block.update(&[0]);
        block.update(context);
        block.update(&256u32.to_be_bytes());
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(block.sign().as_ref());
        DerivedKey(key)
    }
}

impl DerivedKey {
    /// The 32 bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.expose(), other.expose()).is_ok()
    }
}

impl Eq for SessionKey {}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedKey").finish_non_exhaustive()
    }
}

const LABEL: &[u8] = b"AzureAD-SecureConversation";

#[cfg(test)]
mod tests;
