//! A lab that runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cmglab_aad::{Aad, SigningKeys};
use cmglab_client::Client;
use cmglab_clock::{Clock, Stopwatch};
use cmglab_cmg::{CmgService, Meter};
use cmglab_events::kinds::LabEvent;
use cmglab_events::{Events, Role, Source};
use cmglab_fault::{Faults, Guard};
use cmglab_ids::Ids;
use cmglab_management_point::ManagementPoint;
use cmglab_net::{Deps, Resolver, ServerHandle};
use cmglab_pki::{Authorities, Identity, Profiles};
use cmglab_revocation::Revocation;
use cmglab_site::{Location, Site};
use cmglab_token::SigningKey;
use jiff::SignedDuration;
use tempfile::TempDir;

use cmglab_proto::ids::{AppId, DeviceId};
use zeroize::Zeroizing;

use crate::connection_points::{ConnectionPoints, LabConnectionPoint};
use crate::made_certificates::{self, MadeCertificates};
use crate::surroundings::{Binding, Surroundings};
use crate::{HostRoles, LabError, Topology, content, device, gateway, roles};

/// How to run a topology.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// The bus; listen to it before the start to miss nothing.
    pub events: Events,
    /// Protocol time.
    pub clock: Clock,
    /// Which sockets.
    pub binding: Binding,
    /// The folder for state that outlives a role (the client's); a temporary one when `None`.
    pub folder: Option<PathBuf>,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self { events: Events::new(), clock: Clock::system(), binding: Binding::default(), folder: None }
    }
}

/// Every role of one topology, running. Dropping it stops the ports; [`Lab::shutdown`] also waits and
/// reports the open traffic interval.
#[derive(Debug)]
pub struct Lab {
    topology: Topology,
    around: Surroundings,
    voice: Source,
    aad: Aad,
    aad_keys: SigningKeys,
    made_certificates: MadeCertificates,
    own_origin: String,
    cmg: CmgService,
    connection_points: ConnectionPoints,
    management_point: ManagementPoint,
    revocation: Revocation,
    site: Site,
    ports: Vec<ServerHandle>,
    folder: StateFolder,
    _faults: Vec<Guard>,
}

impl Lab {
    /// Starts every role and waits until the gateway has the site's settings.
    ///
    /// # Errors
    /// [`LabError`] names the part that could not be started.
    pub async fn start(topology: Topology, options: LabOptions) -> Result<Self, LabError> {
        let watch = Stopwatch::start();
        topology.check()?;
        let around = surroundings(&topology, &options).await?;
        let voice = around.events.source("lab", Role::Lab, &around.clock);
        let faults = topology.faults.iter().map(|rule| around.faults.install(rule.clone())).collect();
        let (now, ids) = (around.clock.now(), around.ids.fork("apps"));
        let made = tokio::join!(roles::signing_keys(&around), made_certificates::make(&topology, now, &ids));
        let (keys, made_certificates) = (made.0?, made.1?);
        let (revocation, crl_port) = roles::revocation(&around, &topology).await?;
        let azure_ad = roles::azure_ad(&around, &topology, &keys, &made_certificates).await?;
        let (aad, [login_port, device_port, own_port]) = (azure_ad.role, azure_ad.ports);
        let site = roles::site(&around, &topology, Location::Memory).await?;
        let (management_point, mp_port) = roles::management_point(&around, &topology, &site).await?;
        let meter = Meter::new(around.clock.clone());
        let content = content::start(&around, &topology, &site, &meter).await?;
        let (content, storage_port) = content.unzip();
        let cmg = gateway::service(&around, &topology, meter, content)?;
        cmg.start().await.map_err(LabError::of("cloud management gateway"))?;
        let connection_points = ConnectionPoints::new(&around, &topology, &site, cmg.clone())?;
        let lab = Self {
            topology,
            around,
            voice,
            aad,
            aad_keys: keys,
            made_certificates,
            own_origin: azure_ad.own_origin,
            cmg,
            connection_points,
            management_point,
            revocation,
            site,
            folder: StateFolder::make(options.folder)?,
            ports: [crl_port, login_port, device_port, own_port, mp_port]
                .into_iter()
                .chain(storage_port)
                .collect(),
            _faults: faults,
        };
        let points = &lab.topology.connection_points;
        let wanted = |nth: usize| points.get(nth).is_some_and(|one| one.running);
        lab.connection_points.start(wanted).await?;
        lab.voice.emit(LabEvent::Ready { taken_ms: watch.millis() });
        Ok(lab)
    }

