//! What leaves the gateway, over fourteen days, and the alert on it.
//!
//! Fidelity: documented for what counts, the window, the threshold of 10000 GB with its critical level at
//! 90 %, the option to stop the service, and the evaluation every six minutes (configmgr §6).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cmglab_clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When the administrator is warned of the cost, and what happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostAlert {
    /// Bytes that may leave the service in fourteen days.
    pub threshold_bytes: u64,
    /// The critical level, in percent of the threshold.
    pub critical_percent: u8,
    /// "Stop this service when the critical threshold is exceeded".
    pub stop_service: bool,
}

impl Default for CostAlert {
    fn default() -> Self {
        Self { threshold_bytes: 10_000 * GIGABYTE, critical_percent: 90, stop_service: false }
    }
}

impl CostAlert {
    /// The bytes past which the alert is critical.
    #[must_use]
    pub fn critical_bytes(&self) -> u64 {
        let share = u128::from(self.threshold_bytes) * u128::from(self.critical_percent) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// Counts what leaves a service. Cheap to clone; clones count together, so that all instances of a service
/// share one.
#[derive(Debug, Clone)]
pub struct Meter {
    clock: Clock,
    window: Arc<Mutex<Window>>,
}

#[derive(Debug, Default)]
struct Window {
    /// Bytes by the hour in which they left, oldest first; at most as many as the window has hours.
    hours: VecDeque<(i64, u64)>,
    total: u64,
}

impl Meter {
    /// A meter on protocol time.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, window: Arc::default() }
    }

    /// Counts bytes that leave now.
    pub fn add(&self, bytes: u64) {
        let hour = hour(self.clock.now());
        let mut window = self.lock();
        window.total = window.total.saturating_add(bytes);
        match window.hours.back_mut() {
            // A clock that was set back counts on in the newest hour.
            Some((newest, sum)) if *newest >= hour => *sum = sum.saturating_add(bytes),
            _ => {
                window.hours.push_back((hour, bytes));
                window.forget(hour);
            }
        }
    }

    /// Bytes that left within the last fourteen days.
    #[must_use]
    pub fn in_window(&self) -> u64 {
        let mut window = self.lock();
        window.forget(hour(self.clock.now()));
        window.hours.iter().map(|(_hour, bytes)| bytes).fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }

    /// Bytes that left since the service was made.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn forget(&mut self, now: i64) {
        while self.hours.front().is_some_and(|(hour, _bytes)| now - hour >= WINDOW_HOURS) {
            self.hours.pop_front();
        }
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}

/// How often the alert is evaluated.
pub(crate) const EVALUATION: SignedDuration = SignedDuration::from_mins(6);
const GIGABYTE: u64 = 1_000_000_000;
const WINDOW_HOURS: i64 = 14 * 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_fourteen_days_count() {
        let clock = Clock::running_from("2026-01-01T00:00:00Z".parse().unwrap(), 0.0);
        let meter = Meter::new(clock.clone());
        meter.add(100);
        clock.advance(SignedDuration::from_hours(13 * 24)).await;
        meter.add(20);
        assert_eq!(meter.in_window(), 120);
        clock.advance(SignedDuration::from_hours(24)).await;
        assert_eq!((meter.in_window(), meter.total()), (20, 120));
    }

    #[test]
    fn the_documented_threshold_is_ten_thousand_gigabytes_and_critical_at_ninety_percent() {
        let alert = CostAlert::default();
        assert_eq!((alert.threshold_bytes, alert.critical_bytes()), (10_000_000_000_000, 9_000_000_000_000));
    }
}
