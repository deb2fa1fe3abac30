use proptest::prelude::*;

use super::*;
use crate::read::Certificate;
use crate::{Eku, KeyKind, Profiles};

fn subject() -> WpjSubject {
    WpjSubject {
        device_id: "5DD100CD-DF1D-45F5-BA17-A327F43465F8".parse().unwrap(),
        object_id: "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap(),
        tenant_id: "8425df3a-0000-4000-8000-000000000001".parse().unwrap(),
        join_type: b'1',
        region: "EU".to_owned(),
    }
}

fn authority(ids: &Ids, now: Timestamp) -> Authority {
    Authority::create_root(&Profiles::builtin(), "ms-organization-access", now, ids).unwrap()
}

fn now() -> Timestamp {
    "2019-01-11T21:32:50Z".parse().unwrap()
}

#[test]
fn the_certificate_says_what_it_must() {
    let (ids, now) = (Ids::seeded(1), now());
    let ca = authority(&ids, now);
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let der = ca.issue_wpj(&certificate_request(&key).unwrap(), &subject(), now, &ids).unwrap();
    let read = Certificate::parse(&der).unwrap();
    assert_eq!(read.subject, "CN=5dd100cd-df1d-45f5-ba17-a327f43465f8");
    assert_eq!(read.issuer, "CN=MS-Organization-Access");
    assert_eq!(read.validity.not_before.to_string(), "2019-01-11T21:02:50Z");
    assert_eq!(read.validity.not_after.to_string(), "2029-01-11T21:32:50Z");
    assert_eq!(read.eku, [Eku::ClientAuth.oid()]);
    assert_eq!(read.spki_der, key.spki_der());
    assert!(!read.is_ca && read.key_usage.is_empty());
    assert_eq!(read.crl_urls, ["http://crl.lab.test/ms-organization-access.crl"]);
    assert!(read.is_signed_by(&Certificate::parse(ca.cert_der()).unwrap()).is_ok());
    let subject = subject();
    assert_eq!(read.wpj.device_id, Some(subject.device_id));
    assert_eq!(read.wpj.object_id, Some(subject.object_id));
    assert_eq!(read.wpj.tenant_id, Some(subject.tenant_id));
    assert_eq!(read.wpj.join_type, Some(b'1'));
    assert_eq!(read.wpj.region.as_deref(), Some("EU"));
}

#[test]
fn extensions_are_encoded_and_marked_as_specified() {
    let (ids, now) = (Ids::seeded(1), now());
    let ca = authority(&ids, now);
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let key = PrivateKey::generate(kind).unwrap();
        let request = certificate_request(&key).unwrap();
        let der = ca.issue_wpj(&request, &subject(), now, &ids).unwrap();
        let (_, x509) = x509_parser::parse_x509_certificate(&der).unwrap();
        let find = |oid: &str| x509.extensions().iter().find(|e| e.oid.to_id_string() == oid).unwrap();
        assert_eq!(x509.public_key().raw, key.spki_der());
        // sha256WithRSAEncryption, as the authority's key is RSA whatever the device's is.
        assert_eq!(x509.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.11");
        assert!(find("2.5.29.37").critical && find("2.5.29.19").critical);
        assert_eq!(find("2.5.29.19").value, [0x30, 0x00]);
        assert!(!x509.extensions().iter().any(|extension| extension.oid.to_id_string() == "2.5.29.15"));
        for (last, value) in EXTENSIONS {
            let extension = find(&format!("1.2.840.113556.1.5.284.{last}"));
            assert_eq!((extension.critical, extension.value), (false, *value), "{last}");
        }
        let own = |oid: String| oid.starts_with(ARC);
        let count = x509.extensions().iter().filter(|extension| own(extension.oid.to_id_string())).count();
        assert_eq!(count, EXTENSIONS.len());
    }
}

/// The last arc and the value: an OCTET STRING of 16 bytes in Microsoft's order, or of ASCII text.
const EXTENSIONS: &[(u8, &[u8])] = &[
    (2, b"\x04\x10\xcd\x00\xd1\x5d\x1d\xdf\xf5\x45\xba\x17\xa3\x27\xf4\x34\x65\xf8"),
    (3, b"\x04\x10\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
    (5, b"\x04\x10\x3a\xdf\x25\x84\x00\x00\x00\x40\x80\x00\x00\x00\x00\x00\x00\x01"),
    (7, b"\x04\x011"),
    (8, b"\x04\x02EU"),
];

#[test]
fn a_request_signed_by_another_key_is_refused() {
    let (ids, now) = (Ids::seeded(1), now());
    let ca = authority(&ids, now);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let good = certificate_request(&key).unwrap();
    assert!(ca.issue_wpj(&good, &subject(), now, &ids).is_ok());
    // The public key point of another key in the same place: all else is equal.
    let other = PrivateKey::generate(KeyKind::P256).unwrap();
    let at = good.windows(65).position(|window| window == key.public_key()).unwrap();
    let mut bad = good.clone();
    bad[at..at + 65].copy_from_slice(other.public_key());
    let refused = ca.issue_wpj(&bad, &subject(), now, &ids);
    assert!(matches!(refused, Err(PkiError::Signature { .. })), "{refused:?}");
}

#[test]
fn other_kinds_of_key_are_refused() {
    let (ids, now) = (Ids::seeded(1), now());
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    let refused = authority(&ids, now).issue_wpj(request.der(), &subject(), now, &ids);
    assert!(matches!(refused, Err(PkiError::PublicKey { .. })), "{refused:?}");
}

#[test]
fn a_wrong_region_or_join_type_is_refused() {
    assert!(extensions(&subject()).is_ok());
    let region = WpjSubject { region: "Europe".to_owned(), ..subject() };
    assert!(matches!(extensions(&region), Err(PkiError::Name { .. })));
    let join_type = WpjSubject { join_type: 1, ..subject() };
    assert!(matches!(extensions(&join_type), Err(PkiError::Name { .. })));
}

#[test]
fn long_form_lengths_are_read() {
    let id = subject().device_id;
    let mut read = WpjExtensions::default();
    read.take("1.2.840.113556.1.5.284.2", &[&[4, 0x81, 16], id.to_bytes_le().as_slice()].concat()).unwrap();
    assert_eq!(read.device_id, Some(id));
    assert!(read.take("1.2.840.113556.1.5.284.2", &[4, 15, 0]).is_err());
    assert!(read.take("1.2.840.113556.1.5.284.7", &[4, 0]).is_err());
    assert_eq!(read.take("1.2.840.113556.1.5.284.4", &[1]), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(requested_key(&bytes).is_err());
    }

    #[test]
    fn values_never_panic(last in 1u8..9, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _result = WpjExtensions::default().take(&format!("{ARC}{last}"), &bytes);
    }
}