    /// Starts every connection point and waits until the gateway is in service through each.
    ///
    /// # Errors
    /// [`LabError`] when the gateway does not get the site's settings in time.
    pub async fn start_connection_points(&self) -> Result<(), LabError> {
        self.connection_points.start(|_nth| true).await
    }

    /// Stops every connection point at once, as when its machine is switched off.
    pub async fn stop_connection_points(&self) {
        self.connection_points.stop(|_nth| true).await;
    }

    /// Ends every connection point in good order: what is under way finishes within `grace`.
    pub async fn drain_connection_points(&self, grace: Duration) {
        self.connection_points.drain(grace).await;
    }

    /// Starts one connection point, counted from 0 in the topology's order.
    ///
    /// # Errors
    /// [`LabError`] when the gateway is not in service through it in time.
    pub async fn start_connection_point(&self, nth: usize) -> Result<(), LabError> {
        self.connection_points.start(|one| one == nth).await
    }

    /// Starts one connection point without waiting for its channels.
    pub async fn launch_connection_point(&self, nth: usize) {
        self.connection_points.launch(|one| one == nth).await;
    }

    /// Stops one connection point at once.
    pub async fn stop_connection_point(&self, nth: usize) {
        self.connection_points.stop(|one| one == nth).await;
    }

    /// The connection points, in the topology's order.
    #[must_use]
    pub fn connection_points(&self) -> &[LabConnectionPoint] {
        self.connection_points.all()
    }

    /// The gateway: its instances with their statistics, what leaves it, and its switch.
    #[must_use]
    pub fn cmg(&self) -> &CmgService {
        &self.cmg
    }

    /// Moves protocol time forward; returns when what was due has been done.
    pub async fn advance(&self, by: SignedDuration) {
        self.voice.emit(LabEvent::Advancing { seconds: by.as_secs() });
        self.around.clock.advance(by).await;
    }

    /// Stops every role: requests under way may finish, then traffic of the open interval is reported.
    pub async fn shutdown(self) {
        self.voice.emit(LabEvent::Stopping);
        self.cmg.close_to_clients(GRACE).await;
        self.connection_points.drain(GRACE).await;
        self.cmg.shutdown(GRACE).await;
        futures_util::future::join_all(self.ports.iter().map(|port| port.shutdown(GRACE))).await;
    }

    /// The surroundings of one more machine of the lab, trusting these authorities (names as in
    /// `certs/profiles.yaml`).
    ///
    /// # Errors
    /// [`LabError`] when there is no such authority.
    pub fn machine(&self, name: &str, role: Role, trusts: &[&str]) -> Result<Deps, LabError> {
        self.around.deps(name, role, trusts)
    }

    /// The topology's device with its client, joined as the topology says. Its state is kept in the lab's
    /// folder, so that a second call gives the same device after a restart.
    ///
    /// # Errors
    /// [`LabError`] when the topology names no such tenant or user, or the join fails.
    pub async fn client(&self) -> Result<Client, LabError> {
        let device = &self.topology.client;
        let mut trusts = vec!["aad-tls"];
        if device.has_private_root {
            trusts.push("cmg-root");
        }
        let deps = self.around.deps(&device.host, Role::Client, &trusts)?;
        let public = self.around.authorities.bundle(&["public-root"]).map_err(LabError::of("client"))?;
        let folder = self.folder.path().join(&device.host);
        device::client(&self.topology, &public, deps, &folder).await
    }

