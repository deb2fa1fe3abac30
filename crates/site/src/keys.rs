//! The public keys of CCM tokens. Private keys are never kept.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::SiteError;
use crate::{Site, limits};

/// A key that CCM tokens are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CcmKey {
    /// The key id.
    pub kid: String,
    /// The public JWK (RFC 7517), the key id included.
    pub jwk: Value,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was retired, if it was.
    pub retired_at: Option<Timestamp>,
}

pub(crate) trait Keys {
    fn add_ccm_key(&mut self, key: &CcmKey) -> Result<(), SiteError>;
    fn retire_ccm_key(&mut self, kid: &str, now: Timestamp) -> Result<(), SiteError>;
    fn ccm_keys(&mut self) -> Result<Vec<CcmKey>, SiteError>;
}

impl Site {
    /// Adds a public JWK, at most 16 KiB of JSON with a `kid` of at most 128 bytes. The same key twice is
    /// one key.
    ///
    /// # Errors
    /// [`SiteError::NoKeyId`] without a `kid`; [`SiteError::Settings`] for a key that is private or of no
    /// known kind; [`SiteError::Conflict`] if the `kid` names another key or a retired one;
    /// [`SiteError::TooLarge`]; otherwise the database's own failures.
    pub async fn add_ccm_key(&self, jwk: Value, now: Timestamp) -> Result<(), SiteError> {
        let kid = jwk.get("kid").and_then(Value::as_str).ok_or(SiteError::NoKeyId)?.to_owned();
        limits::text("kid", &kid, limits::KEY_ID)?;
        limits::size("JWK", jwk.to_string().len(), limits::JWK)?;
        let key = CcmKey { kid, jwk, created_at: now, retired_at: None };
        self.publish(move |store| store.add_ccm_key(&key)).await
    }

    /// Takes a key out of the settings document: no token that it signed is accepted any more. One that is
    /// retired already keeps its first date.
    ///
    /// # Errors
    /// [`SiteError::NotFound`] for an unknown `kid`; otherwise the database's own failures.
    pub async fn retire_ccm_key(&self, kid: &str, now: Timestamp) -> Result<(), SiteError> {
        let kid = kid.to_owned();
        self.publish(move |store| store.retire_ccm_key(&kid, now)).await
    }

    /// Every key the site has had, the oldest first.
    ///
    /// # Errors
    /// The database's own failures.
    pub async fn ccm_keys(&self) -> Result<Vec<CcmKey>, SiteError> {
        self.read(|store| store.ccm_keys()).await
    }
}
