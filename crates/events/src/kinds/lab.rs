//! What the lab's runner does to the lab.

use serde::Serialize;

/// An act of the runner, or a cause that a scenario set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LabEvent {
    /// Protocol time is about to move.
    Advancing {
        /// Seconds of protocol time.
        seconds: i64,
    },
    /// A fault rule acted.
    FaultApplied {
        /// Where.
        point: String,
        /// What was done.
        verdict: String,
    },
    /// The lab accepts requests.
    Ready {
        /// Milliseconds of transport time from the start.
        taken_ms: u64,
    },
    /// A step of a scenario begins.
    Step {
        /// The step in the scenario's words.
        step: String,
    },
    /// The lab closes down; traffic counters of open intervals are reported.
    Stopping,
}
