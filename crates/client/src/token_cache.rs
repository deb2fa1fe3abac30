//! CCM tokens at rest: one sealed file for each account.
//!
//! Fidelity: lab. The product keeps its token encrypted for the account, by the means of Windows; here
//! AES-256-GCM stands in. The key of an account is derived (HKDF-SHA-256, RFC 5869) from a key file that
//! is made at first use, and the account's SID is authenticated along, so that a file that is moved to
//! another account does not open. A file is a version byte, a nonce of 12 bytes, and the sealed text.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use cmglab_proto::ids::ClientGuid;
use cmglab_proto::sts::BearerToken;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::folder::Folder;
use crate::{ClientError, Sid};

/// A token of the site, with what the client reads in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CcmToken {
    /// The token. `Debug` shows its length alone.
    pub token: BearerToken,
    /// When it expires.
    pub expires: Timestamp,
    /// The client it was issued to.
    pub client: Option<ClientGuid>,
}

impl CcmToken {
    /// Whether it is expired, or will be within `margin`.
    #[must_use]
    pub fn is_due(&self, now: Timestamp, margin: SignedDuration) -> bool {
        self.expires.duration_since(now) <= margin
    }
}

/// The tokens of one client's folder.
pub struct TokenCache {
    folder: Folder,
    secret: Zeroizing<Vec<u8>>,
}

/// Why a cached token does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheFault {
    /// Sealed for another account or by another key, or changed since.
    #[error("the cached token was sealed for another account or changed since; a new one is needed")]
    NotAuthentic,
    /// Not a file of this cache.
    #[error("the cached token has an unknown form; a new one is needed")]
    UnknownForm,
}

impl TokenCache {
    /// The cache in `folder`; makes the key file where there is none.
    pub(crate) fn open(folder: &Folder) -> Result<Self, ClientError> {
        let folder = folder.clone();
        let mut fresh = Zeroizing::new(vec![0; KEY_BYTES]);
        rand::fill(&mut fresh).map_err(|_| ClientError::Crypto { doing: "making a key" })?;
        folder.write_new(KEY_FILE, &fresh)?;
        // Read back: there may have been one before.
        let secret = folder.read(KEY_FILE, KEY_BYTES as u64)?.map(Zeroizing::new);
        match secret.filter(|secret| secret.len() == KEY_BYTES) {
            Some(secret) => Ok(Self { folder, secret }),
            None => Err(ClientError::Storage {
                file: KEY_FILE.to_owned(),
                reason: format!("it does not have {KEY_BYTES} bytes; remove it to have a new one made"),
            }),
        }
    }

    /// Seals a token for an account, in place of the one there may be.
    ///
    /// # Errors
    /// [`ClientError::Storage`], [`ClientError::Crypto`].
    pub fn store(&self, sid: &Sid, token: &CcmToken) -> Result<(), ClientError> {
        let failed = |_| ClientError::Crypto { doing: "sealing a token" };
        let CcmToken { token, expires, client } = token;
        let plain = Plain { token: token.expose().to_owned(), expires: *expires, client: *client };
        let mut sealed = Zeroizing::new(
            serde_json::to_vec(&plain)
                .map_err(|error| ClientError::Storage { file: file_name(sid), reason: error.to_string() })?,
        );
        let nonce = self.key(sid)?.seal_in_place_append_tag(associated(sid), &mut *sealed).map_err(failed)?;
        self.folder.write(&file_name(sid), &[&[VERSION][..], nonce.as_ref(), &sealed].concat())
    }

    /// The token of an account. `Ok(Err(fault))` is a file that does not open: ask for a new token.
    ///
    /// # Errors
    /// [`ClientError::Storage`] when the file cannot be read at all.
    pub fn load(&self, sid: &Sid) -> Result<Result<Option<CcmToken>, CacheFault>, ClientError> {
        let Some(file) = self.folder.read(&file_name(sid), LARGEST_FILE)? else { return Ok(Ok(None)) };
        let key = self.key(sid)?;
        Ok(unseal(&key, sid, &file).map(Some))
    }

    /// Forgets the token of an account.
    ///
    /// # Errors
    /// [`ClientError::Storage`].
    pub fn remove(&self, sid: &Sid) -> Result<(), ClientError> {
        self.folder.remove(&file_name(sid))
    }

    fn key(&self, sid: &Sid) -> Result<RandomizedNonceKey, ClientError> {
        let failed = |_| ClientError::Crypto { doing: "deriving a key" };
        let extracted = Salt::new(HKDF_SHA256, PURPOSE).extract(&self.secret);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let info = [sid.as_str().as_bytes()];
        extracted.expand(&info, KeyLength).and_then(|okm| okm.fill(&mut *key)).map_err(failed)?;
        RandomizedNonceKey::new(&AES_256_GCM, &*key).map_err(failed)
    }
}

fn unseal(key: &RandomizedNonceKey, sid: &Sid, file: &[u8]) -> Result<CcmToken, CacheFault> {
    let (version, rest) = file.split_first().ok_or(CacheFault::UnknownForm)?;
    let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(CacheFault::UnknownForm)?;
    if *version != VERSION {
        return Err(CacheFault::UnknownForm);
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CacheFault::UnknownForm)?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let plain = key.open_in_place(nonce, associated(sid), &mut sealed);
    let plain = plain.map_err(|_| CacheFault::NotAuthentic)?;
    let mut plain: Plain = serde_json::from_slice(plain).map_err(|_| CacheFault::UnknownForm)?;
    let token = plain.token.parse().map_err(|_| CacheFault::UnknownForm);
    plain.token.zeroize();
    Ok(CcmToken { token: token?, expires: plain.expires, client: plain.client })
}

fn associated(sid: &Sid) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, &[VERSION], sid.as_str().as_bytes()].concat())
}

fn file_name(sid: &Sid) -> String {
    format!("token-{sid}.bin")
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("folder", &self.folder).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Plain {
    token: String,
    expires: Timestamp,
    client: Option<ClientGuid>,
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

const PURPOSE: &[u8] = b"cmglab CCM token cache";
const VERSION: u8 = 1;
const KEY_FILE: &str = "token-cache.key";
const KEY_BYTES: usize = 32;
const LARGEST_FILE: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
