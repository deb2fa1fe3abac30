//! The password grant (entra §4.5).
//!
//! Fidelity: observed. With a second factor in force it is refused, as there is nobody to ask.

use cmglab_proto::ids::TenantId;

use super::for_user::{Extras, SignIn, granted, password_suffices, usable};
use super::scope::Target;
use super::{Request, client_auth};
use crate::User;
use crate::answer::{Outcome, Reply};
use crate::errors::{BAD_PASSWORD, NO_TENANT, Refusal, UNKNOWN_TENANT};
use crate::route::Version;
use crate::tenant_ref::TenantRef;

/// Answers the password grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    request.needed("client_id")?;
    let (username, password) = (request.needed("username")?, request.needed("password")?);
    let tenant = tenant(request, username)?;
    let (client, client_proof) = client_auth::client(request, tenant)?;
    let form = &request.form;
    // Version 2 does not know the parameter `resource`.
    let resource = form.get("resource").filter(|_| request.version == Version::V1);
    let target = Target::named(request.version, resource, form.get("scope"))?;
    let directory = request.aad.directory();
    granted(&directory, tenant, &client, &target)?;
    let user = directory.user(tenant, username)?.clone();
    drop(directory);
    right(&user, password, request.version)?;

    let sign_in = SignIn {
        tenant,
        client: client.app_id,
        user: user.object_id,
        device: None,
        amr: vec!["pwd"],
        signed_in: request.ask.now,
    };
    let extras = Extras { refresh: target.wants_refresh(request.version), ..Extras::default() };
    let body = request.for_user("password", &sign_in, client_proof, &target, extras)?;
    Ok(Reply::from(body))
}

/// Whether a password is right, and enough.
pub(crate) fn right(user: &User, password: &str, version: Version) -> Result<(), Refusal> {
    if !user.password.is(password) {
        return Err(BAD_PASSWORD.plain());
    }
    usable(user)?;
    password_suffices(user, version)
}

/// The tenant of a user, which the path may name or leave to the domain of the name.
pub(super) fn tenant(request: &Request<'_>, username: &str) -> Result<TenantId, Refusal> {
    match &request.path {
        TenantRef::Known(tenant) => Ok(*tenant),
        TenantRef::Common | TenantRef::Organizations => {
            request.aad.directory().tenant_of_upn(username).ok_or_else(|| NO_TENANT.plain())
        }
        TenantRef::Consumers | TenantRef::Unknown(_) => {
            Err(UNKNOWN_TENANT.about(&[&request.path.to_string()]))
        }
    }
}
