//! Which certificate the management point gets to see.

use axum::Router;
use axum::body::Body;
use cmglab_events::kinds::{CertificateVerdict, ConnectionPointEvent};
use cmglab_net::Peer;
use cmglab_pki::read::{Certificate, sha1_thumbprint};
use cmglab_pki::{Authority, Eku, Overrides, Profiles, Validity};
use cmglab_tls::Identity;
use http::Request;
use jiff::SignedDuration;

use super::lab::{Lab, ask, with_reason};
use crate::Candidate;

/// Answers as an HTTPS management point does on its paths for certificates.
fn app() -> Router {
    Router::new().fallback(|request: Request<Body>| async move {
        let peer = request.extensions().get::<Peer>().unwrap();
        match (peer.verdict, peer.chain.first()) {
            (CertificateVerdict::Valid, Some(leaf)) => {
                axum::response::Response::new(Body::from(sha1_thumbprint(leaf)))
            }
            _ => with_reason(403, "Client certificate required", ""),
        }
    })
}

const CHOICE: [&str; 7] = ["Filtered", "Not ", "No private", "Chain", "Selected", "No client", "Maintaining"];

fn thumbprint(identity: &Identity) -> String {
    sha1_thumbprint(identity.chain().next().unwrap())
}

fn counts(signing: usize, allowed: usize, with_key: usize, for_clients: usize) -> [String; 4] {
    let line = |what: &str, left: usize| format!("Filtered cert count with {what}: {left}");
    [
        line("digital signature", signing),
        line("allowed root CA", allowed),
        line("private key", with_key),
        line("client auth", for_clients),
    ]
}

/// What the management point saw, and the lines of the choice.
async fn chosen(lab: &Lab, candidates: Vec<Candidate>) -> (Result<String, String>, Vec<String>) {
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let running = lab.connection_point(candidates).start();
    let answer = ask(&gateway.channel().await, lab.message("/CCM_STS")).await;
    running.stop().await;
    let seen = if answer.status == 200 {
        Ok(String::from_utf8(answer.body.to_vec()).unwrap())
    } else {
        Err(answer.reason)
    };
    (seen, lab.log(&CHOICE))
}

fn none() -> Result<String, String> {
    Err("CMGConnector_Clientcertificaterequired".to_owned())
}

const NO_CERTIFICATE: &str = "No client certificate to present to management points";

#[tokio::test]
async fn a_good_certificate_is_presented() {
    let lab = Lab::new().await;
    let (_host, _asked) = lab.publish_crl().await;
    let good = lab.identity("cp-client", "cp.lab.test");
    let (seen, lines) = chosen(&lab, vec![Candidate::with_key(good.clone())]).await;
    assert_eq!(seen, Ok(thumbprint(&good)));
    let [signing, allowed, key, clients] = counts(1, 1, 1, 1);
    assert_eq!(
        lines,
        [signing, allowed, key, clients, format!("Selected client certificate: {}", thumbprint(&good))]
    );
}

#[tokio::test]
async fn without_any_there_is_none() {
    let lab = Lab::new().await;
    let (seen, lines) = chosen(&lab, Vec::new()).await;
    assert_eq!(seen, none());
    let [signing, allowed, key, clients] = counts(0, 0, 0, 0);
    assert_eq!(lines, [signing, allowed, key, clients, NO_CERTIFICATE.to_owned()]);
}

#[tokio::test]
async fn each_filter_takes_its_own() {
    let lab = Lab::new().await;
    let (_host, asked) = lab.publish_crl().await;
    let (usual, now) = (Overrides::default(), lab.clock.now());
    let stranger = Authority::create_root(&Profiles::builtin(), "public-root", now, &lab.ids).unwrap();
    // Not meant for clients either: the first filter that it fails is the one that is named.
    let foreign = lab.identity_of(&stranger, "mp-server", "cp.lab.test", &usual);
    let keyless = lab.identity("cp-client", "cp.lab.test");
    let server = lab.identity("mp-server", "cp.lab.test");
    let expired = Validity::ended(now, SignedDuration::from_hours(1)).unwrap();
    let expired = lab.identity_of(&lab.root, "cp-client", "cp.lab.test", &expired.into());
    let candidates = vec![
        Candidate::with_key(foreign.clone()),
        Candidate::without_key(keyless.chain().map(<[u8]>::to_vec).collect()),
        Candidate::with_key(server.clone()),
        Candidate::with_key(expired.clone()),
        Candidate::without_key(vec![b"no certificate".to_vec()]),
        Candidate::without_key(Vec::new()),
    ];
    let (seen, lines) = chosen(&lab, candidates).await;
    assert_eq!(seen, none());
    let [signing, allowed, key, clients] = counts(4, 3, 2, 1);
    let expected = [
        signing,
        format!("Not allowed cert: {}", thumbprint(&foreign)),
        format!("No private key cert: {}", thumbprint(&keyless)),
        allowed,
        key,
        format!("Not client auth cert: {}", thumbprint(&server)),
        clients,
        format!("Chain build failed cert: {}", thumbprint(&expired)),
        "Chain 0 status: NotTimeValid".to_owned(),
        NO_CERTIFICATE.to_owned(),
    ];
    assert_eq!(lines, expected);
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0, "nobody was worth a list");
}

