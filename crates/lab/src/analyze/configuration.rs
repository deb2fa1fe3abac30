//! What the gateway knows of the site: for a user the tenant, for a client certificate the URL mappings.
//!
//! Fidelity: documented for `AADAuthInfo` (configmgr §1.5, §7 row 5); lab for its use as a step of the
//! analyzer, for the texts, and for the form of `ServiceMetadata`.

use cmglab_net::Call;
use cmglab_proto::aadauthinfo::{self, AadAuthInfo};
use cmglab_proto::url::{AAD_AUTH_INFO, AuthScheme, SERVICE_METADATA};
use serde::Deserialize;

use super::probe::{Probe, Trouble};
use super::report::{Fault, Tested};
use super::{SignIn, UserSignIn, advice};

pub(super) async fn test(probe: &Probe<'_>) -> Tested<()> {
    match &probe.request.sign_in {
        SignIn::User(user) => of_tenant(probe, user).await,
        SignIn::Certificate(_) => of_mappings(probe).await,
    }
}

async fn of_tenant(probe: &Probe<'_>, user: &UserSignIn) -> Tested<()> {
    let tenant = user.tenant;
    let fault = |trouble: &Trouble| Fault {
        description: format!(
            "Failed to get the Azure AD properties of tenant '{tenant}'. {}",
            trouble.sentence()
        ),
        advice: advice::configuration(trouble),
    };
    let path = format!("/{AAD_AUTH_INFO}?{}", aadauthinfo::query(&tenant));
    let call =
        Call::get(probe.at_service(AuthScheme::ServerAuth, &path)).largest_answer(aadauthinfo::MAX_BODY);
    let answer = probe.ask(&call).await.map_err(|trouble| fault(&trouble))?;
    let info = AadAuthInfo::parse(&answer.body);
    let info = info.map_err(|error| fault(&Trouble::Unusable(error.to_string())))?;
    let AadAuthInfo { client_app_id, resource_uri, .. } = &info;
    let known = (info.tenant_id, *client_app_id, resource_uri.as_str());
    if known != (tenant, user.client_app, user.resource.as_str()) {
        return Err(Fault {
            description: format!(
                "The CMG knows client app {client_app_id} and resource '{resource_uri}' for tenant '{}', and the \
                 user has signed in to client app {} and resource '{}' of tenant '{tenant}'.",
                info.tenant_id, user.client_app, user.resource
            ),
            advice: advice::TENANT,
        });
    }
    let found = format!(
        "Tenant '{tenant}' is onboarded, with client app {client_app_id} and resource '{resource_uri}'."
    );
    Ok((found, ()))
}

async fn of_mappings(probe: &Probe<'_>) -> Tested<()> {
    let fault = |trouble: &Trouble| Fault {
        description: format!("Failed to get the settings of the CMG service. {}", trouble.sentence()),
        advice: advice::configuration(trouble),
    };
    let url = probe.at_service(AuthScheme::MutualAuth, &format!("/{SERVICE_METADATA}"));
    let answer = probe.ask(&Call::get(url)).await.map_err(|trouble| fault(&trouble))?;
    let metadata: ServiceMetadata = serde_json::from_slice(&answer.body)
        .map_err(|error| fault(&Trouble::Unusable(format!("{SERVICE_METADATA}: {error}"))))?;
    for point in &probe.request.management_points {
        let below = format!("/{}/{}/", AuthScheme::MutualAuth.segment(), point.role);
        if !metadata.endpoints.iter().any(|endpoint| endpoint.path.starts_with(&below)) {
            return Err(Fault {
                description: format!(
                    "Version {} of the site's settings publishes nothing of management point '{}' below '{below}'.",
                    metadata.settings_version, point.host
                ),
                advice: advice::MAPPING,
            });
        }
    }
    let version = metadata.settings_version;
    Ok((format!("It has version {version} of the site's settings, which publish the management point."), ()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceMetadata {
    settings_version: u64,
    endpoints: Vec<Published>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Published {
    path: String,
}
