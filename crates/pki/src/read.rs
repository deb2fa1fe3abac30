//! Reading certificates that others present.
//!
//! Nothing here trusts what it reads: sizes are capped, parsing never panics, and a parsed certificate is
//! only a description until [`Certificate::is_signed_by`] ties it to an issuer.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, ExtendedKeyUsage, GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::dates::{Validity, from_x509};
use crate::error::limited;
use crate::wpj::WpjExtensions;
use crate::{Eku, PkiError, verify};

mod crl;
mod serial;

pub use crl::Crl;
pub use serial::Serial;

/// What a certificate says about itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The certificate as read.
    pub der: Vec<u8>,
    /// The subject in text form, such as `CN=host.lab.test`.
    pub subject: String,
    /// The first common name of the subject.
    pub subject_common_name: Option<String>,
    /// The issuer in text form.
    pub issuer: String,
    /// The first common name of the issuer.
    pub issuer_common_name: Option<String>,
    /// The serial number.
    pub serial: Serial,
    /// notBefore and notAfter.
    pub validity: Validity,
    /// DNS names of SubjectAltName.
    pub dns_names: Vec<String>,
    /// HTTP and other URIs of CRLDistributionPoints, in order.
    pub crl_urls: Vec<String>,
    /// Purposes of ExtendedKeyUsage as dotted OIDs, in order of the certificate where they are unusual.
    pub eku: Vec<String>,
    /// Bits of KeyUsage by their RFC 5280 names.
    pub key_usage: Vec<&'static str>,
    /// Whether BasicConstraints says that it is a CA.
    pub is_ca: bool,
    /// SubjectPublicKeyInfo in DER.
    pub spki_der: Vec<u8>,
    /// The public key, if it is RSA.
    pub rsa: Option<RsaPublicKey>,
    /// What it says as a WPJ certificate.
    pub wpj: WpjExtensions,
}

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    /// RSAPublicKey in DER (PKCS#1, RFC 8017 appendix A.1.1).
    pub pkcs1_der: Vec<u8>,
    /// The size of the modulus.
    pub modulus_bits: usize,
}

impl Certificate {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// [`PkiError::TooLarge`] past 64 KiB; [`PkiError::Malformed`] says what does not parse.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let x509 = parse(der)?;
        let mut read = Self {
            der: der.to_vec(),
            subject: x509.subject().to_string(),
            subject_common_name: common_name(x509.subject()),
            issuer: x509.issuer().to_string(),
            issuer_common_name: common_name(x509.issuer()),
            serial: Serial::from_der_bytes(x509.raw_serial())?,
            validity: validity(&x509)?,
            dns_names: Vec::new(),
            crl_urls: Vec::new(),
            eku: Vec::new(),
            key_usage: Vec::new(),
            is_ca: false,
            spki_der: x509.public_key().raw.to_vec(),
            rsa: rsa_public_key(x509.public_key()),
            wpj: WpjExtensions::default(),
        };
        read.take_extensions(&x509)?;
        Ok(read)
    }

    /// SHA-1 of the DER in capital hex: what Windows calls the thumbprint.
    #[must_use]
    pub fn sha1_thumbprint(&self) -> String {
        sha1_thumbprint(&self.der)
    }

    /// SHA-256 of the DER in capital hex.
    #[must_use]
    pub fn sha256_thumbprint(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// Whether it is meant for `eku`, also when it is silent about purposes or allows any.
    #[must_use]
    pub fn allows(&self, eku: Eku) -> bool {
        self.eku.is_empty() || self.eku.iter().any(|oid| oid == eku.oid() || oid == ANY_EKU)
    }

    /// Checks that `issuer` is its issuer by name and that its signature verifies with the key of `issuer`.
    /// No dates, no revocation, and no question whether `issuer` is a CA.
    ///
    /// # Errors
    /// [`PkiError::Signature`].
    pub fn is_signed_by(&self, issuer: &Self) -> Result<(), PkiError> {
        let (x509, above) = (parse(&self.der)?, parse(&issuer.der)?);
        if x509.issuer().as_raw() != above.subject().as_raw() {
            return Err(PkiError::Signature { what: WHAT, reason: "its issuer has another name" });
        }
        let (tbs, algorithm) = (&x509.tbs_certificate, &x509.signature_algorithm);
        verify::same_algorithm(WHAT, &tbs.signature, algorithm)?;
        verify::signature(WHAT, above.public_key(), algorithm, tbs.as_ref(), &x509.signature_value)
    }

    fn take_extensions(&mut self, x509: &X509Certificate<'_>) -> Result<(), PkiError> {
        let extensions = x509.extensions();
        if extensions.len() > MAX_EXTENSIONS {
            let size = extensions.len();
            return Err(PkiError::TooLarge { what: "list of extensions", size, limit: MAX_EXTENSIONS });
        }
        for (index, extension) in extensions.iter().enumerate() {
            if extensions[..index].iter().any(|earlier| earlier.oid == extension.oid) {
                return Err(PkiError::malformed(WHAT, format!("extension {} is there twice", extension.oid)));
            }
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => self.dns_names = dns(&names.general_names),
                ParsedExtension::CRLDistributionPoints(points) => {
                    let names = points.iter().filter_map(|point| point.distribution_point.as_ref());
                    self.crl_urls = names.flat_map(uris).collect();
                }
                ParsedExtension::ExtendedKeyUsage(usage) => self.eku = eku(usage),
                ParsedExtension::KeyUsage(usage) => self.key_usage = key_usage(usage.flags),
                ParsedExtension::BasicConstraints(constraints) => self.is_ca = constraints.ca,
                ParsedExtension::ParseError { error } => return Err(PkiError::malformed(WHAT, error)),
                _ => self.wpj.take(&extension.oid.to_id_string(), extension.value)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("serial", &self.serial)
            .field("thumbprint", &self.sha1_thumbprint())
            .finish_non_exhaustive()
    }
}

/// SHA-1 of any DER certificate in capital hex.
#[must_use]
pub fn sha1_thumbprint(der: &[u8]) -> String {
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref())
}

