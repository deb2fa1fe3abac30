//! The service: its instances, the front before them, and the administrator's alert on its cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cmglab_events::Source;
use cmglab_events::kinds::{CmgEvent, InstanceStatus};
use cmglab_net::{Deps, Listen, ServeError, ServerHandle, serve};
use cmglab_tunnel::HttpsChannels;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::egress::EVALUATION;
use crate::front::Front;
use crate::{Cmg, CostAlert, Meter};

/// A gateway service of one to sixteen instances. Cheap to clone; clones are the same service.
#[derive(Debug, Clone)]
pub struct CmgService {
    shared: Arc<Service>,
}

/// The ports of one instance.
#[derive(Debug, Clone)]
pub struct InstancePorts {
    /// Clients' port. Behind a front, the instance's own listener.
    pub public: Listen,
    /// The TCP-TLS port of connection points; a scale set has none (configmgr §1.2).
    pub tcp: Option<Listen>,
    /// The HTTPS port of connection points, in a service of two or more instances. A single one takes them on
    /// its public port.
    pub https: Option<Listen>,
}

#[derive(Debug)]
struct Service {
    name: String,
    deps: Deps,
    manager: Source,
    instances: Vec<(Cmg, InstancePorts)>,
    front: Option<Listen>,
    alert: CostAlert,
    meter: Meter,
    running: Mutex<Option<Running>>,
    started_before: AtomicBool,
}

#[derive(Debug)]
struct Running {
    public: Vec<Arc<ServerHandle>>,
    /// Those that connection points dial.
    channels: Vec<ServerHandle>,
    https: Vec<HttpsChannels>,
    front: Option<Front>,
    stop: CancellationToken,
}

impl CmgService {
    /// A service that runs nothing yet. `manager` speaks for the cloud service manager at the site;
    /// `front` is the socket of the service's name, where there is more than one instance.
    #[must_use]
    pub fn new(
        name: &str,
        deps: Deps,
        manager: Source,
        instances: Vec<(Cmg, InstancePorts)>,
        front: Option<Listen>,
        (alert, meter): (CostAlert, Meter),
    ) -> Self {
        let shared = Service {
            name: name.to_owned(),
            deps,
            manager,
            instances,
            front,
            alert,
            meter,
            running: Mutex::default(),
            started_before: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Its instances, the first first.
    pub fn instances(&self) -> impl Iterator<Item = &Cmg> {
        self.shared.instances.iter().map(|(cmg, _ports)| cmg)
    }

    /// What leaves it.
    #[must_use]
    pub fn egress(&self) -> &Meter {
        &self.shared.meter
    }

    /// Whether its ports are open.
    pub async fn is_running(&self) -> bool {
        self.shared.running.lock().await.is_some()
    }

    /// Opens every port. A service that runs already keeps running.
    ///
    /// # Errors
    /// [`ServeError`] when a port cannot be opened; none is then left open.
    pub async fn start(&self) -> Result<(), ServeError> {
        let service = &self.shared;
        let mut running = service.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        let again = service.started_before.swap(true, Ordering::SeqCst);
        let status = if again { InstanceStatus::RestartingRole } else { InstanceStatus::BusyRole };
        let stop = CancellationToken::new();
        let (mut public, mut channels, mut https) = (Vec::new(), Vec::new(), Vec::new());
        for (cmg, ports) in &service.instances {
            cmg.begin();
            service.status(cmg, status);
            let deps = &cmg.shared.deps;
            let over_https = cmg.https_channels();
            let router = match &ports.https {
                Some(_) => cmg.router(),
                None => cmg.router().merge(over_https.router()),
            };
            public.push(Arc::new(serve(deps, ports.public.clone(), router).await?));
            if let Some(listen) = &ports.tcp {
                channels.push(cmg.accept_channels(listen.clone()).await?);
            }
            if let Some(listen) = &ports.https {
                channels.push(serve(deps, listen.clone(), over_https.router()).await?);
            }
            https.push(over_https);
        }
        let front = match &service.front {
            Some(listen) => Some(Front::open(&service.deps, listen, public.clone(), stop.clone()).await?),
            None => None,
        };
        *running = Some(Running { public, channels, https, front, stop: stop.clone() });
        tokio::spawn(watch_cost(self.clone(), stop));
        Ok(())
    }

    /// Closes the ports of clients: what is under way may finish within `grace`, then the open intervals are
    /// reported.
    pub async fn close_to_clients(&self, grace: Duration) {
        let mut running = self.shared.running.lock().await;
        let Some(running) = running.as_mut() else { return };
        running.stop.cancel();
        running.front = None;
        // A single instance has them on its public port.
        futures_util::future::join_all(running.https.iter().map(|one| one.shutdown(grace))).await;
        let ports = std::mem::take(&mut running.public);
        futures_util::future::join_all(ports.iter().map(|port| port.shutdown(grace))).await;
        if !ports.is_empty() {
            self.instances().for_each(Cmg::end);
        }
    }

    /// Closes every port, the clients' first.
    pub async fn stop(&self, grace: Duration) {
        self.close_to_clients(grace).await;
        let Some(running) = self.shared.running.lock().await.take() else { return };
        futures_util::future::join_all(running.channels.iter().map(|port| port.shutdown(grace))).await;
        self.instances().for_each(|cmg| self.shared.status(cmg, InstanceStatus::StoppedVM));
    }
}

impl Service {
    fn status(&self, cmg: &Cmg, status: InstanceStatus) {
        let (service, instance) = (self.name.clone(), cmg.name().to_owned());
        self.manager.emit(CmgEvent::InstanceStatus { service, instance, status });
    }
}

/// Evaluates the alert for as long as the service runs, and stops it where the administrator wants that.
async fn watch_cost(service: CmgService, stop: CancellationToken) {
    let Service { deps, alert, meter, manager, name, .. } = &*service.shared;
    let mut interval = deps.clock.interval(EVALUATION);
    let mut told = false;
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        let (bytes, critical_bytes) = (meter.in_window(), alert.critical_bytes());
        let critical = bytes > critical_bytes;
        if critical && !told {
            let (service, stops) = (name.clone(), alert.stop_service);
            manager.emit(CmgEvent::CostAlert { service, bytes, critical_bytes, stops });
        }
        told = critical;
        if critical && alert.stop_service {
            return service.stop(STOP_GRACE).await;
        }
    }
}

/// Azure gives a role that is stopped some time to finish.
const STOP_GRACE: Duration = Duration::from_secs(1);
