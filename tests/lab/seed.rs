//! The two source documents, line by line (`tests/seed/table.yaml`).
//!
//! Each row is looked for in the logs of its scenario; then the event behind the line is dropped and the
//! row must fail, so that no row can pass by accident.

use std::collections::{BTreeMap, BTreeSet};

use cmglab_events::logs::{self, LogFile};
use cmglab_events::{Event, Events};
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
    #[serde(default)]
    order: Option<String>,
    #[serde(default = "once")]
    occurrence: usize,
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

    /// The line that stands for this row: its so-manieth occurrence, at or after `from` when rows of its
    /// group came before.
    fn find(&self, lines: &[Line], from: usize) -> Option<usize> {
        let found = lines.iter().enumerate().skip(from).filter(|(_, line)| self.matches(&line.text));
        found.map(|(index, _)| index).nth(self.occurrence - 1)
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

/// The rows that are not found, in order, when the events in `without` had not happened.
fn missing<'a>(rows: &'a [Row], events: &[Event], edition: Edition, without: &BTreeSet<u64>) -> Vec<&'a Row> {
    let mut after: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut missing = Vec::new();
    for row in rows {
        let lines = lines(events, edition, row.log_file(), without);
        let group = row.order.as_deref().map(|order| (row.file.as_str(), order));
        let from = group.and_then(|group| after.get(&group).copied()).unwrap_or(0);
        match (row.find(&lines, from), group) {
            (Some(index), Some(group)) => drop(after.insert(group, index + 1)),
            (Some(_), None) => {}
            (None, _) => missing.push(row),
        }
    }
    missing
}

async fn played(name: &str) -> (Vec<Event>, Edition) {
    let scenario = Scenario::builtin(name).unwrap();
    let options = RunOptions { events: Events::new(), ..RunOptions::default() };
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
        let absent = missing(&rows, &events, edition, &BTreeSet::new());
        assert!(absent.is_empty(), "{scenario}: {absent:#?}");
        for row in &rows {
            // A row that wants the second line loses its event and those of later ones; the first stays.
            let matching = lines(&events, edition, row.log_file(), &BTreeSet::new());
            let matching = matching.iter().filter(|line| row.matches(&line.text));
            let behind: BTreeSet<u64> = matching.skip(row.occurrence - 1).map(|line| line.event).collect();
            assert!(!behind.is_empty());
            let red = missing(&rows, &events, edition, &behind);
            assert!(
                red.iter().any(|missing| missing.seed == row.seed),
                "{}: still found after dropping {behind:?}",
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
