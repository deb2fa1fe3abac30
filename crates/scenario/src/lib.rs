//! Scenarios: readable files that set a cause in a lab, take steps, and say what must and must not be
//! seen.
//!
//! ```no_run
//! # async fn example() -> Result<(), cmglab_scenario::ScenarioError> {
//! use cmglab_scenario::{RunOptions, Scenario, run};
//!
//! let scenario = Scenario::builtin("failures/crl-offline")?;
//! let report = run(&scenario, &RunOptions::default(), &|_progress| {}).await;
//! assert!(report.verdict.passed, "{:?}", report.verdict.failures);
//! # Ok(())
//! # }
//! ```

pub mod builtin;
mod error;
mod load;
pub mod model;
pub mod pattern;
pub mod report;
mod runner;
mod sequence;
mod suggest;
#[cfg(test)]
mod testing;
mod verdict;

pub use error::ScenarioError;
pub use model::Scenario;
pub use runner::{Progress, RunOptions, run};
pub use sequence::sequence;
pub use verdict::{Failure, RunReport, StepOutcome, StepReport, Verdict};
