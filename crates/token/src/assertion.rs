//! Assertions of clients whose key is registered: certificates of applications (RFC 7523, entra section 4.5)
//! and bare public keys, such as those of Windows Hello.
//!
//! Fidelity: observed. Libraries name their certificate by `x5t`, `x5t#S256` or `kid`, in base64 with or
//! without padding or in hexadecimal, or send it in `x5c`, at times with line breaks. All of that only
//! chooses among the registered credentials; the key is always the registered one, never the header's.
//! Issuer, audience, times and replay are the caller's to check.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use jiff::Timestamp;
use serde_json::{Map, Value};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::compact::{self, Parts};
use crate::error::limited;
use crate::jws_x5c::{certificates, parsed};
use crate::peek::clipped;
use crate::{TokenError, signature};

/// A certificate that an application has registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    spki: Vec<u8>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
    valid_from: Timestamp,
    valid_to: Timestamp,
}

/// An assertion whose signature verifies. That alone does not make it fit for use: see the module.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Assertion {
    /// The whole header.
    pub header: Map<String, Value>,
    /// The claims; times may be whole or broken numbers or text, see [`numeric_date`].
    pub claims: Map<String, Value>,
    /// Which of the credentials signed it, counted from zero; zero when there was but one key to try.
    pub credential: usize,
}

impl Credential {
    /// Registers a certificate in DER, self-signed or not; nobody checks its issuer.
    ///
    /// # Errors
    /// [`TokenError::Certificate`].
    pub fn from_certificate(der: &[u8]) -> Result<Self, TokenError> {
        let x509 = parsed(der)?;
        let date = |seconds| Timestamp::from_second(seconds).map_err(TokenError::certificate);
        Ok(Self {
            spki: x509.public_key().raw.to_vec(),
            sha1: digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec(),
            sha256: digest(&SHA256, der).as_ref().to_vec(),
            valid_from: date(x509.validity().not_before.timestamp())?,
            valid_to: date(x509.validity().not_after.timestamp())?,
        })
    }

    /// The SHA-1 of the certificate in base64url, as `x5t` has it.
    #[must_use]
    pub fn x5t(&self) -> String {
        compact::encode(&self.sha1)
    }

    /// The SHA-256 of the certificate in base64url, as `x5t#S256` has it.
    #[must_use]
    pub fn x5t_s256(&self) -> String {
        compact::encode(&self.sha256)
    }

    /// The public key, a `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// When the certificate starts to be valid. Not checked here.
    #[must_use]
    pub fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// When the certificate ends to be valid. Not checked here.
    #[must_use]
    pub fn valid_to(&self) -> Timestamp {
        self.valid_to
    }

    fn has_thumbprint(&self, thumbprint: &[u8]) -> bool {
        thumbprint == self.sha1 || thumbprint == self.sha256
    }
}

/// Checks an assertion of at most 64 KiB (RS256, PS256 or ES256, as fits the key) against the registered
/// credential that its header names.
///
/// # Errors
/// [`TokenError::UnknownKey`] when it names none of them; [`TokenError::TooLarge`] also for more than 8
/// certificates in `x5c`, [`TokenError::Malformed`], [`TokenError::Unsigned`], [`TokenError::Algorithm`],
/// [`TokenError::Certificate`] when only `x5c` could tell and it is broken, [`TokenError::Signature`].
pub fn verify_assertion(jws: &str, registered: &[Credential]) -> Result<Assertion, TokenError> {
    let read = Read::of(jws)?;
    let (index, credential) = find(&read.header, registered)?;
    read.check(credential.spki(), index)
}

/// Checks an assertion of at most 64 KiB against one public key, a `SubjectPublicKeyInfo` in DER, whatever
/// key its header names.
///
/// # Errors
/// As [`verify_assertion`], and [`TokenError::Key`] when `spki` is no public key.
pub fn verify_with_key(jws: &str, spki: &[u8]) -> Result<Assertion, TokenError> {
    Read::of(jws)?.check(spki, 0)
}

/// A time claim as clients write it: seconds since 1970, whole or broken, as a number or as text. Fractions
/// are cut off. None for anything else, and before 1970.
#[must_use]
pub fn numeric_date(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let seconds = match text.parse::<i64>() {
        Ok(seconds) => seconds,
        // Out of range becomes the largest number, which is no time.
        Err(_) => text.parse::<f64>().ok().filter(|seconds| seconds.is_finite())? as i64,
    };
    Timestamp::from_second(seconds).ok().filter(|_| seconds >= 0)
}

/// An assertion taken apart.
struct Read<'a> {
    header: Map<String, Value>,
    parts: Parts<'a>,
    message: &'a [u8],
}

impl<'a> Read<'a> {
    fn of(jws: &'a str) -> Result<Self, TokenError> {
        limited("assertion", jws.len(), MAX_ASSERTION)?;
        let parts = Parts::of(jws)?;
        let header: Map<String, Value> = compact::decode_json("header", parts.header)?;
        signature::algorithm(&header, &signature::ASYMMETRIC)?;
        Ok(Self { header, message: compact::signed_part(jws, &parts), parts })
    }

    fn check(self, spki: &[u8], credential: usize) -> Result<Assertion, TokenError> {
        let (_, key) = SubjectPublicKeyInfo::from_der(spki).map_err(TokenError::key)?;
        let algorithm = signature::algorithm(&self.header, &signature::ASYMMETRIC)?;
        let made = compact::decode("signature", self.parts.signature)?;
        signature::check(algorithm, &key, self.message, &made)?;
        let claims = compact::decode_json("claims", self.parts.payload)?;
        Ok(Assertion { header: self.header, claims, credential })
    }
}

/// The claims tell who the client is and are its business.
impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.claims.keys().collect();
        f.debug_struct("Assertion")
            .field("claims", &members)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

/// The strongest member of the header that fits a credential decides.
fn find<'a>(
    header: &Map<String, Value>,
    registered: &'a [Credential],
) -> Result<(usize, &'a Credential), TokenError> {
    let by =
        |thumbprint: &[u8]| registered.iter().enumerate().find(|(_, one)| one.has_thumbprint(thumbprint));
    let names = THUMBPRINTS.iter().filter_map(|&name| header.get(name)?.as_str());
    if let Some(found) = names.filter_map(thumbprint).find_map(|thumbprint| by(&thumbprint)) {
        return Ok(found);
    }
    if let Some(x5c) = header.get("x5c") {
        let leaf = certificates(Some(x5c))?.into_iter().next().unwrap_or_default();
        if let Some(found) = by(digest(&SHA256, &leaf).as_ref()) {
            return Ok(found);
        }
    }
    let named = ["kid", "x5t#S256", "x5t"].iter().find_map(|&name| header.get(name)?.as_str());
    Err(TokenError::UnknownKey { kid: named.map(clipped) })
}

/// A thumbprint in hexadecimal or base64; their lengths tell which.
fn thumbprint(text: &str) -> Option<Vec<u8>> {
    match text.len() {
        40 | 64 if text.is_ascii() => {
            let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            (0..text.len()).step_by(2).map(byte).collect()
        }
        27 | 28 | 43 | 44 => compact::decode_lenient(text).ok(),
        _ => None,
    }
}

const THUMBPRINTS: [&str; 3] = ["x5t#S256", "x5t", "kid"];
const MAX_ASSERTION: usize = 64 << 10;

#[cfg(test)]
mod tests;
