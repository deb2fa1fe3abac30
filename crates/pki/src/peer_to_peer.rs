//! The certificate a joined device shows to other devices of its tenant (entra section 3.4).
//!
//! Fidelity: observed for the authority's name and for what clients read of the certificate, inferred for the
//! rest of its contents. It is good for a day and proves nothing to Azure AD itself. The authority belongs to
//! one service and is trusted by nobody else, so its profiles are here and not in `certs/profiles.yaml`.

use cmglab_ids::Ids;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::issue::{Overrides, SubjectName, leaf_params};
use crate::wpj::requested_key;
use crate::{Authority, PkiError, Profiles};

/// The profile that shapes it.
pub const PROFILE: &str = "p2p-device";

/// Makes the authority: self-signed, and named after the year of `now` as the real ones are.
///
/// # Errors
/// As [`Authority::create_root`].
pub fn authority(now: Timestamp, ids: &Ids) -> Result<Authority, PkiError> {
    let year = now.to_zoned(TimeZone::UTC).year().to_string();
    Authority::create_root(&Profiles::parse(&PROFILES.replace("YEAR", &year))?, AUTHORITY, now, ids)
}

impl Authority {
    /// Issues a certificate for the key of a PKCS#10 request, whose signature proves possession; its subject
    /// and extensions are ignored. The subject is the device id. Returns the certificate in DER.
    ///
    /// # Errors
    /// As [`Authority::issue_wpj`]; [`PkiError::UnknownProfile`] by an authority that [`authority`] did not
    /// make; [`PkiError::Name`] when one of `dns_names` is none.
    pub fn issue_peer_to_peer(
        &self,
        csr_der: &[u8],
        device: Uuid,
        dns_names: &[&str],
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Vec<u8>, PkiError> {
        let public_key = requested_key(csr_der)?;
        let subject = SubjectName::common(device.hyphenated().to_string());
        let names: Vec<_> =
            std::iter::once(subject).chain(dns_names.iter().copied().map(SubjectName::dns)).collect();
        let profile = self.profiles().leaf(PROFILE)?;
        let params = leaf_params(profile, &names, &Overrides::default(), now, ids)?;
        self.sign(params, &public_key)
    }
}

const AUTHORITY: &str = "ms-organization-p2p-access";

const PROFILES: &str = r#"
crl_host: localhost
authorities:
  - name: ms-organization-p2p-access
    common_name: "MS-Organization-P2P-Access [YEAR]"
    key: p256
    lifetime: 10y
    backdate: 1d
leaves:
  - name: p2p-device
    issuer: ms-organization-p2p-access
    key: rsa2048
    lifetime: 1d
    backdate: 5m
    key_usage: [digital-signature, key-encipherment]
    eku: [client-auth, server-auth]
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Certificate;
    use crate::wpj::certificate_request;
    use crate::{KeyKind, PrivateKey};

    #[test]
    fn a_device_is_certified_for_a_day() {
        let (now, ids) = ("2027-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let authority = authority(now, &ids).unwrap();
        assert_eq!(authority.common_name(), "MS-Organization-P2P-Access [2027]");
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let (request, device) = (certificate_request(&key).unwrap(), Uuid::from_u128(7));
        let issue = |names: &[&str]| authority.issue_peer_to_peer(&request, device, names, now, &ids);
        let read = Certificate::parse(&issue(&["pc1", "pc1.lab.test"]).unwrap()).unwrap();
        assert_eq!(read.subject_common_name, Some(device.to_string()));
        assert_eq!(read.dns_names, ["pc1", "pc1.lab.test"]);
        assert_eq!(read.spki_der, key.spki_der());
        assert_eq!((read.eku.len(), read.crl_urls.len(), read.wpj.device_id), (2, 0, None));
        assert_eq!(read.validity.not_after.duration_since(now).as_hours(), 24);
        let above = Certificate::parse(authority.cert_der()).unwrap();
        assert_eq!(read.is_signed_by(&above), Ok(()));
        assert!(issue(&[]).is_ok());
        assert!(matches!(issue(&["not a name"]), Err(PkiError::Name { .. })));
        assert!(authority.issue_peer_to_peer(b"rubbish", device, &[], now, &ids).is_err());
    }
}
