//! The user token by password (entra §4.4, §4.5), bound to a device when the request proves one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cmglab_proto::ids::TenantId;
use cmglab_proto::lab_session::{FIELD, HEADER};
use serde_json::{Map, Value, json};

use super::Request;
use super::scope::Target;
use crate::answer::{Outcome, Trouble};
use crate::claims::{Frame, PERMISSION};
use crate::errors::{BAD_PASSWORD, CLIENT_NEEDS_SECRET, NO_TENANT, Refusal, UNKNOWN_TENANT, USER_DISABLED};
use crate::route::Version;
use crate::tenant_ref::TenantRef;
use crate::{App, Device, User, lab_session, proof};

/// Answers the password grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let client_id = request.needed("client_id")?;
    let (username, password) = (request.needed("username")?, request.needed("password")?);
    let tenant = tenant(request, username)?;
    let directory = request.aad.directory();
    let client = directory.client(tenant, client_id)?.clone();
    public(request, &client)?;
    let form = &request.form;
    // Version 2 does not know the parameter `resource`.
    let resource = form.get("resource").filter(|_| request.version == Version::V1);
    let target = Target::of(request.version, resource, form.get("scope"))?;
    let resource = directory.resource(tenant, &target.resource)?;
    target.check_permissions()?;
    let user = directory.user(tenant, username)?.clone();
    drop(directory);

    if !user.password.is(password) {
        return Err(BAD_PASSWORD.plain().into());
    }
    if !user.enabled {
        return Err(USER_DISABLED.plain().into());
    }
    let device = device(request, tenant, username, client_id)?;

    let frame = request.frame(tenant, client.app_id, &resource, lifetime(request));
    let mut body = request.bearer(&frame, &frame.user(&user, device.as_ref()))?;
    extend(request, &frame, &target, &user, &mut body)?;
    request.issued("password", &frame, device.map(|device| device.id), Some(user.object_id));
    Ok(Value::Object(body))
}

fn tenant(request: &Request<'_>, username: &str) -> Result<TenantId, Refusal> {
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

fn public(request: &Request<'_>, client: &App) -> Result<(), Trouble> {
    if client.public {
        return Ok(());
    }
    let given = |name| request.form.get(name).is_some();
    if given("client_secret") || given("client_assertion") {
        return Err(Trouble::NotBuilt("secrets and certificates of applications".to_owned()));
    }
    Err(CLIENT_NEEDS_SECRET.plain().into())
}

/// The device that the lab's own proof is from, if there is one; see [`lab_session`].
fn device(
    request: &Request<'_>,
    tenant: TenantId,
    username: &str,
    client_id: &str,
) -> Result<Option<Device>, Refusal> {
    let given = request.form.get(FIELD).or_else(|| request.ask.header(HEADER));
    let Some(jws) = given else { return Ok(None) };
    let (device, payload) = proof::device(request.aad, jws, request.ask.now)?;
    proof::tenant(&TenantRef::Known(tenant), &device)?;
    lab_session::check(&payload, client_id, username)?;
    Ok(Some(device))
}

fn lifetime(request: &Request<'_>) -> u32 {
    let lifetimes = request.aad.lifetimes();
    let (min, max) = (lifetimes.user_token_min, lifetimes.user_token_max);
    let extra = request.aad.deps().ids.below(u64::from(max - min) + 1);
    min.saturating_add(u32::try_from(extra).unwrap_or(0))
}

/// What only the answers for users have.
fn extend(
    request: &Request<'_>,
    frame: &Frame<'_>,
    target: &Target,
    user: &User,
    body: &mut Map<String, Value>,
) -> Result<(), Trouble> {
    let (scope, version) = match request.version {
        Version::V1 => (PERMISSION.to_owned(), 1),
        Version::V2 => (target.granted(), 2),
    };
    body.insert("scope".to_owned(), json!(scope));
    if request.form.get("client_info") == Some("1") {
        let info = json!({"uid": user.object_id, "utid": frame.tenant}).to_string();
        body.insert("client_info".to_owned(), json!(URL_SAFE_NO_PAD.encode(info)));
    }
    if target.wants_id_token() {
        let claims = frame.id_token(user, version, request.form.get("nonce"));
        body.insert("id_token".to_owned(), json!(request.aad.sign(version, &claims)?));
    }
    Ok(())
}
