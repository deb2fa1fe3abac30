use cmglab_ids::Ids;
use proptest::prelude::*;

use super::*;
use crate::{Authority, KeyKind, PrivateKey, Profiles, SubjectName};

fn site() -> (Authority, crate::Identity, jiff::Timestamp) {
    let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
    let site = Authority::create_root(&Profiles::builtin(), "site", now, &ids).unwrap();
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let identity = site.issue("mp-server", &[SubjectName::dns("mp.lab.test")], &key, now, &ids).unwrap();
    (site, identity, now)
}

#[test]
fn reads_what_was_issued() {
    let (site, identity, now) = site();
    let read = identity.certificate().unwrap();
    assert_eq!(read.subject, "CN=mp.lab.test");
    assert_eq!(read.issuer_common_name.as_deref(), Some("Lab Site CA"));
    assert_eq!(read.dns_names, ["mp.lab.test"]);
    assert_eq!(read.crl_urls, ["http://crl.lab.test/site.crl"]);
    assert_eq!(read.key_usage, ["digitalSignature"]);
    assert!(read.allows(Eku::ServerAuth) && !read.allows(Eku::ClientAuth));
    assert_eq!(read.validity.not_before.to_string(), "2026-03-01T11:00:00Z");
    assert_eq!(read.validity.not_after.to_string(), "2028-03-01T12:00:00Z");
    assert_eq!(read.spki_der, identity.key().spki_der());
    assert_eq!(read.rsa.as_ref().unwrap().pkcs1_der, identity.key().public_key());
    assert_eq!(read.sha1_thumbprint().len(), 40);
    assert_eq!(read.sha256_thumbprint().len(), 64);
    let authority = Certificate::parse(site.cert_der()).unwrap();
    assert!(authority.is_ca && authority.rsa.is_none() && authority.validity.contains(now));
    assert_eq!(authority.key_usage, ["digitalSignature", "keyCertSign", "cRLSign"]);
}

#[test]
fn is_signed_by_tells_a_namesake_from_the_issuer() {
    let (site_ca, identity, now) = site();
    let read = identity.certificate().unwrap();
    let issuer = Certificate::parse(site_ca.cert_der()).unwrap();
    assert_eq!(read.is_signed_by(&issuer), Ok(()));
    let namesake = Authority::create_root(&Profiles::builtin(), "site", now, &Ids::seeded(2)).unwrap();
    let namesake = Certificate::parse(namesake.cert_der()).unwrap();
    let reason = "it does not verify with the signer's key";
    assert_eq!(read.is_signed_by(&namesake), Err(PkiError::Signature { what: WHAT, reason }));
    let reason = "its issuer has another name";
    assert_eq!(read.is_signed_by(&read), Err(PkiError::Signature { what: WHAT, reason }));
}

#[test]
fn thumbprint_is_sha1() {
    assert_eq!(sha1_thumbprint(b"abc"), "A9993E364706816ABA3E25717850C26C9CD0D89D");
}

#[test]
fn oversized_and_trailing_input_is_refused() {
    let (_, identity, _) = site();
    let mut der = identity.leaf().to_vec();
    der.push(0);
    assert!(matches!(Certificate::parse(&der), Err(PkiError::Malformed { .. })));
    assert!(matches!(Certificate::parse(&vec![0x30; MAX_DER + 1]), Err(PkiError::TooLarge { .. })));
}

/// The tags between the two parts are left alone: the parser reads some of them loosely, to no effect.
#[test]
fn a_flipped_bit_breaks_the_signature() {
    let (site, identity, now) = site();
    let issuer = Certificate::parse(site.cert_der()).unwrap();
    let leaf = |der: &[u8]| Certificate::parse(der).and_then(|leaf| leaf.is_signed_by(&issuer));
    let crl = |der: &[u8]| Crl::parse(der).and_then(|crl| crl.is_signed_by(&issuer));
    let leaf_der = identity.leaf();
    let (_, x509) = X509Certificate::from_der(leaf_der).unwrap();
    assert_no_flip_passes(leaf_der, [x509.tbs_certificate.as_ref(), &x509.signature_value.data], leaf);
    let crl_der = site.crl(now, 1).unwrap();
    let (_, x509) = x509_parser::parse_x509_crl(&crl_der).unwrap();
    assert_no_flip_passes(&crl_der, [x509.tbs_cert_list.as_ref(), &x509.signature_value.data], crl);
}

fn assert_no_flip_passes(der: &[u8], parts: [&[u8]; 2], check: impl Fn(&[u8]) -> Result<(), PkiError>) {
    assert_eq!(check(der), Ok(()));
    for part in parts {
        let start = der.windows(part.len()).position(|window| window == part).unwrap();
        for bit in 8 * start..8 * (start + part.len()) {
            let mut damaged = der.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&damaged).is_err(), "bit {bit} may be flipped");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _certificate = Certificate::parse(&bytes);
        let _crl = Crl::parse(&bytes);
    }
}
