//! Looking into a token without believing it.

use serde::Deserialize;
use serde_json::Value;

use crate::TokenError;
use crate::compact::{Parts, decode_json};
use crate::error::limited;

/// The parameters of a JWS header that decide how it is verified (RFC 7515 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The signature algorithm.
    pub alg: String,
    /// The media type, `JWT` as a rule.
    #[serde(default)]
    pub typ: Option<String>,
    /// The key id.
    #[serde(default)]
    pub kid: Option<String>,
    /// The SHA-1 thumbprint of the signer's certificate in base64url.
    #[serde(default)]
    pub x5t: Option<String>,
    /// Extensions that must be understood; this crate understands none.
    #[serde(default)]
    pub(crate) crit: Option<Value>,
}

impl Header {
    /// Refuses what no verifier here accepts.
    pub(crate) fn check(&self, accepted: &[&str]) -> Result<(), TokenError> {
        if self.alg.eq_ignore_ascii_case("none") {
            return Err(TokenError::Unsigned);
        }
        if !accepted.contains(&self.alg.as_str()) {
            return Err(TokenError::Algorithm(clipped(&self.alg)));
        }
        match &self.crit {
            None => Ok(()),
            Some(_) => Err(TokenError::malformed("header", "it has critical extensions (crit)")),
        }
    }
}

/// Reads header and claims of a token **without verifying it**: only to choose a validator by issuer and
/// audience, and for traces.
///
/// # Errors
/// [`TokenError::Malformed`]; [`TokenError::TooLarge`] past 16 KiB.
pub fn peek(token: &str) -> Result<(Header, Value), TokenError> {
    let (header, parts) = open(token)?;
    let claims: Value = decode_json("claims", parts.payload)?;
    if claims.is_object() {
        Ok((header, claims))
    } else {
        Err(TokenError::malformed("claims", "not an object"))
    }
}

pub(crate) fn open(token: &str) -> Result<(Header, Parts<'_>), TokenError> {
    limited("token", token.len(), MAX_TOKEN)?;
    let parts = Parts::of(token)?;
    Ok((decode_json("header", parts.header)?, parts))
}

/// Keeps text from an unverified token short in errors and logs.
pub(crate) fn clipped(text: &str) -> String {
    text.chars().take(128).collect()
}

pub(crate) const MAX_TOKEN: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compact::encode;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.", encode(header.as_bytes()), encode(claims.as_bytes()))
    }

    #[test]
    fn reads_what_is_there() {
        let (header, claims) = peek(&token(r#"{"alg":"RS256","kid":"k"}"#, r#"{"iss":"i"}"#)).unwrap();
        assert_eq!((header.alg.as_str(), header.kid.as_deref(), header.x5t), ("RS256", Some("k"), None));
        assert_eq!(claims["iss"], "i");
    }

    #[test]
    fn refuses_what_is_no_token() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(peek(&good).is_ok());
        let (header, payload) = good.trim_end_matches('.').split_once('.').unwrap();
        let spaced = good.replace('.', " .");
        let bad = [
            String::new(),
            header.to_owned(),
            format!("{header}.{payload}"),
            format!("{good}."),
            spaced,
            token("{}", "{}"),
            token(r#"{"alg":"RS256"}"#, "[]"),
            token(r#"{"alg":"RS256"}"#, &"[".repeat(1000)),
            token(r#"{"alg":7}"#, "{}"),
        ];
        for bad in bad {
            assert!(matches!(peek(&bad), Err(TokenError::Malformed { .. })), "{bad}");
        }
    }

    #[test]
    fn refuses_long_tokens() {
        let long = |size: usize| token(r#"{"alg":"RS256"}"#, &format!("{{\"a\":\"{}\"}}", "x".repeat(size)));
        assert!(peek(&long(12_000)).is_ok());
        assert!(matches!(peek(&long(12_400)), Err(TokenError::TooLarge { .. })));
    }

    #[test]
    fn critical_extensions_are_not_passed_over() {
        let header = |text: &str| serde_json::from_str::<Header>(text).unwrap().check(&["RS256"]);
        assert_eq!(header(r#"{"alg":"RS256"}"#), Ok(()));
        assert!(matches!(header(r#"{"alg":"RS256","crit":["b64"]}"#), Err(TokenError::Malformed { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_never_panics(text in "[A-Za-z0-9_.\\-=\u{e4}]{0,200}") {
            let _result = peek(&text);
        }

        #[test]
        fn json_noise_never_panics(header in ".{0,60}", claims in ".{0,60}") {
            let _result = peek(&token(&header, &claims));
        }
    }
}
