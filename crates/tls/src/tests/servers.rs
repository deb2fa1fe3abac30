//! A machine judges a server.

use cmglab_events::kinds::TlsFailure;
use cmglab_pki::{Authority, Eku, Overrides, SubjectName, Validity};
use jiff::SignedDuration;
use tokio_rustls::TlsConnector;

use super::lab::{HOST, Lab, VERSIONS, shake};
use crate::{CertStore, TlsProblem};

/// What came of a handshake, as the client sees it.
type Outcome = Result<(), TlsProblem>;

async fn judge(lab: &Lab, store: &CertStore, identity: &cmglab_pki::Identity, name: &str) -> Outcome {
    let connector = TlsConnector::from(store.client_config(&[b"http/1.1"]).unwrap());
    let mut outcomes = Vec::new();
    for version in VERSIONS {
        let acceptor = lab.server(identity, version);
        let (client, _server) = shake(&connector, &acceptor, name).await;
        outcomes.push(client.map(drop).map_err(|error| TlsProblem::of(&error).expect("TLS is to blame")));
    }
    assert_eq!(outcomes[0], outcomes[1], "TLS 1.2 and 1.3 differ");
    outcomes.remove(0)
}

fn refused(failure: TlsFailure) -> Outcome {
    Err(TlsProblem::Refused(failure))
}

fn needs(authorities: &[&Authority]) -> Outcome {
    let urls = authorities.iter().map(|one| one.crl_url().unwrap().to_owned()).collect();
    Err(TlsProblem::NeedsCrls(urls))
}

fn insert(lab: &Lab, store: &CertStore, authority: &Authority) {
    assert!(store.crls().insert(authority.crl_url().unwrap(), lab.crl(authority)));
}

fn trusting(lab: &Lab, root: &Authority) -> CertStore {
    let store = CertStore::new(lab.clock.clone());
    store.trust(root.cert_der()).unwrap();
    store
}

#[tokio::test]
async fn every_state_of_a_servers_certificate_has_its_cause() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let names = [SubjectName::dns(HOST)];
    let hour = SignedDuration::from_hours(1);
    let with = |overrides: Overrides| lab.leaf_with(&root, "cmg-server", &names, &overrides);
    let good = lab.leaf(&root, "cmg-server");
    let expired = with(Validity::ended(lab.clock.now(), hour).unwrap().into());
    let early = with(Validity::starting(lab.clock.now(), hour).unwrap().into());
    let usage = with(Overrides { eku: Some(vec![Eku::ClientAuth]), validity: None });
    let stranger = lab.leaf(&lab.root("cmg-root"), "cmg-server");

    for checks in [false, true] {
        let store = trusting(&lab, &root);
        store.check_crl(checks);
        insert(&lab, &store, &root);
        assert_eq!(judge(&lab, &store, &good, HOST).await, Ok(()));
        assert_eq!(judge(&lab, &store, &expired, HOST).await, refused(TlsFailure::Date));
        assert_eq!(judge(&lab, &store, &early, HOST).await, refused(TlsFailure::Date));
        assert_eq!(judge(&lab, &store, &usage, HOST).await, refused(TlsFailure::WrongUsage));
        assert_eq!(judge(&lab, &store, &good, "mp.lab.test").await, refused(TlsFailure::WrongName));
        // The same name and another key: the signature does not fit.
        assert_eq!(judge(&lab, &store, &stranger, HOST).await, refused(TlsFailure::UnknownIssuer));
        let nobody = CertStore::new(lab.clock.clone());
        assert_eq!(judge(&lab, &nobody, &good, HOST).await, refused(TlsFailure::UnknownIssuer));
    }
}

