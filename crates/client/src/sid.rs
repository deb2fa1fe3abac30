//! Security identifiers of Windows accounts.

use std::fmt;
use std::str::FromStr;

use crate::ClientError;

/// A security identifier in its text form, `S-1-5-21-…` ([MS-DTYP] 2.4.2.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sid(String);

impl Sid {
    /// The local System account, in whose name the client runs.
    #[must_use]
    pub fn system() -> Self {
        Self("S-1-5-18".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sid {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::BadSid { got: text.chars().take(64).collect() };
        let parts: Vec<&str> = text.strip_prefix("S-1-").ok_or_else(bad)?.split('-').collect();
        let number = |part: &&str| part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok();
        // An authority and 1 to 15 further parts.
        if (2..=16).contains(&parts.len()) && parts.iter().all(number) {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_form_is_taken() {
        for good in ["S-1-5-18", "S-1-5-21-1-2-3-1604", "S-1-12-1-4294967295-0-0-0"] {
            assert_eq!(good.parse::<Sid>().unwrap().as_str(), good);
        }
        for bad in ["", "S-1-5", "s-1-5-18", "S-1-5-18/..", "S-1-5-", "S-1-5-+1", "S-1-5-4294967296"] {
            assert!(bad.parse::<Sid>().is_err(), "{bad}");
        }
        assert_eq!(Sid::system().as_str().parse::<Sid>().unwrap(), Sid::system());
    }
}
