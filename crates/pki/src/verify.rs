//! Which public keys the lab certifies, and which signatures it believes.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use x509_parser::asn1_rs::BitString;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_SHA256WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::PkiError;
use crate::error::limited;
use crate::read::rsa_public_key;

/// A public key of a kind that the lab certifies, ready for the certificate library.
pub(crate) fn certifiable(spki_der: &[u8]) -> Result<rcgen::SubjectPublicKeyInfo, PkiError> {
    limited("public key", spki_der, MAX_SPKI)?;
    let (rest, spki) =
        SubjectPublicKeyInfo::from_der(spki_der).map_err(|error| PkiError::malformed("public key", error))?;
    if !rest.is_empty() {
        return Err(PkiError::malformed("public key", "bytes follow its end"));
    }
    if spki.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
        let bits = rsa_public_key(&spki).map_or(0, |key| key.modulus_bits);
        if !(2048..=4096).contains(&bits) {
            return Err(PkiError::PublicKey { reason: format!("RSA of {bits} bits") });
        }
    } else if !is_p256(&spki) {
        return Err(PkiError::PublicKey { reason: format!("algorithm {}", spki.algorithm.algorithm) });
    }
    rcgen::SubjectPublicKeyInfo::from_der(spki_der)
        .map_err(|error| PkiError::PublicKey { reason: error.to_string() })
}

/// Checks a signature on an X.509 structure: RS256, or ECDSA with SHA-256 on P-256.
pub(crate) fn signature(
    what: &'static str,
    signer: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
    message: &[u8],
    signature: &BitString<'_>,
) -> Result<(), PkiError> {
    if signature.unused_bits != 0 || signer.subject_public_key.unused_bits != 0 {
        return Err(PkiError::Signature { what, reason: "its bits do not fill bytes" });
    }
    let (key, signature) = (signer.subject_public_key.data.as_ref(), signature.data.as_ref());
    let rsa = signer.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION;
    let verified = if algorithm.algorithm == OID_PKCS1_SHA256WITHRSA && rsa {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature)
    } else if algorithm.algorithm == OID_SIG_ECDSA_WITH_SHA256 && is_p256(signer) {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(message, signature)
    } else {
        return Err(PkiError::Signature {
            what,
            reason: "its algorithm is neither RS256 nor ES256, or does not fit the signer's key",
        });
    };
    verified.map_err(|_| PkiError::Signature { what, reason: "it does not verify with the signer's key" })
}

/// RFC 5280 sections 4.1.1.2 and 5.1.1.2: the algorithm stands inside and outside the signed part, alike.
pub(crate) fn same_algorithm(
    what: &'static str,
    inside: &AlgorithmIdentifier<'_>,
    outside: &AlgorithmIdentifier<'_>,
) -> Result<(), PkiError> {
    if inside == outside {
        Ok(())
    } else {
        Err(PkiError::Signature { what, reason: "its algorithm differs inside and outside the signed part" })
    }
}

fn is_p256(spki: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    spki.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve.is_some_and(|curve| curve == OID_EC_P256)
}

/// An RSA-4096 key has 550 bytes.
const MAX_SPKI: usize = 2048;
