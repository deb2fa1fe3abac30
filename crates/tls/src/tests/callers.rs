//! A server judges its callers, and never aborts a handshake for what it thinks of them.

use std::sync::Arc;

use cmglab_events::kinds::CertificateVerdict;
use cmglab_pki::{Authority, Eku, Overrides, SubjectName, Validity};
use jiff::SignedDuration;
use rustls::HandshakeKind;
use tokio_rustls::TlsAcceptor;

use super::lab::{HOST, Lab, ServerEnd, VERSIONS, presented, shake, stolen};
use crate::{ClientJudge, CrlCache, Judgement, ServerTls};

/// A server that asks for certificates of a two-tier client PKI.
struct Door {
    lab: Lab,
    tls_root: Authority,
    root: Authority,
    issuing: Authority,
    crls: CrlCache,
    judge: ClientJudge,
    acceptor: TlsAcceptor,
}

impl Door {
    fn new() -> Self {
        let lab = Lab::new();
        let (tls_root, root) = (lab.root("site"), lab.root("client-root"));
        let issuing = lab.below(&root, "client-issuing");
        let crls = CrlCache::default();
        let roots = [root.cert_der().to_vec()];
        let judge = ClientJudge::new(&roots, Some(crls.clone()), lab.clock.clone()).unwrap();
        let server = presented(&lab.leaf(&tls_root, "mp-server"));
        let acceptor = ServerTls::new(server).asking(judge.clone()).acceptor(&lab.clock).unwrap();
        Self { lab, tls_root, root, issuing, crls, judge, acceptor }
    }

    fn publish(&self) {
        for authority in [&self.root, &self.issuing] {
            assert!(self.crls.insert(authority.crl_url().unwrap(), self.lab.crl(authority)));
        }
    }

    fn caller(&self) -> cmglab_pki::Identity {
        self.caller_with(Overrides::default())
    }

    fn caller_with(&self, overrides: Overrides) -> cmglab_pki::Identity {
        let names = [SubjectName::dns("pc1.lab.test")];
        self.lab.leaf_with(&self.issuing, "pki-client", &names, &overrides)
    }

    /// The judgement on a caller whose handshake must succeed, over both versions of TLS.
    async fn judge(&self, presents: Option<&cmglab_pki::Identity>) -> Judgement {
        let mut judgements = Vec::new();
        for version in VERSIONS {
            let key = presents.map(|identity| presented(identity).certified());
            let connector = self.lab.caller(&self.tls_root, key, version);
            let (client, server) = shake(&connector, &self.acceptor, HOST).await;
            client.expect("the client believes that the connection stands");
            judgements.push(self.verdict(&server.expect("the server does not abort")));
        }
        assert_eq!(judgements[0], judgements[1], "TLS 1.2 and 1.3 differ");
        judgements.remove(0)
    }

    fn verdict(&self, server: &ServerEnd) -> Judgement {
        let chain = server.get_ref().1.peer_certificates().unwrap_or_default();
        self.judge.judge(&chain.iter().map(|der| der.to_vec()).collect::<Vec<_>>())
    }
}

fn is(verdict: CertificateVerdict) -> Judgement {
    Judgement::Verdict(verdict)
}

#[tokio::test]
async fn every_state_of_a_callers_certificate_has_its_verdict() {
    use CertificateVerdict as V;

    let door = Door::new();
    door.publish();
    let hour = SignedDuration::from_hours(1);
    let now = door.lab.clock.now();
    assert_eq!(door.judge(None).await, is(V::Absent));
    let good = door.caller();
    assert_eq!(door.judge(Some(&good)).await, is(V::Valid));
    assert_eq!(door.judge(Some(&good.without_intermediates())).await, is(V::UnknownIssuer));
    let stranger = door.lab.leaf(&door.lab.root("site"), "cp-client");
    assert_eq!(door.judge(Some(&stranger)).await, is(V::UnknownIssuer));
    let expired = door.caller_with(Validity::ended(now, hour).unwrap().into());
    assert_eq!(door.judge(Some(&expired)).await, is(V::Expired));
    let early = door.caller_with(Validity::starting(now, hour).unwrap().into());
    assert_eq!(door.judge(Some(&early)).await, is(V::NotYetValid));
    let usage = door.caller_with(Overrides { eku: Some(vec![Eku::ServerAuth]), validity: None });
    assert_eq!(door.judge(Some(&usage)).await, is(V::WrongUsage));
    door.lab.revoke(&door.issuing, &good);
    door.publish();
    assert_eq!(door.judge(Some(&good)).await, is(V::Revoked));
}

