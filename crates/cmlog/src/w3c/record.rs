//! One request.

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use crate::error::{Error, quote, within_limit};
use crate::w3c::field::Field;

/// The values of one request by field, in the form that the file holds: `SMS+CCM+5.0`. A field without a
/// value is absent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record(BTreeMap<Field, String>);

impl Record {
    /// A record with its `date` and `time` set to `at`: UTC, cut to the second.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        let utc = Offset::UTC.to_datetime(at);
        let mut record = Self::default();
        record.set(Field::Date, utc.strftime("%Y-%m-%d")).set(Field::Time, utc.strftime("%H:%M:%S"));
        record
    }

    /// Reads a line whose columns are `fields`.
    ///
    /// # Errors
    /// [`Error::LineTooLong`]; [`Error::Columns`] when the counts differ; [`Error::Time`] when a `date` or
    /// `time` column is malformed.
    pub fn parse(line: &str, fields: &[Field]) -> Result<Self, Error> {
        let line = within_limit(line)?;
        let found = line.split_ascii_whitespace().count();
        if found != fields.len() {
            return Err(Error::Columns { expected: fields.len(), found });
        }
        let mut record = Self::default();
        for (field, value) in fields.iter().zip(line.split_ascii_whitespace()) {
            check(field, value)?;
            record.set(field.clone(), value);
        }
        Ok(record)
    }

    /// Sets `field` in the form that the file holds: white space and control characters become `+`, a
    /// leading `#` becomes `%23` (it would start a directive), an empty value or `-` clears the field.
    pub fn set(&mut self, field: Field, value: impl fmt::Display) -> &mut Self {
        let value = encode(&value.to_string());
        if value.is_empty() || value == "-" {
            self.0.remove(&field);
        } else {
            self.0.insert(field, value);
        }
        self
    }

    /// [`Record::set`] for building a record in one expression.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl fmt::Display) -> Self {
        self.set(field, value);
        self
    }

    /// The value of `field`, if it has one.
    #[must_use]
    pub fn value(&self, field: &Field) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// The instant that `date` and `time` tell, if both are there.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        let date = parse_date(self.value(&Field::Date)?)?;
        let time = parse_time(self.value(&Field::Time)?)?;
        Offset::UTC.to_timestamp(date.to_datetime(time)).ok()
    }

    /// The line under a header that names `fields`, without its line end; `-` for what is absent.
    #[must_use]
    pub fn line(&self, fields: &[Field]) -> String {
        let values: Vec<&str> = fields.iter().map(|field| self.value(field).unwrap_or("-")).collect();
        values.join(" ")
    }
}

fn check(field: &Field, value: &str) -> Result<(), Error> {
    let refused = |expected| Error::Time { value: quote(value), expected };
    match field {
        _ if value == "-" => Ok(()),
        Field::Date => parse_date(value).map(drop).ok_or_else(|| refused("yyyy-MM-dd")),
        Field::Time => parse_time(value).map(drop).ok_or_else(|| refused("HH:mm:ss")),
        _ => Ok(()),
    }
}

fn parse_date(value: &str) -> Option<civil::Date> {
    civil::Date::strptime("%Y-%m-%d", value).ok()
}

fn parse_time(value: &str) -> Option<civil::Time> {
    civil::Time::strptime("%H:%M:%S", value).ok()
}

fn encode(value: &str) -> String {
    let plain = value.replace(|c: char| c.is_whitespace() || c.is_control(), "+");
    match plain.strip_prefix('#') {
        Some(rest) => format!("%23{rest}"),
        None => plain,
    }
}
