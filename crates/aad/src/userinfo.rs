//! Who a token is about: the userinfo endpoint (OpenID Connect Core §5.3), which the metadata name at
//! Microsoft Graph's host.
//!
//! Fidelity: documented. Taken is any access token of a user that this service issued.

use cmglab_proto::ids::TenantId;
use cmglab_token::{Expect, peek, verify};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::Aad;
use crate::answer::Outcome;
use crate::ask::Ask;
use crate::errors::{BAD_BEARER, Refusal};

/// Answers the userinfo endpoint.
pub(crate) fn answer(aad: &Aad, ask: &Ask) -> Outcome {
    let refused = |cause: &str| BAD_BEARER.about(&[cause]);
    let bearer = ask.header("authorization").and_then(|value| value.split_once(' '));
    let token = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    let (_, token) = token.ok_or_else(|| refused("there is none"))?;
    let claims = claims(aad, ask, token.trim())?;
    let of = |name: &str| claims.get(name).cloned().unwrap_or(Value::Null);
    let oid = of("oid").as_str().and_then(|oid| oid.parse().ok());
    let directory = aad.directory();
    let user = oid.and_then(|oid| directory.user_by_object(oid));
    let user = user.filter(|user| user.enabled).ok_or_else(|| refused("it is about no user"))?;
    let (given, family) = user.name.rsplit_once(' ').unwrap_or((user.name.as_str(), ""));
    Ok(json!({
        "sub": of("sub"), "name": user.name, "given_name": given, "family_name": family, "email": user.upn,
    })
    .into())
}

fn claims(aad: &Aad, ask: &Ask, token: &str) -> Result<Map<String, Value>, Refusal> {
    let refused = |error: &dyn std::fmt::Display| BAD_BEARER.about(&[&error.to_string()]);
    let (_, claimed) = peek(token).map_err(|error| refused(&error))?;
    let text = |name: &str| claimed.get(name).and_then(Value::as_str).unwrap_or_default();
    let tenant: TenantId = text("tid").parse().map_err(|error| refused(&error))?;
    let [first, second] = aad.issuers(tenant);
    let expect = Expect {
        issuers: &[&first, &second],
        audiences: &[text("aud")],
        now: ask.now,
        leeway: SignedDuration::ZERO,
    };
    Ok(verify(token, aad.ring().keys(), &expect).map_err(|error| refused(&error))?.claims)
}
