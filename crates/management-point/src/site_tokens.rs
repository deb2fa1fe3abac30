//! Tokens that the site makes without a request: for bulk registration, and a client's own.
//!
//! Fidelity: documented for the bulk registration token's form and lifetimes and for the 90 days of a client's
//! own token (configmgr §3, mp-wire §8.4); lab for the claims of the latter, which follow the CCM token. In the
//! product a tool and a message lead here.

use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::claims::{
    BulkRegistrationClaims, CLIENT_TOKEN_LIFETIME, CcmClaims, CcmTokenType, MAX_BULK_LIFETIME,
};
use cmglab_proto::ids::{BulkTokenId, ClientGuid, UserId};
use cmglab_proto::sts::BearerToken;
use cmglab_site::SiteError;
use jiff::{SignedDuration, Timestamp};

use crate::sts::record;
use crate::{ManagementPoint, ManagementPointError};

/// A bulk registration token, `/regtoken` of ccmsetup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRegistrationToken {
    /// What the console lists, and blocks it by: `cmglab_site::Site::block_bulk_token`.
    pub id: BulkTokenId,
    /// The token. It is not kept anywhere.
    pub token: BearerToken,
    /// Until when it is valid. It cannot be renewed.
    pub expires: Timestamp,
}

impl ManagementPoint {
    /// Makes a bulk registration token, valid from now on, and records its id at the site, as
    /// `BulkRegistrationTokenTool.exe /new /lifetime` does. The documented lifetime is
    /// [`cmglab_proto::claims::DEFAULT_BULK_LIFETIME`], 4320 minutes.
    ///
    /// # Errors
    /// [`ManagementPointError::BulkLifetime`] for less than a minute or more than 10080;
    /// [`ManagementPointError::Key`]; [`ManagementPointError::Site`].
    pub async fn bulk_registration_token(
        &self,
        lifetime: SignedDuration,
    ) -> Result<BulkRegistrationToken, ManagementPointError> {
        if lifetime < SHORTEST || lifetime > MAX_BULK_LIFETIME {
            return Err(ManagementPointError::BulkLifetime { asked: lifetime });
        }
        let shared = self.shared();
        let (site, deps) = (&shared.site, &shared.deps);
        let (id, now) = (BulkTokenId::from(deps.ids.guid()), deps.clock.now());
        let claims = BulkRegistrationClaims::new(site.hierarchy(), id, now, lifetime);
        let expires = claims.exp.timestamp().unwrap_or(now);
        let (token, kid) = shared.ccm_keys.sign_until(expires, &claims).await?;
        site.add_bulk_token(id, claims.nbf.timestamp().unwrap_or(now), expires).await?;
        deps.events.emit(ManagementPointEvent::BulkTokenMade { id, kid, expires });
        Ok(BulkRegistrationToken { id, token, expires })
    }

    /// Makes the token that a registered client identifies itself with from then on, valid for 90 days, and
    /// enters it into the audit.
    ///
    /// # Errors
    /// [`ManagementPointError::ClientBlocked`]; [`ManagementPointError::Site`] with
    /// [`SiteError::NotFound`] for a client that is not registered; [`ManagementPointError::Key`].
    pub async fn client_auth_token(&self, client: ClientGuid) -> Result<BearerToken, ManagementPointError> {
        let shared = self.shared();
        let (site, deps) = (&shared.site, &shared.deps);
        let registration = site.registration(client).await?;
        let unknown = || SiteError::NotFound { what: "registered client", key: client.to_string() };
        if registration.ok_or_else(unknown)?.blocked_at.is_some() {
            return Err(ManagementPointError::ClientBlocked { client });
        }
        let (kind, user, now) = (CcmTokenType::ClientToken, UserId::zero(), deps.clock.now());
        let claims = CcmClaims::new(site.hierarchy(), kind, user, Some(client), now, CLIENT_TOKEN_LIFETIME);
        let expires = claims.exp.timestamp().unwrap_or(now);
        let (token, kid) = shared.ccm_keys.sign_until(expires, &claims).await?;
        site.record_token(record(token.expose(), &claims, Some(client))).await?;
        deps.events.emit(ManagementPointEvent::ClientTokenMade { client, kid, expires });
        Ok(token)
    }
}

const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
