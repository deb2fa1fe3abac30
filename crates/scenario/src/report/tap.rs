//! TAP version 14 (testanything.org): one test point for each scenario, failures as a YAML block.

use std::fmt::Write as _;

use crate::RunReport;

/// The runs as a TAP document.
#[must_use]
pub fn tap(runs: &[RunReport]) -> String {
    let mut tap = format!("TAP version 14\n1..{}\n", runs.len());
    for (run, number) in runs.iter().zip(1_usize..) {
        let ok = if run.verdict.passed { "ok" } else { "not ok" };
        let _infallible = writeln!(tap, "{ok} {number} - {}", escaped(&run.name));
        if run.verdict.failures.is_empty() {
            continue;
        }
        tap.push_str("  ---\n  failures:\n");
        for failure in &run.verdict.failures {
            let (expected, actual, hint) =
                (quoted(&failure.expectation), quoted(&failure.actual), quoted(&failure.hint));
            let _infallible =
                write!(tap, "    - expected: {expected}\n      actual: {actual}\n      hint: {hint}\n");
        }
        tap.push_str("  ...\n");
    }
    tap
}

/// `#` would begin a directive such as TODO.
fn escaped(name: &str) -> String {
    let one_line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    one_line.replace('\\', "\\\\").replace('#', "\\#")
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
