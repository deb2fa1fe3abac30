//! The claims of the tokens that the CMG and the management point read, and of those the site writes.
//!
//! Signing, verifying and times are elsewhere; here are only the JSON forms.

mod aad;
mod site;

pub use aad::{AadClaims, AadTokenKind};
pub use site::{
    AUDIENCE, BulkRegistrationClaims, CCM_TOKEN_LIFETIME, CLIENT_TOKEN_LIFETIME, CLIENT_TOKEN_RENEWAL,
    CcmClaims, CcmTokenType, DEFAULT_BULK_LIFETIME, MAX_BULK_LIFETIME, SiteClaims, issuer,
};

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A time in a token: whole seconds since 1970 (RFC 7519 §2). Read from an integer, a fraction or a
/// string of either, since all of them occur; written as an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct NumericDate(pub i64);

impl NumericDate {
    /// The same time on the lab's clock; `None` beyond what it can hold.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_second(self.0).ok()
    }
}

impl From<Timestamp> for NumericDate {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_second())
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumericDateVisitor)
    }
}

struct NumericDateVisitor;

impl de::Visitor<'_> for NumericDateVisitor {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970, as a number or a string")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<NumericDate, E> {
        Ok(NumericDate(seconds))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
        i64::try_from(seconds).map(NumericDate).map_err(|_| E::custom("a time beyond 64 bits"))
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // Within these bounds every whole number of seconds is exact in an f64.
        if seconds.abs() < 9.0e15 {
            #[expect(clippy::cast_possible_truncation, reason = "the fraction is dropped on purpose")]
            Ok(NumericDate(seconds.floor() as i64))
        } else {
            Err(E::custom("a time beyond 64 bits"))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NumericDate, E> {
        match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(seconds), _) => Ok(NumericDate(seconds)),
            (_, Ok(seconds)) => self.visit_f64(seconds),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

/// Why a payload holds no usable claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// More than [`MAX_PAYLOAD`] bytes.
    #[error("token payload of {bytes} bytes; at most {MAX_PAYLOAD} are read")]
    TooLarge {
        /// The length in bytes.
        bytes: usize,
    },
    /// Not a JSON object, or a claim is missing or of the wrong kind.
    #[error("token payload: {detail}")]
    Malformed {
        /// What the JSON reader says.
        detail: String,
    },
    /// `SCCMTokenCategory` is neither of the two known.
    #[error("token payload: SCCMTokenCategory is {got:?}; expected SCCMToken or SCCMPreAuthToken")]
    UnknownCategory {
        /// The value, cut to 64 characters; empty when the claim is missing.
        got: String,
    },
    /// A claim has a value that the site never writes.
    #[error("token payload: {claim} is {got:?}; expected {expected:?}")]
    Unexpected {
        /// The claim.
        claim: &'static str,
        /// Its value, cut to 128 characters.
        got: String,
        /// The value it should have.
        expected: String,
    },
}

fn from_payload<'de, T: Deserialize<'de>>(payload: &'de [u8]) -> Result<T, ClaimsError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(ClaimsError::TooLarge { bytes: payload.len() });
    }
    serde_json::from_slice(payload).map_err(|error| ClaimsError::Malformed { detail: error.to_string() })
}

/// The largest decoded payload that is read, in bytes.
pub const MAX_PAYLOAD: usize = 16 * 1024;

#[cfg(test)]
mod tests;
