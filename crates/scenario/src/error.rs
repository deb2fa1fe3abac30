//! A scenario that cannot be run, with the place at fault.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with a scenario file: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, or the name of a built-in scenario.
    pub file: PathBuf,
    /// Line from 1; 0 when the file as a whole is meant.
    pub line: u64,
    /// Column from 1, in characters; 0 when no one place is meant.
    pub column: u64,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// A mistake whose place is known and whose file is not, yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl Mistake {
    pub(crate) fn of_file(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { line: 0, column: 0, what: what.into(), fix: fix.into() }
    }

    pub(crate) fn in_file(self, file: impl Into<PathBuf>) -> ScenarioError {
        let Self { line, column, what, fix } = self;
        ScenarioError { file: file.into(), line, column, what, fix }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what, fix } = self;
        write!(f, "{}", file.display())?;
        if *line > 0 {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {what}; {fix}")
    }
}

impl std::error::Error for ScenarioError {}
