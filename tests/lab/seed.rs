//! The two source documents, line by line (`tests/seed/table.yaml`).
//!
//! Each row is bound to a line of its own in the logs of its scenario, in the table's order; then the event
//! behind that line is dropped and the row must fail, so that no row can pass by accident.

use std::collections::{BTreeMap, BTreeSet};

use cmglab_events::Event;
use cmglab_events::logs::{self, LogFile};
use cmglab_proto::editions::Edition;
use cmglab_scenario::pattern::{Extent, Pattern};
use cmglab_scenario::{RunOptions, Scenario};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    seed: String,
    scenario: String,
    file: String,
    #[serde(default = "once")]
    count: usize,
    #[serde(default)]
    line: Option<String>,
    #[serde(default, rename = "match")]
    extent: Extent,
    #[serde(default)]
    defect: Option<String>,
    #[serde(default)]
    unmatched: bool,
}

fn once() -> usize {
    1
}

/// A rendered line and the event it came from.
struct Line {
    event: u64,
    text: String,
}

fn rows() -> Vec<Row> {
    let table: Table = serde_saphyr::from_str(include_str!("../seed/table.yaml")).unwrap();
    table.rows
}

impl Row {
    fn log_file(&self) -> LogFile {
        LogFile::from_file_name(&self.file)
            .unwrap_or_else(|| panic!("{}: no log file {}", self.seed, self.file))
    }

    fn matches(&self, text: &str) -> bool {
        let line = self.line.as_deref().unwrap_or_else(|| panic!("{}: no line", self.seed));
        let pattern = Pattern::parse(line).unwrap_or_else(|error| panic!("{}: {error}", self.seed));
        pattern.matches(text, self.extent)
    }
}

fn lines(events: &[Event], edition: Edition, file: LogFile, without: &BTreeSet<u64>) -> Vec<Line> {
    events
        .iter()
        .filter(|event| !without.contains(&event.seq))
        .flat_map(|event| logs::lines(event, edition))
        .filter(|line| line.file == file)
        .map(|line| Line { event: line.event, text: line.text() })
        .collect()
}

/// The event behind each row's own line, or the rows that fail: not found after the row before it in that
/// file, or not as often as the table says.
fn bind(
    rows: &[Row],
    events: &[Event],
    edition: Edition,
    without: &BTreeSet<u64>,
) -> Result<Vec<u64>, Vec<String>> {
    let mut after: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut bound, mut failed) = (Vec::new(), Vec::new());
    for row in rows {
        let lines = lines(events, edition, row.log_file(), without);
        let matching: Vec<usize> =
            (0..lines.len()).filter(|index| row.matches(&lines[*index].text)).collect();
        let from = after.entry(row.file.as_str()).or_default();
        match matching.iter().find(|index| *index >= from) {
            Some(index) if matching.len() == row.count => {
                *from = index + 1;
                bound.push(lines[*index].event);
            }
            found => failed.push(format!(
                "{}: {} lines match, {} expected; {} in its place: {:?}",
                row.seed,
                matching.len(),
                row.count,
                if found.is_some() { "one" } else { "none" },
                row.line
            )),
        }
    }
    if failed.is_empty() { Ok(bound) } else { Err(failed) }
}

async fn played(name: &str) -> (Vec<Event>, Edition) {
    let scenario = Scenario::builtin(name).unwrap();
    let options = RunOptions::default();
    let report = cmglab_scenario::run(&scenario, &options, &|_progress| {}).await;
    assert!(report.verdict.passed, "{name}: {:#?}", report.verdict.failures);
    (options.events.snapshot(), scenario.lab.edition)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_found_and_depends_on_its_event() {
    let mut by_scenario: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows() {
        if row.unmatched {
            assert!(row.defect.is_some(), "{}: an unmatched row names its defect", row.seed);
        } else {
            by_scenario.entry(row.scenario.clone()).or_default().push(row);
        }
    }
    let mut mutations = 0;
    for (scenario, rows) in by_scenario {
        let (events, edition) = played(&scenario).await;
        let bound = bind(&rows, &events, edition, &BTreeSet::new());
        let bound = bound.unwrap_or_else(|failed| panic!("{scenario}: {failed:#?}"));
        let taken: BTreeSet<(u64, &str)> =
            bound.iter().copied().zip(rows.iter().map(|row| row.line.as_deref().unwrap())).collect();
        assert_eq!(taken.len(), rows.len(), "{scenario}: two rows stand at one line");
        for (row, event) in rows.iter().zip(bound) {
            let red = bind(&rows, &events, edition, &BTreeSet::from([event])).unwrap_err();
            assert!(
                red.iter().any(|failed| failed.starts_with(&row.seed)),
                "{}: still found without event {event}: {red:#?}",
                row.seed
            );
            mutations += 1;
        }
    }
    assert!(mutations > 25, "{mutations} rows were tried");
}

#[test]
fn the_table_holds_every_line_of_both_documents() {
    let rows = rows();
    let of = |document: &str| rows.iter().filter(|row| row.seed.starts_with(document)).count();
    assert_eq!((of("0-"), of("2-")), (25, 5));
    let names: BTreeSet<&str> = rows.iter().map(|row| row.seed.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "a row's number is its own");
}
