//! Links to files in Azure blob storage: the account, and the shared access signature of one blob.
//!
//! Fidelity: documented, as the Azure Storage reference has a service signature of version 2018-11-09 for
//! `sr=b`: the parameters, the string to sign, and the encodings. Only the right to read is known here, and no
//! parameter beyond those six is taken.

mod access;
mod link;

pub use access::{BlobAccess, PresentedAccess};
pub use link::BlobLink;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of a storage account: 3 to 24 lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StorageAccount(String);

impl StorageAccount {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of its blobs, `<account>.blob.core.windows.net`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{self}.blob.core.windows.net")
    }
}

impl FromStr for StorageAccount {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        let good = (3..=24).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if good { Ok(Self(text.to_owned())) } else { Err(StorageError::Account { got: cut(text) }) }
    }
}

impl fmt::Display for StorageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for StorageAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StorageAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a link to storage is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Not the name of an account.
    #[error("storage account {got:?}: expected 3 to 24 lower-case letters and digits")]
    Account {
        /// The text, cut to 64 characters.
        got: String,
    },
    /// Not a URL of a blob.
    #[error("link to storage: expected https://<host>/<path> of at most {MAX_LINK} visible ASCII characters")]
    Link,
    /// More than [`MAX_ACCESS`] bytes.
    #[error("shared access signature: a query of {bytes} bytes; at most {MAX_ACCESS} are read")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// A parameter is not there.
    #[error("shared access signature: {name} is missing")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter is given twice.
    #[error("shared access signature: {name} is given twice")]
    Twice {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter that is not known here.
    #[error("shared access signature: parameter {got:?} is not known here")]
    Unknown {
        /// Its name, cut to 64 characters.
        got: String,
    },
    /// A value that cannot be read, or is not taken.
    #[error("shared access signature: {name} cannot be taken; expected {expected}")]
    Bad {
        /// The parameter.
        name: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The version of the storage service whose form of signature this is.
pub const VERSION: &str = "2018-11-09";
/// The longest link that is read, in bytes.
pub const MAX_LINK: usize = 4096;
/// The longest query that is read, in bytes.
pub const MAX_ACCESS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_their_form() {
        let account: StorageAccount = "labcontent1".parse().unwrap();
        assert_eq!(account.host(), "labcontent1.blob.core.windows.net");
        for bad in ["", "ab", "Lab", "lab-content", "lab.test", &"a".repeat(25), "é12"] {
            assert!(bad.parse::<StorageAccount>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<StorageAccount>("\"labcontent1\"").unwrap(), account);
        assert!(serde_json::from_str::<StorageAccount>("\"L\"").is_err());
    }
}
