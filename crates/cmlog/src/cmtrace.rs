//! CMTrace lines: what the client and the management point write.
//!
//! `<![LOG[text]LOG]!><time="HH:mm:ss.fff±bias" date="MM-dd-yyyy" component="X" context="" type="1"
//! thread="n" file="src.cpp:line">`, on one line but for line breaks inside the text.
//!
//! Fidelity: observed (configmgr.md 5.2).
//!
//! The format has no escapes, so a few texts cannot be carried as they are; [`Line::as_written`] tells
//! what a reader gets back:
//! - `]LOG]!>` in the text becomes `]LOG]! >`, and `<![LOG[` after a line break gets a space before it,
//!   so that neither end nor start of a record can be forged from within;
//! - in attributes `"` becomes `'` and a line break becomes a space;
//! - the time is cut to the millisecond, and to the year 1 or later.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use crate::any::Format;
use crate::bias::Bias;
use crate::error::{Error, quote, within_limit};
use crate::severity::Severity;
use crate::stamp;

#[cfg(test)]
mod tests;

/// One CMTrace line. `Display` writes it without a line end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// What is said; may hold line breaks.
    pub text: String,
    /// When; printed as local time at `bias`, to the millisecond.
    pub at: Timestamp,
    /// The time zone of the machine that logs.
    pub bias: Bias,
    /// The component that logs, such as `ccmsetup`.
    pub component: String,
    /// Mostly empty.
    pub context: String,
    /// How grave it is.
    pub severity: Severity,
    /// Id of the thread that logs.
    pub thread: u32,
    /// Where in the source, the `file` attribute: `ccmsetup.cpp:12`. May be empty.
    pub source: String,
}

impl Line {
    /// Reads one record, with or without its line end. The attributes may come in any order; `context`
    /// and `file` may be missing, unknown ones are skipped.
    ///
    /// # Errors
    /// [`Error::LineTooLong`], [`Error::Missing`], [`Error::Attributes`], [`Error::Duplicate`],
    /// [`Error::Time`], [`Error::Bias`], [`Error::Severity`], [`Error::Thread`].
    pub fn parse(line: &str) -> Result<Self, Error> {
        let body = within_limit(line)?.strip_prefix(START).ok_or_else(|| missing(START))?;
        let (text, attributes) = body.split_once(END).ok_or_else(|| missing(END))?;
        let attributes = Attributes::parse(attributes)?;
        let (at, bias) = stamp::parse(attributes.required("date")?, attributes.required("time")?)?;
        let thread = attributes.required("thread")?;
        Ok(Self {
            text: text.to_owned(),
            at,
            bias,
            component: attributes.required("component")?.to_owned(),
            context: attributes.optional("context").to_owned(),
            severity: Severity::parse(attributes.required("type")?)?,
            thread: thread.parse().map_err(|_| Error::Thread { value: quote(thread) })?,
            source: attributes.optional("file").to_owned(),
        })
    }

    /// The line as [`Line::parse`] reads it back, with every replacement the format forces (module doc).
    #[must_use]
    pub fn as_written(&self) -> Self {
        Self {
            text: safe_text(&self.text).into_owned(),
            at: stamp::written(self.at),
            component: safe_attribute(&self.component).into_owned(),
            context: safe_attribute(&self.context).into_owned(),
            source: safe_attribute(&self.source).into_owned(),
            ..*self
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"{START}{text}{END}<time="{time}{bias}" date="{date}" component="{component}" context="{context}" type="{severity}" thread="{thread}" file="{source}">"#,
            text = safe_text(&self.text),
            time = stamp::time(self.at, self.bias),
            bias = self.bias.cmtrace(),
            date = stamp::date(self.at, self.bias),
            component = safe_attribute(&self.component),
            context = safe_attribute(&self.context),
            severity = self.severity.code(),
            thread = self.thread,
            source = safe_attribute(&self.source),
        )
    }
}

/// How many bytes of `text`, which starts with [`START`], the first record takes, line end included.
/// `None` when the record is unfinished: the text or the next record's start comes before its end.
pub(crate) fn record_bytes(text: &str) -> Option<usize> {
    let upto = text.find(NEXT_START).unwrap_or(text.len());
    let end = text[..upto].find(END)? + END.len();
    Some(text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1))
}

/// The `name="value"` pairs behind the text.
struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    fn parse(text: &'a str) -> Result<Self, Error> {
        let malformed = |near| Error::Attributes { near: quote(near) };
        let mut rest = text
            .trim_end()
            .strip_prefix('<')
            .and_then(|inner| inner.strip_suffix('>'))
            .ok_or_else(|| malformed(text))?
            .trim();
        let mut pairs = Vec::new();
        while !rest.is_empty() {
            let (name, tail) = rest.split_once("=\"").ok_or_else(|| malformed(rest))?;
            let (value, tail) = tail.split_once('"').ok_or_else(|| malformed(rest))?;
            if pairs.len() == MAX_ATTRIBUTES || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(malformed(rest));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Error::Duplicate { name: quote(name) });
            }
            pairs.push((name, value));
            rest = tail.trim_start();
        }
        Ok(Self(pairs))
    }

    fn required(&self, name: &'static str) -> Result<&'a str, Error> {
        self.find(name).ok_or_else(|| missing(name))
    }

    fn optional(&self, name: &str) -> &'a str {
        self.find(name).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

fn safe_text(text: &str) -> Cow<'_, str> {
    if !text.contains(END) && !text.contains(NEXT_START) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(END, "]LOG]! >").replace(NEXT_START, "\n <![LOG["))
}

fn safe_attribute(value: &str) -> Cow<'_, str> {
    if !value.contains(['"', '\r', '\n']) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.replace('"', "'").replace(['\r', '\n'], " "))
}

fn missing(what: &'static str) -> Error {
    Error::Missing { format: Format::CmTrace, what }
}

pub(crate) const START: &str = "<![LOG[";
const NEXT_START: &str = "\n<![LOG[";
const END: &str = "]LOG]!>";
const MAX_ATTRIBUTES: usize = 32;
