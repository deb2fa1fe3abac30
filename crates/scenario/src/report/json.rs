//! JSON: everything that is known of the runs.

use serde::Serialize;

use crate::RunReport;

/// The runs as one JSON object, `{"version":1,"runs":[…]}`. The version grows when a reader of the old form
/// would go wrong.
#[must_use]
pub fn json(runs: &[RunReport]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        runs: &'a [RunReport],
    }
    // Nothing in a report can fail to be written: no maps with odd keys, no foreign types.
    let mut text = serde_json::to_string_pretty(&Document { version: 1, runs }).unwrap_or_default();
    text.push('\n');
    text
}
