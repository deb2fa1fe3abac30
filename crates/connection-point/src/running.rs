//! A connection point that runs: its channels, and what it does by the clock.

use std::sync::Arc;
use std::time::Duration;

use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_net::Deps;
use cmglab_tunnel::{Connector, ConnectorHandle, Serve, Target};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::Shared;
use crate::config::MOST_INSTANCES;

/// A running connection point. Dropping it cuts its channels.
#[derive(Debug)]
pub struct ConnectionPointHandle {
    orders: oneshot::Sender<End>,
    task: JoinHandle<()>,
}

/// How to end.
#[derive(Debug)]
enum End {
    Stop,
    Drain(Duration),
}

pub(crate) fn start(shared: Arc<Shared>) -> ConnectionPointHandle {
    let (orders, order) = oneshot::channel();
    let task = tokio::spawn(run(shared, order));
    ConnectionPointHandle { orders, task }
}

impl ConnectionPointHandle {
    /// Ends at once, as when the machine is switched off: messages under way are lost, and the traffic of the
    /// open interval is told by nobody but the next run, if there is one.
    pub async fn stop(self) {
        self.end(End::Stop).await;
    }

    /// Takes no further message, lets those under way finish for at most `grace`, then cuts them; reports the
    /// traffic of the open interval.
    pub async fn drain(self, grace: Duration) {
        self.end(End::Drain(grace)).await;
    }

    async fn end(self, how: End) {
        // It waits for this order for as long as it runs; a panic would be ours, with nothing left to do here.
        let _received = self.orders.send(how);
        let _ended = self.task.await;
    }
}

async fn run(shared: Arc<Shared>, order: oneshot::Receiver<End>) {
    let mut channels = Vec::new();
    let end = tokio::select! {
        end = order => end.unwrap_or(End::Stop),
        () = work(&shared, &mut channels) => End::Stop,
    };
    match end {
        End::Stop => {
            join_all(channels.into_iter().map(ConnectorHandle::stop)).await;
        }
        End::Drain(grace) => {
            join_all(channels.into_iter().map(|channel| channel.drain(grace))).await;
            shared.quiet().await;
            shared.report(shared.deps.clock.now()).await;
        }
    }
}

/// Until it is dropped.
async fn work(shared: &Arc<Shared>, channels: &mut Vec<ConnectorHandle>) {
    shared.certificates.choose(&shared.deps).await;
    let instances = shared.config.instances.clamp(1, MOST_INSTANCES);
    channels.extend((1..=instances).map(|instance| shared.connect(instance, instances)));
    tokio::join!(maintain(shared, channels), report(shared));
}

/// The documented look at every connection once a minute.
async fn maintain(shared: &Shared, channels: &[ConnectorHandle]) {
    let mut minutes = shared.deps.clock.interval(MAINTENANCE);
    loop {
        minutes.tick().await;
        shared.deps.events.emit(ConnectionPointEvent::Maintaining);
        shared.certificates.look_again(&shared.deps).await;
        // What is due at this minute is done before the next one comes, however fast the clock is moved.
        join_all(channels.iter().map(|channel| channel.maintained(ROUND_PATIENCE))).await;
    }
}

async fn report(shared: &Shared) {
    let mut intervals = shared.deps.clock.interval(REPORT);
    loop {
        let to = intervals.tick().await;
        shared.report(to).await;
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, instance: u8, instances: u8) -> ConnectorHandle {
        let (shared, cut) = (Arc::clone(self), watch::Sender::new(0));
        let watched = cut.subscribe();
        let serve: Serve =
            Arc::new(move |request| Box::pin(Arc::clone(&shared).answer(request, cut.clone())));
        let Self { config, deps, channel_store, .. } = &**self;
        let dialling = Deps { store: channel_store.clone(), ..deps.clone() };
        let (host, ports, transports) = (config.cmg_host.clone(), config.ports, config.transports.clone());
        Connector::new(dialling, Target { host, instance, instances, ports, transports }, serve)
            .cut_by(watched)
            .start()
    }

    /// Tells the traffic of the interval that ends now, and has the site keep it.
    async fn report(&self, to: Timestamp) {
        let report = self.traffic.report(&self.deps.events, to);
        if report.endpoints.is_empty() {
            return;
        }
        if let Err(error) = self.site.record_traffic(report).await {
            tracing::warn!(%error, "the site has not kept a traffic report");
        }
    }

    /// Waits until the last message has been accounted for. With the channels gone that is soon.
    async fn quiet(&self) {
        let all = self.places.acquire_many(self.config.limits.most_requests);
        let _in_time = tokio::time::timeout(LAST_WORDS, all).await;
    }
}

const MAINTENANCE: SignedDuration = SignedDuration::from_mins(1);
const REPORT: SignedDuration = SignedDuration::from_mins(5);
const ROUND_PATIENCE: Duration = Duration::from_secs(5);
const LAST_WORDS: Duration = Duration::from_secs(2);
