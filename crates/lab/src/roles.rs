//! Each role of the topology, made and put on its port.

use std::net::Ipv4Addr;

use cmglab_aad::{Aad, Hosts, SigningKeys};
use cmglab_cmg::{Cmg, CmgConfig};
use cmglab_connection_point::{ConnectionPoint, ConnectionPointConfig};
use cmglab_events::Role;
use cmglab_management_point::{Content, ManagementPoint, ManagementPointConfig};
use cmglab_net::{Deps, Listen, ServerHandle, serve};
use cmglab_revocation::{Revocation, RevocationConfig};
use cmglab_site::{Location, Site, SiteConfig};
use cmglab_tls::{ClientJudge, ServerTls};
use cmglab_token::SigningKey;
use cmglab_tunnel::{ALPN, FIRST_PORT};

use crate::made_certificates::MadeCertificates;
use crate::surroundings::Surroundings;
use crate::topology::{CmgCertificate, Topology};
use crate::{LabError, directory};

/// The roots that every server role of the lab trusts: the site's own, and Azure AD's.
const SERVER_TRUST: [&str; 2] = ["site", "aad-tls"];
/// Where metadata send clients for userinfo.
const GRAPH: &str = "graph.microsoft.com";
/// The name of Azure AD's own origin.
const OWN_ORIGIN: &str = "localhost";

pub(crate) async fn revocation(
    around: &Surroundings,
    topology: &Topology,
) -> Result<(Revocation, ServerHandle), LabError> {
    let host = &topology.revocation.host;
    let deps = around.deps(host, Role::Revocation, &[])?;
    let public = around.authorities.bundle(&["public-root"]).map_err(LabError::of(host))?;
    let config = RevocationConfig { unpublished: topology.revocation.unpublished.clone() };
    let role = Revocation::new(&config, around.authorities.iter().cloned(), public.to_pem(), deps.clone());
    let port = serve(&deps, around.listen(host, 80, None), role.router()).await;
    Ok((role, port.map_err(LabError::of("revocation"))?))
}

/// Azure AD on its ports: token service, device registration, and the origin of its own.
pub(crate) struct AzureAd {
    pub(crate) role: Aad,
    pub(crate) ports: [ServerHandle; 3],
    /// `https://localhost:port`, where the same service speaks of itself by that name.
    pub(crate) own_origin: String,
}

pub(crate) async fn azure_ad(
    around: &Surroundings,
    topology: &Topology,
    keys: &SigningKeys,
    certificates: &MadeCertificates,
) -> Result<AzureAd, LabError> {
    const PART: &str = "Azure AD";
    let Hosts { login, aliases, registration, .. } = Hosts::documented();
    let deps = around.deps(&login, Role::Aad, &SERVER_TRUST)?;
    let config = directory::azure_ad(topology, certificates, &deps.ids);
    let devices = around.authorities.get("ms-organization-access").map_err(LabError::of(PART))?;
    let aad = Aad::new(&config, keys, devices.clone(), deps.clone()).map_err(LabError::of(PART))?;
    let also = [registration.clone(), GRAPH.to_owned(), OWN_ORIGIN.to_owned()];
    let identity = around.identity("aad-server", &login, &[aliases.as_slice(), &also].concat())?;
    let judge = judge(&deps, vec![devices.cert_der().to_vec()])?;
    let plain = ServerTls::new(identity.clone());
    let asking = ServerTls::new(identity).asking(judge);

    let token_service = around.listen(&login, 443, Some(plain));
    let token_service = serve(&deps, token_service, aad.router()).await.map_err(LabError::of(PART))?;
    for alias in aliases.iter().map(String::as_str).chain([GRAPH]) {
        around.resolver.point(alias, 443, token_service.local_addr());
    }
    let devices = around.listen(&registration, 443, Some(asking.clone()));
    let devices = serve(&deps, devices, aad.router()).await.map_err(LabError::of(PART))?;
    let (own, origin) = aad.at_own_origin();
    let listen = Listen {
        host: OWN_ORIGIN.to_owned(),
        port: 0,
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        shown_ip: None,
        tls: Some(asking),
    };
    let own = serve(&deps, listen, own.router()).await.map_err(LabError::of(PART))?;
    origin.set(format!("{OWN_ORIGIN}:{}", own.local_addr().port()));
    let own_origin = own.url().to_owned();
    Ok(AzureAd { role: aad, ports: [token_service, devices, own], own_origin })
}

