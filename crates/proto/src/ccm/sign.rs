//! Signatures and keys in the spelling of CryptoAPI (mp-wire §1.4, §3.3).
//!
//! RSASSA-PKCS1-v1_5, the signature's bytes reversed because CryptoAPI is little-endian, written as
//! upper-case hexadecimal. Four things are signed this way and differ only in their bytes:
//!
//! | signature | bytes |
//! |---|---|
//! | registration | UTF-16 of `<Data …>…</Data>` exactly as it stands in the message |
//! | `ClientIDSignature`, `ClientTokenSignature` | UTF-16 of the text and one NUL |
//! | `PayloadSignature` | the payload as transmitted, compressed |

use std::fmt;

use aws_lc_rs::rsa::{KeyPair, PublicKeyComponents};
use aws_lc_rs::signature::{self, RsaParameters};

use super::CcmError;
use super::error::cut;
use super::payload;

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashAlgorithm {
    /// SHA-1, meant when a message names no algorithm; only ever verified, never written.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl HashAlgorithm {
    /// The object identifier of SHA-256 with RSA, as messages declare it.
    pub const SHA256_OID: &str = "1.2.840.113549.1.1.11";

    /// Reads the declaration of a message; none and an empty one mean SHA-1.
    ///
    /// # Errors
    ///
    /// [`CcmError::UnsupportedHash`].
    pub fn from_oid(oid: Option<&str>) -> Result<Self, CcmError> {
        match oid.map(str::trim) {
            None | Some("" | SHA1_OID) => Ok(Self::Sha1),
            Some(Self::SHA256_OID) => Ok(Self::Sha256),
            Some(other) => Err(CcmError::UnsupportedHash { oid: cut(other) }),
        }
    }

    /// The declaration to write; SHA-1 is declared by writing none.
    #[must_use]
    pub fn oid(self) -> Option<&'static str> {
        match self {
            Self::Sha1 => None,
            Self::Sha256 => Some(Self::SHA256_OID),
        }
    }

    fn verification(self) -> &'static RsaParameters {
        match self {
            Self::Sha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        }
    }
}

/// A private RSA key that signs messages. Implemented for the provider's key pair; a key store can
/// implement it too.
pub trait Signer {
    /// RSASSA-PKCS1-v1_5 with SHA-256 of `message`, in the usual big-endian order.
    ///
    /// # Errors
    ///
    /// [`CcmError::CannotSign`].
    fn sign_pkcs1_sha256(&self, message: &[u8]) -> Result<Vec<u8>, CcmError>;

    /// The public half.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadKey`].
    fn public_key(&self) -> Result<PublicKey, CcmError>;
}

impl Signer for KeyPair {
    fn sign_pkcs1_sha256(&self, message: &[u8]) -> Result<Vec<u8>, CcmError> {
        let mut signature = vec![0; self.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)
            .map_err(|_| CcmError::CannotSign)?;
        Ok(signature)
    }

    fn public_key(&self) -> Result<PublicKey, CcmError> {
        PublicKey::from_der(signature::KeyPair::public_key(self).as_ref())
    }
}

/// Signs `message`: reversed, upper-case hexadecimal, 512 characters for RSA-2048.
///
/// # Errors
///
/// [`CcmError::CannotSign`].
pub fn sign(key: &dyn Signer, message: &[u8]) -> Result<String, CcmError> {
    let mut signature = key.sign_pkcs1_sha256(message)?;
    signature.reverse();
    Ok(to_hex(&signature))
}

/// Signs a text as UTF-16 and one NUL: a client id, a `ClientToken` header.
///
/// # Errors
///
/// [`CcmError::CannotSign`].
pub fn sign_text(key: &dyn Signer, text: &str) -> Result<String, CcmError> {
    sign(key, &payload::utf16_nul(text))
}

