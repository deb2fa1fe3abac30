//! The connection point's end: dial, serve, and dial again.

mod attempt;
mod http1;
mod poll;
mod running;
mod serving;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_net::Deps;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{ChannelPorts, Transport};
use running::Running;

/// Answers the requests that come down the channel.
pub type Serve =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

/// Which instance to connect to, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The gateway's service name.
    pub host: String,
    /// The instance, 1 to 16.
    pub instance: u8,
    /// How many instances the gateway has, 1 to 16; the ports depend on it.
    pub instances: u8,
    /// Where they listen.
    pub ports: ChannelPorts,
    /// The transports in order of trial; the first is the preferred one.
    pub transports: Vec<Transport>,
}

/// Keeps one channel to one gateway instance.
pub struct Connector {
    deps: Deps,
    target: Target,
    serve: Serve,
    cut: Option<watch::Receiver<u64>>,
}

/// Where a connector stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectorState {
    /// Every transport failed; it waits before the next round.
    Disconnected,
    /// It tries a transport, and waits for the gateway's first words.
    Dialling(Transport),
    /// The channel stands.
    Connected(Transport),
    /// It dials no more; what is under way may finish.
    Draining,
    /// It has ended.
    Stopped,
}

/// A running connector. Dropping it cuts the channel.
#[derive(Debug)]
pub struct ConnectorHandle {
    stop: CancellationToken,
    drain: CancellationToken,
    maintained: watch::Sender<()>,
    rounds: watch::Receiver<u64>,
    state: watch::Receiver<ConnectorState>,
    task: JoinHandle<()>,
}

impl Connector {
    /// A connector to `target` whose requests `serve` answers.
    #[must_use]
    pub fn new(deps: Deps, target: Target, serve: Serve) -> Self {
        Self { deps, target, serve, cut: None }
    }

    /// Cuts the channel, with all that is under way on it, whenever the watched value changes; it is then
    /// dialled again.
    #[must_use]
    pub fn cut_by(mut self, cut: watch::Receiver<u64>) -> Self {
        self.cut = Some(cut);
        self
    }

    /// Dials now, and again whenever the channel is lost, until the handle is stopped or drained.
    #[must_use]
    pub fn start(self) -> ConnectorHandle {
        let (stop, drain) = (CancellationToken::new(), CancellationToken::new());
        let (maintained, maintenance) = watch::channel(());
        let (tell, state) = watch::channel(ConnectorState::Disconnected);
        let (tell_round, rounds) = watch::channel(0);
        let running = Running {
            deps: self.deps,
            target: self.target,
            serve: self.serve,
            cut: self.cut,
            drain: drain.clone(),
            maintenance,
            rounds: tell_round,
            state: tell.clone(),
            served: JoinSet::new(),
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            // Leaving the loop drops the channel with everything on it.
            let _cut = stopped.run_until_cancelled_owned(running.run()).await;
            tell.send_replace(ConnectorState::Stopped);
        });
        ConnectorHandle { stop, drain, maintained, rounds, state, task }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("target", &self.target).finish_non_exhaustive()
    }
}

impl ConnectorHandle {
    /// Cuts the channel and stops dialling.
    pub async fn stop(mut self) {
        self.cut().await;
    }

    /// Stops dialling and takes no further request; those under way may finish for at most `grace`, and
    /// then are cut. A request that the gateway sends meanwhile comes back to it unsent.
    pub async fn drain(mut self, grace: Duration) {
        self.drain.cancel();
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.cut().await;
        }
    }

    /// What the connection point does every minute (configmgr §1.1): a connector that waits dials now; one
    /// whose channel stands on a transport that is not the preferred one tries the better ones, and takes
    /// over without losing a request when one of them works. Returns at once.
    pub fn maintain(&self) {
        self.maintained.send_replace(());
    }

    /// As [`Self::maintain`]; where the channel is missing, waits until the round of dialling has ended, well or
    /// not, but no longer than `patience`.
    pub async fn maintained(&self, patience: Duration) {
        let (mut rounds, missing) = (self.rounds.clone(), self.state() == ConnectorState::Disconnected);
        let before = *rounds.borrow_and_update();
        self.maintain();
        if missing {
            // A connector that has ended makes no more rounds.
            let _ended = tokio::time::timeout(patience, rounds.wait_for(|round| *round > before)).await;
        }
    }

    /// Where it stands now.
    #[must_use]
    pub fn state(&self) -> ConnectorState {
        *self.state.borrow()
    }

    /// Where it stands, to be awaited.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<ConnectorState> {
        self.state.clone()
    }

    async fn cut(&mut self) {
        self.stop.cancel();
        // A panic in the task would be ours; there is nothing left to do about it here.
        let _ended = (&mut self.task).await;
    }
}

impl Drop for ConnectorHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
