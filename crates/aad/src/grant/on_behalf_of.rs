//! The on-behalf-of grant: an application trades a user's token for itself against one for another
//! (entra §4.5).
//!
//! Fidelity: documented. Device and methods of the first sign-in carry over.

use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use cmglab_token::{TokenError, Verified, peek};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::for_user::{Extras, SignIn};
use super::refresh::second_not_revoked;
use super::scope::Target;
use super::{Request, client_auth};
use crate::answer::{Outcome, Reply};
use crate::errors::{ASSERTION_DATES, ASSERTION_INVALID, MALFORMED, Refusal, UNKNOWN_TENANT};
use crate::route::Version;
use crate::tenant_ref::TenantRef;
use crate::{App, bearer};

type Claims = Map<String, Value>;

/// Answers the JWT bearer grant with a token inside.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let assertion = request.needed("assertion")?;
    if request.needed("requested_token_use")? != "on_behalf_of" {
        return Err(MALFORMED.about(&["requested_token_use is on_behalf_of"]).into());
    }
    let tenant = tenant(request, assertion)?;
    let (client, proof) = client_auth::confidential(request, tenant)?;
    let form = &request.form;
    let resource = form.get("resource").filter(|_| request.version == Version::V1);
    let target = Target::named(request.version, resource, form.get("scope"))?;
    let sign_in = sign_in(request, tenant, &client, assertion)?;
    let extras = Extras { refresh: target.wants_refresh(request.version), ..Extras::default() };
    let body = request.for_user("on_behalf_of", &sign_in, proof, &target, extras)?;
    Ok(Reply::from(body))
}

/// The tenant of the path, else the one that the assertion says it is from.
fn tenant(request: &Request<'_>, assertion: &str) -> Result<TenantId, Refusal> {
    match &request.path {
        TenantRef::Known(tenant) => Ok(*tenant),
        TenantRef::Common | TenantRef::Organizations => {
            let tenant =
                looked(assertion)?.get("tid").and_then(Value::as_str).and_then(|tid| tid.parse().ok());
            let known = tenant.filter(|tenant| request.aad.directory().tenant(*tenant).is_some());
            known.ok_or_else(|| refused("its tenant is not known"))
        }
        TenantRef::Consumers | TenantRef::Unknown(_) => {
            Err(UNKNOWN_TENANT.about(&[&request.path.to_string()]))
        }
    }
}

/// The sign-in that an assertion proves.
fn sign_in(
    request: &Request<'_>,
    tenant: TenantId,
    client: &App,
    assertion: &str,
) -> Result<SignIn, Refusal> {
    let Verified { claims, valid_from, .. } = verified(request, tenant, client, assertion)?;
    let user: ObjectId = parsed(&claims, "oid")
        .filter(|_| claims.contains_key("scp"))
        .ok_or_else(|| refused("it is not an access token of a user"))?;
    second_not_revoked(request.aad, user, valid_from)?;
    let device: Option<DeviceId> = parsed(&claims, "deviceid");
    let signed_in = claims.get("auth_time").and_then(Value::as_i64);
    let signed_in = signed_in.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(valid_from);
    Ok(SignIn { tenant, client: client.app_id, user, device, amr: methods(&claims), signed_in })
}

/// The assertion, if it is one of ours, for this client, and in its time.
fn verified(
    request: &Request<'_>,
    tenant: TenantId,
    client: &App,
    assertion: &str,
) -> Result<Verified<Claims>, Refusal> {
    let claims = looked(assertion)?;
    let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
    // An application has more than one name, each of which is written in more than one way.
    let named = request.aad.directory().resource(tenant, audience);
    if !named.is_ok_and(|resource| resource.app.app_id == client.app_id) {
        return Err(refused(&format!("its audience '{audience}' is not application '{}'", client.app_id)));
    }
    let verified = bearer::verified(request.aad, tenant, assertion, &[audience], request.ask.now);
    verified.map_err(|error| match error {
        TokenError::Expired { valid_to, now } => {
            ASSERTION_DATES.about(&[&now.to_string(), &format!("expiry time of assertion: {valid_to}")])
        }
        TokenError::NotYetValid { valid_from, now } => {
            let starts = format!("assertion not valid before: {valid_from}");
            ASSERTION_DATES.about(&[&now.to_string(), &starts])
        }
        other => refused(&other.to_string()),
    })
}

/// The claims, not believed.
fn looked(assertion: &str) -> Result<Claims, Refusal> {
    match peek(assertion) {
        Ok((_, Value::Object(claims))) => Ok(claims),
        Ok(_) => Err(refused("its payload is not an object")),
        Err(error) => Err(refused(&error.to_string())),
    }
}

fn refused(reason: &str) -> Refusal {
    ASSERTION_INVALID.about(&[reason])
}

fn parsed<T: std::str::FromStr>(claims: &Claims, name: &str) -> Option<T> {
    claims.get(name)?.as_str()?.parse().ok()
}

fn methods(claims: &Claims) -> Vec<&'static str> {
    let found = claims.get("amr").and_then(Value::as_array);
    let said = |method: &&str| found.is_some_and(|all| all.iter().any(|one| one == *method));
    METHODS.iter().copied().filter(|method| said(method)).collect()
}

/// What `amr` may say.
const METHODS: [&str; 9] = ["pwd", "rsa", "mfa", "wia", "ngcmfa", "otp", "fido", "fed", "sms"];
