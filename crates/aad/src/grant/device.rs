//! The device token: a request signed with the WPJ certificate (entra §3.2). The checks stand in the order of
//! that section, and the first that fails names the refusal.

use serde_json::Value;

use super::scope::Target;
use super::{JWT_BEARER, Request, SAML_1};
use crate::answer::{Outcome, Trouble};
use crate::errors::{DEVICE_ONLY_NOT_ALLOWED, REDIRECT_URI, UNSUPPORTED_GRANT};
use crate::proof;

/// Answers the JWT bearer grant with a signed request inside.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let jws = request.needed("request")?;
    built(proof::text(&proof::look(jws)?, "grant_type")?)?;
    let (device, payload) = proof::device(request.aad, jws, request.ask.now)?;
    let tenant = proof::tenant(&request.path, &device)?;

    let directory = request.aad.directory();
    let client = directory.client(tenant, proof::text(&payload, "client_id")?)?;
    let redirect_uri = proof::text(&payload, "redirect_uri")?;
    if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
        return Err(REDIRECT_URI.about(&[redirect_uri, &client.app_id.to_string()]).into());
    }
    let member = |name: &str| payload.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let scope = member("scope").or_else(|| request.form.get("scope"));
    let target = Target::of(request.version, member("resource"), scope)?;
    let resource = directory.resource(tenant, &target.resource)?;
    if !resource.app.device_only_auth {
        return Err(DEVICE_ONLY_NOT_ALLOWED.about(&[&target.resource]).into());
    }
    let client = client.app_id;
    drop(directory);

    let frame = request.frame(tenant, client, &resource, request.aad.lifetimes().device_token);
    let body = request.bearer(&frame, &frame.device(&device))?;
    request.issued(GRANT, &frame, Some(device.id), None);
    Ok(Value::Object(body))
}

/// Which request is inside.
fn built(grant_type: &str) -> Result<(), Trouble> {
    match grant_type {
        GRANT => Ok(()),
        "device_auth" => Err(Trouble::NotBuilt("the peer-to-peer certificate of a device".to_owned())),
        "password" | JWT_BEARER | SAML_1 => Err(Trouble::NotBuilt("the primary refresh token".to_owned())),
        "refresh_token" => Err(Trouble::NotBuilt("the primary refresh token and its use".to_owned())),
        other => Err(UNSUPPORTED_GRANT.about(&[other]).into()),
    }
}

const GRANT: &str = "device_token";