#[tokio::test]
async fn revocation_is_checked_where_wanted_and_fails_closed() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let (good, revoked) = (lab.leaf(&root, "cmg-server"), lab.leaf(&root, "cmg-server"));
    lab.revoke(&root, &revoked);
    let store = trusting(&lab, &root);

    assert_eq!(judge(&lab, &store, &good, HOST).await, needs(&[&root]));
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &good, HOST).await, Ok(()));
    assert_eq!(judge(&lab, &store, &revoked, HOST).await, refused(TlsFailure::Revoked));
    store.check_crl(false);
    assert_eq!(judge(&lab, &store, &revoked, HOST).await, Ok(()));
    store.check_crl(true);

    // The list is good for seven days.
    lab.clock.advance(SignedDuration::from_hours(24 * 8)).await;
    assert_eq!(judge(&lab, &store, &good, HOST).await, needs(&[&root]));
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &good, HOST).await, Ok(()));
    store.crls().clear();
    assert_eq!(judge(&lab, &store, &good, HOST).await, needs(&[&root]));
}

#[tokio::test]
async fn a_list_that_cannot_judge_is_no_list() {
    let lab = Lab::new();
    let (root, other) = (lab.root("cmg-root"), lab.root("site"));
    let good = lab.leaf(&root, "cmg-server");
    let store = trusting(&lab, &root);
    // Another authority's list, and one that bears the right name without the right key.
    for list in [lab.crl(&other), lab.crl(&lab.root("cmg-root"))] {
        assert!(store.crls().insert(root.crl_url().unwrap(), list));
        assert_eq!(judge(&lab, &store, &good, HOST).await, refused(TlsFailure::RevocationOffline));
    }
    assert!(!store.crls().insert(root.crl_url().unwrap(), b"not a list".to_vec()));
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &good, HOST).await, Ok(()));
}

#[tokio::test]
async fn without_a_distribution_point_the_check_fails_closed() {
    let lab = Lab::new();
    let silent = lab.root("sms-issuing");
    let identity = lab.leaf(&silent, "mp-role-ssl");
    let store = trusting(&lab, &silent);
    let nothing_to_fetch = Err(TlsProblem::NeedsCrls(vec![String::new()]));
    assert_eq!(judge(&lab, &store, &identity, HOST).await, nothing_to_fetch);
    store.check_crl(false);
    assert_eq!(judge(&lab, &store, &identity, HOST).await, Ok(()));
}

#[tokio::test]
async fn a_leaf_named_like_its_issuer_is_not_taken_for_a_root() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let names = [SubjectName::common(root.common_name()), SubjectName::dns(HOST)];
    let namesake = lab.leaf_with(&root, "cmg-server", &names, &Overrides::default());
    let store = trusting(&lab, &root);
    assert_eq!(judge(&lab, &store, &namesake, HOST).await, needs(&[&root]));
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &namesake, HOST).await, Ok(()));
    lab.revoke(&root, &namesake);
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &namesake, HOST).await, refused(TlsFailure::Revoked));
}

#[tokio::test]
async fn intermediates_must_be_sent_and_are_checked_too() {
    let lab = Lab::new();
    let root = lab.root("public-root");
    let issuing = lab.below(&root, "public-issuing");
    let identity = lab.leaf(&issuing, "cmg-server-public");
    let store = trusting(&lab, &root);
    let bare = identity.without_intermediates();
    assert_eq!(judge(&lab, &store, &bare, HOST).await, refused(TlsFailure::UnknownIssuer));
    assert_eq!(judge(&lab, &store, &identity, HOST).await, needs(&[&issuing, &root]));
    insert(&lab, &store, &issuing);
    assert_eq!(judge(&lab, &store, &identity, HOST).await, needs(&[&root]));
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &identity, HOST).await, Ok(()));

    // A server that sends its root along needs no list for it.
    let mut chain = identity.chain().to_vec();
    chain.push(root.cert_der().to_vec());
    let whole = cmglab_pki::Identity::new(chain, identity.key().clone());
    assert_eq!(judge(&lab, &store, &whole, HOST).await, Ok(()));

    let serial = cmglab_pki::read::Certificate::parse(issuing.cert_der()).unwrap().serial;
    root.revoke(&serial, lab.clock.now());
    insert(&lab, &store, &root);
    assert_eq!(judge(&lab, &store, &identity, HOST).await, refused(TlsFailure::Revoked));
}
