//! Why a token was refused or could not be made.

use jiff::Timestamp;

/// Every failure of this crate. A refusal names its cause; the first one found counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a compact JWS with JSON inside (RFC 7515 section 7.1), or a key set that is not one.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Past the size or count limit.
    #[error("{what} is too large: {size}, the limit is {limit}")]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// Size found, in bytes or entries.
        size: usize,
        /// Largest size accepted.
        limit: usize,
    },
    /// The algorithm is `none`.
    #[error("the token is not signed (alg none)")]
    Unsigned,
    /// An algorithm that is not accepted here.
    #[error("signature algorithm {0:?} is not accepted here")]
    Algorithm(String),
    /// No key of that id is in the key set; perhaps the set is out of date.
    #[error("no key {kid:?} in the key set; fetch the set again or check who issued the token")]
    UnknownKey {
        /// The header's `kid`, else its thumbprint; none when it names no key.
        kid: Option<String>,
    },
    /// The signature does not verify.
    #[error("the signature does not verify with the key that the token names")]
    Signature,
    /// An encrypted token does not open: another key, or it was changed. Which of them is not told apart.
    #[error("it does not decrypt: encrypted to another key, or changed on its way")]
    Decryption,
    /// The issuer is not one of those expected.
    #[error("issuer {found:?} is not one of {expected:?}")]
    Issuer {
        /// The claim `iss`.
        found: String,
        /// What would have been accepted.
        expected: Vec<String>,
    },
    /// No audience of the token is one of those expected.
    #[error("audience {found:?} is none of {expected:?}")]
    Audience {
        /// The claim `aud`.
        found: Vec<String>,
        /// What would have been accepted.
        expected: Vec<String>,
    },
    /// Past its `exp`, leeway included.
    #[error("expired: valid to {valid_to}, and it is {now}")]
    Expired {
        /// The claim `exp`.
        valid_to: Timestamp,
        /// When it was checked.
        now: Timestamp,
    },
    /// Before its `nbf`, leeway included.
    #[error("not yet valid: valid from {valid_from}, and it is {now}")]
    NotYetValid {
        /// The claim `nbf`.
        valid_from: Timestamp,
        /// When it was checked.
        now: Timestamp,
    },
    /// A required claim is absent or of the wrong type.
    #[error("claim {0:?} is missing or of the wrong type")]
    MissingClaim(String),
    /// The header carries no usable certificate (`x5c`).
    #[error("certificate in the header (x5c): {reason}")]
    Certificate {
        /// What is wrong.
        reason: String,
    },
    /// A signing key could not be made or used.
    #[error("signing key: {reason}")]
    Key {
        /// What the provider said.
        reason: String,
    },
}

impl TokenError {
    pub(crate) fn malformed(what: &'static str, reason: impl ToString) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }

    pub(crate) fn key(reason: impl ToString) -> Self {
        Self::Key { reason: reason.to_string() }
    }

    pub(crate) fn certificate(reason: impl ToString) -> Self {
        Self::Certificate { reason: reason.to_string() }
    }
}

/// Refuses a size past `limit`.
pub(crate) fn limited(what: &'static str, size: usize, limit: usize) -> Result<(), TokenError> {
    if size > limit { Err(TokenError::TooLarge { what, size, limit }) } else { Ok(()) }
}
