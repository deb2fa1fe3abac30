//! How grave a CMTrace line is.

use crate::error::{Error, quote};

/// The `type` of a CMTrace line (configmgr.md 5.2). Simple lines carry none.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Type 0; occurs in verbose logs.
    Verbose = 0,
    /// Type 1.
    #[default]
    Info = 1,
    /// Type 2; CMTrace shows it yellow.
    Warning = 2,
    /// Type 3; CMTrace shows it red.
    Error = 3,
}

impl Severity {
    /// The digit that the line carries.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn parse(value: &str) -> Result<Self, Error> {
        match value {
            "0" => Ok(Self::Verbose),
            "1" => Ok(Self::Info),
            "2" => Ok(Self::Warning),
            "3" => Ok(Self::Error),
            _ => Err(Error::Severity { value: quote(value) }),
        }
    }
}