    /// The topology it was made from.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The bus.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.around.events
    }

    /// The runner's own voice.
    #[must_use]
    pub fn voice(&self) -> &Source {
        &self.voice
    }

    /// Protocol time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.around.clock
    }

    /// The lab's names.
    #[must_use]
    pub fn resolver(&self) -> &Resolver {
        &self.around.resolver
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.around.faults
    }

    /// The lab's PKI.
    #[must_use]
    pub fn authorities(&self) -> &Authorities {
        &self.around.authorities
    }

    /// Azure AD.
    #[must_use]
    pub fn aad(&self) -> &Aad {
        &self.aad
    }

    /// The key that Azure AD signs with, for forged tokens in negative tests.
    #[must_use]
    pub fn azure_ad_key(&self) -> &SigningKey {
        &self.aad_keys.current
    }

    /// Where Azure AD is reached under an origin of its own, and names itself by it: `https://localhost:port`.
    #[must_use]
    pub fn own_origin(&self) -> &str {
        &self.own_origin
    }

    /// Certificate and key of an app of the topology that has one, as PEM.
    #[must_use]
    pub fn app_certificate(&self, app: AppId) -> Option<Zeroizing<String>> {
        self.made_certificates.apps.get(&app).map(pem)
    }

    /// Certificate and key of a synchronised device of the topology that has one, as PEM.
    #[must_use]
    pub fn device_certificate(&self, device: DeviceId) -> Option<Zeroizing<String>> {
        self.made_certificates.devices.get(&device).map(pem)
    }

    /// Certificate and key of a client of the organisation's PKI, as PEM: a new one with every call.
    ///
    /// # Errors
    /// [`LabError`] when it cannot be issued.
    pub fn client_certificate(&self) -> Result<Zeroizing<String>, LabError> {
        let host = &self.topology.client.host;
        let names = [cmglab_pki::SubjectName::dns(host)];
        let ids = self.around.ids.fork("pki client");
        let issued = self.around.authorities.issue("pki-client", &names, self.around.clock.now(), &ids);
        Ok(pem(&issued.map_err(LabError::of("client certificate"))?))
    }

    /// The management point.
    #[must_use]
    pub fn management_point(&self) -> &ManagementPoint {
        &self.management_point
    }

    /// The host of CRLs.
    #[must_use]
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// The site database.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Onboards a tenant of the topology that the site does not know yet, while the lab runs.
    ///
    /// # Errors
    /// [`LabError`] when there is no such tenant or the site refuses it.
    pub async fn onboard(&self, tenant: cmglab_proto::ids::TenantId) -> Result<(), LabError> {
        let tenant = self.topology.tenant(tenant).ok_or_else(|| LabError {
            part: "site database".to_owned(),
            cause: format!("the topology has no tenant {tenant}"),
        })?;
        let settings = crate::directory::tenant_settings(tenant);
        self.site.onboard_tenant(settings).await.map_err(LabError::of("site database"))
    }

    /// Roots that let any HTTPS client trust the lab, as PEM: the gateway's, the site's and Azure AD's.
    ///
    /// # Errors
    /// [`LabError`] when an authority is missing.
    pub fn trust_bundle(&self) -> Result<String, LabError> {
        let names = ["cmg-root", "public-root", "site", "aad-tls"];
        Ok(self.around.authorities.bundle(&names).map_err(LabError::of("trust bundle"))?.to_pem())
    }

    /// Which role answers for which host.
    #[must_use]
    pub fn hosts(&self) -> HostRoles {
        HostRoles::documented(&self.topology)
    }

    /// A curl line that works against this lab, given the trust bundle in `trust`.
    #[must_use]
    pub fn curl_line(&self, trust: &str) -> String {
        let host = self.topology.cmg.host.to_ascii_lowercase();
        let tenant = self.topology.client.tenant;
        let connect = match self.resolver().lookup(&host, 443) {
            Ok(address) if address.port() != 443 => format!(" --connect-to {host}:443:{address}"),
            _ => String::new(),
        };
        format!(
            "curl --cacert {trust}{connect} 'https://{host}/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID={tenant}'"
        )
    }
}

fn pem(identity: &Identity) -> Zeroizing<String> {
    Zeroizing::new(format!("{}{}", identity.key_pem().as_str(), identity.chain_pem()))
}

/// The folder for state: the caller's, or one that goes when the lab goes.
#[derive(Debug)]
enum StateFolder {
    Given(PathBuf),
    Temporary(TempDir),
}

impl StateFolder {
    fn make(given: Option<PathBuf>) -> Result<Self, LabError> {
        match given {
            Some(path) => Ok(Self::Given(path)),
            None => {
                let made = tempfile::Builder::new().prefix("cmglab-").tempdir();
                Ok(Self::Temporary(made.map_err(LabError::of("state folder"))?))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

async fn surroundings(topology: &Topology, options: &LabOptions) -> Result<Surroundings, LabError> {
    const PART: &str = "lab PKI";
    let ids = Ids::seeded(topology.seed);
    let (now, pki_ids) = (options.clock.now(), ids.fork("pki"));
    let profiles = Profiles::builtin().with_crl_host(&topology.revocation.host);
    let profiles = profiles.map_err(LabError::of(PART))?;
    let made = tokio::task::spawn_blocking(move || Authorities::create(&profiles, now, &pki_ids)).await;
    let authorities = made.map_err(LabError::of(PART))?.map_err(LabError::of(PART))?;
    let (clock, events) = (options.clock.clone(), options.events.clone());
    Ok(Surroundings::new(clock, ids, events, authorities, options.binding))
}

const GRACE: Duration = Duration::from_secs(3);
