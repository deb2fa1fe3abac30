//! The topology as Azure AD and the site are told it.

use cmglab_aad::{AadConfig, App, Hosts, Lifetimes, Password, Tenant, User};
use cmglab_ids::Ids;
use cmglab_proto::ids::ObjectId;
use cmglab_proto::mapping::UrlMapping;
use cmglab_proto::settings::TenantSettings;
use cmglab_site::{DiscoveredUser, Site, SiteError};
use jiff::Timestamp;

use crate::LabError;
use crate::topology::{TenantTopology, Topology};

/// The directory of Azure AD.
pub(crate) fn azure_ad(topology: &Topology, ids: &Ids) -> AadConfig {
    let tenants = &topology.azure_ad.tenants;
    AadConfig {
        hosts: Hosts::documented(),
        lifetimes: Lifetimes::documented(),
        tenants: tenants.iter().map(tenant).collect(),
        apps: tenants.iter().flat_map(|tenant| apps(tenant, ids)).collect(),
        users: tenants.iter().flat_map(|tenant| users(tenant, ids)).collect(),
    }
}

fn tenant(tenant: &TenantTopology) -> Tenant {
    Tenant {
        id: tenant.id,
        domains: vec![tenant.domain.clone()],
        name: tenant.domain.clone(),
        region: "EU".to_owned(),
    }
}

/// The two apps that the console's wizard makes for "Cloud Management".
fn apps(tenant: &TenantTopology, ids: &Ids) -> [App; 2] {
    let app = |app_id, name: &str, public| App {
        app_id,
        object_id: ObjectId::new(ids.guid()),
        name: name.to_owned(),
        tenant: tenant.id,
        app_id_uris: Vec::new(),
        redirect_uris: Vec::new(),
        public,
        device_only_auth: false,
        access_token_version: 1,
        disabled: false,
    };
    let client = tenant.client_app;
    [
        App {
            redirect_uris: vec![format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{client}")],
            ..app(client, "ConfigMgr client", true)
        },
        App {
            app_id_uris: vec![tenant.resource.clone()],
            device_only_auth: tenant.device_tokens,
            ..app(tenant.server_app, "ConfigMgr server", false)
        },
    ]
}

fn users(tenant: &TenantTopology, ids: &Ids) -> Vec<User> {
    let user = |user: &crate::topology::UserTopology| User {
        object_id: user.id,
        upn: user.upn.clone(),
        name: user.upn.split('@').next().unwrap_or_default().to_owned(),
        password: Password::new(user.password.clone()),
        puid: format!("100320{:010X}", ids.below(0xff_ffff_ffff)),
        onprem_sid: user.onprem_sid.clone(),
        enabled: true,
    };
    tenant.users.iter().map(user).collect()
}

/// What the site knows of a tenant once it is onboarded.
#[must_use]
pub(crate) fn tenant_settings(tenant: &TenantTopology) -> TenantSettings {
    let login = format!("https://{}", Hosts::documented().login);
    TenantSettings {
        tenant_id: tenant.id,
        name: tenant.domain.clone(),
        client_app_id: tenant.client_app,
        resource_uri: tenant.resource.clone(),
        token_auth_enabled: true,
        openid_configuration: format!("{login}/{}/.well-known/openid-configuration", tenant.id),
        authority: login,
        issuers: vec![format!("https://{}/{}/", Hosts::documented().issuer, tenant.id)],
    }
}

/// Fills the site database.
pub(crate) async fn fill_site(
    site: &Site,
    topology: &Topology,
    ids: &Ids,
    now: Timestamp,
) -> Result<(), LabError> {
    let trouble = || LabError::of::<SiteError>("site database");
    for tenant in topology.azure_ad.tenants.iter().filter(|tenant| tenant.onboarded) {
        site.onboard_tenant(tenant_settings(tenant)).await.map_err(trouble())?;
        for user in tenant.users.iter().filter(|user| user.discovered) {
            let discovered = DiscoveredUser {
                tenant: tenant.id,
                object: user.id,
                upn: user.upn.clone(),
                on_prem_sid: user.onprem_sid.clone(),
            };
            site.discover_user(discovered, ids, now).await.map_err(trouble())?;
        }
    }
    let base = format!("https://{}", topology.management_point.host)
        .parse()
        .map_err(LabError::of("management point"))?;
    site.set_mapping(UrlMapping::new(topology.management_point.role_id, base)).await.map_err(trouble())?;
    site.set_clients_check_crl(topology.site.clients_check_crl).await.map_err(trouble())
}
