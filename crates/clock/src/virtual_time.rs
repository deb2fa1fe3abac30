//! The one time line of a lab: `now = base + elapsed × rate + offset`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use crate::Stopwatch;

/// A shared time line with its waiters. Roles see it through [`crate::Clock`].
pub struct VirtualTime {
    rate: f64,
    started: Stopwatch,
    state: Mutex<State>,
    advancing: tokio::sync::Mutex<()>,
}

/// Proof that a wait has ended; while it lives, an advance that caused the wake-up waits.
#[derive(Debug)]
pub struct Tick {
    _done: Option<oneshot::Sender<()>>,
}

struct State {
    base: Timestamp,
    /// While an advance runs, the time is pinned to the deadline being served.
    pinned: Option<Timestamp>,
    jumps: u64,
    next_waiter: u64,
    waiters: BTreeMap<(Timestamp, u64), oneshot::Sender<oneshot::Sender<()>>>,
}

impl VirtualTime {
    pub(crate) fn new(base: Timestamp, rate: f64) -> Self {
        Self {
            rate: if rate.is_finite() { rate.max(0.0) } else { 0.0 },
            started: Stopwatch::start(),
            state: Mutex::new(State {
                base,
                pinned: None,
                jumps: 0,
                next_waiter: 0,
                waiters: BTreeMap::new(),
            }),
            advancing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let state = self.state();
        state.pinned.unwrap_or_else(|| self.running(&state))
    }

    pub(crate) fn jumps(&self) -> u64 {
        self.state().jumps
    }

    pub(crate) async fn sleep_until(&self, deadline: Timestamp) -> Tick {
        let Some((key, mut woken)) = self.enlist(deadline) else { return Tick { _done: None } };
        let _registration = Registration { time: self, key };
        loop {
            tokio::select! {
                done = &mut woken => return Tick { _done: done.ok() },
                () = self.real_wait(deadline) => {
                    if self.now() >= deadline {
                        return Tick { _done: None };
                    }
                }
            }
        }
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        let _one_at_a_time = self.advancing.lock().await;
        let target = {
            let mut state = self.state();
            let now = self.running(&state);
            state.jumps += 1;
            state.pinned = Some(now);
            now.saturating_add(by).unwrap_or(Timestamp::MAX)
        };
        while let Some(waker) = self.pop_due(target) {
            let (done, finished) = oneshot::channel();
            if waker.send(done).is_ok() {
                // An error here means the tick was dropped, which is what is waited for.
                let _dropped = finished.await;
            }
        }
        let mut state = self.state();
        let running = self.running(&state);
        state.base = state.base.saturating_add(target.duration_since(running)).unwrap_or(Timestamp::MAX);
        state.pinned = None;
    }

    #[cfg(test)]
    pub(crate) fn waiters(&self) -> usize {
        self.state().waiters.len()
    }

    fn enlist(&self, deadline: Timestamp) -> Option<(WaiterKey, oneshot::Receiver<oneshot::Sender<()>>)> {
        let mut state = self.state();
        if state.pinned.unwrap_or_else(|| self.running(&state)) >= deadline {
            return None;
        }
        let (wake, woken) = oneshot::channel();
        let key = (deadline, state.next_waiter);
        state.next_waiter += 1;
        state.waiters.insert(key, wake);
        Some((key, woken))
    }

    fn pop_due(&self, target: Timestamp) -> Option<oneshot::Sender<oneshot::Sender<()>>> {
        let mut state = self.state();
        let entry = state.waiters.first_entry()?;
        let (deadline, _) = *entry.key();
        if deadline > target {
            return None;
        }
        let waker = entry.remove();
        state.pinned = state.pinned.max(Some(deadline));
        Some(waker)
    }

    async fn real_wait(&self, deadline: Timestamp) {
        let remaining = deadline.duration_since(self.now());
        if self.rate <= 0.0 || remaining > LONGEST_REAL_WAIT {
            return std::future::pending().await;
        }
        let seconds = (remaining.as_secs_f64() / self.rate).max(0.001);
        tokio::time::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)).await;
    }

    fn running(&self, state: &State) -> Timestamp {
        let elapsed = SignedDuration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * self.rate);
        elapsed.ok().and_then(|run| state.base.checked_add(run).ok()).unwrap_or(Timestamp::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime")
            .field("rate", &self.rate)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

type WaiterKey = (Timestamp, u64);

/// Takes a cancelled waiter off the list.
struct Registration<'a> {
    time: &'a VirtualTime,
    key: WaiterKey,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.time.state().waiters.remove(&self.key);
    }
}

/// Beyond a year of real waiting only an advance can end a wait; it also keeps the timer in range.
const LONGEST_REAL_WAIT: SignedDuration = SignedDuration::from_hours(24 * 366);
