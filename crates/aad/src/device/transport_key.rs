//! The transport key of a device: an RSA public key, in one of two forms (entra §2.1).
//!
//! Fidelity: documented for the BCRYPT blob, observed for the JWK that clients off Windows send.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// An RSA public key as big-endian numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportKey {
    /// The modulus.
    pub modulus: Vec<u8>,
    /// The public exponent.
    pub exponent: Vec<u8>,
}

/// Why a transport key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportKeyError {
    #[error("TransportKey is not base64")]
    NotBase64,
    #[error("TransportKey is neither a BCRYPT_RSAKEY_BLOB of a public key nor the JWK of one")]
    NotAKey,
    #[error("TransportKey has {bits} bits; it must be RSA of 2048")]
    Size { bits: usize },
}

impl TransportKey {
    /// Reads standard base64 of either form.
    pub(crate) fn parse(text: &str) -> Result<Self, TransportKeyError> {
        if text.len() > MAX_TEXT {
            return Err(TransportKeyError::NotAKey);
        }
        let bytes = STANDARD.decode(text).map_err(|_| TransportKeyError::NotBase64)?;
        let key = if bytes.starts_with(MAGIC) { blob(&bytes) } else { jwk(&bytes) };
        let key = key.filter(|key| !key.exponent.is_empty()).ok_or(TransportKeyError::NotAKey)?;
        let bits = key.modulus.len() * 8;
        let full = key.modulus.first().is_some_and(|&byte| byte >= 0x80);
        if bits == BITS && full { Ok(key) } else { Err(TransportKeyError::Size { bits }) }
    }

    /// The key as SubjectPublicKeyInfo in DER. Fails when the numbers are none of an RSA key.
    pub(crate) fn spki_der(&self) -> Result<Vec<u8>, Unspecified> {
        let numbers = PublicKeyComponents { n: self.modulus.as_slice(), e: self.exponent.as_slice() };
        let key: PublicEncryptingKey = numbers.try_into()?;
        let der: PublicKeyX509Der<'_> = key.as_der()?;
        Ok(der.as_ref().to_vec())
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportKey(RSA {})", self.modulus.len() * 8)
    }
}

/// The magic, then little-endian: bit length, sizes of exponent and modulus, and of the primes, which a
/// public key has not; then exponent and modulus, big-endian.
fn blob(bytes: &[u8]) -> Option<TransportKey> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let mut words = header[MAGIC.len()..].chunks_exact(4).map(|word| {
        let word = word.try_into().map(u32::from_le_bytes).unwrap_or_default();
        usize::try_from(word).unwrap_or(usize::MAX)
    });
    let (bits, exponent, modulus) = (words.next()?, words.next()?, words.next()?);
    if words.any(|primes| primes != 0) {
        return None;
    }
    let (exponent, rest) = rest.split_at_checked(exponent)?;
    let whole = rest.len() == modulus && bits == modulus * 8;
    whole.then(|| TransportKey { modulus: rest.to_vec(), exponent: exponent.to_vec() })
}

fn jwk(bytes: &[u8]) -> Option<TransportKey> {
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        n: String,
        e: String,
    }
    let jwk: Jwk = serde_json::from_slice(bytes).ok()?;
    // Some clients write the numbers in standard base64.
    let number = |text: &str| {
        let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
        URL_SAFE_NO_PAD.decode(text).ok()
    };
    let key = TransportKey { modulus: number(&jwk.n)?, exponent: number(&jwk.e)? };
    (jwk.kty == "RSA").then_some(key)
}

const MAGIC: &[u8] = b"RSA1";
const HEADER: usize = 24;
const BITS: usize = 2048;
const MAX_TEXT: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(bits: u32, modulus: &[u8], prime: u32) -> String {
        let words = [bits, 3, u32::try_from(modulus.len()).unwrap(), prime, 0];
        let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        STANDARD.encode([MAGIC, &header, &[1, 0, 1], modulus].concat())
    }

    #[test]
    fn both_forms_are_read() {
        let expected = TransportKey { modulus: vec![0xab; 256], exponent: vec![1, 0, 1] };
        assert_eq!(TransportKey::parse(&encoded(2048, &[0xab; 256], 0)).as_ref(), Ok(&expected));
        let modulus = URL_SAFE_NO_PAD.encode([0xab; 256]);
        let jwk = format!(r#"{{"kty":"RSA","kid":"x","n":"{modulus}","e":"AQAB"}}"#);
        assert_eq!(TransportKey::parse(&STANDARD.encode(&jwk)).as_ref(), Ok(&expected));
        let jwk_in_standard_base64 = jwk.replace(&modulus, &STANDARD.encode([0xab; 256]));
        assert_eq!(TransportKey::parse(&STANDARD.encode(jwk_in_standard_base64)).as_ref(), Ok(&expected));
        let foreign = jwk.replace("\"RSA\"", "\"EC\"");
        assert_eq!(TransportKey::parse(&STANDARD.encode(foreign)), Err(TransportKeyError::NotAKey));
        assert_eq!(format!("{expected:?}"), "TransportKey(RSA 2048)");
    }

    #[test]
    fn other_keys_are_refused() {
        let parse = |text: String| TransportKey::parse(&text).unwrap_err();
        assert_eq!(parse(encoded(1024, &[0xab; 128], 0)), TransportKeyError::Size { bits: 1024 });
        assert_eq!(parse(encoded(2048, &[0x7b; 256], 0)), TransportKeyError::Size { bits: 2048 });
        assert_eq!(parse(encoded(2047, &[0xab; 256], 0)), TransportKeyError::NotAKey);
        assert_eq!(parse(encoded(2048, &[0xab; 256], 1)), TransportKeyError::NotAKey);
        assert_eq!(parse("@".to_owned()), TransportKeyError::NotBase64);
        assert_eq!(parse(String::new()), TransportKeyError::NotAKey);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_never_panics(magic: bool, bytes: Vec<u8>) {
            let bytes = if magic { [MAGIC, &bytes].concat() } else { bytes };
            let _result = TransportKey::parse(&STANDARD.encode(bytes));
        }
    }
}
