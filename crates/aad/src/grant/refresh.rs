//! Refresh tokens (entra §4.5): each use gives a new one, and the old one stays good until it ends.

use cmglab_proto::ids::{ObjectId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::Request;
use super::client_auth;
use super::for_user::{Extras, SignIn};
use super::scope::Target;
use crate::Aad;
use crate::answer::{Outcome, Reply};
use crate::errors::{
    GRANT_MALFORMED, GRANT_OF_OTHER_CLIENT, GRANT_OF_OTHER_TENANT, GRANT_REVOKED, REFRESH_EXPIRED, Refusal,
};
use crate::route::Version;
use crate::tenant_ref::TenantRef;
use crate::tickets::Found;

/// What stands behind a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) sign_in: SignIn,
    /// What the first token was for; a renewal that names no target means this one.
    pub(crate) target: Target,
    pub(crate) issued: Timestamp,
}

impl RefreshToken {
    pub(crate) fn new(sign_in: SignIn, target: Target, issued: Timestamp) -> Self {
        Self { sign_in, target, issued }
    }
}

impl Aad {
    /// Keeps a refresh token; its text.
    pub(crate) fn keep_refresh_token(&self, mut token: RefreshToken, now: Timestamp) -> String {
        token.issued = self.instant(token.sign_in.user, now);
        let lifetime = SignedDuration::from_secs(i64::from(self.lifetimes().refresh_token));
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        self.refresh_tokens().issue("0.A", token, now, expires, &self.deps().ids)
    }

    /// The refresh token with this text, if it is still good.
    pub(crate) fn refresh_token(&self, text: &str, now: Timestamp) -> Result<RefreshToken, Refusal> {
        match self.refresh_tokens().find(text, now) {
            Found::Live(token) => {
                not_revoked(self, token.sign_in.user, token.issued)?;
                Ok(token)
            }
            Found::Expired(token) => {
                let lifetime = self.lifetimes().refresh_token.to_string();
                Err(REFRESH_EXPIRED.about(&[&token.issued.to_string(), &lifetime]))
            }
            Found::Unknown => Err(GRANT_MALFORMED.about(&["the refresh token is not one of this service"])),
        }
    }
}

/// Answers the refresh token grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let text = request.needed("refresh_token")?;
    let token = request.aad.refresh_token(text, request.ask.now)?;
    let tenant = same_tenant(&request.path, token.sign_in.tenant)?;
    let (client, proof) = client_auth::client(request, tenant)?;
    if client.app_id != token.sign_in.client {
        return Err(GRANT_OF_OTHER_CLIENT.about(&[&client.app_id.to_string()]).into());
    }
    let target = target(request, &token)?;
    let extras = Extras { refresh: true, ..Extras::default() };
    let body = request.for_user("refresh_token", &token.sign_in, proof, &target, extras)?;
    Ok(Reply::from(body))
}

/// The tenant of a grant, which the path may name or leave open.
pub(super) fn same_tenant(path: &TenantRef, tenant: TenantId) -> Result<TenantId, Refusal> {
    match path {
        TenantRef::Common | TenantRef::Organizations => Ok(tenant),
        TenantRef::Known(named) if *named == tenant => Ok(tenant),
        TenantRef::Known(named) => {
            Err(GRANT_OF_OTHER_TENANT.about(&[&tenant.to_string(), &named.to_string()]))
        }
        TenantRef::Consumers | TenantRef::Unknown(_) => {
            Err(crate::errors::UNKNOWN_TENANT.about(&[&path.to_string()]))
        }
    }
}

impl Aad {
    /// The time to put on what a user is given now: just after a revocation of this very instant, as a clock
    /// may stand still.
    pub(crate) fn instant(&self, user: ObjectId, now: Timestamp) -> Timestamp {
        let revoked = self.directory().revoked(user);
        let of_now = |from: &Timestamp| now <= *from && from.duration_since(now) <= SAME_INSTANT;
        revoked.filter(of_now).unwrap_or(now)
    }
}

/// The next instant.
pub(crate) fn following(time: Timestamp) -> Timestamp {
    time.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(time)
}

/// As [`not_revoked`], where of the issue only the second is known: one of the second of the revocation
/// counts as issued after it, as a new sign-in may have come in that second.
pub(crate) fn second_not_revoked(aad: &Aad, user: ObjectId, issued: Timestamp) -> Result<(), Refusal> {
    match aad.directory().revoked(user) {
        Some(from) if issued.as_second() < from.as_second() => Err(GRANT_REVOKED.about(&[&from.to_string()])),
        _ => Ok(()),
    }
}

/// Refuses what a user's sessions held before they were revoked. A revocation comes after all that was
/// issued in its very instant ([`Aad::revoke_sessions`]).
pub(crate) fn not_revoked(aad: &Aad, user: ObjectId, issued: Timestamp) -> Result<(), Refusal> {
    match aad.directory().revoked(user) {
        Some(from) if issued < from => Err(GRANT_REVOKED.about(&[&from.to_string()])),
        _ => Ok(()),
    }
}

/// Room for as many revocations in one instant.
const SAME_INSTANT: SignedDuration = SignedDuration::from_micros(1);

fn target(request: &Request<'_>, token: &RefreshToken) -> Result<Target, Refusal> {
    let form = &request.form;
    let resource = form.get("resource").filter(|_| request.version == Version::V1);
    let named = match request.version {
        Version::V1 => resource.is_some(),
        Version::V2 => form.get("scope").is_some(),
    };
    if named { Target::named(request.version, resource, form.get("scope")) } else { Ok(token.target.clone()) }
}
