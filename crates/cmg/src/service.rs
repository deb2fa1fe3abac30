//! The service: its instances, the front before them, and the administrator's alert on its cost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cmglab_events::Source;
use cmglab_events::kinds::{CmgEvent, InstanceStatus};
use cmglab_net::{Deps, Listen, ServeError, ServerHandle, serve};
use cmglab_tunnel::HttpsChannels;
use futures_util::future::join_all;
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

#[derive(Debug, Default)]
struct Running {
    public: Vec<Arc<ServerHandle>>,
    /// Those that connection points dial.
    channels: Vec<ServerHandle>,
    https: Vec<HttpsChannels>,
    front: Option<Front>,
    stop: CancellationToken,
}

/// A service that nobody holds any more stops.
impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.https.iter().for_each(HttpsChannels::abort);
    }
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
        let mut running = self.shared.running.lock().await;
        if running.is_some() {
            return Ok(());
        }
        let mut opened = Running::default();
        if let Err(error) = self.shared.open(&mut opened).await {
            self.shared.close(opened, Duration::ZERO).await;
            self.shared.stopped();
            return Err(error);
        }
        tokio::spawn(watch_cost(Arc::downgrade(&self.shared), opened.stop.clone()));
        *running = Some(opened);
        Ok(())
    }

    /// Closes the ports of clients: what is under way may finish within `grace`, then the open intervals are
    /// reported. Connection points stay connected until [`Self::stop`].
    pub async fn close_to_clients(&self, grace: Duration) {
        if let Some(running) = self.shared.running.lock().await.as_mut() {
            self.shared.close_to_clients(running, grace).await;
        }
    }

    /// Stops the service: closes every port, the clients' first.
    pub async fn stop(&self, grace: Duration) {
        let mut running = self.shared.running.lock().await;
        if let Some(running) = running.take() {
            self.shared.close(running, grace).await;
            self.shared.stopped();
        }
    }

    /// The same when the lab itself ends, which no administrator would be told of.
    pub async fn shutdown(&self, grace: Duration) {
        let mut running = self.shared.running.lock().await;
        if let Some(running) = running.take() {
            self.shared.close(running, grace).await;
        }
    }
}

impl Service {
    /// Opens the ports one by one into `opened`.
    async fn open(&self, opened: &mut Running) -> Result<(), ServeError> {
        let again = self.started_before.swap(true, Ordering::SeqCst);
        let status = if again { InstanceStatus::RestartingRole } else { InstanceStatus::BusyRole };
        for (cmg, ports) in &self.instances {
            cmg.begin();
            self.status(cmg, status);
            let (deps, over_https) = (&cmg.shared.deps, cmg.https_channels());
            let router = match &ports.https {
                Some(_) => cmg.router(),
                None => cmg.router().merge(over_https.router()),
            };
            opened.public.push(Arc::new(serve(deps, ports.public.clone(), router).await?));
            if let Some(listen) = &ports.tcp {
                opened.channels.push(cmg.accept_channels(listen.clone()).await?);
            }
            if let Some(listen) = &ports.https {
                opened.channels.push(serve(deps, listen.clone(), over_https.router()).await?);
            }
            opened.https.push(over_https);
        }
        if let Some(listen) = &self.front {
            let front = Front::open(&self.deps, listen, opened.public.clone(), opened.stop.clone()).await?;
            opened.front = Some(front);
        }
        Ok(())
    }

    async fn close_to_clients(&self, running: &mut Running, grace: Duration) {
        running.stop.cancel();
        running.front = None;
        // A single instance has them on its public port.
        join_all(running.https.iter().map(|one| one.shutdown(grace))).await;
        let ports = std::mem::take(&mut running.public);
        join_all(ports.iter().map(|port| port.shutdown(grace))).await;
        if !ports.is_empty() {
            self.instances.iter().for_each(|(cmg, _ports)| cmg.end());
        }
    }

    async fn close(&self, mut running: Running, grace: Duration) {
        self.close_to_clients(&mut running, grace).await;
        join_all(running.channels.iter().map(|port| port.shutdown(grace))).await;
        self.instances.iter().for_each(|(cmg, _ports)| cmg.end());
    }

    fn stopped(&self) {
        self.instances.iter().for_each(|(cmg, _ports)| self.status(cmg, InstanceStatus::StoppedVM));
    }

    fn status(&self, cmg: &Cmg, status: InstanceStatus) {
        let (service, instance) = (self.name.clone(), cmg.name().to_owned());
        self.manager.emit(CmgEvent::InstanceStatus { service, instance, status });
    }
}

/// Evaluates the alert for as long as the service runs, and stops it where the administrator wants that.
async fn watch_cost(service: Weak<Service>, stop: CancellationToken) {
    let Some(mut interval) = service.upgrade().map(|it| it.deps.clock.interval(EVALUATION)) else { return };
    let mut told = false;
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        let Some(shared) = service.upgrade() else { return };
        let (bytes, critical_bytes) = (shared.meter.in_window(), shared.alert.critical_bytes());
        let (critical, stops) = (bytes > critical_bytes, shared.alert.stop_service);
        if critical && !told {
            let service = shared.name.clone();
            shared.manager.emit(CmgEvent::CostAlert { service, bytes, critical_bytes, stops });
        }
        told = critical;
        if critical && stops {
            return CmgService { shared }.stop(STOP_GRACE).await;
        }
    }
}

/// Azure gives a role that is stopped some time to finish.
const STOP_GRACE: Duration = Duration::from_secs(1);