pub(crate) async fn site(
    around: &Surroundings,
    topology: &Topology,
    location: Location,
) -> Result<Site, LabError> {
    let ids = around.ids.fork("site");
    let config = SiteConfig { site_code: topology.site.code, new_hierarchy: ids.guid().into() };
    let site = Site::open(location, config).await.map_err(LabError::of("site database"))?;
    directory::fill_site(&site, topology, &ids, around.clock.now()).await?;
    let clients = around.authorities.get("client-root").map_err(LabError::of("site database"))?;
    site.add_client_authority(clients.cert_der().to_vec()).await.map_err(LabError::of("site database"))?;
    Ok(site)
}

pub(crate) async fn management_point(
    around: &Surroundings,
    topology: &Topology,
    site: &Site,
) -> Result<(ManagementPoint, ServerHandle), LabError> {
    const PART: &str = "management point";
    let host = &topology.management_point.host;
    let deps = around.deps(host, Role::ManagementPoint, &SERVER_TRUST)?;
    let mut config = ManagementPointConfig::new(host);
    config.internet_base = Some(format!("https://{}", topology.ccm_host_name()));
    let content = Content::client(&config.site_version).map_err(LabError::of(PART))?;
    let mp = ManagementPoint::new(config, site.clone(), deps.clone(), content);
    let mp = mp.await.map_err(LabError::of(PART))?;
    let roots = around.authorities.bundle(&["site", "client-root"]).map_err(LabError::of(PART))?;
    let judge = judge(&deps, roots.certificates().to_vec())?;
    let tls = ServerTls::new(around.identity("mp-server", host, &[])?).asking(judge);
    let port = serve(&deps, around.listen(host, 443, Some(tls)), mp.router()).await;
    Ok((mp, port.map_err(LabError::of(PART))?))
}

pub(crate) async fn cmg(
    around: &Surroundings,
    topology: &Topology,
) -> Result<(Cmg, [ServerHandle; 2]), LabError> {
    const PART: &str = "cloud management gateway";
    let host = &topology.cmg.host;
    let deps = around.deps(&topology.cmg.instance, Role::Cmg, &SERVER_TRUST)?;
    let cmg = Cmg::new(CmgConfig { host: host.clone() }, deps.clone()).map_err(LabError::of(PART))?;
    let dialling = around.authorities.bundle(&["channel"]).map_err(LabError::of(PART))?;
    let channel = ServerTls::new(around.identity("cmg-channel", host, &[])?)
        .with_alpn(&[ALPN])
        .asking(judge(&deps, dialling.certificates().to_vec())?);
    let channel = cmg.accept_channels(around.listen(host, FIRST_PORT, Some(channel))).await;
    let profile = match topology.cmg.certificate {
        CmgCertificate::Pki => "cmg-server",
        CmgCertificate::ThirdParty => "cmg-server-public",
    };
    let tls = ServerTls::new(around.identity(profile, host, &[])?).asking(cmg.judge());
    let mut listen = around.listen(host, 443, Some(tls));
    listen.shown_ip = Some(topology.cmg.internal_ip.into());
    let public = serve(&deps, listen, cmg.router()).await.map_err(LabError::of(PART))?;
    Ok((cmg, [public, channel.map_err(LabError::of(PART))?]))
}

pub(crate) fn connection_point(
    around: &Surroundings,
    topology: &Topology,
    site: &Site,
) -> Result<ConnectionPoint, LabError> {
    let host = &topology.connection_point.host;
    let deps = around.deps(host, Role::ConnectionPoint, &SERVER_TRUST)?;
    if topology.connection_point.client_certificate {
        deps.store.present(Some(around.identity("cp-client", host, &[])?));
    }
    let channel = around.deps(host, Role::ConnectionPoint, &["channel"])?.store;
    channel.present(Some(around.identity("cp-channel", host, &[])?));
    let config = ConnectionPointConfig { cmg_host: topology.cmg.host.clone(), cmg_port: FIRST_PORT };
    Ok(ConnectionPoint::new(config, site.clone(), deps, channel))
}

/// Azure AD's signing keys; RSA generation stays off the async workers.
pub(crate) async fn signing_keys(around: &Surroundings) -> Result<SigningKeys, LabError> {
    const NAME: &str = "accounts.accesscontrol.windows.net";
    let now = around.clock.now();
    let make = move || SigningKey::generate(now, NAME);
    let (current, next) = tokio::join!(tokio::task::spawn_blocking(make), tokio::task::spawn_blocking(make));
    let made = |key: Result<Result<SigningKey, _>, tokio::task::JoinError>| {
        key.map_err(LabError::of("signing key"))?.map_err(LabError::of("signing key"))
    };
    Ok(SigningKeys { current: made(current)?, next: made(next)? })
}

fn judge(deps: &Deps, roots: Vec<Vec<u8>>) -> Result<ClientJudge, LabError> {
    ClientJudge::new(&roots, Some(deps.store.crls().clone()), deps.clock.clone())
        .map_err(LabError::of(deps.events.machine()))
}