#[tokio::test]
async fn lists_are_asked_for_only_by_a_chain_that_is_trusted() {
    let door = Door::new();
    let good = door.caller();
    let urls = [&door.issuing, &door.root].map(|one| one.crl_url().unwrap().to_owned());
    assert_eq!(door.judge(Some(&good)).await, Judgement::NeedsCrls(urls.to_vec()));
    let stranger = door.lab.leaf(&door.lab.root("site"), "cp-client");
    assert_eq!(door.judge(Some(&stranger)).await, is(CertificateVerdict::UnknownIssuer));
    door.publish();
    assert_eq!(door.judge(Some(&good)).await, is(CertificateVerdict::Valid));
    // The issuing authority's list is good for 7 days, the root's for 30.
    door.lab.clock.advance(SignedDuration::from_hours(24 * 8)).await;
    assert_eq!(door.judge(Some(&good)).await, Judgement::NeedsCrls(urls.to_vec()[..1].to_vec()));
}

#[tokio::test]
async fn a_judge_without_lists_or_roots_says_so() {
    let door = Door::new();
    let chain = door.caller().chain().to_vec();
    let clock = &door.lab.clock;
    let lax = ClientJudge::new(&[door.root.cert_der().to_vec()], None, clock.clone()).unwrap();
    assert_eq!(lax.judge(&chain), is(CertificateVerdict::Valid));
    assert!(lax.trust(&[b"no certificate".to_vec()]).is_err());
    assert_eq!(lax.judge(&chain), is(CertificateVerdict::Valid), "the old roots stay");
    lax.trust(&[]).unwrap();
    assert_eq!(lax.judge(&chain), is(CertificateVerdict::UnknownIssuer));
    // The right place, and a list that another authority signed.
    door.publish();
    let list = door.lab.crl(&door.tls_root);
    assert!(door.crls.insert(door.issuing.crl_url().unwrap(), list));
    assert_eq!(door.judge.judge(&chain), is(CertificateVerdict::RevocationUnknown));
    assert_eq!(door.judge.judge(&[b"no certificate".to_vec()]), is(CertificateVerdict::Malformed));
}

#[tokio::test]
async fn by_uploads_alone_the_whole_chain_must_be_uploaded() {
    let door = Door::new();
    door.publish();
    let judge = ClientJudge::new(&[], Some(door.crls.clone()), door.lab.clock.clone()).unwrap();
    let (judge, chain) = (judge.by_uploads_alone(), door.caller().chain().to_vec());
    let other = door.lab.root("site");
    let [root, issuing, other] = [&door.root, &door.issuing, &other].map(|one| one.cert_der().to_vec());
    for (uploaded, verdict) in [
        (vec![], CertificateVerdict::UnknownIssuer),
        (vec![root.clone()], CertificateVerdict::UnknownIssuer),
        (vec![issuing.clone()], CertificateVerdict::UnknownIssuer),
        (vec![issuing.clone(), other.clone()], CertificateVerdict::UnknownIssuer),
        (vec![root.clone(), issuing.clone()], CertificateVerdict::Valid),
        // In any order, and beside the authorities of others.
        (vec![issuing.clone(), other, root.clone()], CertificateVerdict::Valid),
    ] {
        judge.trust(&uploaded).unwrap();
        // What is sent along with the leaf changes nothing.
        for sent in [&chain[..], &chain[..1]] {
            assert_eq!(judge.judge(sent), is(verdict), "{} uploaded, {} sent", uploaded.len(), sent.len());
        }
    }
    // Where the caller's own intermediates count, an uploaded one stands in for one that is not sent.
    let lax = ClientJudge::new(std::slice::from_ref(&root), Some(door.crls.clone()), door.lab.clock.clone())
        .unwrap();
    assert_eq!(lax.judge(&chain), is(CertificateVerdict::Valid));
    assert_eq!(lax.judge(&chain[..1]), is(CertificateVerdict::UnknownIssuer));
    lax.trust(&[root, issuing]).unwrap();
    assert_eq!(lax.judge(&chain[..1]), is(CertificateVerdict::Valid));
}

