//! CRLs are fetched over plain HTTP when a judgement needs them, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::{any, get};
use cmglab_events::Role;
use cmglab_events::kinds::{CertificateVerdict, CrlOutcome, NetEvent, TlsFailure};
use cmglab_tls::{ClientJudge, CrlCache, ServerTls};
use http::{Request, StatusCode};

use super::lab::{HOST, Lab, listen};
use crate::{Call, CallFailure, Deps, HttpClient, Peer, ServerHandle, dial, judge, serve};

/// Publishes `body` where the root's certificates point; counts who asks.
async fn publish(lab: &Lab, status: StatusCode, body: Vec<u8>) -> (ServerHandle, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let list = get(move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
        (status, body)
    });
    let path = lab.root.crl_url().unwrap().strip_prefix("http://crl.lab.test").unwrap();
    (lab.listen("crl.lab.test", None, Router::new().route(path, list)).await, asked)
}

fn crl(lab: &Lab) -> Vec<u8> {
    lab.root.crl(lab.clock.now(), 1).unwrap()
}

fn checking(lab: &Lab) -> Deps {
    let deps = lab.machine(Role::ConnectionPoint);
    deps.store.check_crl(true);
    deps
}

fn fetches(lab: &Lab) -> Vec<bool> {
    let fetched = |it: &NetEvent| match it {
        NetEvent::CrlFetched { outcome, .. } => Some(matches!(outcome, CrlOutcome::Fetched { .. })),
        _ => None,
    };
    lab.events.snapshot().iter().filter_map(|event| super::lab::net(event).and_then(fetched)).collect()
}

async fn call(deps: &Deps) -> Result<u16, CallFailure> {
    let answer = HttpClient::new(deps).send(&deps.events, &Call::get(format!("https://{HOST}/"))).await;
    answer.map(|answer| answer.status).map_err(|error| error.failure)
}

#[tokio::test]
async fn a_list_is_fetched_once_and_the_call_retried() {
    let lab = Lab::new();
    let _server = lab.secure(Router::new()).await;
    let (_host, asked) = publish(&lab, StatusCode::OK, crl(&lab)).await;
    let deps = checking(&lab);
    assert_eq!(call(&deps).await, Ok(404));
    assert_eq!(call(&deps).await, Ok(404));
    assert!(dial(&deps, HOST, 443, &[b"http/1.1"]).await.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(fetches(&lab), [true]);
    deps.store.crls().clear();
    assert_eq!(call(&deps).await, Ok(404));
    assert_eq!(fetches(&lab), [true, true]);
}

#[tokio::test]
async fn a_revoked_server_is_refused_by_who_checks() {
    let lab = Lab::new();
    let issued = lab.issue("mp-server", HOST);
    let identity =
        cmglab_tls::Identity::new("mp", issued.chain().to_vec(), issued.key().pkcs8_der()).unwrap();
    let _server = lab.listen(HOST, Some(ServerTls::new(identity)), Router::new()).await;
    lab.root.revoke(&issued.certificate().unwrap().serial, lab.clock.now());
    let (_host, _asked) = publish(&lab, StatusCode::OK, crl(&lab)).await;
    assert_eq!(call(&checking(&lab)).await, Err(CallFailure::Tls(TlsFailure::Revoked)));
    assert_eq!(call(&lab.machine(Role::Client)).await, Ok(404));
}

#[tokio::test]
async fn what_cannot_be_fetched_is_revocation_offline() {
    let offline = Err(CallFailure::Tls(TlsFailure::RevocationOffline));
    let lab = Lab::new();
    let _server = lab.secure(Router::new()).await;
    let deps = checking(&lab);
    assert_eq!(call(&deps).await, offline, "no such host");
    for (status, body) in [
        (StatusCode::NOT_FOUND, crl(&lab)),
        (StatusCode::OK, b"not a list".to_vec()),
        (StatusCode::OK, vec![0; (1 << 20) + 1]),
    ] {
        let (_host, asked) = publish(&lab, status, body).await;
        assert_eq!(call(&deps).await, offline);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "retried with nothing new");
    }
    assert_eq!(fetches(&lab), [false; 4]);
    let (host, _asked) = publish(&lab, StatusCode::OK, crl(&lab)).await;
    host.abort();
    host.closed().await;
    let error = dial(&deps, HOST, 443, &[b"http/1.1"]).await.unwrap_err();
    assert_eq!(error.tls(), Some(TlsFailure::RevocationOffline));
    assert!(error.cause.contains(lab.root.crl_url().unwrap()), "{error}");
}

#[tokio::test]
async fn a_server_fetches_the_lists_its_judge_lacks() {
    let lab = Lab::new();
    let server = lab.machine(Role::ManagementPoint);
    let roots = [lab.root.cert_der().to_vec()];
    // The judge's own cache, not that of the machine.
    let judge = ClientJudge::new(&roots, Some(CrlCache::default()), lab.clock.clone()).unwrap();
    let tls = ServerTls::new(lab.identity("mp-server", HOST)).asking(judge);
    let tell = any(|request: Request<axum::body::Body>| async move {
        format!("{:?}", request.extensions().get::<Peer>().unwrap().verdict)
    });
    let _server = serve(&server, listen(HOST, Some(tls)), Router::new().fallback(tell)).await.unwrap();
    let deps = lab.machine(Role::ConnectionPoint);
    deps.store.present(Some(lab.identity("cp-client", "cp.lab.test")));
    let verdict = async || {
        let call = Call::get(format!("https://{HOST}/"));
        HttpClient::new(&deps).send(&deps.events, &call).await.unwrap().body
    };
    assert_eq!(verdict().await, format!("{:?}", CertificateVerdict::RevocationUnknown));
    let (_host, asked) = publish(&lab, StatusCode::OK, crl(&lab)).await;
    assert_eq!(verdict().await, "Valid");
    assert_eq!(verdict().await, "Valid");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_chain_can_be_judged_again_by_another_judge() {
    let lab = Lab::new();
    let deps = lab.machine(Role::Cmg);
    let chain = lab.issue("cp-channel", "cp.lab.test").chain().to_vec();
    let roots = [lab.root.cert_der().to_vec()];
    let by = async |roots: &[Vec<u8>], crls| {
        let other = ClientJudge::new(roots, crls, lab.clock.clone()).unwrap();
        judge(&deps, &other, &chain).await
    };
    assert_eq!(by(&roots, None).await, CertificateVerdict::Valid);
    assert_eq!(by(&[], None).await, CertificateVerdict::UnknownIssuer);
    assert_eq!(by(&roots, Some(CrlCache::default())).await, CertificateVerdict::RevocationUnknown);
    let (_host, asked) = publish(&lab, StatusCode::OK, crl(&lab)).await;
    assert_eq!(by(&roots, Some(CrlCache::default())).await, CertificateVerdict::Valid);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
