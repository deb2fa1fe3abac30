//! Primary refresh tokens: what stands behind one, and where it is kept (entra §4.2).
//!
//! Fidelity: documented for lifetime and session key, lab for the store.

use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use cmglab_token::session::SessionKey;
use jiff::{SignedDuration, Timestamp};

use crate::Aad;
use crate::errors::{GRANT_MALFORMED, REFRESH_EXPIRED, Refusal};
use crate::grant::refresh::not_revoked;
use crate::tickets::Found;

/// A user who has signed in on a device, and the key that the device proves it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prt {
    pub(crate) tenant: TenantId,
    pub(crate) user: ObjectId,
    pub(crate) device: DeviceId,
    /// How the user proved himself, and that the device did.
    pub(crate) amr: Vec<&'static str>,
    pub(crate) signed_in: Timestamp,
    pub(crate) session_key: SessionKey,
    /// When the session key was made; renewals keep it for a time.
    pub(crate) key_made: Timestamp,
    pub(crate) issued: Timestamp,
}

impl Prt {
    /// Whether the session key has served its time.
    pub(crate) fn key_is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.key_made) > KEY_LIFETIME
    }
}

impl Aad {
    /// Keeps a primary refresh token; its text, and when it is refused.
    pub(crate) fn keep_prt(&self, mut prt: Prt, now: Timestamp) -> (String, Timestamp) {
        prt.issued = self.instant(prt.user, now);
        let lifetime = SignedDuration::from_secs(i64::from(self.lifetimes().primary_refresh_token));
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        (self.prts().issue("1.A", prt, now, expires, &self.deps().ids), expires)
    }

    /// The primary refresh token with this text, if it is still good.
    pub(crate) fn prt(&self, text: &str, now: Timestamp) -> Result<Prt, Refusal> {
        match self.prts().find(text, now) {
            Found::Live(prt) => {
                not_revoked(self, prt.user, prt.issued)?;
                Ok(prt)
            }
            Found::Expired(prt) => {
                let lifetime = self.lifetimes().primary_refresh_token.to_string();
                Err(REFRESH_EXPIRED.about(&[&prt.issued.to_string(), &lifetime]))
            }
            Found::Unknown => {
                Err(GRANT_MALFORMED.about(&["the primary refresh token is not one of this service"]))
            }
        }
    }
}

/// 30 days.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
