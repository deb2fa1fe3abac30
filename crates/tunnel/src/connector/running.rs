//! The life of a connector: rounds of trial, the channel that stands, and the way back to a better one.

use std::sync::Arc;
use std::time::Duration;

use cmglab_clock::Stopwatch;
use cmglab_events::kinds::ConnectionPointEvent;
use cmglab_ids::Ids;
use cmglab_net::Deps;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Up};
use super::serving::{self, Serving};
use super::{ConnectorState, Serve, Target};
use crate::Transport;

pub(super) struct Running {
    pub(super) deps: Deps,
    pub(super) target: Target,
    pub(super) serve: Serve,
    pub(super) cut: Option<watch::Receiver<u64>>,
    pub(super) drain: CancellationToken,
    pub(super) maintenance: watch::Receiver<()>,
    /// How many rounds of dialling have ended.
    pub(super) rounds: watch::Sender<u64>,
    pub(super) state: watch::Sender<ConnectorState>,
    /// Every channel that is still served: the present one, and those that it took over from.
    pub(super) served: JoinSet<()>,
}

impl Running {
    pub(super) async fn run(mut self) {
        let drain = self.drain.clone();
        let mut failures = 0;
        while !drain.is_cancelled() {
            let found = drain.run_until_cancelled(self.round()).await;
            self.rounds.send_modify(|rounds| *rounds += 1);
            match found {
                Some(Some(up)) => {
                    let stood = Stopwatch::start();
                    self.keep(up).await;
                    // One that is lost at once, every time, must not be dialled without a pause.
                    failures = if stood.elapsed() < SOUND { u32::saturating_add(failures, 1) } else { 0 };
                }
                Some(None) => failures = u32::saturating_add(failures, 1),
                None => break,
            }
            let _draining = drain.run_until_cancelled(self.back_off(failures)).await;
            while self.served.try_join_next().is_some() {}
        }
        self.stands(ConnectorState::Draining);
        while self.served.join_next().await.is_some() {}
    }

    /// Tries the transports in their order; the first that works wins.
    async fn round(&self) -> Option<Up> {
        for transport in &self.target.transports {
            self.stands(ConnectorState::Dialling(*transport));
            let up = self.attempt(*transport, |Attempt { transport, server, connection, .. }, cause| {
                ConnectionPointEvent::ChannelFailed { transport, server, connection, cause }
            });
            if let Some(up) = up.await {
                return Some(up);
            }
        }
        None
    }

    async fn attempt(
        &self,
        transport: Transport,
        failed: impl Fn(Attempt, String) -> ConnectionPointEvent,
    ) -> Option<Up> {
        let attempt = Attempt::new(&self.deps, &self.target, transport);
        match attempt.clone().open(&self.deps).await {
            Ok(up) => Some(up),
            Err(cause) => {
                self.deps.events.emit(failed(attempt, cause));
                None
            }
        }
    }

    /// Serves the channel, and any that takes over from it, until there is none.
    async fn keep(&mut self, up: Up) {
        let drain = self.drain.clone();
        let mut serving = self.serve(up);
        loop {
            self.maintenance.mark_unchanged();
            self.stands(ConnectorState::Connected(serving.transport));
            let better = self.better_than(serving.transport);
            let ended = serving.ended.clone();
            let found = tokio::select! {
                () = ended.cancelled() => return,
                () = drain.cancelled() => {
                    serving.drain.cancel();
                    return;
                }
                found = self.find(better) => found,
            };
            if let Some(up) = found {
                let before = std::mem::replace(&mut serving, self.serve(up));
                before.drain.cancel();
            }
            while self.served.try_join_next().is_some() {}
        }
    }

    fn serve(&mut self, up: Up) -> Serving {
        serving::start(&mut self.served, &self.deps, up, Arc::clone(&self.serve), self.cut.clone())
    }

    fn better_than(&self, present: Transport) -> Vec<Transport> {
        self.target.transports.iter().copied().take_while(|one| *one != present).collect()
    }

    /// At the next maintenance, tries the transports that would be better.
    async fn find(&mut self, better: Vec<Transport>) -> Option<Up> {
        loop {
            if better.is_empty() || self.maintenance.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            for transport in &better {
                let up = self.attempt(*transport, |Attempt { transport, server, connection, .. }, cause| {
                    ConnectionPointEvent::ProbeFailed { transport, server, connection, cause }
                });
                if let Some(up) = up.await {
                    return Some(up);
                }
            }
        }
    }

    /// Waits before the next round, and no longer than until the next maintenance.
    async fn back_off(&mut self, failures: u32) {
        self.maintenance.mark_unchanged();
        self.stands(ConnectorState::Disconnected);
        let wait = backoff(failures, &self.deps.ids);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Ok(()) = self.maintenance.changed() => {}
        }
    }

    fn stands(&self, state: ConnectorState) {
        self.state.send_replace(state);
    }
}

/// Full jitter below a doubling bound, with the documented one-minute maintenance as its ceiling.
fn backoff(failures: u32, ids: &Ids) -> Duration {
    let bound = FIRST_BACKOFF.saturating_mul(1 << failures.min(10)).min(MAINTENANCE - LEAST_BACKOFF);
    let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    LEAST_BACKOFF + Duration::from_millis(ids.below(bound_ms))
}

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LEAST_BACKOFF: Duration = Duration::from_millis(20);
const MAINTENANCE: Duration = Duration::from_secs(60);
/// A channel that stood for as long was a good one.
const SOUND: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_and_longer_but_never_past_the_maintenance() {
        let ids = Ids::seeded(1);
        let longest = |failures| (0..200).map(|_| backoff(failures, &ids)).max().unwrap();
        let longest: Vec<Duration> = [0, 2, 4, 6, 8, 9, 30, u32::MAX].map(longest).into();
        assert!(longest[..6].is_sorted_by(|a, b| a < b), "{longest:?}");
        assert!(longest[0] < FIRST_BACKOFF + LEAST_BACKOFF);
        assert!(longest[7] > MAINTENANCE / 2 && longest[7] <= MAINTENANCE, "{longest:?}");
        let shortest = (0..200).map(|_| backoff(u32::MAX, &ids)).min().unwrap();
        assert!(shortest < MAINTENANCE / 10, "the jitter is full");
    }
}
