//! The certificate a device gets when it joins Azure AD (entra section 2.3).
//!
//! Fidelity: documented for the device, user and tenant extensions (MS-DVRJ), observed for join type and
//! region. The subject is the device id alone, ExtendedKeyUsage and BasicConstraints are critical, and five
//! extensions of the arc 1.2.840.113556.1.5.284 each hold an OCTET STRING: GUIDs in little-endian order,
//! the other two as ASCII text. Readers in the field accept a long-form length, so this one does too.

use cmglab_ids::Ids;
use jiff::Timestamp;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType};
use uuid::Uuid;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::error::limited;
use crate::issue::{Overrides, Signer, SubjectName, leaf_params};
use crate::{Authority, PkiError, PrivateKey, verify};

/// The profile that shapes it.
pub const PROFILE: &str = "wpj";

/// The subject of every join request; servers ignore it.
pub const REQUEST_SUBJECT: &str = "7E980AD9-B86D-4306-9425-9AC066FB014A";

/// Whom the certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WpjSubject {
    /// The device id; also the subject common name, in small letters.
    pub device_id: Uuid,
    /// The object id of the user who joined the device.
    pub object_id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// One ASCII character: `b'0'` registered, `b'1'` joined.
    pub join_type: u8,
    /// Where the tenant is: `AF`, `AS`, `AP`, `EU`, `ME`, `NA` or `SA`.
    pub region: String,
}

/// What a certificate says in the WPJ extensions; all empty in any other certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WpjExtensions {
    /// Extension .2, the device id.
    pub device_id: Option<Uuid>,
    /// Extension .3, the object id of the joining user.
    pub object_id: Option<Uuid>,
    /// Extension .5, the tenant id.
    pub tenant_id: Option<Uuid>,
    /// Extension .7, the join type as an ASCII character.
    pub join_type: Option<u8>,
    /// Extension .8, the tenant's region.
    pub region: Option<String>,
}

/// A PKCS#10 request as a device sends it when it joins, in DER.
///
/// # Errors
/// [`PkiError::Signing`] when the provider fails.
pub fn certificate_request(key: &PrivateKey) -> Result<Vec<u8>, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, REQUEST_SUBJECT);
    let request = params.serialize_request(&Signer(key.clone())).map_err(PkiError::signing)?;
    Ok(request.der().to_vec())
}

impl Authority {
    /// Issues a WPJ certificate for the key of a PKCS#10 request, whose signature proves possession. The
    /// request's subject and extensions are ignored. Returns the certificate in DER.
    ///
    /// # Errors
    /// [`PkiError::Malformed`] or [`PkiError::TooLarge`] for the request, [`PkiError::Signature`] when it does
    /// not verify, [`PkiError::PublicKey`] for a kind of key the lab does not certify, [`PkiError::Name`] for
    /// a region or join type that cannot be written.
    pub fn issue_wpj(
        &self,
        csr_der: &[u8],
        subject: &WpjSubject,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Vec<u8>, PkiError> {
        self.issue_wpj_with(csr_der, subject, &Overrides::default(), now, ids)
    }

    /// As [`Authority::issue_wpj`], departing from the profile.
    ///
    /// # Errors
    /// As [`Authority::issue_wpj`].
    pub fn issue_wpj_with(
        &self,
        csr_der: &[u8],
        subject: &WpjSubject,
        overrides: &Overrides,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Vec<u8>, PkiError> {
        let public_key = requested_key(csr_der)?;
        let name = SubjectName::common(subject.device_id.hyphenated().to_string());
        let mut params = leaf_params(self.profiles().leaf(PROFILE)?, &[name], overrides, now, ids)?;
        params.custom_extensions.extend(extensions(subject)?);
        self.sign(params, &public_key)
    }
}

/// The key of a request that is signed with it.
pub(crate) fn requested_key(csr_der: &[u8]) -> Result<rcgen::SubjectPublicKeyInfo, PkiError> {
    limited(REQUEST, csr_der, MAX_REQUEST)?;
    let (rest, csr) =
        X509CertificationRequest::from_der(csr_der).map_err(|error| PkiError::malformed(REQUEST, error))?;
    if !rest.is_empty() {
        return Err(PkiError::malformed(REQUEST, "bytes follow its end"));
    }
    let info = &csr.certification_request_info;
    let public_key = verify::certifiable(info.subject_pki.raw)?;
    verify::signature(REQUEST, &info.subject_pki, &csr.signature_algorithm, info.raw, &csr.signature_value)?;
    Ok(public_key)
}

fn extensions(subject: &WpjSubject) -> Result<[CustomExtension; 5], PkiError> {
    let region = subject.region.as_bytes();
    if region.len() != 2 || !region.iter().all(u8::is_ascii_uppercase) {
        let name = subject.region.clone();
        return Err(PkiError::Name { name, reason: "a region is two capital letters" });
    }
    if !subject.join_type.is_ascii_digit() {
        let name = subject.join_type.escape_ascii().to_string();
        return Err(PkiError::Name { name, reason: "a join type is one digit" });
    }
    Ok([
        extension(2, &subject.device_id.to_bytes_le()),
        extension(3, &subject.object_id.to_bytes_le()),
        extension(5, &subject.tenant_id.to_bytes_le()),
        extension(7, &[subject.join_type]),
        extension(8, region),
    ])
}

/// `value` is at most 16 bytes, so its length takes one.
fn extension(last: u64, value: &[u8]) -> CustomExtension {
    let content = [&[OCTET_STRING, value.len() as u8], value].concat();
    CustomExtension::from_oid_content(&[1, 2, 840, 113_556, 1, 5, 284, last], content)
}

impl WpjExtensions {
    /// Takes in one extension of a certificate, given its dotted OID; others are passed over.
    pub(crate) fn take(&mut self, oid: &str, value: &[u8]) -> Result<(), PkiError> {
        let Some(last) = oid.strip_prefix(ARC) else { return Ok(()) };
        match last {
            "2" => self.device_id = Some(guid(value)?),
            "3" => self.object_id = Some(guid(value)?),
            "5" => self.tenant_id = Some(guid(value)?),
            "7" => self.join_type = Some(*octets(value)?.first().ok_or_else(empty)?),
            "8" => self.region = Some(String::from_utf8_lossy(octets(value)?).into_owned()),
            _ => {}
        }
        Ok(())
    }
}

fn guid(value: &[u8]) -> Result<Uuid, PkiError> {
    let bytes = octets(value)?.try_into().map_err(|_| PkiError::malformed(WPJ, "a GUID has 16 bytes"))?;
    Ok(Uuid::from_bytes_le(bytes))
}

/// The contents of an OCTET STRING with a short length, or with one byte of long-form length.
fn octets(value: &[u8]) -> Result<&[u8], PkiError> {
    let (length, contents) = match value {
        [OCTET_STRING, 0x81, length, contents @ ..] => (*length, contents),
        [OCTET_STRING, length @ 0..=0x7f, contents @ ..] => (*length, contents),
        _ => return Err(PkiError::malformed(WPJ, "not an OCTET STRING")),
    };
    if contents.len() == usize::from(length) {
        Ok(contents)
    } else {
        Err(PkiError::malformed(WPJ, "its length is wrong"))
    }
}

fn empty() -> PkiError {
    PkiError::malformed(WPJ, "it is empty")
}

const ARC: &str = "1.2.840.113556.1.5.284.";
const OCTET_STRING: u8 = 0x04;
const WPJ: &str = "WPJ extension";
const REQUEST: &str = "certificate request";
const MAX_REQUEST: usize = 16 << 10;

#[cfg(test)]
mod tests;
