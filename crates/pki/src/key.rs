//! Private keys: made by the provider, parsed once, never printed.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{PkiError, limited};
use crate::pem;

/// The kinds of key the lab makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// ECDSA on NIST P-256: made in well under a millisecond.
    P256,
    /// RSA with a modulus of 2048 bits: about 50 ms to make, so not on a request path.
    Rsa2048,
}

/// A private key, with its parsed form kept for signing. Cloning shares it.
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
}

enum Pair {
    P256(P256),
    Rsa(RsaKeyPair),
}

/// One key twice: the provider ties the form of a signature to the pair.
struct P256 {
    x509: EcdsaKeyPair,
    jose: EcdsaKeyPair,
}

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`PkiError::Key`] when the provider fails.
    pub fn generate(kind: KeyKind) -> Result<Self, PkiError> {
        match kind {
            KeyKind::P256 => {
                Self::p256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(key)?)
            }
            KeyKind::Rsa2048 => Self::rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(key)?),
        }
    }

    /// Parses an unencrypted PKCS#8 key (RFC 5208), RSA of at least 2048 bits or P-256.
    ///
    /// # Errors
    /// [`PkiError::Key`] when it is neither; [`PkiError::TooLarge`] past 16 KiB.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PkiError> {
        limited("private key", der, MAX_KEY)?;
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Self::p256(pair);
        }
        Self::rsa(RsaKeyPair::from_pkcs8(der).map_err(key)?)
    }

    /// Parses the first `PRIVATE KEY` block of a PEM text (RFC 7468).
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8_der`]; [`PkiError::Malformed`] when there is no such block.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        limited("private key", text.as_bytes(), 2 * MAX_KEY)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
            .map_err(|error| PkiError::malformed("private key PEM", error))?;
        Self::from_pkcs8_der(der.secret_pkcs8_der())
    }

    /// What kind of key it is. An RSA key read from a file may be longer than its kind says.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match self.0.pair {
            Pair::P256(_) => KeyKind::P256,
            Pair::Rsa(_) => KeyKind::Rsa2048,
        }
    }

    /// The key as PKCS#8 DER. Wiped from memory with the last clone of the key.
    #[must_use]
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.0.pkcs8
    }

    /// The key as a `PRIVATE KEY` PEM block.
    #[must_use]
    pub fn pkcs8_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(pem::encode("PRIVATE KEY", &self.0.pkcs8))
    }

    /// The public key as SubjectPublicKeyInfo DER (RFC 5280 section 4.1.2.7).
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The bare public key: RSAPublicKey DER (PKCS#1) for RSA, the uncompressed point for P-256.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        match &self.0.pair {
            Pair::P256(pair) => pair.x509.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2), big-endian as everywhere outside CryptoAPI.
    ///
    /// # Errors
    /// [`PkiError::KeyKind`] for a P-256 key; [`PkiError::Signing`] when the provider fails.
    pub fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, PkiError> {
        match &self.0.pair {
            Pair::P256(_) => Err(PkiError::KeyKind { wanted: KeyKind::Rsa2048, found: KeyKind::P256 }),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(PkiError::signing)?;
                Ok(signature)
            }
        }
    }

    /// ECDSA on P-256 with SHA-256 as JOSE wants it (RFC 7518 section 3.4): 64 bytes, both numbers big-endian
    /// in full length.
    ///
    /// # Errors
    /// [`PkiError::KeyKind`] for an RSA key; [`PkiError::Signing`] when the provider fails.
    pub fn sign_es256(&self, message: &[u8]) -> Result<Vec<u8>, PkiError> {
        match &self.0.pair {
            Pair::P256(pair) => ecdsa(&pair.jose, message),
            Pair::Rsa(_) => Err(PkiError::KeyKind { wanted: KeyKind::P256, found: KeyKind::Rsa2048 }),
        }
    }

    /// Signs as JOSE wants it, with the algorithm that [`PrivateKey::jws_algorithm`] names. Returns both.
    ///
    /// # Errors
    /// [`PkiError::Signing`] when the provider fails.
    pub fn sign_jws(&self, message: &[u8]) -> Result<(&'static str, Vec<u8>), PkiError> {
        let signature = match self.kind() {
            KeyKind::P256 => self.sign_es256(message),
            KeyKind::Rsa2048 => self.sign_rs256(message),
        };
        Ok((self.jws_algorithm(), signature?))
    }

    /// The `alg` of what [`PrivateKey::sign_jws`] signs: `ES256` or `RS256`.
    #[must_use]
    pub fn jws_algorithm(&self) -> &'static str {
        match self.kind() {
            KeyKind::P256 => "ES256",
            KeyKind::Rsa2048 => "RS256",
        }
    }

    /// Signs as X.509 wants it: RS256 for RSA, ASN.1 ECDSA with SHA-256 for P-256.
    pub(crate) fn sign_x509(&self, message: &[u8]) -> Result<Vec<u8>, PkiError> {
        match &self.0.pair {
            Pair::P256(pair) => ecdsa(&pair.x509, message),
            Pair::Rsa(_) => self.sign_rs256(message),
        }
    }

    fn p256(x509: EcdsaKeyPair) -> Result<Self, PkiError> {
        let document = x509.to_pkcs8v1().map_err(key)?;
        let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
        let spki: PublicKeyX509Der<'_> = x509.public_key().as_der().map_err(key)?;
        let spki = spki.as_ref().to_vec();
        let jose = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(key)?;
        Ok(Self(Arc::new(Inner { pair: Pair::P256(P256 { x509, jose }), pkcs8, spki })))
    }

    fn rsa(pair: RsaKeyPair) -> Result<Self, PkiError> {
        let document: Pkcs8V1Der<'_> = pair.as_der().map_err(key)?;
        let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(key)?;
        let spki = spki.as_ref().to_vec();
        Ok(Self(Arc::new(Inner { pair: Pair::Rsa(pair), pkcs8, spki })))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, [redacted])", self.kind())
    }
}

fn ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, PkiError> {
    let signature = pair.sign(&SystemRandom::new(), message).map_err(PkiError::signing)?;
    Ok(signature.as_ref().to_vec())
}

fn key(reason: impl ToString) -> PkiError {
    PkiError::Key { reason: reason.to_string() }
}

/// An RSA-8192 key is under 5 KiB of DER.
const MAX_KEY: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn keys_survive_pkcs8_and_pem() {
        for kind in [KeyKind::P256, KeyKind::Rsa2048] {
            let key = PrivateKey::generate(kind).unwrap();
            let from_der = PrivateKey::from_pkcs8_der(key.pkcs8_der()).unwrap();
            let from_pem = PrivateKey::from_pem(&key.pkcs8_pem()).unwrap();
            assert_eq!(from_der.kind(), kind);
            assert_eq!(from_der.spki_der(), key.spki_der());
            assert_eq!(from_pem.spki_der(), key.spki_der());
        }
    }

    #[test]
    fn rs256_verifies_and_only_over_the_signed_bytes() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let signature = key.sign_rs256(b"message").unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key());
        assert!(public.verify(b"message", &signature).is_ok());
        assert!(public.verify(b"massage", &signature).is_err());
    }

    #[test]
    fn es256_verifies_and_only_over_the_signed_bytes() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let again = PrivateKey::from_pkcs8_der(key.pkcs8_der()).unwrap();
        for signature in [key.sign_es256(b"message").unwrap(), again.sign_es256(b"message").unwrap()] {
            assert_eq!(signature.len(), 64);
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key());
            assert!(public.verify(b"message", &signature).is_ok());
            assert!(public.verify(b"massage", &signature).is_err());
        }
    }

    #[test]
    fn each_algorithm_needs_its_kind_of_key() {
        let (p256, rsa) = (PrivateKey::generate(KeyKind::P256), PrivateKey::generate(KeyKind::Rsa2048));
        let (p256, rsa) = (p256.unwrap(), rsa.unwrap());
        let wanted = PkiError::KeyKind { wanted: KeyKind::Rsa2048, found: KeyKind::P256 };
        assert_eq!(p256.sign_rs256(b"message"), Err(wanted));
        let wanted = PkiError::KeyKind { wanted: KeyKind::P256, found: KeyKind::Rsa2048 };
        assert_eq!(rsa.sign_es256(b"message"), Err(wanted));
        assert_eq!(p256.sign_jws(b"message").map(|(alg, made)| (alg, made.len())), Ok(("ES256", 64)));
        assert_eq!(rsa.sign_jws(b"message"), rsa.sign_rs256(b"message").map(|made| ("RS256", made)));
    }

    #[test]
    fn debug_tells_nothing() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(P256, [redacted])");
    }

    #[test]
    fn rubbish_is_refused() {
        assert!(matches!(PrivateKey::from_pkcs8_der(b"rubbish"), Err(PkiError::Key { .. })));
        assert!(matches!(PrivateKey::from_pem("rubbish"), Err(PkiError::Malformed { .. })));
        assert!(matches!(PrivateKey::from_pkcs8_der(&vec![0; MAX_KEY + 1]), Err(PkiError::TooLarge { .. })));
    }
}
