//! What came of a run.

use cmglab_lab::Hop;
use serde::Serialize;

/// One scenario's run, as every report tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The scenario's name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// What was done.
    pub steps: Vec<StepReport>,
    /// What came of it.
    pub verdict: Verdict,
}

/// One step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub number: usize,
    /// The step as it stands in the file.
    pub step: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Milliseconds of transport time.
    pub taken_ms: u64,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StepOutcome {
    /// As it should in a healthy lab.
    Done,
    /// The client could not do it, which may be what the scenario is about.
    Failed {
        /// The cause, in the client's words.
        cause: String,
    },
    /// The lab could not do it: the scenario, or the lab, is at fault.
    Impossible {
        /// The cause in words.
        cause: String,
    },
}

/// Whether everything that was expected was seen, and what the run was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every expectation held.
    pub passed: bool,
    /// The expectations that did not.
    pub failures: Vec<Failure>,
    /// The hop that refused or did not answer first, however deep; a run that is to fail has one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failing_hop: Option<Hop>,
    /// Every hop, in order.
    pub hops: Vec<Hop>,
    /// Milliseconds of transport time for everything.
    pub taken_ms: u64,
    /// Milliseconds of transport time until the lab was ready; none when it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_ms: Option<u64>,
}

/// An expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What was expected.
    pub expectation: String,
    /// What was the case.
    pub actual: String,
    /// Where to look.
    pub hint: String,
}

impl Verdict {
    /// The hop whose failure caused the others: inner hops end, and are told, before outer ones.
    pub(crate) fn first_failing(hops: &[Hop]) -> Option<Hop> {
        hops.iter().filter(|hop| !hop.succeeded()).min_by_key(|hop| hop.event).cloned()
    }
}
