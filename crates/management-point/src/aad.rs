//! Azure AD tokens: verified with the tenant's own keys, and then looked up in the site database.
//!
//! Nothing that the gateway found out is used.

mod keys;

pub(crate) use keys::AadKeys;

use cmglab_events::Source;
use cmglab_events::kinds::TokenFault;
use cmglab_net::Deps;
use cmglab_proto::claims::{AadClaims, AadTokenKind};
use cmglab_proto::settings::TenantSettings;
use cmglab_site::{AadDevice, Site, User};
use cmglab_token::{Expect, TokenError, Verified, verify};

use crate::bearer::{self, Presented};
use crate::keys::LEEWAY;
use crate::refused::Refused;

/// A verified token. Whom it names is not looked up yet.
#[derive(Debug)]
pub(crate) struct AadToken {
    pub(crate) kind: AadTokenKind,
    pub(crate) claims: AadClaims,
}

/// Whom a token names, as the site knows them.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) kind: AadTokenKind,
    /// The tenant and, where the token names one, the device.
    pub(crate) tenant: TenantSettings,
    pub(crate) device: Option<AadDevice>,
    /// The discovered user; none for a device's own token.
    pub(crate) user: Option<User>,
}

/// Verifies signature, issuer, audience and times with a validator chosen by what the token claims, but
/// only among the onboarded tenants.
pub(crate) async fn validate(
    presented: &Presented,
    keys: &AadKeys,
    site: &Site,
    deps: &Deps,
    voice: &Source,
) -> Result<AadToken, Refused> {
    let tenant = validator(presented, site).await?;
    let known = keys.of(&tenant, voice).await.map_err(|cause| unavailable(presented, cause))?;
    let verified = match check(presented, &known, &tenant, deps) {
        Err(TokenError::UnknownKey { kid }) => {
            let newer = keys.newer(&tenant, &known, voice).await;
            match newer.map_err(|cause| unavailable(presented, cause))? {
                Some(newer) => check(presented, &newer, &tenant, deps),
                None => Err(TokenError::UnknownKey { kid }),
            }
        }
        other => other,
    };
    let claims = verified.map_err(|error| presented.refused(bearer::fault(error, false)))?.claims;
    if claims.tid != tenant.tenant_id {
        let cause = format!("tid {} does not belong to issuer {}", claims.tid, claims.iss);
        return Err(presented.refused(TokenFault::Malformed { cause }));
    }
    let kind = claims.kind().ok_or_else(|| presented.refused(TokenFault::NobodyNamed))?;
    Ok(AadToken { kind, claims })
}

/// Looks tenant, application and user up in the site database.
pub(crate) async fn look_up(
    presented: &Presented,
    token: &AadToken,
    site: &Site,
) -> Result<Subject, Refused> {
    let AadToken { kind, claims } = token;
    let id = claims.tid;
    let unknown = || presented.refused(TokenFault::TenantUnknown { tenant: id });
    let tenant = site.tenant(id).await?.ok_or_else(unknown)?;
    if !tenant.token_auth_enabled {
        return Err(presented.refused(TokenFault::TenantDisabled { tenant: id }));
    }
    // Device tokens often name no application (entra §3.3).
    if let Some(app) = claims.appid.filter(|app| *app != tenant.client_app_id) {
        return Err(presented.refused(TokenFault::ApplicationUnknown { app }));
    }
    let user = match kind {
        AadTokenKind::Device => None,
        AadTokenKind::Uda | AadTokenKind::User => {
            let object = claims.user_object_id();
            let unknown = || presented.refused(TokenFault::UserUnknown { tenant: id, user: object });
            Some(site.user(id, object).await?.ok_or_else(unknown)?)
        }
    };
    let device = claims.deviceid.map(|device| AadDevice { tenant: id, device });
    Ok(Subject { kind: *kind, tenant, device, user })
}

async fn validator(presented: &Presented, site: &Site) -> Result<TenantSettings, Refused> {
    let (issuer, audience) = (presented.issuer(), presented.audience());
    let tenants = &site.settings().await?.tenants;
    let issues = |tenant: &TenantSettings| tenant.issuers.iter().any(|known| Some(known.as_str()) == issuer);
    let chosen =
        tenants.iter().find(|tenant| issues(tenant) && audience.is_some_and(|one| tenant.is_audience(one)));
    if let Some(tenant) = chosen {
        return Ok(tenant.clone());
    }
    let claimed = presented.claim("tid").and_then(|tid| tid.parse().ok());
    Err(presented.refused(match claimed {
        Some(tenant) if !tenants.iter().any(|known| known.tenant_id == tenant) => {
            TokenFault::TenantUnknown { tenant }
        }
        _ => TokenFault::NoValidator,
    }))
}

fn check(
    presented: &Presented,
    keys: &cmglab_token::Keys,
    tenant: &TenantSettings,
    deps: &Deps,
) -> Result<Verified<AadClaims>, TokenError> {
    let issuers: Vec<&str> = tenant.issuers.iter().map(String::as_str).collect();
    let audience = presented.audience().filter(|one| tenant.is_audience(one)).unwrap_or_default();
    let expect = Expect { issuers: &issuers, audiences: &[audience], now: deps.clock.now(), leeway: LEEWAY };
    verify(presented.token.expose(), keys, &expect)
}

fn unavailable(presented: &Presented, cause: String) -> Refused {
    presented.refused(TokenFault::KeysUnavailable { cause })
}