#[tokio::test]
async fn only_the_lists_of_the_callers_own_chain_are_asked_for() {
    let door = Door::new();
    let unrelated = door.lab.below(&door.lab.root("public-root"), "public-issuing");
    let uploads = [&door.root, &door.issuing, &unrelated].map(|one| one.cert_der().to_vec());
    door.judge.trust(&uploads).unwrap();
    let sent = [door.caller().chain(), &[unrelated.cert_der().to_vec()]].concat();
    let urls = [&door.issuing, &door.root].map(|one| one.crl_url().unwrap().to_owned());
    assert_eq!(door.judge.judge(&sent), Judgement::NeedsCrls(urls.to_vec()));
}

#[tokio::test]
async fn revocation_is_checked_when_that_is_wanted() {
    let door = Door::new();
    let caller = door.caller();
    door.judge.check_revocation(false);
    assert!(door.judge.crls().is_none());
    assert_eq!(door.judge(Some(&caller)).await, is(CertificateVerdict::Valid), "no list is needed");
    door.lab.revoke(&door.issuing, &caller);
    door.publish();
    assert_eq!(door.judge(Some(&caller)).await, is(CertificateVerdict::Valid));
    door.judge.check_revocation(true);
    assert_eq!(door.judge(Some(&caller)).await, is(CertificateVerdict::Revoked));
    let without = ClientJudge::new(&[], None, door.lab.clock.clone()).unwrap();
    without.check_revocation(true);
    assert!(without.crls().is_none());
}

#[tokio::test]
async fn a_stolen_certificate_without_its_key_fails_the_handshake() {
    let door = Door::new();
    let (victim, thief) = (door.caller(), door.caller());
    for version in VERSIONS {
        for (key, passes) in [(victim.key(), true), (thief.key(), false)] {
            let connector = door.lab.caller(&door.tls_root, Some(stolen(&victim, key)), version);
            let (_client, server) = shake(&connector, &door.acceptor, HOST).await;
            assert_eq!(server.is_ok(), passes, "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_resuming_callers_certificate_is_judged_anew() {
    for version in VERSIONS {
        let door = Door::new();
        door.publish();
        let caller = door.caller();
        let connector = door.lab.caller(&door.tls_root, Some(presented(&caller).certified()), version);
        let (_client, server) = shake(&connector, &door.acceptor, HOST).await;
        assert_eq!(door.verdict(&server.unwrap()), is(CertificateVerdict::Valid));

        door.lab.revoke(&door.issuing, &caller);
        door.publish();
        let (_client, server) = shake(&connector, &door.acceptor, HOST).await;
        let server = server.unwrap();
        assert_eq!(server.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(door.verdict(&server), is(CertificateVerdict::Revoked));
    }
}

#[tokio::test]
async fn who_is_not_asked_presents_nothing() {
    let door = Door::new();
    let identity = door.lab.leaf(&door.tls_root, "mp-server");
    let acceptor = ServerTls::new(presented(&identity)).acceptor(&door.lab.clock).unwrap();
    let key = Arc::clone(&presented(&door.caller()).certified());
    for version in VERSIONS {
        let connector = door.lab.caller(&door.tls_root, Some(Arc::clone(&key)), version);
        let (_client, server) = shake(&connector, &acceptor, HOST).await;
        assert!(server.unwrap().get_ref().1.peer_certificates().is_none());
    }
}
