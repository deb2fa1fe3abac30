//! Why a certificate, key or CRL could not be made or read.

use jiff::Timestamp;

use crate::KeyKind;

/// Every failure of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The profiles file is not valid.
    #[error("profiles: {reason}; see certs/README.md for the fields")]
    Profiles {
        /// What is wrong, with the place where the parser knows it.
        reason: String,
    },
    /// No authority of that name is in the profiles.
    #[error("no authority profile {name:?}; there are: {known}")]
    UnknownAuthority {
        /// The name asked for.
        name: String,
        /// The names that exist, comma-separated.
        known: String,
    },
    /// No leaf of that name is in the profiles.
    #[error("no certificate profile {name:?}; there are: {known}")]
    UnknownProfile {
        /// The name asked for.
        name: String,
        /// The names that exist, comma-separated.
        known: String,
    },
    /// The authority's profile has no CRL.
    #[error("authority {authority:?} publishes no CRL; give its profile a crl entry")]
    NoCrl {
        /// The authority asked.
        authority: String,
    },
    /// A subject name cannot stand in a certificate.
    #[error("{name:?} cannot be a certificate name: {reason}")]
    Name {
        /// The name as given.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A private key could not be made or parsed.
    #[error("private key: {reason}")]
    Key {
        /// What the provider or the parser said.
        reason: String,
    },
    /// The operation needs a key of another kind.
    #[error("needs a key of kind {wanted:?}, got {found:?}")]
    KeyKind {
        /// The kind needed.
        wanted: KeyKind,
        /// The kind given.
        found: KeyKind,
    },
    /// A public key is of a kind or size that the lab does not certify.
    #[error("public key refused: {reason}; use RSA of 2048 to 4096 bits or P-256")]
    PublicKey {
        /// What it is.
        reason: String,
    },
    /// A date cannot be written in a certificate (years 1950 to 9999, start before end).
    #[error("{at} cannot be a date here: {reason}")]
    Date {
        /// The date in question.
        at: Timestamp,
        /// Why not.
        reason: &'static str,
    },
    /// Signing or encoding failed in the certificate library.
    #[error("signing failed: {reason}")]
    Signing {
        /// What the library said.
        reason: String,
    },
    /// Bytes from outside are not what they should be.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which structure.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes from outside are past the size limit.
    #[error("{what} is {size} long; the limit is {limit}")]
    TooLarge {
        /// Which structure.
        what: &'static str,
        /// Size found, in bytes (or in items for a list).
        size: usize,
        /// Largest size accepted.
        limit: usize,
    },
    /// A signature does not verify, or uses an algorithm that is not accepted.
    #[error("signature of {what} refused: {reason}")]
    Signature {
        /// Which structure carries it.
        what: &'static str,
        /// Why.
        reason: &'static str,
    },
}

impl PkiError {
    pub(crate) fn malformed(what: &'static str, reason: impl ToString) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }

    pub(crate) fn signing(reason: impl ToString) -> Self {
        Self::Signing { reason: reason.to_string() }
    }
}

/// Refuses `bytes` past `limit`.
pub(crate) fn limited(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), PkiError> {
    let size = bytes.len();
    if size > limit { Err(PkiError::TooLarge { what, size, limit }) } else { Ok(()) }
}