#[tokio::test]
async fn of_several_the_longest_validity_wins() {
    let lab = Lab::new().await;
    let (_host, _asked) = lab.publish_crl().await;
    let short = Validity::starting(lab.clock.now(), SignedDuration::from_secs(-60)).unwrap();
    let short = lab.identity_of(&lab.root, "cp-client", "cp.lab.test", &short.into());
    let [long, same] = [0, 1].map(|_| lab.identity("cp-client", "cp.lab.test"));
    let silent = Overrides { eku: Some(Vec::new()), ..Overrides::default() };
    let silent = lab.identity_of(&lab.root, "cp-channel", "cp.lab.test", &silent);
    let mail = Overrides { eku: Some(vec![Eku::SmsSigning]), ..Overrides::default() };
    let mail = lab.identity_of(&lab.root, "cp-client", "cp.lab.test", &mail);
    let all = [&short, &long, &same, &silent, &mail].map(|one| Candidate::with_key(one.clone()));
    let (seen, lines) = chosen(&lab, all.to_vec()).await;
    assert_eq!(seen, Ok(thumbprint(&long)));
    // One that is silent about its purposes is meant for clients too.
    let [signing, allowed, key, clients] = counts(5, 5, 5, 4);
    assert_eq!(lines[..3], [signing, allowed, key]);
    assert_eq!(lines[3..5], [format!("Not client auth cert: {}", thumbprint(&mail)), clients]);
}

#[tokio::test]
async fn with_its_list_offline_it_is_dropped_until_the_list_can_be_had() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let good = lab.identity("cp-client", "cp.lab.test");
    let _running = lab.connection_point(vec![Candidate::with_key(good.clone())]).start();
    let channel = gateway.channel().await;
    let answer = ask(&channel, lab.message("/CCM_STS")).await;
    assert_eq!((answer.status, answer.reason.as_str()), (403, "CMGConnector_Clientcertificaterequired"));
    let [signing, allowed, key, clients] = counts(1, 1, 1, 1);
    let expected = [
        signing,
        allowed,
        key,
        clients,
        format!("Chain build failed cert: {}", thumbprint(&good)),
        "Chain 0 status: RevocationStatusUnknown".to_owned(),
        "Chain 1 status: OfflineRevocation".to_owned(),
        NO_CERTIFICATE.to_owned(),
    ];
    assert_eq!(lab.log(&CHOICE), expected);
    // Nothing has changed: nothing is told.
    lab.clock.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(lab.log(&CHOICE)[expected.len()..], ["Maintaining connections..."]);
    let (_host, asked) = lab.publish_crl().await;
    lab.clock.advance(SignedDuration::from_mins(6)).await;
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "once is enough");
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.body, thumbprint(&good));
    assert_eq!(lab.log(&["Selected"]).len(), 1);
}

#[tokio::test]
async fn a_revoked_one_is_not_presented() {
    let lab = Lab::new().await;
    let revoked = lab.identity("cp-client", "cp.lab.test");
    let serial = Certificate::parse(revoked.chain().next().unwrap()).unwrap().serial;
    lab.root.revoke(&serial, lab.clock.now());
    let (_host, _asked) = lab.publish_crl().await;
    let (seen, lines) = chosen(&lab, vec![Candidate::with_key(revoked)]).await;
    assert_eq!((seen, lines[5].as_str()), (none(), "Chain 0 status: Revoked"));
}

#[tokio::test]
async fn one_that_expires_is_given_up_at_the_next_look() {
    let lab = Lab::new().await;
    let (_host, _asked) = lab.publish_crl().await;
    let (_mp, mut gateway) = (lab.mp(app()).await, lab.gateway(1).await);
    let (now, hour) = (lab.clock.now(), SignedDuration::from_hours(1));
    let brief = Validity { not_before: now - hour, not_after: now + hour };
    let brief = lab.identity_of(&lab.root, "cp-client", "cp.lab.test", &brief.into());
    let _running = lab.connection_point(vec![Candidate::with_key(brief)]).start();
    let channel = gateway.channel().await;
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
    lab.clock.advance(hour + SignedDuration::from_mins(1)).await;
    let none_left = |it: &ConnectionPointEvent| {
        matches!(it, ConnectionPointEvent::CertificateSelected { thumbprint: None })
    };
    lab.told("none left", none_left).await;
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 403);
}

#[tokio::test]
async fn a_root_is_reached_through_the_intermediates_that_are_there() {
    let lab = Lab::new().await;
    let (now, usual) = (lab.clock.now(), Overrides::default());
    let issuing = Authority::create_intermediate(&lab.root, "client-issuing", now, &lab.ids).unwrap();
    let below = lab.identity_of(&issuing, "pki-client", "cp.lab.test", &usual);
    let chain: Vec<_> = below.chain().map(<[u8]>::to_vec).collect();
    assert_eq!(chain.len(), 2);
    let candidates = vec![Candidate::without_key(chain.clone()), Candidate::without_key(chain[..1].to_vec())];
    let (_seen, lines) = chosen(&lab, candidates).await;
    let tp = thumbprint(&below);
    let [signing, allowed, key, clients] = counts(2, 1, 0, 0);
    let keyless = format!("No private key cert: {tp}");
    let not_allowed = format!("Not allowed cert: {tp}");
    assert_eq!(lines[..7], [signing, not_allowed, keyless.clone(), keyless, allowed, key, clients]);
}