pub(crate) fn rsa_public_key(spki: &SubjectPublicKeyInfo<'_>) -> Option<RsaPublicKey> {
    let Ok(PublicKey::RSA(rsa)) = spki.parsed() else { return None };
    let significant = rsa.modulus.iter().position(|&byte| byte != 0)?;
    let modulus = &rsa.modulus[significant..];
    let unused = modulus.first()?.leading_zeros() as usize;
    let pkcs1_der = spki.subject_public_key.data.to_vec();
    Some(RsaPublicKey { pkcs1_der, modulus_bits: modulus.len() * 8 - unused })
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, PkiError> {
    limited(WHAT, der, MAX_DER)?;
    let (rest, x509) = X509Certificate::from_der(der).map_err(|error| PkiError::malformed(WHAT, error))?;
    if rest.is_empty() { Ok(x509) } else { Err(PkiError::malformed(WHAT, "bytes follow its end")) }
}

fn validity(x509: &X509Certificate<'_>) -> Result<Validity, PkiError> {
    let dates = x509.validity();
    Ok(Validity {
        not_before: from_x509(WHAT, dates.not_before.timestamp())?,
        not_after: from_x509(WHAT, dates.not_after.timestamp())?,
    })
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

fn dns(names: &[GeneralName<'_>]) -> Vec<String> {
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.collect()
}

fn uris(point: &DistributionPointName<'_>) -> Vec<String> {
    let DistributionPointName::FullName(names) = point else { return Vec::new() };
    let uris = names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    uris.collect()
}

fn eku(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, ANY_EKU),
        (usage.server_auth, Eku::ServerAuth.oid()),
        (usage.client_auth, Eku::ClientAuth.oid()),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let known = known.iter().filter(|(set, _)| *set).map(|(_, oid)| (*oid).to_owned());
    known.chain(usage.other.iter().map(|oid| oid.to_id_string())).collect()
}

/// Bit 0 of the extension is the least significant bit of `flags`.
fn key_usage(flags: u16) -> Vec<&'static str> {
    let names = KEY_USAGE.iter().enumerate().filter(|(bit, _)| flags & 1 << bit != 0);
    names.map(|(_, name)| *name).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _infallible = write!(text, "{byte:02X}");
        text
    })
}

const WHAT: &str = "certificate";
const MAX_DER: usize = 64 << 10;
const MAX_EXTENSIONS: usize = 64;
const ANY_EKU: &str = "2.5.29.37.0";
const KEY_USAGE: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

#[cfg(test)]
mod tests;
