//! The TLS epoch, and the configurations that belong to one.

use std::sync::Arc;

use jiff::SignedDuration;
use rustls::HandshakeKind;
use rustls::version::TLS13;
use tokio_rustls::TlsConnector;

use super::lab::{HOST, Lab, presented, shake};
use crate::{CertStore, Identity, ServerTls, TlsError};

const HTTP: &[&[u8]] = &[b"http/1.1"];

#[tokio::test]
async fn whatever_overturns_a_decision_starts_a_new_epoch() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let store = CertStore::new(lab.clock.clone());
    let mut last = (store.epoch(), store.client_config(HTTP).unwrap());
    let mut expect = |cause: &str, new: bool| {
        let present = (store.epoch(), store.client_config(HTTP).unwrap());
        assert_eq!(last.0 != present.0, new, "{cause}");
        assert_eq!(!Arc::ptr_eq(&last.1, &present.1), new, "{cause}");
        last = present;
    };
    expect("nothing", false);
    store.trust(root.cert_der()).unwrap();
    expect("trust", true);
    store.present(Some(presented(&lab.leaf(&root, "cp-client"))));
    expect("another certificate", true);
    store.present(None);
    expect("no certificate", true);
    store.check_crl(true);
    expect("the policy as it was", false);
    store.check_crl(false);
    expect("no CRL checks", true);
    let (url, first) = (root.crl_url().unwrap(), lab.crl(&root));
    assert!(store.crls().insert(url, first.clone()));
    expect("a first list", false);
    assert!(store.crls().insert(url, first));
    expect("the same list again", false);
    lab.revoke(&root, &lab.leaf(&root, "cmg-server"));
    assert!(store.crls().insert(url, lab.crl(&root)));
    expect("another list", true);
    store.crls().clear();
    expect("no lists", true);
    store.changed();
    expect("a cause from outside", true);
    lab.clock.advance(SignedDuration::from_secs(1)).await;
    expect("a jump of the clock", true);
    expect("nothing", false);
}

#[tokio::test]
async fn protocols_have_configurations_of_their_own() {
    let store = CertStore::new(Lab::new().clock);
    let (http, channel) = (store.client_config(HTTP).unwrap(), store.client_config(&[b"other"]).unwrap());
    assert_eq!(channel.alpn_protocols, [b"other"]);
    assert!(Arc::ptr_eq(&http, &store.client_config(HTTP).unwrap()));
    assert!(Arc::ptr_eq(&channel, &store.client_config(&[b"other"]).unwrap()));
}

#[tokio::test]
async fn our_own_client_never_resumes() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let store = CertStore::new(lab.clock.clone());
    store.trust(root.cert_der()).unwrap();
    store.check_crl(false);
    let acceptor = ServerTls::new(presented(&lab.leaf(&root, "cmg-server"))).acceptor(&lab.clock).unwrap();
    let ours = TlsConnector::from(store.client_config(HTTP).unwrap());
    let theirs = lab.caller(&root, None, &TLS13);
    for (connector, second) in [(ours, HandshakeKind::Full), (theirs, HandshakeKind::Resumed)] {
        for kind in [HandshakeKind::Full, second] {
            let (_client, server) = shake(&connector, &acceptor, HOST).await;
            assert_eq!(server.unwrap().get_ref().1.handshake_kind(), Some(kind));
        }
    }
}

#[test]
fn what_is_no_identity_and_no_root_is_refused() {
    let lab = Lab::new();
    let root = lab.root("cmg-root");
    let (one, other) = (lab.leaf(&root, "cmg-server"), lab.leaf(&root, "cmg-server"));
    let mixed = Identity::new("cmg", one.chain().to_vec(), other.key().pkcs8_der());
    assert!(matches!(mixed, Err(TlsError::Identity { whose, .. }) if whose == "cmg"));
    let store = CertStore::new(lab.clock.clone());
    assert!(matches!(store.trust(b"no certificate"), Err(TlsError::Root { .. })));
    assert_eq!(store.epoch(), CertStore::new(lab.clock).epoch());
    let shown = format!("{:?}", presented(&one));
    assert_eq!(shown, "Identity(1 certificates, key [REDACTED])");
}
