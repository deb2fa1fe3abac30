//! Transport time: how long something really took.

use std::time::Duration;

use jiff::Timestamp;

/// Measures real elapsed time, for "time taken" figures. Never compare it with protocol time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this crate is where the machine's clock is read")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Real time since [`Stopwatch::start`].
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Whole milliseconds since [`Stopwatch::start`], as log lines print them.
    #[must_use]
    pub fn millis(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[expect(clippy::disallowed_methods, reason = "this crate is where the machine's clock is read")]
pub(crate) fn machine_now() -> Timestamp {
    Timestamp::now()
}
