//! Work that repeats on protocol time.

use std::future::Future as _;
use std::pin::pin;
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};

use crate::{Clock, Tick};

/// A period of protocol time; every deadline within an advance is served, in order, exactly once.
#[derive(Debug)]
pub struct Interval {
    clock: Clock,
    period: SignedDuration,
    due: Timestamp,
    working: Option<Tick>,
}

impl Interval {
    pub(crate) fn new(clock: Clock, period: SignedDuration) -> Self {
        let due = clock.now();
        Self { clock, period: period.max(SignedDuration::from_millis(1)), due, working: None }
    }

    /// Ends the work of the previous period and waits for the next deadline, which is returned.
    pub async fn tick(&mut self) -> Timestamp {
        self.due = self.due.saturating_add(self.period).unwrap_or(Timestamp::MAX);
        let mut sleep = pin!(self.clock.sleep_until(self.due));
        // The next wait must stand on the list before the old tick is released, or a running advance
        // would pass its deadline.
        let first = std::future::poll_fn(|cx| match sleep.as_mut().poll(cx) {
            Poll::Ready(tick) => Poll::Ready(Some(tick)),
            Poll::Pending => Poll::Ready(None),
        })
        .await;
        drop(self.working.take());
        self.working = Some(match first {
            Some(tick) => tick,
            None => sleep.await,
        });
        self.due
    }
}
