//! The public keys that a device sends beside its certificate request: RSA in one of two forms, or P-256
//! (entra §2.1).
//!
//! Fidelity: documented for the BCRYPT blob, observed for the JWKs that clients off Windows send. Their
//! numbers come in either alphabet of base64, with or without padding, and without leading zeros.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

/// An RSA public key of 2048 bits as big-endian numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportKey {
    /// The modulus.
    pub modulus: Vec<u8>,
    /// The public exponent.
    pub exponent: Vec<u8>,
}

/// A public key on P-256. No session key can be wrapped with it as with RSA.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EcTransportKey {
    /// The uncompressed point (SEC 1 section 2.3.3), 65 bytes.
    pub point: Vec<u8>,
}

/// A key of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeviceKey {
    Rsa(TransportKey),
    P256(EcTransportKey),
}

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportKeyError {
    #[error("the key is not base64")]
    NotBase64,
    #[error("the key is neither a BCRYPT_RSAKEY_BLOB of a public key nor the JWK of one")]
    NotAKey,
    #[error("the key has {bits} bits; RSA must have 2048")]
    Size { bits: usize },
}

impl DeviceKey {
    /// Reads a JWK, or standard base64 of one or of a blob.
    pub(crate) fn parse(text: &str) -> Result<Self, TransportKeyError> {
        if text.len() > MAX_TEXT {
            return Err(TransportKeyError::NotAKey);
        }
        if text.starts_with('{') {
            return jwk(text.as_bytes());
        }
        let bytes = STANDARD.decode(text).map_err(|_| TransportKeyError::NotBase64)?;
        if bytes.starts_with(MAGIC) { TransportKey::from_blob(&bytes).map(Self::Rsa) } else { jwk(&bytes) }
    }
}

impl TransportKey {
    /// Reads a BCRYPT_RSAKEY_BLOB: the magic, then little-endian: bit length, sizes of exponent and modulus,
    /// and of the primes, which a public key has not; then exponent and modulus, big-endian.
    pub(crate) fn from_blob(bytes: &[u8]) -> Result<Self, TransportKeyError> {
        let (exponent, modulus) = blob(bytes).ok_or(TransportKeyError::NotAKey)?;
        Self::new(modulus, exponent)
    }

    /// RSAPublicKey in DER (RFC 8017 appendix A.1.1).
    pub(crate) fn pkcs1_der(&self) -> Vec<u8> {
        tlv(0x30, &[integer(&self.modulus), integer(&self.exponent)].concat())
    }

    /// An exponent of 1, or an even number on either side, would be no lock at all.
    fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, TransportKeyError> {
        let (modulus, exponent) = (significant(modulus), significant(exponent));
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        if !odd(modulus) || !odd(exponent) || exponent == [1] || exponent.len() > MAX_EXPONENT {
            return Err(TransportKeyError::NotAKey);
        }
        let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        match modulus.len() * 8 - unused {
            BITS => Ok(Self { modulus: modulus.to_vec(), exponent: exponent.to_vec() }),
            bits => Err(TransportKeyError::Size { bits }),
        }
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

impl fmt::Debug for EcTransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcTransportKey(P-256)")
    }
}

/// The id of a user's key: base64 of the SHA-256 of its blob as it was sent.
pub(crate) fn key_id(blob: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, blob))
}

fn blob(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let words = header.strip_prefix(MAGIC)?.chunks_exact(4).map(|word| {
        let word = word.try_into().map(u32::from_le_bytes).unwrap_or_default();
        usize::try_from(word).unwrap_or(usize::MAX)
    });
    let words: Vec<usize> = words.collect();
    let [bits, exponent, modulus, 0, 0] = *words.as_slice() else { return None };
    let (exponent, rest) = rest.split_at_checked(exponent)?;
    let whole = rest.len() == modulus && modulus.checked_mul(8) == Some(bits);
    whole.then_some((exponent, rest))
}

fn jwk(bytes: &[u8]) -> Result<DeviceKey, TransportKeyError> {
    #[derive(Deserialize)]
    #[serde(tag = "kty")]
    enum Jwk {
        #[serde(rename = "RSA")]
        Rsa { n: String, e: String },
        #[serde(rename = "EC")]
        Ec { crv: String, x: String, y: String },
    }
    match serde_json::from_slice(bytes).map_err(|_| TransportKeyError::NotAKey)? {
        Jwk::Rsa { n, e } => TransportKey::new(&number(&n)?, &number(&e)?).map(DeviceKey::Rsa),
        Jwk::Ec { crv, x, y } if crv == "P-256" => {
            let point = [vec![UNCOMPRESSED], coordinate(&x)?, coordinate(&y)?].concat();
            let on_curve = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).is_ok();
            let key = on_curve.then_some(DeviceKey::P256(EcTransportKey { point }));
            key.ok_or(TransportKeyError::NotAKey)
        }
        Jwk::Ec { .. } => Err(TransportKeyError::NotAKey),
    }
}

fn number(text: &str) -> Result<Vec<u8>, TransportKeyError> {
    let text = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    STANDARD_NO_PAD.decode(text).map_err(|_| TransportKeyError::NotBase64)
}

fn coordinate(text: &str) -> Result<Vec<u8>, TransportKeyError> {
    let number = number(text)?;
    let number = significant(&number);
    let padding = COORDINATE.checked_sub(number.len()).ok_or(TransportKeyError::NotAKey)?;
    Ok([&vec![0; padding], number].concat())
}

fn significant(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|&byte| byte != 0).unwrap_or(number.len());
    &number[first..]
}

/// A positive INTEGER.
fn integer(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number.first().is_some_and(|&byte| byte >= 0x80) { &[0] } else { &[] };
    tlv(0x02, &[sign, number].concat())
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let length = significant(&length);
    match (contents.len(), length.len()) {
        (short, _) if short < 0x80 => [&[tag, short as u8], contents].concat(),
        (_, bytes) => [&[tag, 0x80 | bytes as u8], length, contents].concat(),
    }
}

const MAGIC: &[u8] = b"RSA1";
const HEADER: usize = 24;
const BITS: usize = 2048;
const MAX_EXPONENT: usize = 8;
const MAX_TEXT: usize = 4096;
const COORDINATE: usize = 32;
const UNCOMPRESSED: u8 = 4;

#[cfg(test)]
mod tests;
