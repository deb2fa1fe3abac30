//! The topology as Azure AD and the site are told it.

use cmglab_aad::{
    AadConfig, App, AppCertificate, AppSecret, Hosts, Lifetimes, Password, Permission, PrtOptions,
    SyncedDevice, Tenant, User,
};
use cmglab_ids::Ids;
use cmglab_proto::ids::ObjectId;
use cmglab_proto::mapping::UrlMapping;
use cmglab_proto::settings::TenantSettings;
use cmglab_site::{DiscoveredUser, Site, SiteError};
use jiff::Timestamp;

use crate::LabError;
use crate::made_certificates::MadeCertificates;
use crate::topology::{
    AppTopology, DeviceTopology, PermissionTopology, TenantTopology, Topology, UserTopology,
};

/// The directory of Azure AD; `certificates` are those that apps and devices are to have.
pub(crate) fn azure_ad(topology: &Topology, certificates: &MadeCertificates, ids: &Ids) -> AadConfig {
    let tenants = &topology.azure_ad.tenants;
    AadConfig {
        hosts: Hosts::documented(),
        lifetimes: Lifetimes::documented(),
        tenants: tenants.iter().map(tenant).collect(),
        apps: tenants.iter().flat_map(|tenant| apps(tenant, certificates, ids)).collect(),
        users: tenants.iter().flat_map(|tenant| users(tenant, ids)).collect(),
        loop_limit: None,
        prt: PrtOptions::default(),
        devices: tenants.iter().flat_map(|tenant| devices(tenant, certificates)).collect(),
        key_provisioning_needs_second_factor: false,
    }
}

fn tenant(tenant: &TenantTopology) -> Tenant {
    Tenant {
        id: tenant.id,
        domains: std::iter::once(&tenant.domain).chain(&tenant.other_domains).cloned().collect(),
        name: tenant.domain.clone(),
        region: "EU".to_owned(),
    }
}

/// The two apps that the console's wizard makes for "Cloud Management", and the tenant's others.
fn apps(tenant: &TenantTopology, certificates: &MadeCertificates, ids: &Ids) -> Vec<App> {
    let new = |app_id, name: &str| App::new(app_id, ObjectId::new(ids.guid()), name, tenant.id);
    let client = tenant.client_app;
    let on_the_server =
        Permission { resource: tenant.server_app, scopes: vec![ACT_FOR_USERS.to_owned()], roles: Vec::new() };
    let native = App {
        redirect_uris: vec![
            format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{client}"),
            "http://localhost".to_owned(),
            "https://login.microsoftonline.com/common/oauth2/nativeclient".to_owned(),
        ],
        public: true,
        permissions: std::iter::once(on_the_server)
            .chain(tenant.client_permissions.iter().map(permission))
            .collect(),
        ..new(client, "ConfigMgr client")
    };
    let web = App {
        app_id_uris: vec![tenant.resource.clone()],
        device_only_auth: tenant.device_tokens,
        roles: tenant.server_roles.clone(),
        ..new(tenant.server_app, "ConfigMgr server")
    };
    let others = tenant.apps.iter().map(|app| other_app(app, certificates, new(app.id, &app.name)));
    [native, web].into_iter().chain(others).collect()
}

fn other_app(app: &AppTopology, certificates: &MadeCertificates, new: App) -> App {
    let secret =
        app.secret.as_ref().map(|value| AppSecret { value: Password::new(value.clone()), expires: None });
    let certificate = certificates.apps.get(&app.id).map(|identity| AppCertificate(identity.leaf().to_vec()));
    App {
        public: app.public,
        app_id_uris: app.uris.clone(),
        redirect_uris: app.redirect_uris.clone(),
        secrets: secret.into_iter().collect(),
        certificates: certificate.into_iter().collect(),
        scopes: if app.scopes.is_empty() { new.scopes } else { app.scopes.clone() },
        roles: app.roles.clone(),
        permissions: app.permissions.iter().map(permission).collect(),
        access_token_version: app.access_token_version,
        device_only_auth: app.device_tokens,
        disabled: app.disabled,
        ..new
    }
}

fn permission(permission: &PermissionTopology) -> Permission {
    Permission {
        resource: permission.resource,
        scopes: permission.scopes.clone(),
        roles: permission.roles.clone(),
    }
}

fn users(tenant: &TenantTopology, ids: &Ids) -> Vec<User> {
    let user = |user: &UserTopology| User {
        object_id: user.id,
        upn: user.upn.clone(),
        name: user.upn.split('@').next().unwrap_or_default().to_owned(),
        password: Password::new(user.password.clone()),
        puid: format!("100320{:010X}", ids.below(0xff_ffff_ffff)),
        onprem_sid: user.onprem_sid.clone(),
        enabled: user.enabled,
        condition: user.condition,
        groups: user.groups.clone(),
        claims: serde_json::Map::new(),
    };
    tenant.users.iter().map(user).collect()
}

fn devices(tenant: &TenantTopology, certificates: &MadeCertificates) -> Vec<SyncedDevice> {
    let device = |device: &DeviceTopology| SyncedDevice {
        id: device.id,
        object_id: device.object_id,
        tenant: tenant.id,
        name: device.name.clone(),
        onprem_sid: device.onprem_sid.clone(),
        user_certificate: certificates.devices.get(&device.id).map(|identity| identity.leaf().to_vec()),
    };
    tenant.devices.iter().map(device).collect()
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
    site.set_verify_client_revocation(topology.cmg.verify_client_revocation).await.map_err(trouble())?;
    site.set_clients_check_crl(topology.site.clients_check_crl).await.map_err(trouble())
}

const ACT_FOR_USERS: &str = "user_impersonation";
