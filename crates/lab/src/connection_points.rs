//! The connection points of the topology: started and stopped while the lab runs.

use std::time::Duration;

use cmglab_cmg::CmgService;
use cmglab_connection_point::{Candidate, ConnectionPoint, ConnectionPointConfig, ConnectionPointHandle};
use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_events::{Event, Events, Kind, Role};
use cmglab_management_point::Mode;
use cmglab_site::Site;
use tokio::sync::Mutex;

use crate::LabError;
use crate::roles::SERVER_TRUST;
use crate::surroundings::Surroundings;
use crate::topology::{ConnectionPointTopology, Topology};

/// All of them, in the topology's order.
#[derive(Debug)]
pub(crate) struct ConnectionPoints {
    all: Vec<LabConnectionPoint>,
    events: Events,
    service: CmgService,
}

/// One connection point of a running lab.
#[derive(Debug)]
pub struct LabConnectionPoint {
    host: String,
    role: ConnectionPoint,
    handle: Mutex<Option<ConnectionPointHandle>>,
}

impl ConnectionPoints {
    pub(crate) fn new(
        around: &Surroundings,
        topology: &Topology,
        site: &Site,
        service: CmgService,
    ) -> Result<Self, LabError> {
        let all = topology.connection_points.iter().map(|one| make(around, topology, one, site));
        Ok(Self { all: all.collect::<Result<_, _>>()?, events: around.events.clone(), service })
    }

    pub(crate) fn all(&self) -> &[LabConnectionPoint] {
        &self.all
    }

    /// Starts those that `which` picks, and waits until each instance of the gateway is in service through
    /// every one that runs.
    pub(crate) async fn start(&self, which: impl Fn(usize) -> bool) -> Result<(), LabError> {
        self.launch(which).await;
        self.in_service().await
    }

    /// Starts those that `which` picks and do not run yet.
    pub(crate) async fn launch(&self, which: impl Fn(usize) -> bool) {
        for (_nth, one) in self.all.iter().enumerate().filter(|(nth, _one)| which(*nth)) {
            let mut handle = one.handle.lock().await;
            if handle.is_none() {
                *handle = Some(one.role.start());
            }
        }
    }

    /// Stops those that `which` picks at once, as when their machines are switched off.
    pub(crate) async fn stop(&self, which: impl Fn(usize) -> bool) {
        for (_nth, one) in self.all.iter().enumerate().filter(|(nth, _one)| which(*nth)) {
            if let Some(handle) = one.handle.lock().await.take() {
                handle.stop().await;
            }
        }
        self.forgotten().await;
    }

    /// Waits until the gateway has noticed which channels are gone.
    async fn forgotten(&self) {
        let (running, service) = (self.running().await, self.service.clone());
        let noticed = move |_event: &Event| {
            service.instances().all(|instance| instance.statistics().channels <= running)
        };
        if let Err(error) = self.events.wait_for("the loss of channels", PATIENCE, noticed).await {
            tracing::warn!(%error, "the gateway has not noticed a lost channel");
        }
    }

    async fn running(&self) -> usize {
        let mut running = 0;
        for one in &self.all {
            running += usize::from(one.handle.lock().await.is_some());
        }
        running
    }

    /// Ends them in good order: what is under way finishes within `grace`.
    pub(crate) async fn drain(&self, grace: Duration) {
        let draining = self.all.iter().map(|one| async move {
            if let Some(handle) = one.handle.lock().await.take() {
                handle.drain(grace).await;
            }
        });
        futures_util::future::join_all(draining).await;
    }

    async fn in_service(&self) -> Result<(), LabError> {
        let (running, service) = (self.running().await, self.service.clone());
        let complete = move |_event: &Event| {
            service.instances().all(|instance| instance.statistics().channels >= running)
        };
        let awaited = self.events.wait_for("the gateway in service", PATIENCE, complete).await;
        awaited.map(drop).map_err(|_not_seen| self.not_in_service())
    }

    fn not_in_service(&self) -> LabError {
        let failed = self.events.snapshot().into_iter().rev().find_map(|event| match event.kind {
            Kind::ConnectionPoint(ConnectionPointEvent::ChannelFailed { server, cause, .. }) => {
                Some(format!("the channel to {server} cannot be built: {cause}"))
            }
            _ => None,
        });
        let cause = failed.unwrap_or_else(|| "no channel came up".to_owned());
        let advice = "see that the loopback interface is up";
        LabError { part: "connection point".to_owned(), cause: format!("{cause} ({PATIENCE:?}); {advice}") }
    }
}

impl LabConnectionPoint {
    /// Its host name, which is also its folder of logs.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &ConnectionPoint {
        &self.role
    }
}

fn make(
    around: &Surroundings,
    topology: &Topology,
    one: &ConnectionPointTopology,
    site: &Site,
) -> Result<LabConnectionPoint, LabError> {
    let (cmg, mode) = (&topology.cmg, topology.management_point.mode);
    let host = &one.host;
    // The site's own certificates are trusted beside those of the organisation's PKI, for enhanced HTTP.
    let trusted = [&SERVER_TRUST[..], &["client-root", "sms-issuing"]].concat();
    let deps = around.deps(host, Role::ConnectionPoint, &trusted)?;
    if mode == Mode::EnhancedHttp {
        // The site publishes no CRL for the certificates that it makes itself.
        deps.store.check_crl(false);
    }
    let mut candidates = Vec::new();
    if one.client_certificate {
        candidates.push(Candidate::with_key(around.identity("cp-client", host, &[])?));
    }
    let channel = around.deps(host, Role::ConnectionPoint, &["channel", "cmg-root", "public-root"])?.store;
    channel.present(Some(around.identity("cp-channel", host, &[])?));
    let config = ConnectionPointConfig {
        instances: cmg.instances,
        ports: cmg.ports,
        transports: cmg.order_of_trial(),
        ..ConnectionPointConfig::new(&cmg.host)
    };
    let role = ConnectionPoint::new(config, site.clone(), deps, channel, candidates);
    Ok(LabConnectionPoint { host: host.clone(), role, handle: Mutex::new(None) })
}

const PATIENCE: Duration = Duration::from_secs(10);
