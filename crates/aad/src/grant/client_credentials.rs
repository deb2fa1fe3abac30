//! The client credentials grant: a token for an application itself (entra §4.5).
//!
//! Fidelity: documented. Neither a refresh token nor an ID token comes with it. A client that holds no role
//! gets a token without any.

use super::scope::Target;
use super::{Request, client_auth};
use crate::answer::{Outcome, Reply};
use crate::errors::{NO_TENANT, Refusal, SCOPE_OF_APPLICATION, UNKNOWN_TENANT};
use crate::route::Version;
use crate::tenant_ref::TenantRef;

/// Answers the client credentials grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let tenant = match &request.path {
        TenantRef::Known(tenant) => *tenant,
        TenantRef::Common | TenantRef::Organizations => return Err(NO_TENANT.plain().into()),
        TenantRef::Consumers | TenantRef::Unknown(_) => {
            return Err(UNKNOWN_TENANT.about(&[&request.path.to_string()]).into());
        }
    };
    let (client, proof) = client_auth::confidential(request, tenant)?;
    let target = target(request)?;
    let directory = request.aad.directory();
    let resource = directory.resource(tenant, &target.resource)?;
    let roles = directory.roles(&client, &resource.app);
    drop(directory);

    let seconds = resource.app.claims.lifetime.unwrap_or_else(|| request.user_lifetime());
    let frame = request.frame(tenant, client.app_id, &resource, seconds);
    let body = request.bearer(&frame, &frame.application(client.object_id, &roles, proof))?;
    request.issued("client_credentials", &frame, None, None);
    Ok(Reply::from(body))
}

/// A whole resource: permissions cannot be chosen one by one.
fn target(request: &Request<'_>) -> Result<Target, Refusal> {
    let form = &request.form;
    let resource = form.get("resource").filter(|_| request.version == Version::V1);
    let target = Target::named(request.version, resource, form.get("scope"))?;
    let whole = resource.is_some() || (!target.scopes.is_empty() && target.permissions().is_empty());
    let about_user = request.version == Version::V2 && (target.offline || !target.about_user.is_empty());
    if whole && !about_user {
        return Ok(target);
    }
    Err(SCOPE_OF_APPLICATION.about(&[form.get("scope").unwrap_or_default()]))
}
