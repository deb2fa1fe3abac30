use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;

use super::*;
use crate::read::{Certificate, Crl};
use crate::{Authorities, Eku, KeyKind};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn client_pki(ids: &Ids) -> (Authority, Authority) {
    let root = Authority::create_root(&Profiles::builtin(), "client-root", now(), ids).unwrap();
    let issuing = Authority::create_intermediate(&root, "client-issuing", now(), ids).unwrap();
    (root, issuing)
}

fn client(issuing: &Authority, overrides: &Overrides, ids: &Ids) -> Identity {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let names = [SubjectName::dns("pc1.lab.test")];
    issuing.issue_with("pki-client", &names, overrides, &key, now(), ids).unwrap()
}

#[test]
fn chains_leave_out_the_root() {
    let ids = Ids::seeded(1);
    let (root, issuing) = client_pki(&ids);
    assert!(root.is_root() && !issuing.is_root());
    let identity = client(&issuing, &Overrides::default(), &ids);
    assert_eq!(identity.chain().len(), 2);
    assert_eq!(identity.chain()[1], issuing.cert_der());
    assert_eq!(identity.without_intermediates().chain().len(), 1);
    let intermediate = Certificate::parse(issuing.cert_der()).unwrap();
    assert_eq!(intermediate.crl_urls, [root.crl_url().unwrap()]);
    assert!(intermediate.is_ca);
}

#[test]
fn overrides_reach_the_certificate() {
    let ids = Ids::seeded(1);
    let (_, issuing) = client_pki(&ids);
    let read = |overrides: Overrides| client(&issuing, &overrides, &ids).certificate().unwrap();
    assert!(read(Overrides::default()).validity.contains(now()));
    let hour = SignedDuration::from_hours(1);
    let expired = read(Validity::ended(now(), hour).unwrap().into());
    assert!(expired.validity.not_after < now());
    let early = read(Validity::starting(now(), hour).unwrap().into());
    assert!(early.validity.not_before > now());
    let eku = |eku: &[Eku]| read(Overrides { eku: Some(eku.to_vec()), validity: None }).eku;
    assert_eq!(eku(&[Eku::ServerAuth, Eku::ServerAuth]), [Eku::ServerAuth.oid()]);
    assert!(eku(&[]).is_empty());
}

#[test]
fn a_validity_that_ends_before_it_starts_is_refused() {
    let ids = Ids::seeded(1);
    let (_, issuing) = client_pki(&ids);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let issue = |validity| {
        issuing.issue_with("pki-client", &[SubjectName::dns("a")], &validity, &key, now(), &ids).map(|_| ())
    };
    let (at, later) = (now(), now() + SignedDuration::from_secs(1));
    assert_eq!(issue(Validity { not_before: at, not_after: at }.into()), Ok(()));
    let refused = issue(Validity { not_before: later, not_after: at }.into());
    assert!(matches!(refused, Err(PkiError::Date { .. })));
}

#[test]
fn names_come_from_the_caller_or_the_profile() {
    let ids = Ids::seeded(1);
    let ca = Authority::create_root(&Profiles::builtin(), "aad-tls", now(), &ids).unwrap();
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let read = |profile: &str, names: &[SubjectName]| {
        ca.issue(profile, names, &key, now(), &ids).and_then(|identity| identity.certificate())
    };
    let own = read("aad-server", &[]).unwrap();
    assert_eq!(own.subject_common_name.as_deref(), Some("login.microsoftonline.com"));
    assert!(own.dns_names.iter().any(|name| name == "enterpriseregistration.windows.net"));
    let wild = read("aad-server", &[SubjectName::dns("*.lab.test")]).unwrap();
    assert_eq!(wild.dns_names, ["*.lab.test"]);
    let named = read("aad-server", &[SubjectName::common("Other"), SubjectName::dns("a.lab.test")]).unwrap();
    assert_eq!(named.subject_common_name.as_deref(), Some("Other"));
    for bad in ["", "a b", "a..b", "*", "ä.test", &"a.".repeat(127)] {
        let refused = read("aad-server", &[SubjectName::dns(bad)]);
        assert!(matches!(refused, Err(PkiError::Name { .. })), "{bad:?}: {refused:?}");
    }
    assert!(matches!(read("mp-server", &[]), Err(PkiError::Name { .. })));
    assert!(read("mp-server", &[SubjectName::common("x".repeat(64))]).is_ok());
    assert!(matches!(read("mp-server", &[SubjectName::common("x".repeat(65))]), Err(PkiError::Name { .. })));
}

#[test]
fn serials_repeat_with_the_seed_and_never_within_a_run() {
    let serial =
        |ids: &Ids| client(&client_pki(ids).1, &Overrides::default(), ids).certificate().unwrap().serial;
    let (a, b) = (Ids::seeded(5), Ids::seeded(5));
    let first = serial(&a);
    assert_eq!(first, serial(&b));
    assert_ne!(first, serial(&a));
    assert_eq!(first.as_bytes().len(), 16);
}

