//! Protocol time for every role of a lab, and the stopwatch of transport time.
//!
//! Two times are never mixed. *Protocol time* ([`Clock`]) dates tokens, certificates, CRLs, caches,
//! renewal and log stamps; a scenario may advance it by hours. *Transport time* ([`Stopwatch`], tokio's
//! timers) measures what a request really took. This crate is the only one that reads the machine's
//! clock.

mod interval;
mod stopwatch;
mod virtual_time;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use interval::Interval;
pub use stopwatch::Stopwatch;
pub use virtual_time::{Tick, VirtualTime};

/// A handle to protocol time; cheap to clone, one for each role.
#[derive(Clone)]
pub struct Clock {
    time: Arc<VirtualTime>,
    skew: SignedDuration,
}

impl Clock {
    /// Protocol time that runs with the machine's clock. It can still be advanced, so that a running lab
    /// may be asked what happens in eight hours.
    #[must_use]
    pub fn system() -> Self {
        Self::running_from(stopwatch::machine_now(), 1.0)
    }

    /// Protocol time that starts at `base` and runs `rate` protocol seconds for each real one. A rate of
    /// 0 freezes it: it then moves only by [`Clock::advance`].
    #[must_use]
    pub fn running_from(base: Timestamp, rate: f64) -> Self {
        Self { time: Arc::new(VirtualTime::new(base, rate)), skew: SignedDuration::ZERO }
    }

    /// The same time line seen by a machine whose clock is wrong by `skew` (positive: fast).
    #[must_use]
    pub fn skewed(&self, skew: SignedDuration) -> Self {
        Self { time: Arc::clone(&self.time), skew: self.skew.saturating_add(skew) }
    }

    /// The present protocol time as this machine sees it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.time.now().saturating_add(self.skew).unwrap_or(Timestamp::MAX)
    }

    /// Waits until this machine's clock shows `deadline`. The returned [`Tick`] tells an ongoing
    /// [`Clock::advance`] that the work due at that moment is being done; drop it when it is done.
    pub async fn sleep_until(&self, deadline: Timestamp) -> Tick {
        let shared = deadline.saturating_sub(self.skew).unwrap_or(deadline);
        self.time.sleep_until(shared).await
    }

    /// Waits for `duration` of protocol time.
    pub async fn sleep(&self, duration: SignedDuration) -> Tick {
        let deadline = self.now().saturating_add(duration).unwrap_or(Timestamp::MAX);
        self.sleep_until(deadline).await
    }

    /// Periods of protocol time, counted from now.
    #[must_use]
    pub fn interval(&self, period: SignedDuration) -> Interval {
        Interval::new(self.clone(), period)
    }

    /// Moves the whole lab's time forward. Waiters wake in the order of their deadlines, each seeing its
    /// own deadline as the present; returns when the last woken one has dropped its [`Tick`].
    pub async fn advance(&self, by: SignedDuration) {
        self.time.advance(by).await;
    }

    /// The number of times this time line has jumped; whoever caches a decision that depends on time
    /// (a TLS session, a pooled connection) drops it when this changes.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.time.jumps()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).field("skew", &self.skew).finish()
    }
}

#[cfg(test)]
mod tests;
