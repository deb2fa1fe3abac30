//! What clients read before they ask for a token: metadata, keys, instances and user realms
//! (entra §1.2 to §1.5).
//!
//! Fidelity: documented and observed.

use cmglab_token::{Jwk, Jwks};
use serde_json::{Value, json};

use crate::Aad;
use crate::answer::{Outcome, Trouble};
use crate::ask::Ask;
use crate::errors::{MALFORMED, UNKNOWN_AUTHORITY, UNKNOWN_TENANT_IN_METADATA};
use crate::route::Version;
use crate::tenant_ref::{TenantRef, well_known};

/// OpenID Connect metadata.
pub(crate) fn metadata(aad: &Aad, tenant: &str, version: Version) -> Outcome {
    let tenant = known(aad, tenant)?;
    let login = &aad.hosts().login;
    let base = format!("https://{login}/{tenant}");
    let (number, oauth2) = match version {
        Version::V1 => (1, format!("{base}/oauth2")),
        Version::V2 => (2, format!("{base}/oauth2/v2.0")),
    };
    let jwks_uri = match version {
        Version::V1 => format!("https://{login}/common/discovery/keys"),
        Version::V2 => format!("{base}/discovery/v2.0/keys"),
    };
    let mut body = json!({
        "token_endpoint": format!("{oauth2}/token"),
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "jwks_uri": jwks_uri,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": aad.issuer(number, tenant.in_issuer()),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": aad.hosts().userinfo(),
        "authorization_endpoint": format!("{oauth2}/authorize"),
        "device_authorization_endpoint": format!("{oauth2}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{oauth2}/logout"),
        "claims_supported": CLAIMS,
        "kerberos_endpoint": format!("{base}/kerberos"),
        "tenant_region_scope": region(aad, &tenant),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
        "capabilities": ["kdf_ver2"],
    });
    if version == Version::V1 {
        body["microsoft_multi_refresh_token"] = json!(true);
    }
    Ok(body.into())
}

/// The key set; the same keys for every tenant and version. Version 2 says whose tokens they sign.
pub(crate) fn keys(aad: &Aad, tenant: &str, version: Version) -> Outcome {
    let tenant = known(aad, tenant)?;
    let issuer = (version == Version::V2).then(|| aad.issuer(2, tenant.in_issuer()));
    let ring = aad.ring();
    let keys = ring.published().iter().map(|key| Jwk { issuer: issuer.clone(), ..key.clone() });
    let set = serde_json::to_value(keys.collect::<Jwks>());
    Ok(set.map_err(|error| Trouble::Failed(error.to_string()))?.into())
}

/// Which hosts are one authority, and where its metadata are. Clients talk to the host named here from then
/// on, so the host they asked about is given back when it is one of ours.
pub(crate) fn instance(aad: &Aad, ask: &Ask) -> Outcome {
    let asked = ask
        .query
        .get("authorization_endpoint")
        .ok_or_else(|| MALFORMED.about(&["the query must contain authorization_endpoint"]))?;
    let rest = asked.strip_prefix("https://").ok_or_else(|| UNKNOWN_AUTHORITY.plain())?;
    let mut parts = rest.split(['/', '?']);
    let host = parts.next().unwrap_or_default().to_ascii_lowercase();
    let hosts = aad.hosts();
    let ours = || std::iter::once(&hosts.login).chain(&hosts.aliases);
    if !ours().any(|known| known.eq_ignore_ascii_case(&host)) {
        return Err(UNKNOWN_AUTHORITY.plain().into());
    }
    let tenant = parts.next().filter(|tenant| !tenant.is_empty()).unwrap_or("common").to_ascii_lowercase();
    let tenant = known(aad, well_known(&tenant))?;
    let cache = hosts.aliases.first().unwrap_or(&hosts.login);
    Ok(json!({
        "tenant_discovery_endpoint": format!("https://{host}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": ask.query.get("api-version").unwrap_or("1.1"),
        "metadata": [{
            "preferred_network": hosts.login,
            "preferred_cache": cache,
            "aliases": ours().collect::<Vec<_>>(),
        }],
    })
    .into())
}

/// Whether a user signs in here. Nobody is federated.
pub(crate) fn realm(aad: &Aad, ask: &Ask, upn: Option<&str>) -> Outcome {
    let upn = upn.ok_or_else(|| MALFORMED.about(&["no user is named"]))?;
    let directory = aad.directory();
    let domain = upn.rsplit_once('@').map_or("", |(_, domain)| domain);
    let tenant = directory.tenant_of_domain(domain).and_then(|tenant| directory.tenant(tenant));
    let kind = if tenant.is_some() { "Managed" } else { "Unknown" };
    let version_2 = ask.query.get("api-version").is_some_and(|version| version.starts_with('2'));
    let body = match (version_2, tenant) {
        (true, Some(tenant)) => json!({
            "NameSpaceType": kind,
            "Login": upn,
            "DomainName": domain,
            "FederationBrandName": tenant.name,
            "cloud_instance_name": "microsoftonline.com",
        }),
        (true, None) => json!({"NameSpaceType": kind, "Login": upn}),
        (false, Some(_)) => json!({
            "ver": "1.0",
            "account_type": kind,
            "domain_name": domain,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }),
        (false, None) => json!({"ver": "1.0", "account_type": kind}),
    };
    Ok(body.into())
}

fn known(aad: &Aad, tenant: &str) -> Result<TenantRef, Trouble> {
    match aad.directory().tenant_ref(tenant) {
        TenantRef::Unknown(name) => Err(UNKNOWN_TENANT_IN_METADATA.about(&[&name]).into()),
        known => Ok(known),
    }
}

fn region(aad: &Aad, tenant: &TenantRef) -> Value {
    match tenant {
        TenantRef::Known(id) => aad.directory().tenant(*id).map_or(Value::Null, |found| json!(found.region)),
        _ => Value::Null,
    }
}

const CLIENT_AUTHENTICATION: [&str; 3] = ["client_secret_post", "private_key_jwt", "client_secret_basic"];
const CLAIMS: [&str; 19] = [
    "sub",
    "iss",
    "cloud_instance_name",
    "cloud_instance_host_name",
    "cloud_graph_host_name",
    "msgraph_host",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "acr",
    "nonce",
    "preferred_username",
    "name",
    "tid",
    "ver",
    "at_hash",
    "c_hash",
    "email",
];
