//! Why a line or a file was refused.

use std::io;
use std::path::{Path, PathBuf};

use crate::any::Format;

/// Why a log line could not be read, or a log file not be written. Quoted input is cut short.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of `cause`, found at a line of a file.
    #[error("line {line}: {cause}")]
    AtLine {
        /// Number of the line, counted from 1.
        line: usize,
        /// What is wrong there.
        #[source]
        cause: Box<Self>,
    },
    /// The attributes behind a CMTrace text are not `<name="value" …>`.
    #[error("CMTrace attributes are malformed near `{near}`; expected name=\"value\" pairs in <…>")]
    Attributes {
        /// Where reading stopped.
        near: String,
    },
    /// A bias is not a sign and one to four digits within a day.
    #[error("`{value}` is no bias; expected a sign and minutes up to 1440, as in -120")]
    Bias {
        /// What stood there.
        value: String,
    },
    /// A W3C record has more or fewer columns than its `#Fields` line names.
    #[error("record has {found} columns but #Fields names {expected}; values must not hold spaces")]
    Columns {
        /// Columns the `#Fields` line names.
        expected: usize,
        /// Columns the record has.
        found: usize,
    },
    /// A W3C directive is unreadable or too long.
    #[error("W3C directive #{name} has an unusable value `{value}`")]
    Directive {
        /// Name of the directive, without `#`.
        name: &'static str,
        /// What stood there.
        value: String,
    },
    /// An attribute of a CMTrace line or a field of a `#Fields` line is given twice.
    #[error("`{name}` is given twice; keep one")]
    Duplicate {
        /// The repeated name.
        name: String,
    },
    /// A W3C field name is empty, too long or not printable ASCII.
    #[error("`{name}` is no W3C field name; use 1 to 64 printable ASCII characters without spaces")]
    Field {
        /// What stood there.
        name: String,
    },
    /// The file system refused.
    #[error("log file {path}: {message}; check the folder and its rights")]
    Io {
        /// The file or folder that was touched.
        path: PathBuf,
        /// The kind of refusal.
        kind: io::ErrorKind,
        /// The system's own words.
        message: String,
    },
    /// The line is longer than [`MAX_LINE_BYTES`].
    #[error("line of {bytes} bytes is past the limit of {limit}; split its text")]
    LineTooLong {
        /// Size of the line in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Something that every line (or file) of this format has is not there.
    #[error("not a whole {format} line: {what} is missing")]
    Missing {
        /// The format that was tried.
        format: Format,
        /// What is missing.
        what: &'static str,
    },
    /// A CMTrace type is not 0, 1, 2 or 3.
    #[error("`{value}` is no severity; expected 0, 1, 2 or 3")]
    Severity {
        /// What stood there.
        value: String,
    },
    /// A thread is not a 32-bit number, or its decimal and hexadecimal forms differ.
    #[error("`{value}` is no thread; expected a decimal id (simple format: with the same id in hex)")]
    Thread {
        /// What stood there.
        value: String,
    },
    /// A date or time is malformed or out of range.
    #[error("`{value}` is no date and time; expected {expected}")]
    Time {
        /// What stood there.
        value: String,
        /// The form that was expected.
        expected: &'static str,
    },
    /// A `#Fields` line names more fields than [`w3c::MAX_FIELDS`](crate::w3c::MAX_FIELDS).
    #[error("#Fields names more than {limit} fields; select fewer")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

impl Error {
    pub(crate) fn at_line(self, line: usize) -> Self {
        Self::AtLine { line, cause: Box::new(self) }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), kind: error.kind(), message: error.to_string() }
    }
}

/// Drops the line end and refuses what is left when it is past the limit.
pub(crate) fn within_limit(line: &str) -> Result<&str, Error> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.len() > MAX_LINE_BYTES {
        return Err(Error::LineTooLong { bytes: line.len(), limit: MAX_LINE_BYTES });
    }
    Ok(line)
}

/// The first characters of `value`, enough to recognise it in a message.
pub(crate) fn quote(value: &str) -> String {
    value.chars().take(QUOTE_CHARS).collect()
}

/// The longest line that is written or read, in bytes without its line end: 1 MiB.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;

const QUOTE_CHARS: usize = 80;
