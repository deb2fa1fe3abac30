//! Who a token is about: the userinfo endpoint (OpenID Connect Core §5.3), which the metadata name at
//! Microsoft Graph's host.
//!
//! Fidelity: documented. Taken is any access token of a user that this service issued.

use cmglab_proto::ids::TenantId;
use cmglab_token::peek;
use serde_json::{Map, Value, json};

use crate::answer::Outcome;
use crate::ask::Ask;
use crate::claims::pairwise;
use crate::errors::{BAD_BEARER, Refusal};
use crate::{Aad, bearer};

/// Answers the userinfo endpoint.
pub(crate) fn answer(aad: &Aad, ask: &Ask) -> Outcome {
    let refused = |cause: &str| BAD_BEARER.about(&[cause]);
    let token = bearer::token(ask).ok_or_else(|| refused("there is none"))?;
    let claims = claims(aad, ask, token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // ID tokens and those of applications and devices have no permissions of a user.
    text("scp").ok_or_else(|| refused("it is no access token of a user"))?;
    let client = text("azp").or_else(|| text("appid")).and_then(|client| client.parse().ok());
    let client = client.ok_or_else(|| refused("it names no client"))?;
    let (tenant, oid) = (text("tid").map(str::parse), text("oid").map(str::parse));
    let (Some(Ok(tenant)), Some(Ok(oid))) = (tenant, oid) else {
        return Err(refused("it is about no user").into());
    };
    let directory = aad.directory();
    let user = directory.user_by_id(tenant, oid).ok().filter(|user| user.enabled);
    let user = user.ok_or_else(|| refused("it is about no user"))?;
    let (given, family) = user.name.rsplit_once(' ').unwrap_or((user.name.as_str(), ""));
    Ok(json!({
        // As in the ID token of that client: they are compared (OpenID Connect Core §5.3.2).
        "sub": pairwise(user, client),
        "name": user.name,
        "given_name": given,
        "family_name": family,
        "email": user.upn,
    })
    .into())
}

fn claims(aad: &Aad, ask: &Ask, token: &str) -> Result<Map<String, Value>, Refusal> {
    let refused = |error: &dyn std::fmt::Display| BAD_BEARER.about(&[&error.to_string()]);
    let (_, claimed) = peek(token).map_err(|error| refused(&error))?;
    let text = |name: &str| claimed.get(name).and_then(Value::as_str).unwrap_or_default();
    let tenant: TenantId = text("tid").parse().map_err(|error| refused(&error))?;
    let verified = bearer::verified(aad, tenant, token, &[text("aud")], ask.now);
    Ok(verified.map_err(|error| refused(&error))?.claims)
}
