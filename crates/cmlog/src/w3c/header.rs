//! The directives at the top of a log, and wherever IIS restarted.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use crate::any::Format;
use crate::error::{Error, quote};
use crate::w3c::field::Field;

/// The four directives that IIS writes before records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// `#Software`: at most 256 bytes when read.
    pub software: String,
    /// `#Version` of the log format.
    pub version: String,
    /// `#Date`: when the block was begun; whole seconds are written.
    pub date: Timestamp,
    /// `#Fields`: the columns of the records that follow, when read, one to [`MAX_FIELDS`] and none
    /// twice.
    pub fields: Vec<Field>,
}

impl Header {
    /// What IIS 10 writes at `date` with every standard field selected.
    #[must_use]
    pub fn iis(date: Timestamp) -> Self {
        Self {
            software: "Microsoft Internet Information Services 10.0".to_owned(),
            version: "1.0".to_owned(),
            date,
            fields: Field::ALL.to_vec(),
        }
    }

    /// The four lines, without line ends. Line breaks in a value become spaces.
    #[must_use]
    pub fn lines(&self) -> [String; 4] {
        let one_line = |value: &str| value.replace(['\r', '\n'], " ");
        let fields: Vec<&str> = self.fields.iter().map(Field::name).collect();
        [
            format!("#Software: {}", one_line(&self.software)),
            format!("#Version: {}", one_line(&self.version)),
            format!("#Date: {}", Offset::UTC.to_datetime(self.date).strftime(DATE_TIME)),
            format!("#Fields: {}", fields.join(" ")),
        ]
    }
}

/// Collects directives until `#Fields` completes a [`Header`]. A later block inherits what it leaves out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directives {
    software: Option<String>,
    version: Option<String>,
    date: Option<Timestamp>,
}

impl Directives {
    /// Takes a line that starts with `#`; returns the header when the line is `#Fields`.
    pub(crate) fn take(&mut self, line: &str) -> Result<Option<Header>, Error> {
        let Some((name, value)) = line.split_once(':') else { return Ok(None) };
        let value = value.trim();
        match name {
            "#Software" => self.software = Some(short("Software", value)?),
            "#Version" => self.version = Some(short("Version", value)?),
            "#Date" => self.date = Some(parse_date(value)?),
            "#Fields" => return self.header(value).map(Some),
            _ => {}
        }
        Ok(None)
    }

    fn header(&self, fields: &str) -> Result<Header, Error> {
        Ok(Header {
            software: self.software.clone().ok_or_else(|| missing("#Software"))?,
            version: self.version.clone().ok_or_else(|| missing("#Version"))?,
            date: self.date.ok_or_else(|| missing("#Date"))?,
            fields: parse_fields(fields)?,
        })
    }
}

/// Whether `line` is one of the four directives that make a [`Header`].
pub(crate) fn is_directive(line: &str) -> bool {
    ["#Software:", "#Version:", "#Date:", "#Fields:"].iter().any(|name| line.starts_with(name))
}

pub(crate) fn missing(what: &'static str) -> Error {
    Error::Missing { format: Format::W3c, what }
}

fn parse_fields(value: &str) -> Result<Vec<Field>, Error> {
    let mut fields = Vec::new();
    for name in value.split_ascii_whitespace() {
        if fields.len() == MAX_FIELDS {
            return Err(Error::TooManyFields { limit: MAX_FIELDS });
        }
        let field: Field = name.parse()?;
        if fields.contains(&field) {
            return Err(Error::Duplicate { name: quote(name) });
        }
        fields.push(field);
    }
    if fields.is_empty() {
        return Err(Error::Directive { name: "Fields", value: quote(value) });
    }
    Ok(fields)
}

fn parse_date(value: &str) -> Result<Timestamp, Error> {
    civil::DateTime::strptime(DATE_TIME, value)
        .and_then(|date| Offset::UTC.to_timestamp(date))
        .map_err(|_| Error::Directive { name: "Date", value: quote(value) })
}

fn short(name: &'static str, value: &str) -> Result<String, Error> {
    if value.len() > MAX_DIRECTIVE_BYTES {
        return Err(Error::Directive { name, value: quote(value) });
    }
    Ok(value.to_owned())
}

/// The most fields a `#Fields` line may name.
pub const MAX_FIELDS: usize = 64;

/// Each later block inherits these values, so a long one would be copied many times.
const MAX_DIRECTIVE_BYTES: usize = 256;

const DATE_TIME: &str = "%Y-%m-%d %H:%M:%S";
