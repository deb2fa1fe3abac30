//! Ports open, fail to open, and close.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use cmglab_events::kinds::{LabEvent, NetEvent};
use cmglab_events::{Kind, Role};
use cmglab_fault::{Point, Rule, Verdict, When};
use cmglab_tls::ServerTls;

use tokio::sync::{Notify, mpsc};

use super::lab::{HOST, Lab, PATIENCE, Raw, listen};
use crate::{Call, CallFailure, HttpClient, ServeError, dial, serve, serve_streams};

/// Tells when a request has come, and answers when it is let go.
fn gated() -> (Router, mpsc::Receiver<()>, Arc<Notify>) {
    let (entered, came) = mpsc::channel(8);
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = any(move || async move {
        entered.send(()).await.unwrap();
        opened.notified().await;
        "done"
    });
    (Router::new().fallback(handler), came, gate)
}

/// A client that asks once.
fn caller(lab: &Lab) -> tokio::task::JoinHandle<Result<u16, CallFailure>> {
    let deps = lab.machine(Role::Client);
    tokio::spawn(async move {
        let answer = HttpClient::new(&deps).send(&deps.events, &Call::get(format!("https://{HOST}/"))).await;
        answer.map(|answer| answer.status).map_err(|error| error.failure)
    })
}

#[tokio::test]
async fn a_shutdown_lets_requests_under_way_finish() {
    let lab = Lab::new();
    let (app, mut came, gate) = gated();
    let server = lab.secure(app).await;
    let under_way = caller(&lab);
    came.recv().await.unwrap();
    let idle = Raw::connect(&server).await;
    let shutdown = async {
        let closing = server.shutdown(PATIENCE);
        tokio::pin!(closing);
        tokio::select! {
            () = &mut closing => panic!("a request is under way"),
            refused = caller(&lab) => assert_eq!(refused.unwrap(), Err(CallFailure::Connect)),
        }
        gate.notify_one();
        closing.await;
    };
    tokio::time::timeout(PATIENCE, shutdown).await.expect("well before the grace is over");
    assert_eq!(under_way.await.unwrap(), Ok(200));
    assert_eq!(idle.rest().await, "");
}

#[tokio::test]
async fn a_shutdown_cuts_what_outlives_its_grace() {
    let lab = Lab::new();
    let (app, mut came, _gate) = gated();
    let server = lab.secure(app).await;
    let under_way = caller(&lab);
    came.recv().await.unwrap();
    tokio::time::timeout(PATIENCE, server.shutdown(Duration::from_millis(50))).await.unwrap();
    assert_eq!(under_way.await.unwrap(), Err(CallFailure::Broken));
}

#[tokio::test]
async fn an_abort_cuts_at_once() {
    let lab = Lab::new();
    let (app, mut came, gate) = gated();
    let server = lab.secure(app).await;
    let under_way = caller(&lab);
    came.recv().await.unwrap();
    server.abort();
    tokio::time::timeout(PATIENCE, server.closed()).await.unwrap();
    assert_eq!(under_way.await.unwrap(), Err(CallFailure::Broken));
    assert_eq!(Arc::strong_count(&gate), 1, "the handler is gone, and the router with it");
}

#[tokio::test]
async fn a_dropped_handle_stops_accepting() {
    let lab = Lab::new();
    let server = lab.secure(Router::new()).await;
    assert_eq!(caller(&lab).await.unwrap(), Ok(404));
    let tasks = server.tasks();
    drop(server);
    tokio::time::timeout(PATIENCE, tasks.wait()).await.unwrap();
    assert_eq!(caller(&lab).await.unwrap(), Err(CallFailure::Connect));
}

#[tokio::test]
async fn a_slow_handshake_keeps_nobody_waiting() {
    let lab = Lab::new();
    let server = lab.secure(Router::new()).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut raw = Raw::connect(&server).await;
        raw.send(b"\x16\x03\x01").await;
        silent.push(raw);
    }
    assert_eq!(caller(&lab).await.unwrap(), Ok(404));
    // Nor does a shutdown wait for them.
    tokio::time::timeout(PATIENCE, server.shutdown(PATIENCE * 10)).await.unwrap();
    for raw in silent {
        assert_eq!(raw.rest().await, "");
    }
}

