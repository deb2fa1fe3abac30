//! GetCredentialType: whether a user exists and how to sign in (entra §1.2).
//!
//! Fidelity: observed. Everyone has a password and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Aad;
use crate::answer::Outcome;
use crate::ask::Ask;
use crate::errors::{MALFORMED, MISSING_PARAMETER, UNKNOWN_TENANT};
use crate::tenant_ref::TenantRef;

/// Answers GetCredentialType.
pub(crate) fn answer(aad: &Aad, ask: &Ask, tenant: &str) -> Outcome {
    let directory = aad.directory();
    let path = directory.tenant_ref(tenant);
    if let TenantRef::Unknown(_) | TenantRef::Consumers = path {
        return Err(UNKNOWN_TENANT.about(&[&path.to_string()]).into());
    }
    let body: Value =
        serde_json::from_slice(&ask.body).map_err(|_| MALFORMED.about(&["the body is not JSON"]))?;
    let username = ["username", "Username"].iter().find_map(|name| body.get(name)?.as_str());
    let username = username.ok_or_else(|| MISSING_PARAMETER.about(&["username"]))?;
    let home = directory.tenant_of_upn(username);
    let tenant = home.filter(|home| !matches!(path, TenantRef::Known(named) if named != *home));
    let exists = tenant.is_some_and(|tenant| directory.user(tenant, username).is_ok());
    let opaque = || URL_SAFE_NO_PAD.encode(aad.deps().ids.bytes::<48>());
    Ok(json!({
        "Username": username,
        "Display": username,
        "IfExistsResult": u8::from(!exists),
        "IsUnmanaged": false,
        "ThrottleStatus": 0,
        "Credentials": {
            "PrefCredential": 1,
            "HasPassword": true,
            "RemoteNgcParams": null,
            "FidoParams": null,
            "SasParams": null,
            "CertAuthParams": null,
            "GoogleParams": null,
            "FacebookParams": null,
        },
        // 3 is a managed domain, 1 one that nobody knows.
        "EstsProperties": {"UserTenantBranding": null, "DomainType": if home.is_some() { 3 } else { 1 }},
        "IsSignupDisallowed": true,
        "FlowToken": opaque(),
        "apiCanary": opaque(),
    })
    .into())
}
