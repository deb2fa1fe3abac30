//! Patterns of log lines and paths: literal text with a few named variables, nothing else.
//!
//! No regular expression and no wildcard: a pattern says what a line must be, and a person can read it
//! beside the line. [`Variable`] lists the variables; `{{` stands for a brace.

mod variable;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::suggest::did_you_mean;

pub use variable::Variable;

/// Text that a line, or the start of one, must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    source: String,
    parts: Vec<Part>,
}

/// How much of a line a pattern stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The whole line.
    #[default]
    Whole,
    /// The start of the line; whatever follows may follow.
    Start,
}

/// A text that is not a pattern. The message says what is wrong; then, behind a semicolon, what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Nothing to compare with.
    #[error("an empty pattern matches nothing; write the text that the line must be")]
    Empty,
    /// Too long.
    #[error("the pattern has {bytes} bytes; give at most {LONGEST}, with `match: start` for the rest")]
    TooLong {
        /// Its size in bytes.
        bytes: usize,
    },
    /// A brace without its other half.
    #[error("`{{` at character {at} of the pattern is never closed; write `{{{{` for a brace")]
    Unclosed {
        /// Position of the brace, from 1.
        at: usize,
    },
    /// A name that is no variable.
    #[error("`{{{name}}}` is not a variable; {fix} (`{{{{` stands for a brace)")]
    UnknownVariable {
        /// What stands between the braces.
        name: String,
        /// What to write instead.
        fix: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(Variable),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] names the place.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        match source.len() {
            0 => return Err(PatternError::Empty),
            bytes if bytes > LONGEST => return Err(PatternError::TooLong { bytes }),
            _ => {}
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(brace) = rest.find('{') {
            let (before, from_brace) = rest.split_at(brace);
            literal.push_str(before);
            if let Some(after) = from_brace.strip_prefix("{{") {
                literal.push('{');
                rest = after;
                continue;
            }
            let at = source.len() - from_brace.len();
            let unclosed = || PatternError::Unclosed { at: source[..at].chars().count() + 1 };
            let (name, after) = from_brace[1..].split_once('}').ok_or_else(unclosed)?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Variable(variable(name)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The pattern that stands for exactly this text.
    #[must_use]
    pub fn escaped(text: &str) -> String {
        text.replace('{', "{{")
    }

    /// Whether `text` is what the pattern says. The work grows with the product of the two lengths at
    /// worst, never beyond.
    #[must_use]
    pub fn matches(&self, text: &str, extent: Extent) -> bool {
        let (ends, _reached) = self.walk(text);
        match extent {
            Extent::Whole => ends.contains(&text.len()),
            Extent::Start => !ends.is_empty(),
        }
    }

    /// How many bytes of `text` agree with the pattern before the first difference; for finding the line
    /// that was probably meant.
    #[must_use]
    pub fn agreement(&self, text: &str) -> usize {
        self.walk(text).1
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Every place at which the whole pattern may end, and the furthest place that any way reached.
    fn walk(&self, text: &str) -> (Vec<usize>, usize) {
        let mut places = vec![0];
        let mut reached = 0;
        for part in &self.parts {
            let mut next = Vec::new();
            for &place in &places {
                let rest = &text[place..];
                match part {
                    Part::Literal(literal) => {
                        reached = reached.max(place + agreement(literal, rest));
                        if rest.starts_with(literal.as_str()) {
                            next.push(place + literal.len());
                        }
                    }
                    Part::Variable(variable) => variable.ends(rest, |length| next.push(place + length)),
                }
            }
            next.sort_unstable();
            next.dedup();
            reached = next.last().copied().unwrap_or(0).max(reached);
            places = next;
            if places.is_empty() {
                break;
            }
        }
        (places, reached)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        Self::parse(source)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(source: String) -> Result<Self, PatternError> {
        Self::parse(&source)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn variable(name: &str) -> Result<Variable, PatternError> {
    Variable::named(name).ok_or_else(|| PatternError::UnknownVariable {
        name: name.chars().take(40).collect(),
        fix: did_you_mean(name, &Variable::ALL.map(Variable::name)),
    })
}

fn agreement(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count()
}

const LONGEST: usize = 4096;

#[cfg(test)]
mod tests;
