use std::fmt;
use std::str::FromStr;

use super::{MAX_LINK, StorageError};

/// The URL of a blob, which its query may grant to whoever has it. `Debug` shows the path alone.
#[derive(Clone, PartialEq, Eq)]
pub struct BlobLink(String);

impl BlobLink {
    /// The whole URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for BlobLink {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        let host_and_path = text.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let good = text.len() <= MAX_LINK
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && host_and_path.is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
        if good { Ok(Self(text.to_owned())) } else { Err(StorageError::Link) }
    }
}

impl fmt::Debug for BlobLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.split('?').next().unwrap_or_default();
        write!(f, "BlobLink({path})")
    }
}
