//! Why a lab cannot run.

use std::fmt::Display;

/// A lab that cannot be started, with the part that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {cause}")]
pub struct LabError {
    /// The part of the lab.
    pub part: String,
    /// The cause in words, with what to do where that is known.
    pub cause: String,
}

impl LabError {
    pub(crate) fn of<E: Display>(part: &str) -> impl FnOnce(E) -> Self {
        move |error| Self { part: part.to_owned(), cause: error.to_string() }
    }
}
