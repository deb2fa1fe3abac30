//! Device registration (entra §1.6, §2).
//!
//! Fidelity: documented for the paths, the join request and its answer; observed for the discovery document;
//! of the error body only the kinds are documented, the names of its members are inferred.

mod bearer;
mod delete;
mod denied;
mod join;
mod join_request;

use cmglab_events::kinds::AadEvent;
use http::Method;
use serde_json::json;

use crate::Aad;
use crate::answer::{Outcome, Trouble};
use crate::ask::Ask;
use crate::first_party::REGISTRATION_URI;
use crate::route::only;
use crate::tenant_ref::TenantRef;

pub(crate) use denied::Denied;

/// Answers what stands below `/EnrollmentServer`.
pub(crate) fn dispatch(aad: &Aad, ask: &Ask, rest: &[&str]) -> Outcome {
    match rest {
        ["contract" | "discover"] => discover(aad, ask, None),
        ["nonce"] => only(ask, &Method::GET, "GET").and_then(|()| nonce(aad, ask, None)),
        ["nonce", tenant] => only(ask, &Method::GET, "GET").and_then(|()| nonce(aad, ask, Some(tenant))),
        ["device"] => only(ask, &Method::POST, "POST").and_then(|()| join::answer(aad, ask)),
        ["device", id] if ask.method == Method::DELETE => delete::answer(aad, ask, id),
        ["device", _] => {
            only(ask, &Method::PUT, "PUT, DELETE")?;
            Err(Trouble::NotBuilt("hybrid join".to_owned()))
        }
        ["key", ..] => Err(Trouble::NotBuilt("key provisioning".to_owned())),
        _ => Err(Trouble::NotFound),
    }
}

/// Where the services of a tenant are; without a domain, those that are the same for all.
pub(crate) fn discover(aad: &Aad, ask: &Ask, domain: Option<&str>) -> Outcome {
    only(ask, &Method::GET, "GET")?;
    let tenant = domain.map(|domain| known(aad, domain)).transpose()?;
    let (login, registration) = (&aad.hosts().login, &aad.hosts().registration);
    let of = tenant.as_ref().map_or_else(|| "common".to_owned(), |tenant| tenant.id.to_string());
    let enrollment = format!("https://{registration}/EnrollmentServer");
    let mut body = json!({
        "DeviceRegistrationService": {
            "RegistrationEndpoint": format!("{enrollment}/DeviceEnrollmentWebService.svc"),
            "RegistrationResourceId": REGISTRATION_URI,
            "ServiceVersion": "1.0",
        },
        "AuthenticationService": {"OAuth2": {
            "AuthCodeEndpoint": format!("https://{login}/{of}/oauth2/authorize"),
            "TokenEndpoint": format!("https://{login}/{of}/oauth2/token"),
        }},
        "IdentityProviderService": {
            "Federated": false,
            "PassiveAuthEndpoint": format!("https://{login}/{of}/wsfed"),
        },
        "DeviceJoinService": {
            "JoinEndpoint": format!("{enrollment}/device/"),
            "JoinResourceId": REGISTRATION_URI,
            "ServiceVersion": "2.0",
        },
        "KeyProvisioningService": {
            "KeyProvisionEndpoint": format!("{enrollment}/key/"),
            "KeyProvisionResourceId": REGISTRATION_URI,
            "ServiceVersion": "1.0",
        },
        "NonceService": {
            "Endpoint": format!("{enrollment}/nonce/{of}/"),
            "ResourceId": REGISTRATION_URI,
            "ServiceVersion": "1.0",
        },
    });
    if let Some(tenant) = tenant {
        body["TenantInfo"] = json!({
            "DisplayName": tenant.name,
            "TenantId": tenant.id,
            "TenantName": tenant.domains.first(),
        });
    }
    Ok(body.into())
}

fn nonce(aad: &Aad, ask: &Ask, tenant: Option<&str>) -> Outcome {
    if let Some(tenant) = tenant.filter(|tenant| *tenant != "common") {
        known(aad, tenant)?;
    }
    let (nonce, expires) = aad.nonces().issue(ask.now, &aad.deps().ids);
    ask.voice.emit(AadEvent::NonceIssued { expires });
    Ok(json!({"Value": nonce}).into())
}

fn known(aad: &Aad, name: &str) -> Result<crate::Tenant, Denied> {
    let directory = aad.directory();
    let tenant = match directory.tenant_ref(name) {
        TenantRef::Known(tenant) => directory.tenant(tenant).cloned(),
        _ => None,
    };
    let name: String = name.chars().take(128).collect();
    tenant.ok_or_else(|| {
        Denied::directory("TenantNotFound", format!("Tenant '{name}' not found.")).during("Discovery")
    })
}
