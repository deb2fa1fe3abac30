//! Each role of the topology, made and put on its port.

use std::net::Ipv4Addr;

use cmglab_aad::{Aad, Hosts, SigningKeys};
use cmglab_events::Role;
use cmglab_management_point::{Content, ManagementPoint, ManagementPointConfig, Mode};
use cmglab_net::{Deps, Listen, ServerHandle, serve};
use cmglab_revocation::{Revocation, RevocationConfig};
use cmglab_site::{Location, Site, SiteConfig};
use cmglab_tls::{ClientJudge, ServerTls};
use cmglab_token::SigningKey;

use crate::made_certificates::MadeCertificates;
use crate::surroundings::Surroundings;
use crate::topology::{BoundCertificate, ManagementPointTopology, Topology, UploadedAuthorities};
use crate::{LabError, directory};

/// The roots that every server role of the lab trusts: the site's own, and Azure AD's.
pub(crate) const SERVER_TRUST: [&str; 2] = ["site", "aad-tls"];
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
    let uploaded: &[&str] = match topology.cmg.client_authorities {
        UploadedAuthorities::FullChain => &["client-root", "client-issuing"],
        UploadedAuthorities::RootOnly => &["client-root"],
    };
    for name in uploaded {
        let authority = around.authorities.get(name).map_err(LabError::of("site database"))?;
        let der = authority.cert_der().to_vec();
        site.add_client_authority(der).await.map_err(LabError::of("site database"))?;
    }
    Ok(site)
}

pub(crate) async fn management_point(
    around: &Surroundings,
    topology: &Topology,
    site: &Site,
) -> Result<(ManagementPoint, ServerHandle), LabError> {
    const PART: &str = "management point";
    let topology_of_mp = &topology.management_point;
    let host = &topology_of_mp.host;
    let deps = around.deps(host, Role::ManagementPoint, &SERVER_TRUST)?;
    let (identity, bound) = around.identity_and_leaf(bound_profile(topology_of_mp), host)?;
    let config = ManagementPointConfig {
        internet_base: Some(format!("https://{}", topology.ccm_host_name())),
        mode: topology_of_mp.mode,
        redirect: topology_of_mp.redirect.clone(),
        sts_assembly: topology_of_mp.sts_assembly,
        bound_certificate: Some(bound),
        ..ManagementPointConfig::new(host)
    };
    let content = Content::client(&config.site_version).map_err(LabError::of(PART))?;
    let mp = ManagementPoint::new(config, site.clone(), deps.clone(), content);
    let mp = mp.await.map_err(LabError::of(PART))?;
    let tls = ServerTls::new(identity);
    let tls = match topology_of_mp.mode {
        Mode::EnhancedHttp => tls,
        _ => {
            let roots = around.authorities.bundle(&["site", "client-root"]).map_err(LabError::of(PART))?;
            tls.asking(judge(&deps, roots.certificates().to_vec())?)
        }
    };
    let port = serve(&deps, around.listen(host, 443, Some(tls)), mp.router()).await;
    Ok((mp, port.map_err(LabError::of(PART))?))
}

fn bound_profile(topology: &ManagementPointTopology) -> &'static str {
    match (topology.mode, topology.bound) {
        (Mode::EnhancedHttp, BoundCertificate::OfItsMode) => "mp-role-ssl",
        _ => "mp-server",
    }
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

pub(crate) fn judge(deps: &Deps, roots: Vec<Vec<u8>>) -> Result<ClientJudge, LabError> {
    ClientJudge::new(&roots, Some(deps.store.crls().clone()), deps.clock.clone())
        .map_err(LabError::of(deps.events.machine()))
}
