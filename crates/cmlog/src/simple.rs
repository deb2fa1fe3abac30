//! Server "simple" lines: what site server components, the CMG and its connection point write.
//!
//! `text~~  $$<Component><MM-dd-yyyy HH:mm:ss.fff+bias><thread=n (0xN)>`, always on one line. `~` stands
//! for one line break character: a carriage return and line feed are `~~`, and so is the end of the text.
//!
//! Fidelity: documented (configmgr.md 5.2, 5.7).
//!
//! The format has no escapes; [`Line::as_written`] tells what a reader gets back: line break characters in
//! the text become `~` (a reader cannot tell them from real ones), in the component `<` and `>` become
//! `_` and a line break a space, and the time is cut to the millisecond and to the year 1 or later.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use crate::any::Format;
use crate::bias::Bias;
use crate::error::{Error, quote, within_limit};
use crate::stamp;

#[cfg(test)]
mod tests;

/// One simple line. `Display` writes it without a line end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// What is said, without the closing `~~`. A parsed text has `~` where line breaks were.
    pub text: String,
    /// The component that logs, such as `CMGService`.
    pub component: String,
    /// When; printed as local time at `bias`, to the millisecond.
    pub at: Timestamp,
    /// The time zone of the machine that logs.
    pub bias: Bias,
    /// Id of the thread that logs.
    pub thread: u32,
}

impl Line {
    /// Reads one line, with or without its line end. The `~~` that closes the text is dropped; a single
    /// `~` or none is accepted too.
    ///
    /// # Errors
    /// [`Error::LineTooLong`], [`Error::Missing`], [`Error::Time`], [`Error::Bias`], [`Error::Thread`].
    pub fn parse(line: &str) -> Result<Self, Error> {
        let line = within_limit(line)?.trim_end();
        let mark = line.rfind(MARK).ok_or_else(|| missing(MARK))?;
        let tags = line[mark + MARK.len()..].strip_suffix('>').ok_or_else(|| missing("the closing >"))?;
        let mut tags = tags.split("><");
        let component = tags.next().ok_or_else(|| missing("the component"))?;
        let stamp = tags.next().ok_or_else(|| missing("the date and time"))?;
        let thread = tags.next().ok_or_else(|| missing("the thread"))?;
        if tags.next().is_some() {
            return Err(Error::Thread { value: quote(thread) });
        }
        let (date, time) = stamp.split_once(' ').ok_or_else(|| missing("the time"))?;
        let (at, bias) = stamp::parse(date, time)?;
        Ok(Self {
            text: open_text(&line[..mark]).to_owned(),
            component: component.to_owned(),
            at,
            bias,
            thread: parse_thread(thread)?,
        })
    }

    /// The line as [`Line::parse`] reads it back, with every replacement the format forces (module doc).
    #[must_use]
    pub fn as_written(&self) -> Self {
        Self {
            text: safe_text(&self.text).into_owned(),
            component: safe_component(&self.component).into_owned(),
            at: stamp::written(self.at),
            ..*self
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{text}~~  {MARK}{component}><{date} {time}{bias}><thread={thread} (0x{thread:X})>",
            text = safe_text(&self.text),
            component = safe_component(&self.component),
            date = stamp::date(self.at, self.bias),
            time = stamp::time(self.at, self.bias),
            bias = self.bias.simple(),
            thread = self.thread,
        )
    }
}

/// The text without the two spaces and the line break mark that close it.
fn open_text(text: &str) -> &str {
    let text = text.strip_suffix("  ").unwrap_or(text);
    text.strip_suffix("~~").or_else(|| text.strip_suffix('~')).unwrap_or(text)
}

fn parse_thread(value: &str) -> Result<u32, Error> {
    let refused = || Error::Thread { value: quote(value) };
    let (decimal, hexadecimal) = value
        .strip_prefix("thread=")
        .and_then(|ids| ids.strip_suffix(')'))
        .and_then(|ids| ids.split_once(" (0x"))
        .ok_or_else(refused)?;
    let thread: u32 = decimal.parse().map_err(|_| refused())?;
    if u32::from_str_radix(hexadecimal, 16) == Ok(thread) { Ok(thread) } else { Err(refused()) }
}

fn safe_text(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(['\r', '\n'], "~"))
}

fn safe_component(component: &str) -> Cow<'_, str> {
    if !component.contains(['<', '>', '\r', '\n']) {
        return Cow::Borrowed(component);
    }
    Cow::Owned(component.replace(['<', '>'], "_").replace(['\r', '\n'], " "))
}

fn missing(what: &'static str) -> Error {
    Error::Missing { format: Format::Simple, what }
}

pub(crate) const MARK: &str = "$$<";
