use std::fmt;
use std::str::FromStr;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

/// A token as a bearer sends it: the characters of RFC 6750 §2.1, at most [`MAX_TOKEN`] bytes.
/// `Debug` shows its length alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BearerToken(String);

impl BearerToken {
    /// The token itself. It is a secret: never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the token is three parts of base64url with dots between (RFC 7515 §7.1).
    #[must_use]
    pub fn is_compact_jwt(&self) -> bool {
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        self.0.split('.').count() == 3 && self.0.split('.').all(part)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, BearerError> {
        if bytes.is_empty() {
            return Err(BearerError::Empty);
        }
        if bytes.len() > MAX_TOKEN {
            return Err(BearerError::TooLong { bytes: bytes.len() });
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        match (bytes.iter().position(|byte| !allowed(byte)), str::from_utf8(bytes)) {
            (None, Ok(text)) => Ok(Self(text.to_owned())),
            (Some(at), _) => Err(BearerError::BadCharacter { at }),
            (None, Err(error)) => Err(BearerError::BadCharacter { at: error.valid_up_to() }),
        }
    }

    pub(super) fn header_value(&self, prefix: &str) -> HeaderValue {
        // The characters of a token are all allowed in a header, so the fallback is never taken.
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.0))
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

impl FromStr for BearerToken {
    type Err = BearerError;

    fn from_str(text: &str) -> Result<Self, BearerError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerToken({} bytes)", self.0.len())
    }
}

/// Writes the `Authorization` header for `token`, marked sensitive.
#[must_use]
pub fn authorization(token: &BearerToken) -> HeaderValue {
    token.header_value("Bearer ")
}

/// Reads the bearer token of a request; the scheme is taken in any case.
///
/// # Errors
/// [`BearerError`] when there is not exactly one usable `Authorization` header.
pub fn bearer(headers: &HeaderMap) -> Result<BearerToken, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(BearerError::Missing)?;
    if values.next().is_some() {
        return Err(BearerError::Twice);
    }
    let value = value.as_bytes().trim_ascii();
    let scheme_len = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(scheme_len);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(BearerError::OtherScheme);
    }
    BearerToken::from_bytes(token.trim_ascii_start())
}

/// Why a request carries no usable bearer token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// There is no `Authorization` header.
    #[error("there is no Authorization header; send Authorization: Bearer <token>")]
    Missing,
    /// There is more than one `Authorization` header.
    #[error("there is more than one Authorization header")]
    Twice,
    /// The header names another scheme.
    #[error("the Authorization header is not of scheme Bearer")]
    OtherScheme,
    /// Nothing follows the scheme.
    #[error("the bearer token is empty")]
    Empty,
    /// More than [`MAX_TOKEN`] bytes.
    #[error("bearer token of {bytes} bytes; at most {MAX_TOKEN} are read")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// A character that no token has.
    #[error("the bearer token holds a character that is not allowed, at {at}")]
    BadCharacter {
        /// Where it stands, from 0.
        at: usize,
    },
}

/// The longest token that is read, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&str]) -> Result<BearerToken, BearerError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        bearer(&headers)
    }

    #[test]
    fn the_scheme_is_taken_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
            assert_eq!(read(&[value]).unwrap().expose(), "a.b.c");
        }
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(read(&[]), Err(BearerError::Missing));
        assert_eq!(read(&["Bearer a", "Bearer a"]), Err(BearerError::Twice));
        assert_eq!(read(&["Basic a"]), Err(BearerError::OtherScheme));
        assert_eq!(read(&["Bearera"]), Err(BearerError::OtherScheme));
        assert_eq!(read(&["Bearer"]), Err(BearerError::Empty));
        assert_eq!(read(&["Bearer "]), Err(BearerError::Empty));
        assert_eq!(read(&["Bearer a b"]), Err(BearerError::BadCharacter { at: 1 }));
        assert_eq!(read(&["Bearer aé"]), Err(BearerError::BadCharacter { at: 1 }));
        let longest = format!("Bearer {}", "a".repeat(MAX_TOKEN));
        assert!(read(&[&longest]).is_ok());
        assert_eq!(read(&[&format!("{longest}a")]), Err(BearerError::TooLong { bytes: MAX_TOKEN + 1 }));
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: BearerToken = "secret.secret.secret".parse().unwrap();
        assert!(!format!("{token:?} {:?}", authorization(&token)).contains("secret"));
        assert!(token.is_compact_jwt());
        assert!(!"a..c".parse::<BearerToken>().unwrap().is_compact_jwt());
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(value in "[ -~]{0,40}") {
            let _ = read(&[&value]);
        }

        #[test]
        fn a_token_round_trips(text in "[A-Za-z0-9._~+/=-]{1,40}") {
            let token: BearerToken = text.parse().unwrap();
            let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization(&token))]);
            prop_assert_eq!(bearer(&headers), Ok(token));
        }
    }
}
