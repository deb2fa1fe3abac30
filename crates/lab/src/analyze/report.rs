//! The steps of an analysis as they come in.

use super::{Analysis, AnalyzedStep, StepVerdict};

/// What a test found: the description, and what later steps need of it.
pub(super) type Tested<T> = Result<(String, T), Fault>;

/// What a test found wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) description: String,
    pub(super) advice: &'static str,
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<AnalyzedStep>,
}

impl Report {
    /// Notes the end of a test, and hands on what it gave.
    pub(super) fn tested<T>(&mut self, name: String, tested: Tested<T>) -> Option<T> {
        let (verdict, description, advice, gave) = match tested {
            Ok((description, gave)) => (StepVerdict::Passed, description, None, Some(gave)),
            Err(Fault { description, advice }) => {
                (StepVerdict::Failed, description, Some(advice.to_owned()), None)
            }
        };
        self.steps.push(AnalyzedStep { name, verdict, description, advice });
        gave
    }

    /// Notes a test that was not made, and so gave nothing.
    pub(super) fn skipped<T>(&mut self, name: String, why: &str) -> Option<T> {
        let (verdict, description) = (StepVerdict::Skipped, why.to_owned());
        self.steps.push(AnalyzedStep { name, verdict, description, advice: None });
        None
    }
}

impl From<Report> for Analysis {
    fn from(report: Report) -> Self {
        Self { steps: report.steps }
    }
}
