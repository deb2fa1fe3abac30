//! The device code grant: a device without a browser, a user with one elsewhere (entra §4.5; RFC 8628).
//!
//! Fidelity: documented, and observed for the spellings that clients use. The page is the lab's own.

mod page;
pub(crate) mod store;

use cmglab_proto::ids::{ObjectId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::for_user::{Extras, SignIn};
use super::refresh::{not_revoked, same_tenant};
use super::scope::Target;
use super::{Request, client_auth};
use crate::Aad;
use crate::answer::{Outcome, Reply};
use crate::ask::Ask;
use crate::errors::{
    CODE_REDEEMED, DEVICE_CODE_DECLINED, DEVICE_CODE_PENDING, GRANT_OF_OTHER_CLIENT, GRANT_OF_OTHER_TENANT,
    MALFORMED, MISSING_PARAMETER, Refusal, UNKNOWN_TENANT,
};
use crate::route::Version;
use crate::tenant_ref::TenantRef;

pub(crate) use self::page::answer as page;
use self::store::{Entry, State};

/// Hands out a device code and a user code.
pub(crate) fn start(aad: &Aad, ask: &Ask, tenant: &str, version: Version) -> Outcome {
    let form = ask.form()?;
    let path = aad.directory().tenant_ref(tenant);
    let id = form.get("client_id").ok_or_else(|| MISSING_PARAMETER.about(&["client_id"]))?;
    let client = aad.directory().client_at(&path, id)?.app_id;
    let seconds = aad.lifetimes().device_code;
    let lifetime = SignedDuration::from_secs(i64::from(seconds));
    let entry = Entry {
        client,
        tenant: if let TenantRef::Known(tenant) = path { Some(tenant) } else { None },
        target: target(version, form.get("resource"), form.get("scope"))?,
        expires: ask.now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
        state: State::Pending,
    };
    let (device_code, user_code) = aad.device_code_store().issue(entry, ask.now, &aad.deps().ids);
    let place = format!("https://{}/common/oauth2/deviceauth", aad.hosts().login);
    let message = format!("To sign in, open {place} in a browser and enter the code {user_code} there.");
    let number = |number: u32| match version {
        Version::V1 => json!(number.to_string()),
        Version::V2 => json!(number),
    };
    Ok(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": place,
        "verification_url": place,
        "expires_in": number(seconds),
        "interval": number(INTERVAL),
        "message": message,
    })
    .into())
}

/// Answers the device code grant.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let text = code(request)?;
    let store = request.aad.device_code_store();
    let (user_code, entry) = store.find(text, request.ask.now)?;
    if client_auth::named(request)?.parse() != Ok(entry.client) {
        return Err(GRANT_OF_OTHER_CLIENT.about(&[&client_auth::named(request)?]).into());
    }
    tenant_fits(&request.path, entry.tenant)?;
    let sign_in = match entry.state {
        State::Pending => return Err(DEVICE_CODE_PENDING.plain().into()),
        State::Declined => return Err(DEVICE_CODE_DECLINED.plain().into()),
        State::Redeemed => return Err(CODE_REDEEMED.plain().into()),
        State::Approved(sign_in) => sign_in,
    };
    let tenant = same_tenant(&request.path, sign_in.tenant)?;
    not_revoked(request.aad, sign_in.user, sign_in.signed_in)?;
    let (_, proof) = client_auth::client(request, tenant)?;
    let named = match request.version {
        Version::V1 => request.form.get("resource"),
        Version::V2 => None,
    };
    let target = match entry.target {
        Some(target) if named.is_none() => target,
        _ => Target::named(request.version, named, request.form.get("scope"))?,
    };
    if !store.redeem(&user_code) {
        return Err(CODE_REDEEMED.plain().into());
    }
    let extras = Extras {
        refresh: target.wants_refresh(request.version),
        // Version 1 gives one whether it is asked for or not.
        id_token: request.version == Version::V1,
        ..Extras::default()
    };
    let body = request.for_user("device_code", &sign_in, proof, &target, extras)?;
    Ok(Reply::from(body))
}

/// Lets a user's sign-in stand for the device; the user code as it was handed out.
fn approve(aad: &Aad, user_code: &str, sign_in: SignedIn, now: Timestamp) -> Result<String, Refusal> {
    aad.device_code_store().settle(user_code, now, |entry| {
        if let Some(tenant) = entry.tenant.filter(|tenant| *tenant != sign_in.tenant) {
            let (expected, found) = (tenant.to_string(), sign_in.tenant.to_string());
            return Err(GRANT_OF_OTHER_TENANT.about(&[&expected, &found]));
        }
        aad.directory().client(sign_in.tenant, &entry.client.to_string())?;
        Ok(State::Approved(SignIn {
            tenant: sign_in.tenant,
            client: entry.client,
            user: sign_in.user,
            device: None,
            amr: vec!["pwd"],
            signed_in: aad.instant(sign_in.user, now),
        }))
    })
}

/// A user at the page.
struct SignedIn {
    tenant: TenantId,
    user: ObjectId,
}

/// The device code, under either of its names; under both it must be the same.
fn code<'a>(request: &'a Request<'_>) -> Result<&'a str, Refusal> {
    match (request.form.get("device_code"), request.form.get("code")) {
        (Some(one), Some(other)) if one != other => Err(MALFORMED.about(&["device_code and code differ"])),
        (Some(code), _) | (None, Some(code)) => Ok(code),
        (None, None) => Err(MISSING_PARAMETER.about(&["device_code"])),
    }
}

fn tenant_fits(path: &TenantRef, bound: Option<TenantId>) -> Result<(), Refusal> {
    match (path, bound) {
        (_, Some(tenant)) => same_tenant(path, tenant).map(drop),
        (TenantRef::Consumers | TenantRef::Unknown(_), None) => {
            Err(UNKNOWN_TENANT.about(&[&path.to_string()]))
        }
        (_, None) => Ok(()),
    }
}

/// Version 1 may leave the resource to the token request.
fn target(version: Version, resource: Option<&str>, scope: Option<&str>) -> Result<Option<Target>, Refusal> {
    let resource = resource.filter(|_| version == Version::V1);
    match Target::named(version, resource, scope) {
        Ok(target) => Ok(Some(target)),
        Err(refusal) if version == Version::V1 && refusal.row == &MISSING_PARAMETER => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Seconds between two questions of a device.
const INTERVAL: u32 = 5;