#[tokio::test]
async fn a_handshake_that_fails_is_told() {
    let lab = Lab::new();
    let server = lab.secure(Router::new()).await;
    let mut raw = Raw::connect(&server).await;
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!raw.rest().await.contains("HTTP"));
    lab.seen("HandshakeFailed", |it| matches!(it, NetEvent::HandshakeFailed { .. })).await;
}

#[tokio::test]
async fn a_port_that_is_taken_says_so() {
    let lab = Lab::new();
    let server = lab.plain(Router::new()).await;
    let mut taken = listen(HOST, None);
    taken.bind = server.local_addr();
    let error = serve(&lab.machine(Role::Cmg), taken, Router::new()).await.unwrap_err();
    assert!(matches!(&error, ServeError::Bind { bind, .. } if *bind == server.local_addr()), "{error}");
    assert_eq!(lab.resolver.lookup(HOST, 80), Ok(server.local_addr()));
    let listening = |it: &NetEvent| matches!(it, NetEvent::Listening { .. });
    assert_eq!(lab.count(listening), 1);
}

#[tokio::test]
async fn a_port_is_known_by_its_documented_url() {
    let lab = Lab::new();
    let tls = ServerTls::new(lab.identity("mp-server", HOST));
    let mut odd = listen(HOST, Some(tls.clone()));
    odd.port = 8443;
    odd.shown_ip = Some([10, 0, 0, 4].into());
    let server = serve(&lab.machine(Role::ManagementPoint), odd, Router::new()).await.unwrap();
    assert_eq!(server.url(), format!("https://{HOST}:8443"));
    assert_eq!(lab.listen(HOST, Some(tls), Router::new()).await.url(), format!("https://{HOST}"));
    assert_eq!(lab.plain(Router::new()).await.url(), format!("http://{HOST}"));
    let deps = lab.machine(Role::Client);
    let call = Call::get(format!("https://{HOST}:8443/odd"));
    assert_eq!(HttpClient::new(&deps).send(&deps.events, &call).await.unwrap().status, 404);
    let served = lab.served("/odd").await;
    assert_eq!(
        (served.server.as_str(), served.port, served.client.as_str()),
        ("10.0.0.4", 8443, "127.0.0.1")
    );
}

#[tokio::test]
async fn streams_are_served_over_tls_only() {
    let lab = Lab::new();
    let deps = lab.machine(Role::Cmg);
    let refused = serve_streams(&deps, listen(HOST, None), |_stream, _peer, _stop| async {}).await;
    assert!(matches!(refused, Err(ServeError::Tls { .. })));
}

#[tokio::test]
async fn a_fault_closes_a_port_to_who_dials() {
    let lab = Lab::new();
    let _server = lab.secure(Router::new()).await;
    let deps = lab.machine(Role::Client);
    let rule = |containing: String| Rule {
        at: Point::Dial,
        containing,
        when: When::Always,
        verdict: Verdict::Refuse,
    };
    let other = deps.faults.install(rule(format!("{HOST}:444")));
    assert!(dial(&deps, HOST, 443, &[]).await.is_ok());
    let guard = deps.faults.install(rule(format!("{HOST}:443")));
    let refused = dial(&deps, HOST, 443, &[]).await.unwrap_err();
    assert_eq!(refused.failure, CallFailure::Connect);
    assert_eq!(refused.cause, format!("cannot connect to {HOST}:443: connection refused"));
    let applied = LabEvent::FaultApplied { point: "dial".to_owned(), verdict: "refuse".to_owned() };
    assert!(lab.events.snapshot().iter().any(|event| event.kind == Kind::Lab(applied.clone())));
    drop((guard, other));
    assert!(dial(&deps, HOST, 443, &[]).await.is_ok());
}
