//! Files of any format, line by line.

use std::fmt;

use crate::error::{Error, within_limit};
use crate::{cmtrace, simple, w3c};

#[cfg(test)]
mod tests;

/// The format of a line.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// [`cmtrace`].
    CmTrace,
    /// [`simple`].
    Simple,
    /// [`w3c`].
    W3c,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CmTrace => "CMTrace",
            Self::Simple => "simple",
            Self::W3c => "W3C",
        })
    }
}

/// One line of a log file.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnyLine {
    /// A CMTrace record, however many lines its text has.
    CmTrace(cmtrace::Line),
    /// A server line.
    Simple(simple::Line),
    /// A block of W3C directives; comes where its `#Fields` line stands.
    W3cHeader(w3c::Header),
    /// A W3C record, read by the last `#Fields` line.
    W3c(w3c::Record),
    /// Text in none of the formats.
    Other {
        /// Number of its first line, counted from 1.
        line: usize,
        /// The text, without its line end.
        text: String,
        /// What is wrong, when the text looks like one of the formats.
        cause: Option<Error>,
    },
}

impl AnyLine {
    /// The format, unless the line has none.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::CmTrace(_) => Some(Format::CmTrace),
            Self::Simple(_) => Some(Format::Simple),
            Self::W3cHeader(_) | Self::W3c(_) => Some(Format::W3c),
            Self::Other { .. } => None,
        }
    }
}

/// Reads the text of a log file line by line, whichever formats it mixes. Blank lines and a byte order mark
/// are skipped; what cannot be read comes as [`AnyLine::Other`], so a damaged file is read to its end. A
/// CMTrace record that was cut off ends where the next one starts.
#[must_use]
pub fn parse_any(text: &str) -> AnyLines<'_> {
    AnyLines {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        directives: w3c::Directives::default(),
        fields: None,
    }
}

/// The format of the first line that has one.
#[must_use]
pub fn detect(text: &str) -> Option<Format> {
    parse_any(text).find_map(|line| line.format())
}

/// The lines of a log file; made by [`parse_any`].
#[derive(Clone, Debug)]
pub struct AnyLines<'a> {
    rest: &'a str,
    /// Number of the first line of `rest`.
    line: usize,
    directives: w3c::Directives,
    fields: Option<Vec<w3c::Field>>,
}

impl Iterator for AnyLines<'_> {
    type Item = AnyLine;

    fn next(&mut self) -> Option<AnyLine> {
        while !self.rest.is_empty() {
            let line = self.line;
            let text = self.split_record();
            let read = match self.read(text) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(cause) => AnyLine::Other { line, text: text.to_owned(), cause },
            };
            return Some(read);
        }
        None
    }
}

impl<'a> AnyLines<'a> {
    /// Cuts off the next line, or the lines of the next CMTrace record, without the line end.
    fn split_record(&mut self) -> &'a str {
        let record =
            if self.rest.starts_with(cmtrace::START) { cmtrace::record_bytes(self.rest) } else { None };
        let bytes = record.or_else(|| self.rest.find('\n').map(|newline| newline + 1));
        let (record, rest) = self.rest.split_at(bytes.unwrap_or(self.rest.len()));
        self.rest = rest;
        self.line += record.bytes().filter(|byte| *byte == b'\n').count();
        record.trim_end_matches(['\r', '\n'])
    }

    /// `Ok(None)` for what says nothing by itself; `Err(None)` for text that looks like no format.
    fn read(&mut self, text: &str) -> Result<Option<AnyLine>, Option<Error>> {
        within_limit(text)?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let mut cause = None;
        if text.starts_with(cmtrace::START) {
            match cmtrace::Line::parse(text) {
                Ok(line) => return Ok(Some(AnyLine::CmTrace(line))),
                Err(error) => cause = Some(error),
            }
        }
        if text.contains(simple::MARK) {
            match simple::Line::parse(text) {
                Ok(line) => return Ok(Some(AnyLine::Simple(line))),
                Err(error) => cause = cause.or(Some(error)),
            }
        }
        if w3c::is_directive(text) {
            return self.directive(text);
        }
        if let Some(fields) = &self.fields {
            match w3c::Record::parse(text, fields) {
                Ok(record) => return Ok(Some(AnyLine::W3c(record))),
                Err(error) => cause = cause.or(Some(error)),
            }
        }
        Err(cause)
    }

    fn directive(&mut self, text: &str) -> Result<Option<AnyLine>, Option<Error>> {
        let Some(header) = self.directives.take(text)? else { return Ok(None) };
        self.fields = Some(header.fields.clone());
        Ok(Some(AnyLine::W3cHeader(header)))
    }
}
