//! JUnit XML, in the form that continuous integration servers read: one test case for each scenario.

use std::fmt::Write as _;

use crate::RunReport;

/// The runs as one test suite.
#[must_use]
pub fn junit(runs: &[RunReport]) -> String {
    let failed = runs.iter().filter(|run| !run.verdict.passed).count();
    let taken: u64 = runs.iter().map(|run| run.verdict.taken_ms).sum();
    let counts =
        format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" time=\"{}\"", runs.len(), seconds(taken));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _infallible = writeln!(xml, "<testsuites name=\"cmglab\" {counts}>");
    let _infallible = writeln!(xml, "  <testsuite name=\"scenarios\" {counts}>");
    for run in runs {
        case(&mut xml, run);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, run: &RunReport) {
    let (class, name) = run.name.rsplit_once('/').unwrap_or(("scenarios", &run.name));
    let (class, name, time) = (escaped(class), escaped(name), seconds(run.verdict.taken_ms));
    let _infallible = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\"");
    if run.verdict.failures.is_empty() {
        xml.push_str("/>\n");
        return;
    }
    xml.push_str(">\n");
    for failure in &run.verdict.failures {
        let (what, actual, hint) =
            (escaped(&failure.expectation), escaped(&failure.actual), escaped(&failure.hint));
        let _infallible = writeln!(
            xml,
            "      <failure type=\"expectation\" message=\"{what}\">{actual}&#10;{hint}</failure>"
        );
    }
    xml.push_str("    </testcase>\n");
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// XML 1.0 has no way at all to write most control characters.
fn escaped(text: &str) -> String {
    let writable = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().map(|c| if writable(&c) { c } else { ' ' }).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}
