//! Whether a message still moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cmglab_clock::Stopwatch;

/// Beats with every piece that moves in either direction.
#[derive(Debug)]
pub(crate) struct Pulse {
    watch: Stopwatch,
    last_ms: AtomicU64,
}

impl Pulse {
    pub(crate) fn start() -> Self {
        Self { watch: Stopwatch::start(), last_ms: AtomicU64::new(0) }
    }

    pub(crate) fn beat(&self) {
        self.last_ms.store(self.watch.millis(), Ordering::Relaxed);
    }

    /// Milliseconds since the start.
    pub(crate) fn millis(&self) -> u64 {
        self.watch.millis()
    }

    /// Waits until there was no beat for `patience`.
    pub(crate) async fn stopped(&self, patience: Duration) {
        loop {
            let still = self.millis().saturating_sub(self.last_ms.load(Ordering::Relaxed));
            let left = patience.saturating_sub(Duration::from_millis(still));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}