/// A public RSA key of 2048 to 8192 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    // Both big-endian, without leading zeros.
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// Reads the key of a certificate: a DER `SubjectPublicKeyInfo` (RFC 5280) or `RSAPublicKey`
    /// (RFC 8017).
    ///
    /// # Errors
    ///
    /// [`CcmError::BadKey`].
    pub fn from_der(der: &[u8]) -> Result<Self, CcmError> {
        let expected = "a DER RSA public key of 2048 to 8192 bits";
        let key = aws_lc_rs::rsa::PublicKey::from_der(der).map_err(|_| CcmError::BadKey { expected })?;
        let PublicKeyComponents { n: modulus, e: exponent } = (&key).into();
        Self { modulus, exponent }.sized(expected)
    }

    /// Reads a PUBLICKEYBLOB of CryptoAPI (mp-wire §1.4, `PublicKey`).
    ///
    /// # Errors
    ///
    /// [`CcmError::BadKey`].
    pub fn from_blob(blob: &[u8]) -> Result<Self, CcmError> {
        let expected = "a PUBLICKEYBLOB of an RSA key of 2048 to 8192 bits";
        let bad = || CcmError::BadKey { expected };
        let rest = blob.strip_prefix(&BLOB_START).ok_or_else(bad)?;
        let (bits, rest) = rest.split_first_chunk().ok_or_else(bad)?;
        let (exponent, modulus) = rest.split_first_chunk().ok_or_else(bad)?;
        let (bits, exponent) = (u32::from_le_bytes(*bits), u32::from_le_bytes(*exponent));
        if u32::try_from(modulus.len()).ok().and_then(|bytes| bytes.checked_mul(8)) != Some(bits) {
            return Err(bad());
        }
        let modulus: Vec<u8> = modulus.iter().rev().copied().collect();
        let exponent = exponent.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        Self { modulus, exponent }.sized(expected)
    }

    /// The key as a PUBLICKEYBLOB of CryptoAPI, 276 bytes for RSA-2048.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadKey`] for an exponent of more than 32 bits, which the form cannot hold.
    pub fn to_blob(&self) -> Result<Vec<u8>, CcmError> {
        let bad = || CcmError::BadKey { expected: "a public exponent of at most 32 bits" };
        let bits = u32::try_from(self.modulus.len() * 8).map_err(|_| bad())?;
        let mut exponent = [0; 4];
        let start = exponent.len().checked_sub(self.exponent.len()).ok_or_else(bad)?;
        exponent[start..].copy_from_slice(&self.exponent);
        exponent.reverse();
        let modulus: Vec<u8> = self.modulus.iter().rev().copied().collect();
        Ok([&BLOB_START[..], &bits.to_le_bytes(), &exponent, &modulus].concat())
    }

    /// Size of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.modulus.len() * 8
    }

    /// Verifies a signature in upper or lower hexadecimal. `what` is for the reader of the error.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadSignature`].
    pub fn verify(
        &self,
        hash: HashAlgorithm,
        message: &[u8],
        signature: &str,
        what: &'static str,
    ) -> Result<(), CcmError> {
        let bad = CcmError::BadSignature { what };
        let mut bytes = from_hex(signature).ok_or_else(|| bad.clone())?;
        bytes.reverse();
        let key = PublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(hash.verification(), message, &bytes).map_err(|_| bad)
    }

    /// Verifies a signature over a text as UTF-16 and one NUL.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadSignature`].
    pub fn verify_text(
        &self,
        hash: HashAlgorithm,
        text: &str,
        signature: &str,
        what: &'static str,
    ) -> Result<(), CcmError> {
        self.verify(hash, &payload::utf16_nul(text), signature, what)
    }

    fn sized(self, expected: &'static str) -> Result<Self, CcmError> {
        let odd = self.exponent.last().is_some_and(|low| low & 1 == 1);
        let whole = self.modulus.first().is_some_and(|high| *high != 0);
        if odd && whole && (2048..=8192).contains(&self.bits()) {
            Ok(self)
        } else {
            Err(CcmError::BadKey { expected })
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("bits", &self.bits()).finish_non_exhaustive()
    }
}

/// Upper-case hexadecimal, as every binary value of these messages is written.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

/// Reads hexadecimal of either case; white space around it is allowed, inside it is not.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, odd) = text.trim().as_bytes().as_chunks::<2>();
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes = pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?));
    if odd.is_empty() { bytes.collect() } else { None }
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or_default().to_ascii_uppercase()
}

const SHA1_OID: &str = "1.2.840.113549.1.1.5";
// Type 6 (public key), version 2, reserved, algorithm 0xa400 (RSA key exchange), then "RSA1".
const BLOB_START: [u8; 12] = [0x06, 0x02, 0x00, 0x00, 0x00, 0xa4, 0x00, 0x00, b'R', b'S', b'A', b'1'];
