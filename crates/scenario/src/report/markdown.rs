//! Markdown, for a pull request or a job's summary page.

use std::fmt::Write as _;

use crate::{RunReport, StepOutcome};

/// The runs as a table, with a section for each that failed.
#[must_use]
pub fn markdown(runs: &[RunReport]) -> String {
    let passed = runs.iter().filter(|run| run.verdict.passed).count();
    let mut page = format!("# Scenarios: {passed} of {} passed\n\n", runs.len());
    page.push_str("| Scenario | Result | Hops | First failing hop | Time |\n|---|---|---:|---|---:|\n");
    for run in runs {
        let result = if run.verdict.passed { "passed" } else { "**failed**" };
        let hop = run.verdict.first_failing_hop.as_ref().map_or_else(String::new, |hop| {
            let status = hop.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!("{} → {}: {status} {}", hop.from, hop.to, hop.reason)
        });
        let (name, hop, hops) = (cell(&run.name), cell(&hop), run.verdict.hops.len());
        let _infallible =
            writeln!(page, "| {name} | {result} | {hops} | {hop} | {} ms |", run.verdict.taken_ms);
    }
    for run in runs.iter().filter(|run| !run.verdict.passed) {
        section(&mut page, run);
    }
    page
}

fn section(page: &mut String, run: &RunReport) {
    let _infallible = write!(page, "\n## {}\n\n{}\n\n", cell(&run.name), cell(&run.about));
    for failure in &run.verdict.failures {
        let (expected, actual, hint) =
            (cell(&failure.expectation), cell(&failure.actual), cell(&failure.hint));
        let _infallible = write!(page, "- expected {expected}\n  - actual: {actual}\n  - hint: {hint}\n");
    }
    page.push_str("\nSteps:\n\n");
    for step in &run.steps {
        let outcome = match &step.outcome {
            StepOutcome::Done => "done".to_owned(),
            StepOutcome::Failed { cause } => format!("failed: {cause}"),
            StepOutcome::Impossible { cause } => format!("not possible: {cause}"),
        };
        let _infallible = writeln!(page, "{}. {} ({})", step.number, cell(&step.step), cell(&outcome));
    }
}

/// One line in which nothing is markup.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in text.trim().chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '\\' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
