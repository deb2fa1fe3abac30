//! From a profile and names to a certificate's contents.

use std::net::IpAddr;

use cmglab_ids::Ids;
use jiff::Timestamp;
use rcgen::{
    CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType, IsCa,
    KeyUsagePurpose, SanType,
};

use crate::dates::{self, Validity};
use crate::{Eku, Identity, KeyUse, LeafProfile, PkiError, PrivateKey, Profiles};

/// A name to put in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectName {
    /// The subject common name. Without one, the profile's is used, else the first DNS name.
    Common(String),
    /// A DNS name for SubjectAltName; may start with `*.`.
    Dns(String),
    /// An address for SubjectAltName.
    Ip(IpAddr),
}

impl SubjectName {
    /// A subject common name.
    #[must_use]
    pub fn common(name: impl Into<String>) -> Self {
        Self::Common(name.into())
    }

    /// A DNS name.
    #[must_use]
    pub fn dns(name: impl Into<String>) -> Self {
        Self::Dns(name.into())
    }
}

/// What to change of a profile for one certificate, to make it fail on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Valid then, and not by the profile's lifetime.
    pub validity: Option<Validity>,
    /// These purposes, and not the profile's; empty leaves the extension out.
    pub eku: Option<Vec<Eku>>,
}

impl From<Validity> for Overrides {
    fn from(validity: Validity) -> Self {
        Self { validity: Some(validity), eku: None }
    }
}

/// A self-signed certificate of `profile`.
///
/// # Errors
/// As [`Authority::issue`](crate::Authority::issue).
pub(crate) fn self_signed(
    profiles: &Profiles,
    profile: &str,
    names: &[SubjectName],
    overrides: &Overrides,
    key: &PrivateKey,
    now: Timestamp,
    ids: &Ids,
) -> Result<Identity, PkiError> {
    let params = leaf_params(profiles.leaf(profile)?, names, overrides, now, ids)?;
    let certificate = params.self_signed(&Signer(key.clone())).map_err(PkiError::signing)?;
    Ok(Identity::new(vec![certificate.der().to_vec()], key.clone()))
}

/// The contents of an end-entity certificate, but for what depends on its issuer.
pub(crate) fn leaf_params(
    profile: &LeafProfile,
    names: &[SubjectName],
    overrides: &Overrides,
    now: Timestamp,
    ids: &Ids,
) -> Result<CertificateParams, PkiError> {
    let validity = match overrides.validity {
        Some(validity) => validity.ordered()?,
        None => Validity::around(now, &profile.backdate, &profile.lifetime)?,
    };
    let alternative = alternative_names(profile, names)?;
    let mut params = base_params(&common_name(profile, names)?, validity, ids)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.subject_alt_names = alternative;
    params.key_usages = profile.key_usage.iter().copied().map(key_usage).collect();
    params.custom_extensions.extend(eku_extension(profile, overrides));
    Ok(params)
}

/// What authorities and leaves have in common.
pub(crate) fn base_params(
    common_name: &str,
    validity: Validity,
    ids: &Ids,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.not_before = dates::to_x509(validity.not_before)?;
    params.not_after = dates::to_x509(validity.not_after)?;
    params.serial_number = Some(serial(ids).to_vec().into());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

/// Adds what the issuer contributes: AuthorityKeyIdentifier and the CRL distribution point.
pub(crate) fn name_issuer(params: &mut CertificateParams, crl_url: Option<&str>) {
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points =
        crl_url.map(|url| CrlDistributionPoint { uris: vec![url.to_owned()] }).into_iter().collect();
}

/// A private key as the certificate library wants to see it.
pub(crate) struct Signer(pub(crate) PrivateKey);

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.0.kind() {
            crate::KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            crate::KeyKind::Rsa2048 => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign_x509(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn common_name(profile: &LeafProfile, names: &[SubjectName]) -> Result<String, PkiError> {
    let given = names.iter().find_map(|name| match name {
        SubjectName::Common(name) => Some(name),
        _ => None,
    });
    let first_dns = names.iter().find_map(|name| match name {
        SubjectName::Dns(name) => Some(name),
        _ => None,
    });
    let name = given
        .or(profile.common_name.as_ref())
        .or(first_dns)
        .or_else(|| profile.names.first())
        .ok_or_else(|| bad_name(&profile.name, "the profile has no name of its own, so give one"))?;
    match name.chars().count() {
        0 => Err(bad_name(name, "it is empty")),
        1..=MAX_COMMON_NAME => Ok(name.clone()),
        _ => Err(bad_name(name, "a common name has at most 64 characters")),
    }
}

fn alternative_names(profile: &LeafProfile, names: &[SubjectName]) -> Result<Vec<SanType>, PkiError> {
    let given: Vec<_> = names.iter().filter_map(alternative_name).collect::<Result<_, _>>()?;
    let own = || profile.names.iter().map(|name| dns_name(name)).collect::<Result<Vec<_>, _>>();
    let all = if given.is_empty() { own()? } else { given };
    if all.len() > MAX_NAMES {
        return Err(PkiError::TooLarge { what: "list of names", size: all.len(), limit: MAX_NAMES });
    }
    Ok(all)
}

fn alternative_name(name: &SubjectName) -> Option<Result<SanType, PkiError>> {
    match name {
        SubjectName::Common(_) => None,
        SubjectName::Dns(name) => Some(dns_name(name)),
        SubjectName::Ip(address) => Some(Ok(SanType::IpAddress(*address))),
    }
}

fn dns_name(name: &str) -> Result<SanType, PkiError> {
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(plain)
    };
    let host = name.strip_prefix("*.").unwrap_or(name);
    if name.len() > 253 || !host.split('.').all(label) {
        return Err(bad_name(name, "it is not a DNS name"));
    }
    let name = name.try_into().map_err(|_| bad_name(name, "it is not a DNS name"))?;
    Ok(SanType::DnsName(name))
}

fn bad_name(name: &str, reason: &'static str) -> PkiError {
    PkiError::Name { name: name.to_owned(), reason }
}

fn key_usage(usage: KeyUse) -> KeyUsagePurpose {
    match usage {
        KeyUse::DigitalSignature => KeyUsagePurpose::DigitalSignature,
        KeyUse::KeyEncipherment => KeyUsagePurpose::KeyEncipherment,
        KeyUse::DataEncipherment => KeyUsagePurpose::DataEncipherment,
        KeyUse::KeyAgreement => KeyUsagePurpose::KeyAgreement,
    }
}

/// ExtendedKeyUsage by hand: the library cannot mark it critical.
fn eku_extension(profile: &LeafProfile, overrides: &Overrides) -> Option<CustomExtension> {
    let wanted = overrides.eku.as_ref().unwrap_or(&profile.eku);
    let mut oids = Vec::new();
    for (index, eku) in wanted.iter().enumerate() {
        if !wanted[..index].contains(eku) {
            oids.extend_from_slice(eku.oid_der());
        }
    }
    // There are four purposes of at most 11 bytes, so the length is always one byte.
    let length = u8::try_from(oids.len()).ok().filter(|length| (1..128).contains(length))?;
    let content = [&[0x30, length], oids.as_slice()].concat();
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
    extension.set_criticality(profile.eku_critical);
    Some(extension)
}

/// 16 bytes, positive, and never shorter in DER.
fn serial(ids: &Ids) -> [u8; 16] {
    let mut bytes: [u8; 16] = ids.bytes();
    bytes[0] = bytes[0] & 0x3f | 0x40;
    bytes
}

/// ub-common-name of RFC 5280, in characters.
const MAX_COMMON_NAME: usize = 64;
const MAX_NAMES: usize = 256;
