//! `certs/profiles.yaml`: what the lab issues.

use std::sync::Arc;

use jiff::Span;
use serde::Deserialize;

use crate::{KeyKind, PkiError};

mod check;

/// The profiles of a lab. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Profiles(Arc<File>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    crl_host: String,
    authorities: Vec<AuthorityProfile>,
    leaves: Vec<LeafProfile>,
}

/// How one authority is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuthorityProfile {
    /// How code and scenarios call it.
    pub name: String,
    /// The whole subject.
    pub common_name: String,
    /// The authority that signs it; none for a root.
    #[serde(default)]
    pub parent: Option<String>,
    /// The kind of its key.
    pub key: KeyKind,
    /// notAfter is `now` plus this, on the UTC calendar.
    pub lifetime: Span,
    /// notBefore is `now` minus this.
    pub backdate: Span,
    /// Its CRL; without one its certificates carry no distribution point.
    #[serde(default)]
    pub crl: Option<CrlProfile>,
}

/// Where an authority's CRL is, and how long one issue of it is good.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CrlProfile {
    /// The file name below the CRL host.
    pub file: String,
    /// nextUpdate is thisUpdate plus this.
    pub lifetime: Span,
}

/// How one kind of end-entity certificate is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeafProfile {
    /// How code and scenarios call it.
    pub name: String,
    /// The authority that signs it as a rule; none for a self-signed certificate.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The subject common name when the caller names none.
    #[serde(default)]
    pub common_name: Option<String>,
    /// The DNS names when the caller names none.
    #[serde(default)]
    pub names: Vec<String>,
    /// The kind of key the lab makes for it.
    pub key: KeyKind,
    /// notAfter is `now` plus this, on the UTC calendar.
    pub lifetime: Span,
    /// notBefore is `now` minus this.
    pub backdate: Span,
    /// KeyUsage (RFC 5280 section 4.2.1.3); the extension is left out when empty.
    #[serde(default)]
    pub key_usage: Vec<KeyUse>,
    /// ExtendedKeyUsage (RFC 5280 section 4.2.1.12); left out when empty.
    #[serde(default)]
    pub eku: Vec<Eku>,
    /// Whether ExtendedKeyUsage is critical.
    #[serde(default)]
    pub eku_critical: bool,
}

/// A bit of KeyUsage that a leaf can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// Signatures other than on certificates.
    DigitalSignature,
    /// Wrapping keys with RSA.
    KeyEncipherment,
    /// Encrypting data with RSA directly.
    DataEncipherment,
    /// Diffie-Hellman.
    KeyAgreement,
}

/// A purpose of ExtendedKeyUsage that the lab issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Eku {
    /// TLS server, 1.3.6.1.5.5.7.3.1.
    ServerAuth,
    /// TLS client, 1.3.6.1.5.5.7.3.2.
    ClientAuth,
    /// Configuration Manager client encryption, 1.3.6.1.4.1.311.101.2 (mp-wire section 3.2, observed).
    SmsEncryption,
    /// Configuration Manager client signing, 1.3.6.1.4.1.311.101 (mp-wire section 3.2, observed).
    SmsSigning,
}

impl Eku {
    /// The object identifier in dotted form.
    #[must_use]
    pub fn oid(self) -> &'static str {
        match self {
            Self::ServerAuth => "1.3.6.1.5.5.7.3.1",
            Self::ClientAuth => "1.3.6.1.5.5.7.3.2",
            Self::SmsEncryption => "1.3.6.1.4.1.311.101.2",
            Self::SmsSigning => "1.3.6.1.4.1.311.101",
        }
    }

    /// The object identifier in DER, tag and length included.
    pub(crate) fn oid_der(self) -> &'static [u8] {
        match self {
            Self::ServerAuth => &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
            Self::ClientAuth => &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02],
            Self::SmsEncryption => &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x65, 0x02],
            Self::SmsSigning => &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x65],
        }
    }
}

impl Profiles {
    /// The profiles built into the crate.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the file is compiled in, and a test parses it")]
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in profiles are valid")
    }

    /// Reads profiles in the form of `certs/profiles.yaml`.
    ///
    /// # Errors
    /// [`PkiError::Profiles`] names the field or entry at fault; [`PkiError::TooLarge`] past 64 KiB.
    pub fn parse(yaml: &str) -> Result<Self, PkiError> {
        crate::error::limited("profiles file", yaml.as_bytes(), MAX_FILE)?;
        let file: File =
            serde_saphyr::from_str(yaml).map_err(|error| PkiError::Profiles { reason: error.to_string() })?;
        check::file(&file).map_err(|reason| PkiError::Profiles { reason })?;
        Ok(Self(Arc::new(file)))
    }

    /// The same profiles with every CRL on `host` (`name` or `name:port`).
    ///
    /// # Errors
    /// [`PkiError::Profiles`] when `host` cannot stand in a URL.
    pub fn with_crl_host(&self, host: &str) -> Result<Self, PkiError> {
        check::host(host).map_err(|reason| PkiError::Profiles { reason })?;
        let mut file = File::clone(&self.0);
        host.clone_into(&mut file.crl_host);
        Ok(Self(Arc::new(file)))
    }

    /// Every authority; parents come before their children.
    #[must_use]
    pub fn authorities(&self) -> &[AuthorityProfile] {
        &self.0.authorities
    }

    /// Every kind of leaf.
    #[must_use]
    pub fn leaves(&self) -> &[LeafProfile] {
        &self.0.leaves
    }

    /// The authority called `name`.
    ///
    /// # Errors
    /// [`PkiError::UnknownAuthority`], with the names that exist.
    pub fn authority(&self, name: &str) -> Result<&AuthorityProfile, PkiError> {
        let all = self.authorities();
        all.iter().find(|profile| profile.name == name).ok_or_else(|| PkiError::UnknownAuthority {
            name: name.to_owned(),
            known: listed(all.iter().map(|profile| profile.name.as_str())),
        })
    }

    /// The leaf called `name`.
    ///
    /// # Errors
    /// [`PkiError::UnknownProfile`], with the names that exist.
    pub fn leaf(&self, name: &str) -> Result<&LeafProfile, PkiError> {
        let all = self.leaves();
        all.iter().find(|profile| profile.name == name).ok_or_else(|| PkiError::UnknownProfile {
            name: name.to_owned(),
            known: listed(all.iter().map(|profile| profile.name.as_str())),
        })
    }

    pub(crate) fn crl_url(&self, authority: &AuthorityProfile) -> Option<String> {
        authority.crl.as_ref().map(|crl| format!("http://{}/{}", self.0.crl_host, crl.file))
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

const BUILTIN: &str = include_str!("../../../certs/profiles.yaml");
const MAX_FILE: usize = 64 << 10;

#[cfg(test)]
mod tests;
