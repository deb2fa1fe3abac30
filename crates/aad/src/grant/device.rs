//! Requests signed by a device (entra §3.2): the device token here, the others by what they carry inside. The
//! checks stand in the order of that section, and the first that fails names the refusal.

use serde_json::Value;

use super::redirect::takes;
use super::scope::Target;
use super::{JWT_BEARER, Request, SAML_1, SAML_2, peer_to_peer, prt};
use crate::answer::{Outcome, Reply, Trouble};
use crate::errors::{DEVICE_ONLY_NOT_ALLOWED, MISSING_PARAMETER, REDIRECT_URI, UNSUPPORTED_GRANT};
use crate::proof;

/// Answers the JWT bearer grant with a signed request inside.
pub(super) fn answer(request: &Request<'_>) -> Outcome {
    let jws = request.needed("request")?;
    let looked = request.ask.inside().ok_or_else(|| MISSING_PARAMETER.about(&["request"]))?;
    let (header, payload) = proof::seen(looked)?;
    let grant_type = proof::text(payload, "grant_type")?;
    let unbuilt = |gap: &str| Err(Trouble::NotBuilt(gap.to_owned()));
    if payload.contains_key("jwe_crypto") {
        return unbuilt("answers encrypted by ECDH-ES (jwe_crypto, version 4 of the PRT protocol)");
    }
    // What is signed with a session key redeems a primary refresh token, and only that.
    match (header.alg.as_str(), grant_type) {
        ("HS256", "refresh_token") => prt::redeem(request, jws),
        ("HS256", other) => Err(UNSUPPORTED_GRANT.about(&[other]).into()),
        (_, GRANT) => token(request, jws),
        (_, "device_auth") => peer_to_peer::answer(request, jws),
        (_, "password" | "refresh_token" | JWT_BEARER) => prt::issue(request, jws, grant_type),
        (_, SAML_1 | SAML_2) => unbuilt("primary refresh tokens of federated users"),
        (_, other) => Err(UNSUPPORTED_GRANT.about(&[other]).into()),
    }
}

fn token(request: &Request<'_>, jws: &str) -> Outcome {
    let (device, payload) = proof::device(request.aad, jws, request.ask.now)?;
    let tenant = proof::tenant(&request.path, &device)?;

    let directory = request.aad.directory();
    let client = directory.client(tenant, proof::text(&payload, "client_id")?)?;
    let redirect_uri = proof::text(&payload, "redirect_uri")?;
    if !takes(client, redirect_uri) {
        return Err(REDIRECT_URI.about(&[redirect_uri, &client.app_id.to_string()]).into());
    }
    let member = |name: &str| payload.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let scope = member("scope").or_else(|| request.form.get("scope"));
    let target = Target::named(request.version, member("resource"), scope)?;
    let resource = directory.resource(tenant, &target.resource)?;
    if !resource.app.device_only_auth {
        return Err(DEVICE_ONLY_NOT_ALLOWED.about(&[&target.resource]).into());
    }
    let client = client.app_id;
    drop(directory);

    let seconds = resource.app.claims.lifetime.unwrap_or_else(|| request.aad.lifetimes().device_token);
    let frame = request.frame(tenant, client, &resource, seconds);
    let body = request.bearer(&frame, &frame.device(&device))?;
    request.issued(GRANT, &frame, Some(device.id), None);
    Ok(Reply::from(body))
}

const GRANT: &str = "device_token";
