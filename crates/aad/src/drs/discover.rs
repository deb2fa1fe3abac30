//! Where the services of a tenant are, and a nonce for them (entra §1.6).
//!
//! Fidelity: observed for the names; documented for the addresses. Services that the lab has not are left
//! out: WebAuthN, device management, pre-creation, role assignments, BitLocker recovery. `ServicesService`
//! and its older name `DiscoveryService` say where this document is; that the two are alike is inferred. The
//! document is the same in every version, and JSON whatever is accepted.

use cmglab_events::kinds::AadEvent;
use http::Method;
use serde_json::json;

use super::Denied;
use crate::answer::Outcome;
use crate::ask::Ask;
use crate::first_party::REGISTRATION_URI;
use crate::route::only;
use crate::tenant_ref::TenantRef;
use crate::{Aad, Tenant};

/// The document; without a domain, with what is the same for all.
pub(crate) fn discover(aad: &Aad, ask: &Ask, domain: Option<&str>) -> Outcome {
    only(ask, &Method::GET, "GET")?;
    let tenant = domain.map(|domain| known(aad, domain)).transpose()?;
    let (login, registration) = (&aad.hosts().login, &aad.hosts().registration);
    let of = tenant.as_ref().map_or_else(|| "common".to_owned(), |tenant| tenant.id.to_string());
    let enrollment = format!("https://{registration}/EnrollmentServer");
    let here = match &tenant {
        Some(tenant) => format!("https://{registration}/{}/Discover", tenant.id),
        None => format!("{enrollment}/Discover"),
    };
    let mut body = json!({
        "ServicesService": {"ServicesEndpoint": here, "ServiceVersion": "1.9"},
        "DiscoveryService": {"DiscoveryEndpoint": here, "ServiceVersion": "1.9"},
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

/// A nonce, for a tenant or for none.
pub(super) fn nonce(aad: &Aad, ask: &Ask, tenant: Option<&str>) -> Outcome {
    only(ask, &Method::GET, "GET")?;
    if let Some(tenant) = tenant.filter(|tenant| *tenant != "common") {
        known(aad, tenant)?;
    }
    let (nonce, expires) = aad.nonces().issue(ask.now, &aad.deps().ids);
    ask.voice.emit(AadEvent::NonceIssued { expires });
    Ok(json!({"Value": nonce}).into())
}

fn known(aad: &Aad, name: &str) -> Result<Tenant, Denied> {
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
