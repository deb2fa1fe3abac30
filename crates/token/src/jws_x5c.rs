//! Requests that a device signs with its own certificate, sent along in the header (entra section 3.2).
//!
//! Fidelity: observed. `x5c` is one string in the requests of Windows and an array (RFC 7515 section 4.1.6)
//! in those of some other clients; line breaks inside occur. The payload has no times of its own as a rule:
//! what makes a request fresh is its nonce, and that is the caller's to check, as are the certificate's
//! issuer, dates and revocation.

use std::fmt::{self, Display};

use serde::Serialize;
use serde_json::{Map, Value};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::compact::{self, Parts};
use crate::error::limited;
use crate::{TokenError, signature};

/// A request whose signature verifies with the key of the certificate it carries. That alone proves nothing
/// about who issued the certificate.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SignedRequest {
    /// The certificates of the header in DER, the signer's first.
    pub chain: Vec<Vec<u8>>,
    /// The whole header.
    pub header: Map<String, Value>,
    /// The payload.
    pub payload: Map<String, Value>,
}

impl SignedRequest {
    /// The signer's certificate in DER.
    #[must_use]
    pub fn leaf_der(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }
}

/// The payload may hold passwords and refresh tokens.
impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.payload.keys().collect();
        f.debug_struct("SignedRequest").field("payload", &members).finish_non_exhaustive()
    }
}

/// Checks the signature (RS256, PS256 or ES256, as fits the certificate's key) of a request of at most 64 KiB.
///
/// # Errors
/// [`TokenError::TooLarge`] also for more than 8 certificates, [`TokenError::Malformed`],
/// [`TokenError::Unsigned`], [`TokenError::Algorithm`], [`TokenError::Certificate`], [`TokenError::Signature`].
pub fn verify(jws: &str) -> Result<SignedRequest, TokenError> {
    let opened = open(jws)?;
    let spki = parsed(opened.leaf_der())?.public_key().raw.to_vec();
    opened.verify(&spki)
}

/// A request whose signature has yet to be checked: for callers that know the certificate already.
pub struct Opened<'a> {
    jws: &'a str,
    parts: Parts<'a>,
    header: Map<String, Value>,
    chain: Vec<Vec<u8>>,
}

/// Opens a request of at most 64 KiB and believes nothing.
///
/// # Errors
/// As [`verify`], but for [`TokenError::Signature`].
pub fn open(jws: &str) -> Result<Opened<'_>, TokenError> {
    limited("signed request", jws.len(), MAX_REQUEST)?;
    let parts = Parts::of(jws)?;
    let header: Map<String, Value> = compact::decode_json("header", parts.header)?;
    signature::algorithm(&header, &signature::ASYMMETRIC)?;
    let chain = certificates(header.get("x5c"))?;
    if chain.is_empty() {
        return Err(TokenError::certificate("there is none"));
    }
    Ok(Opened { jws, parts, header, chain })
}

impl Opened<'_> {
    /// The certificate that came along, in DER.
    #[must_use]
    pub fn leaf_der(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// Checks the signature with `spki`, which must be the SubjectPublicKeyInfo of that certificate in DER.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(self, spki: &[u8]) -> Result<SignedRequest, TokenError> {
        let (_, key) = SubjectPublicKeyInfo::from_der(spki).map_err(TokenError::certificate)?;
        let algorithm = signature::algorithm(&self.header, &signature::ASYMMETRIC)?;
        let made = compact::decode("signature", self.parts.signature)?;
        signature::check(algorithm, &key, compact::signed_part(self.jws, &self.parts), &made)?;
        let payload = compact::decode_json("payload", self.parts.payload)?;
        Ok(SignedRequest { payload, chain: self.chain, header: self.header })
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Makes a request: `header` must say `alg` and `x5c`, and `signer` must sign accordingly.
///
/// # Errors
/// [`TokenError::Malformed`] when header or payload are not JSON; [`TokenError::Key`] with the error of
/// `signer`.
pub fn sign<E: Display>(
    header: &impl Serialize,
    payload: &impl Serialize,
    signer: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<String, TokenError> {
    let header = compact::encode_json("header", header)?;
    compact::sign(&header, &compact::encode_json("payload", payload)?, signer)
}

/// The certificates of a header in DER: one text or a list of texts.
pub(crate) fn certificates(x5c: Option<&Value>) -> Result<Vec<Vec<u8>>, TokenError> {
    match x5c {
        None => Err(TokenError::certificate("there is none")),
        Some(Value::String(one)) => Ok(vec![certificate(one)?]),
        Some(Value::Array(all)) => {
            limited("number of certificates in x5c", all.len(), MAX_CERTIFICATES)?;
            let text = |one: &Value| certificate(one.as_str().ok_or_else(not_text)?);
            all.iter().map(text).collect()
        }
        Some(_) => Err(not_text()),
    }
}

fn not_text() -> TokenError {
    TokenError::certificate("neither text nor a list of texts")
}

fn certificate(text: &str) -> Result<Vec<u8>, TokenError> {
    let text: String = text.split_ascii_whitespace().collect();
    compact::decode_lenient(&text).map_err(TokenError::certificate)
}

/// A certificate, and nothing after it.
pub(crate) fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, TokenError> {
    let (rest, x509) = X509Certificate::from_der(der).map_err(TokenError::certificate)?;
    if rest.is_empty() { Ok(x509) } else { Err(TokenError::certificate("bytes follow its end")) }
}

const MAX_REQUEST: usize = 64 << 10;
const MAX_CERTIFICATES: usize = 8;

#[cfg(test)]
mod tests;
