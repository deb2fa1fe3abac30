//! Signing keys and the headers of what they sign.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{CertificateParams, DistinguishedName, DnType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::RSAPublicKey;

use crate::{Jwk, TokenError, compact};

/// An RSA-2048 key with a self-signed certificate that names it. Cloning shares it.
///
/// The parsed key is kept: a signature takes about 285 µs, less than half of what it takes to parse the key
/// for each. Making one takes about 50 ms, so it has no place on a request path.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: RsaKeyPair,
    certificate: Vec<u8>,
    kid: String,
}

/// Which header a token gets. The signature is RS256 in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderKind {
    /// Azure AD version 1: `typ`, `alg`, `x5t`, `kid` (entra section 1.3).
    #[default]
    AadV1,
    /// Azure AD version 2: `typ`, `alg`, `kid` (entra section 1.3).
    AadV2,
    /// Configuration Manager: `typ`, `alg`, `x5t` (mp-wire section 8.4).
    Ccm,
}

impl SigningKey {
    /// Makes a key and a certificate for it, valid for five years from `now`.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the provider fails, or `now` is no date for a certificate.
    pub fn generate(now: Timestamp, common_name: &str) -> Result<Self, TokenError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(TokenError::key)?;
        let certificate = certificate(&pair, now, common_name)?;
        let kid = compact::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate).as_ref());
        Ok(Self(Arc::new(Inner { pair, certificate, kid })))
    }

    /// The key id: base64url of the SHA-1 of the certificate, 27 characters.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The certificate thumbprint as tokens carry it; equal to [`SigningKey::kid`].
    #[must_use]
    pub fn x5t(&self) -> &str {
        &self.0.kid
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.0.certificate
    }

    /// The public half, to publish.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the provider's encoding of the key does not parse.
    pub fn jwk(&self) -> Result<Jwk, TokenError> {
        let (_, public) =
            RSAPublicKey::from_der(self.0.pair.public_key().as_ref()).map_err(TokenError::key)?;
        Ok(Jwk {
            kty: "RSA".to_owned(),
            usage: Some("sig".to_owned()),
            kid: Some(self.0.kid.clone()),
            x5t: Some(self.0.kid.clone()),
            n: unsigned(public.modulus),
            e: unsigned(public.exponent),
            x5c: vec![STANDARD.encode(&self.0.certificate)],
            issuer: None,
        })
    }

    /// Signs `claims` into a compact token.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when the claims are not JSON; [`TokenError::Key`] when the provider fails.
    pub fn sign<C: Serialize>(&self, header: HeaderKind, claims: &C) -> Result<String, TokenError> {
        let header = compact::encode_json("header", &self.fields(header))?;
        self.sign_parts(&header, &compact::encode_json("claims", claims)?)
    }

    /// Signs bytes that are no token (RSASSA-PKCS1-v1_5 with SHA-256). They must not be in the form of a token's
    /// first two parts, or the signature would make a token of them.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the provider fails.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, TokenError> {
        rs256(&self.0.pair, bytes).map_err(TokenError::key)
    }

    /// The header of a kind, to be changed.
    pub(crate) fn header(&self, kind: HeaderKind) -> Result<Map<String, Value>, TokenError> {
        match serde_json::to_value(self.fields(kind)) {
            Ok(Value::Object(header)) => Ok(header),
            Ok(_) => Err(TokenError::malformed("header", "not an object")),
            Err(error) => Err(TokenError::malformed("header", error)),
        }
    }

    fn fields(&self, kind: HeaderKind) -> Fields<'_> {
        let kid = self.kid();
        match kind {
            HeaderKind::AadV1 => Fields { x5t: Some(kid), kid: Some(kid), ..FIELDS },
            HeaderKind::AadV2 => Fields { kid: Some(kid), ..FIELDS },
            HeaderKind::Ccm => Fields { x5t: Some(kid), ..FIELDS },
        }
    }

    pub(crate) fn sign_parts(&self, header: &str, payload: &str) -> Result<String, TokenError> {
        compact::sign(header, payload, |message| rs256(&self.0.pair, message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.0.kid).finish_non_exhaustive()
    }
}

/// The order of the members is that of real tokens.
#[derive(Serialize)]
struct Fields<'a> {
    typ: &'a str,
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5t: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

fn certificate(pair: &RsaKeyPair, now: Timestamp, common_name: &str) -> Result<Vec<u8>, TokenError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = now.to_zoned(TimeZone::UTC);
    let ends = now.checked_add(5.years()).map_err(TokenError::key)?;
    params.not_before = date(now.timestamp())?;
    params.not_after = date(ends.timestamp())?;
    Ok(params.self_signed(&Signer(pair)).map_err(TokenError::key)?.der().to_vec())
}

fn date(at: Timestamp) -> Result<OffsetDateTime, TokenError> {
    let date = OffsetDateTime::from_unix_timestamp(at.as_second()).map_err(TokenError::key)?;
    let writable = (1950..=9999).contains(&date.year());
    if writable { Ok(date) } else { Err(TokenError::key(format!("{at} is no date for a certificate"))) }
}

fn rs256(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

/// base64url of a DER integer, which may start with a zero that a JWK must not have.
fn unsigned(integer: &[u8]) -> String {
    compact::encode(integer.strip_prefix(&[0]).unwrap_or(integer))
}

struct Signer<'a>(&'a RsaKeyPair);

impl rcgen::PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        rs256(self.0, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

const FIELDS: Fields<'static> = Fields { typ: "JWT", alg: "RS256", x5t: None, kid: None };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::Parts;

    fn key() -> SigningKey {
        SigningKey::generate("2026-03-01T12:00:00Z".parse().unwrap(), "accounts.test").unwrap()
    }

    #[test]
    fn headers_have_their_members_in_order() {
        let key = key();
        let kid = key.kid();
        let header = |kind| {
            let token = key.sign(kind, &serde_json::json!({})).unwrap();
            let header = compact::decode("header", Parts::of(&token).unwrap().header).unwrap();
            String::from_utf8(header).unwrap()
        };
        let start = r#"{"typ":"JWT","alg":"RS256","#;
        assert_eq!(header(HeaderKind::AadV1), format!(r#"{start}"x5t":"{kid}","kid":"{kid}"}}"#));
        assert_eq!(header(HeaderKind::AadV2), format!(r#"{start}"kid":"{kid}"}}"#));
        assert_eq!(header(HeaderKind::Ccm), format!(r#"{start}"x5t":"{kid}"}}"#));
    }

    #[test]
    fn the_key_id_is_the_certificate_thumbprint() {
        let key = key();
        let jwk = key.jwk().unwrap();
        assert_eq!(key.kid().len(), 27);
        assert_eq!((jwk.kid.as_deref(), jwk.x5t.as_deref()), (Some(key.kid()), Some(key.x5t())));
        let der = STANDARD.decode(&jwk.x5c[0]).unwrap();
        assert_eq!(compact::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der).as_ref()), key.kid());
        assert_eq!((compact::decode("n", &jwk.n).unwrap().len(), jwk.e.as_str()), (256, "AQAB"));
        let (_, x509) = x509_parser::parse_x509_certificate(&der).unwrap();
        assert_eq!(x509.subject().to_string(), "CN=accounts.test");
        assert_eq!(
            x509.validity().not_after.timestamp() - x509.validity().not_before.timestamp(),
            1826 * 86400
        );
    }

    #[test]
    fn debug_tells_only_the_key_id() {
        let key = key();
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid()));
    }
}