#[test]
fn a_foreign_public_key_is_certified_or_refused() {
    let ids = Ids::seeded(1);
    let (_, issuing) = client_pki(&ids);
    let names = [SubjectName::dns("pc1.lab.test")];
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let key = PrivateKey::generate(kind).unwrap();
        let issued = issuing.issue_for_public_key("pki-client", &names, key.spki_der(), now(), &ids).unwrap();
        assert_eq!(Certificate::parse(&issued).unwrap().spki_der, key.spki_der());
    }
    let refused = issuing.issue_for_public_key("pki-client", &names, b"rubbish", now(), &ids);
    assert!(matches!(refused, Err(PkiError::Malformed { .. })));
}

#[test]
fn crls_tell_what_is_revoked_and_when() {
    let ids = Ids::seeded(1);
    let (_, issuing) = client_pki(&ids);
    let serial = client(&issuing, &Overrides::default(), &ids).certificate().unwrap().serial;
    let clean = Crl::parse(&issuing.crl(now(), 1).unwrap()).unwrap();
    assert_eq!(clean.issuer_common_name.as_deref(), Some("Lab Client Issuing CA"));
    assert_eq!((clean.number, clean.revoked.len()), (Some(1), 0));
    assert_eq!(clean.next_update, Some(now() + SignedDuration::from_hours(7 * 24)));
    assert!(!clean.is_stale(now()) && clean.is_stale(clean.next_update.unwrap()));

    let later = now() + SignedDuration::from_hours(1);
    issuing.revoke(&serial, later);
    issuing.revoke(&serial, later + SignedDuration::from_hours(1));
    let before = Crl::parse(&issuing.crl(now(), 2).unwrap()).unwrap();
    assert!(!before.revokes(&serial) && !issuing.is_revoked(&serial, now()));
    assert!(issuing.is_revoked(&serial, later));
    let after = Crl::parse(&issuing.crl(later, 300).unwrap()).unwrap();
    assert_eq!(after.revoked, [(serial, later)]);
    assert_eq!(after.number, Some(300));
    let issuer = Certificate::parse(issuing.cert_der()).unwrap();
    assert_eq!(after.is_signed_by(&issuer), Ok(()));
}

#[test]
fn an_authority_without_a_crl_says_so() {
    let ids = Ids::seeded(1);
    let ca = Authority::create_root(&Profiles::builtin(), "sms-issuing", now(), &ids).unwrap();
    assert_eq!(ca.crl_url(), None);
    assert_eq!(ca.crl(now(), 1), Err(PkiError::NoCrl { authority: "sms-issuing".to_owned() }));
}

/// OpenSSL is the second opinion on chains and CRLs.
#[test]
fn openssl_agrees() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED openssl_agrees: no openssl command here");
        return;
    }
    let ids = Ids::seeded(1);
    let all = Authorities::create(&Profiles::builtin(), now(), &ids).unwrap();
    let (root, issuing) = (all.get("client-root").unwrap(), all.get("client-issuing").unwrap());
    let identity = all.issue("pki-client", &[SubjectName::dns("pc1.lab.test")], now(), &ids).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let crl_pem = |ca: &Authority| pem::encode("X509 CRL", &ca.crl(now(), 1).unwrap());
    write("roots.pem", &root.cert_pem());
    write("other.pem", &all.get("site").unwrap().cert_pem());
    write("leaf.pem", &identity.without_intermediates().chain_pem());
    write("chain.pem", &identity.chain_pem());
    write("crls.pem", &[crl_pem(root), crl_pem(issuing)].concat());
    write("old-crls.pem", &[crl_pem(root)].concat());

    assert_openssl(folder.path(), "roots.pem", Some("chain.pem"), "crls.pem", "OK");
    assert_openssl(folder.path(), "roots.pem", None, "crls.pem", "unable to get local issuer certificate");
    assert_openssl(folder.path(), "other.pem", Some("chain.pem"), "crls.pem", "unable to get");
    assert_openssl(
        folder.path(),
        "roots.pem",
        Some("chain.pem"),
        "old-crls.pem",
        "unable to get certificate CRL",
    );
    issuing.revoke(&identity.certificate().unwrap().serial, now());
    write("crls.pem", &[crl_pem(root), crl_pem(issuing)].concat());
    assert_openssl(folder.path(), "roots.pem", Some("chain.pem"), "crls.pem", "certificate revoked");
}

fn assert_openssl(folder: &Path, roots: &str, chain: Option<&str>, crls: &str, verdict: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(["verify", "-x509_strict", "-crl_check_all", "-purpose", "sslclient"]);
    command.args(["-attime", &now().as_second().to_string(), "-CAfile", roots, "-CRLfile", crls]);
    if let Some(chain) = chain {
        command.args(["-untrusted", chain]);
    }
    let output = command.arg("leaf.pem").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains(verdict), "wanted {verdict:?}, openssl said: {text}");
}
