//! The parser's errors in our words: where, what, do this.

use serde_saphyr::{Error, Location, Spanned};

use crate::error::Mistake;
use crate::suggest::did_you_mean;

/// The mistake that stopped the parser.
pub(super) fn of(error: &Error) -> Mistake {
    let (line, column) = error.location().map_or((0, 0), place);
    let (what, fix) = words(error.without_snippet());
    Mistake { line, column, what, fix }
}

/// A mistake at the place of a value.
pub(super) fn at<T>(value: &Spanned<T>, what: impl Into<String>, fix: impl Into<String>) -> Mistake {
    let (line, column) = place(value.referenced);
    Mistake { line, column, what: what.into(), fix: fix.into() }
}

fn place(location: Location) -> (u64, u64) {
    (location.line(), location.column())
}

fn words(error: &Error) -> (String, String) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{}`", cut(field)), did_you_mean(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown word `{}`", cut(variant)), did_you_mean(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("the key `{field}` is missing"), format!("add `{field}:`"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key =
                key.as_deref().map_or_else(|| "a key".to_owned(), |key| format!("the key `{}`", cut(key)));
            (format!("{key} stands here twice"), "keep one of the two".to_owned())
        }
        // Messages of this crate's own types say what to do behind a semicolon.
        Error::Message { msg, .. } | Error::ExternalMessage { msg, .. } => match msg.split_once("; ") {
            Some((what, fix)) => (what.to_owned(), fix.to_owned()),
            None => (msg.clone(), COMPARE.to_owned()),
        },
        other => (bare(&other.to_string()), COMPARE.to_owned()),
    }
}

/// The parser's own words, without the place that stands before them already.
fn bare(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let behind_place = line.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    let text = behind_place.map_or(line, |(_place, text)| text);
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _place)| text);
    text.to_owned()
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

const COMPARE: &str = "compare with a built-in scenario, such as install/device-token";
