//! IIS W3C extended log files: `#` directives, then records whose columns the last `#Fields` line names.
//!
//! Fidelity: documented (W3C extended log file format; field list and order of IIS in configmgr.md 8).
//!
//! Dates and times are UTC, whole seconds. A column holds no spaces: IIS writes `+` for each, and `-` for
//! an empty value.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, within_limit};

pub use field::{CustomField, Field};
pub use header::{Header, MAX_FIELDS};
pub use record::Record;

pub(crate) use header::{Directives, is_directive};

mod field;
mod header;
mod record;
#[cfg(test)]
mod tests;

/// A whole log file. `Display` and `FromStr` go both ways; every line ends in a carriage return and a line
/// feed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Log {
    /// One for each block of directives; IIS adds a block whenever it restarts.
    pub sections: Vec<Section>,
}

/// A block of directives and the records under it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Section {
    /// The directives.
    pub header: Header,
    /// The records, in the order of the file.
    pub records: Vec<Record>,
}

/// Reads a whole file. A byte order mark, blank lines and unknown directives are skipped.
///
/// # Errors
/// [`Error::AtLine`] around what is wrong: see [`Header`] and [`Record::parse`];
/// [`Error::Missing`] for a record before any `#Fields`.
impl FromStr for Log {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut log = Self::default();
        let mut directives = Directives::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            log.take(line, &mut directives).map_err(|cause| cause.at_line(index + 1))?;
        }
        Ok(log)
    }
}

impl Log {
    fn take(&mut self, line: &str, directives: &mut Directives) -> Result<(), Error> {
        let line = within_limit(line)?;
        if line.starts_with('#') {
            if let Some(header) = directives.take(line)? {
                self.sections.push(Section { header, records: Vec::new() });
            }
        } else if !line.trim().is_empty() {
            let section = self.sections.last_mut().ok_or_else(|| header::missing("#Fields"))?;
            section.records.push(Record::parse(line, &section.header.fields)?);
        }
        Ok(())
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            for line in section.header.lines() {
                write!(f, "{line}\r\n")?;
            }
            for record in &section.records {
                write!(f, "{}\r\n", record.line(&section.header.fields))?;
            }
        }
        Ok(())
    }
}
