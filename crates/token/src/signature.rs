//! Signatures of clients: which algorithms, and whether they fit the key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde_json::{Map, Value};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::TokenError;
use crate::peek::clipped;

/// What a client may sign with: RSA keys with either padding, P-256 keys.
pub(crate) const ASYMMETRIC: [&str; 3] = ["RS256", "PS256", "ES256"];

/// The algorithm of a header, if it is one of `accepted` and the header has no critical extensions.
pub(crate) fn algorithm<'a>(
    header: &'a Map<String, Value>,
    accepted: &[&str],
) -> Result<&'a str, TokenError> {
    let alg = header.get("alg").and_then(Value::as_str);
    let alg = alg.ok_or_else(|| TokenError::malformed("header", "there is no alg"))?;
    if alg.eq_ignore_ascii_case("none") {
        return Err(TokenError::Unsigned);
    }
    if !accepted.contains(&alg) {
        return Err(TokenError::Algorithm(clipped(alg)));
    }
    if header.contains_key("crit") {
        return Err(TokenError::malformed("header", "it has critical extensions (crit)"));
    }
    Ok(alg)
}

/// Refuses an algorithm that the key cannot have made, and a signature that it did not make.
pub(crate) fn check(
    algorithm: &str,
    key: &SubjectPublicKeyInfo<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), TokenError> {
    let scheme: &'static dyn VerificationAlgorithm = match algorithm {
        "RS256" if is_rsa(key) => &RSA_PKCS1_2048_8192_SHA256,
        "PS256" if is_rsa(key) => &RSA_PSS_2048_8192_SHA256,
        "ES256" if is_p256(key) => &ECDSA_P256_SHA256_FIXED,
        _ => return Err(TokenError::Algorithm(clipped(algorithm))),
    };
    UnparsedPublicKey::new(scheme, key.subject_public_key.data.as_ref())
        .verify(message, signature)
        .map_err(|_| TokenError::Signature)
}

fn is_rsa(key: &SubjectPublicKeyInfo<'_>) -> bool {
    key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION
}

fn is_p256(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve.is_some_and(|curve| curve == OID_EC_P256)
}
