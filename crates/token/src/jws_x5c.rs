//! Requests that a device signs with its own certificate, sent along in the header (entra section 3.2).
//!
//! Fidelity: observed. `x5c` is one string in the requests of Windows and an array (RFC 7515 section 4.1.6)
//! in those of some other clients; line breaks inside occur. The payload has no times of its own as a rule:
//! what makes a request fresh is its nonce, and that is the caller's to check, as are the certificate's
//! issuer, dates and revocation.

use std::fmt::{self, Display};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::{Map, Value};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::compact::{self, Parts};
use crate::error::limited;
use crate::{Header, TokenError};

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

/// Checks the signature (RS256 or ES256, as the certificate's key has it) of a request of at most 64 KiB.
///
/// # Errors
/// [`TokenError::TooLarge`] also for more than 8 certificates, [`TokenError::Malformed`],
/// [`TokenError::Unsigned`], [`TokenError::Algorithm`], [`TokenError::Certificate`], [`TokenError::Signature`].
pub fn verify(jws: &str) -> Result<SignedRequest, TokenError> {
    limited("signed request", jws.len(), MAX_REQUEST)?;
    let parts = Parts::of(jws)?;
    let header: Map<String, Value> = compact::decode_json("header", parts.header)?;
    let known: Header = compact::decode_json("header", parts.header)?;
    known.check(&["RS256", "ES256"])?;
    let chain = certificates(header.get("x5c"))?;
    let leaf = chain.first().ok_or_else(|| TokenError::certificate("there is none"))?;
    let message = &jws[..parts.header.len() + 1 + parts.payload.len()];
    let signature = compact::decode("signature", parts.signature)?;
    check(&known.alg, leaf, message.as_bytes(), &signature)?;
    Ok(SignedRequest { payload: compact::decode_json("payload", parts.payload)?, chain, header })
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

fn certificates(x5c: Option<&Value>) -> Result<Vec<Vec<u8>>, TokenError> {
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
    BASE64.decode(text).map_err(TokenError::certificate)
}

fn check(algorithm: &str, leaf: &[u8], message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
    let (rest, x509) = X509Certificate::from_der(leaf).map_err(TokenError::certificate)?;
    if !rest.is_empty() {
        return Err(TokenError::certificate("bytes follow its end"));
    }
    let public_key = x509.public_key();
    let scheme: &'static dyn VerificationAlgorithm = match algorithm {
        "RS256" if public_key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION => &RSA_PKCS1_2048_8192_SHA256,
        "ES256" if is_p256(public_key) => &ECDSA_P256_SHA256_FIXED,
        _ => return Err(TokenError::Algorithm(algorithm.to_owned())),
    };
    UnparsedPublicKey::new(scheme, public_key.subject_public_key.data.as_ref())
        .verify(message, signature)
        .map_err(|_| TokenError::Signature)
}

fn is_p256(spki: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    spki.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve.is_some_and(|curve| curve == OID_EC_P256)
}

/// With or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const MAX_REQUEST: usize = 64 << 10;
const MAX_CERTIFICATES: usize = 8;

#[cfg(test)]
mod tests;
