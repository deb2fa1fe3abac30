//! Whose token a request to device registration carries.

use cmglab_proto::claims::{AadClaims, AadTokenKind};
use cmglab_proto::ids::{DeviceId, TenantId};
use cmglab_token::peek;
use serde::Deserialize;

use super::Denied;
use crate::ask::Ask;
use crate::first_party::REGISTRATION_APP;
use crate::{Aad, User, bearer};

/// The user of a bearer token.
pub(super) struct Caller {
    pub(super) tenant: TenantId,
    pub(super) user: User,
    /// The device that had proved itself when the token was issued.
    pub(super) device: Option<DeviceId>,
    /// How the user had proved himself.
    pub(super) amr: Vec<String>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(flatten)]
    known: AadClaims,
    #[serde(default)]
    amr: Vec<String>,
}

/// The user of the bearer token, which must be of this service and for device registration.
pub(super) fn caller(aad: &Aad, ask: &Ask) -> Result<Caller, Denied> {
    let token = bearer::token(ask)
        .ok_or_else(|| Denied::authentication("TokenMissing", "There is no bearer token."))?;
    let refused =
        |cause: &str| Denied::authentication("TokenInvalid", format!("The token is refused: {cause}."));
    let (_, claimed) = peek(token).map_err(|error| refused(&error.to_string()))?;
    let tenant = claimed.get("tid").and_then(|tid| tid.as_str()?.parse().ok());
    let tenant: TenantId = tenant.ok_or_else(|| refused("it names no tenant"))?;
    // Tokens repeat the name that they were asked by, and this application has more than one spelling.
    let audience = claimed.get("aud").and_then(|aud| aud.as_str()).unwrap_or_default();
    let named = aad.directory().resource(tenant, audience);
    let named = named.is_ok_and(|resource| resource.app.app_id.guid() == REGISTRATION_APP);
    let app = REGISTRATION_APP.to_string();
    let audience = if named { audience } else { &app };
    let verified = bearer::verified::<Claims>(aad, tenant, token, &[audience], ask.now);
    let Claims { known: claims, amr } = verified.map_err(|error| refused(&error.to_string()))?.claims;
    if !matches!(claims.kind(), Some(AadTokenKind::User | AadTokenKind::Uda)) {
        return Err(refused("it is not a user's").within(tenant));
    }
    let directory = aad.directory();
    let user = directory
        .user_by_object(claims.user_object_id())
        .filter(|user| directory.tenant_of_upn(&user.upn) == Some(tenant))
        .ok_or_else(|| refused("its user is not in the directory").within(tenant))?;
    if !user.enabled {
        return Err(Denied::authorization("UserDisabled", "The user is disabled.").within(tenant));
    }
    Ok(Caller { tenant, user: user.clone(), device: claims.deviceid, amr })
}
