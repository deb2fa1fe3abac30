//! One role calls another over TLS.

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::any;
use cmglab_events::Role;
use cmglab_events::kinds::{CertificateVerdict, NetEvent, TlsFailure};
use cmglab_proto::ids::ExchangeId;
use cmglab_tls::{ClientJudge, ServerTls};
use http::header::{self, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use hyper::ext::ReasonPhrase;
use jiff::SignedDuration;

use super::lab::{HOST, Lab, listen};
use crate::{Call, CallFailure, Forwarder, HttpClient, Peer, Substatus, read_capped, reason_of, serve};

fn app() -> Router {
    let refuse = || async {
        let mut response = StatusCode::FORBIDDEN.into_response();
        response
            .extensions_mut()
            .insert(ReasonPhrase::from_static(b"CMGConnector_Clientcertificaterequired"));
        response.extensions_mut().insert(Substatus(7));
        response
    };
    let tell = |request: Request<Body>| async move {
        let line = format!("{} {} {}", request.method(), request.uri(), fields(request.headers()));
        let body = read_capped(request.into_body(), 1024).await.unwrap();
        format!("{line} {}", String::from_utf8_lossy(&body))
    };
    let caller = |request: Request<Body>| async move {
        let peer = request.extensions().get::<Peer>().unwrap().clone();
        format!("{} {:?}", peer.address, peer.verdict)
    };
    Router::new()
        .route("/refuse", any(refuse))
        .route("/caller", any(caller))
        .route("/elsewhere", any(|| async { (StatusCode::FOUND, [(LOCATION, "https://example.com/")]) }))
        .route("/large", any(|| async { "x".repeat(4096) }))
        .fallback(any(tell))
}

fn fields(headers: &HeaderMap) -> String {
    let field = |name: HeaderName| headers.get(name).map_or("", |value| value.to_str().unwrap());
    format!("{} {} {}", field(header::HOST), field(CONTENT_TYPE), field(AUTHORIZATION))
}

fn url(path: &str) -> String {
    format!("https://{HOST}{path}")
}

#[tokio::test]
async fn reason_phrases_cross_both_ways() {
    let lab = Lab::new();
    let _server = lab.secure(app()).await;
    let deps = lab.machine(Role::ConnectionPoint);
    let exchange = ExchangeId::new(lab.ids.guid());
    let voice = deps.events.in_exchange(exchange);

    let answer = HttpClient::new(&deps).send(&voice, &Call::get(url("/refuse"))).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (403, "CMGConnector_Clientcertificaterequired"));
    let served = lab.seen("Served", |it| matches!(it, NetEvent::Served(_))).await;
    assert_eq!(served.exchange, Some(exchange), "the caller's own exchange");
    let figures = lab.served("/refuse").await;
    assert_eq!((figures.reason.as_str(), figures.substatus, figures.port), (answer.reason.as_str(), 7, 443));
    assert_eq!(figures.host.as_deref(), Some(HOST), "the configured spelling");
    let called = lab.seen("Called", |it| matches!(it, NetEvent::Called { .. })).await;
    assert_eq!(called.exchange, Some(exchange));

    let request = Request::get(url("/refuse")).body(Body::empty()).unwrap();
    let response = Forwarder::new(&deps).send(request).await.unwrap();
    assert_eq!(reason_of(&response), "CMGConnector_Clientcertificaterequired");
    let ordinary = Request::get(url("/")).body(Body::empty()).unwrap();
    assert_eq!(reason_of(&Forwarder::new(&deps).send(ordinary).await.unwrap()), "OK");
}

#[tokio::test]
async fn the_bytes_judged_are_the_bytes_sent() {
    let lab = Lab::new();
    let _server = lab.secure(app()).await;
    let deps = lab.machine(Role::Client);
    let client = HttpClient::new(&deps);
    for path in ["/a/%2e%2E/b//c?d=%20&e=[]|", "/a/../b", "/?x", "/CCM_STS?a=b?c"] {
        let answer = client.send(&deps.events, &Call::get(url(path))).await.unwrap();
        assert_eq!(answer.body, format!("GET {path} {HOST}   "));
        let Response { .. } =
            Forwarder::new(&deps).send(Request::get(url(path)).body(Body::empty()).unwrap()).await.unwrap();
    }
    let call = Call::new(Method::from_bytes(b"CCM_POST").unwrap(), url("/"))
        .bearer("abc")
        .body("text/plain", "hello");
    assert!(!format!("{call:?}").contains("abc"));
    let answer = client.send(&deps.events, &call).await.unwrap();
    assert_eq!(answer.body, format!("CCM_POST / {HOST} text/plain Bearer abc hello"));
}

#[tokio::test]
async fn no_request_leaves_the_lab() {
    let lab = Lab::new();
    let server = lab.secure(app()).await;
    let deps = lab.machine(Role::Client);
    let client = HttpClient::new(&deps);
    let fails = async |url: &str| client.send(&deps.events, &Call::get(url)).await.unwrap_err().failure;
    let socket = server.local_addr().port();
    assert_eq!(fails("https://login.microsoftonline.com/").await, CallFailure::UnknownName);
    assert_eq!(fails("https://127.0.0.1/").await, CallFailure::UnknownName);
    // The name is known, but not at that port, although a socket of the lab is there.
    assert_eq!(fails(&format!("https://{HOST}:{socket}/")).await, CallFailure::UnknownName);
    assert_eq!(fails(&format!("http://{HOST}/")).await, CallFailure::Request);
    assert_eq!(fails("https:///").await, CallFailure::Request);
    assert_eq!(fails("not a URL").await, CallFailure::Request);
    assert_eq!(client.send(&deps.events, &Call::get(url("/elsewhere"))).await.unwrap().status, 302);
    lab.resolver.point("other.lab.test", 443, server.local_addr());
    assert_eq!(fails("https://other.lab.test/").await, CallFailure::Tls(TlsFailure::WrongName));
    server.abort();
    server.closed().await;
    assert_eq!(fails(&url("/")).await, CallFailure::Connect);
    let failed = |it: &NetEvent| matches!(it, NetEvent::CallFailed { .. });
    assert_eq!(lab.count(failed), 8);
}

#[tokio::test]
async fn answers_are_taken_up_to_a_size_and_secrets_stay_out_of_events() {
    let lab = Lab::new();
    let _server = lab.secure(app()).await;
    let deps = lab.machine(Role::Client);
    let client = HttpClient::new(&deps);
    let call = Call::get(url("/large?code=secret&a=b"));
    assert_eq!(client.send(&deps.events, &call.clone().largest_answer(4096)).await.unwrap().body.len(), 4096);
    let error = client.send(&deps.events, &call.largest_answer(4095)).await.unwrap_err();
    assert_eq!(error.failure, CallFailure::TooLarge);
    let target = |it: &NetEvent| match it {
        NetEvent::Called { target, .. } | NetEvent::CallFailed { target, .. } => Some(target.clone()),
        _ => None,
    };
    let targets: Vec<_> =
        lab.events.snapshot().iter().filter_map(|event| super::lab::net(event).and_then(target)).collect();
    assert_eq!(targets, ["/large?code=[REDACTED]&a=b", "/large?code=[REDACTED]&a=b"]);
}

#[tokio::test]
async fn connections_are_kept_within_an_epoch_and_dropped_after_it() {
    let lab = Lab::new();
    let _server = lab.secure(app()).await;
    let deps = lab.machine(Role::Client);
    let (client, forwarder) = (HttpClient::new(&deps), Forwarder::new(&deps));
    let by_client = async || client.send(&deps.events, &Call::get(url("/caller"))).await.unwrap().body;
    let by_forwarder = async || {
        let request = Request::get(url("/caller")).body(Body::empty()).unwrap();
        read_capped(forwarder.send(request).await.unwrap().into_body(), 100).await.unwrap()
    };
    let (first, forwarded) = (by_client().await, by_forwarder().await);
    assert_ne!(first, forwarded);
    assert_eq!((by_client().await, by_forwarder().await), (first.clone(), forwarded.clone()));
    lab.clock.advance(SignedDuration::from_hours(1)).await;
    assert_ne!(by_client().await, first);
    assert_ne!(by_forwarder().await, forwarded);
}

#[tokio::test]
async fn a_handler_sees_the_verdict_on_its_caller() {
    let lab = Lab::new();
    let roots = [lab.root.cert_der().to_vec()];
    let judge = ClientJudge::new(&roots, None, lab.clock.clone()).unwrap();
    let tls = ServerTls::new(lab.identity("mp-server", HOST)).asking(judge);
    let _server = serve(&lab.machine(Role::ManagementPoint), listen(HOST, Some(tls)), app()).await.unwrap();
    let deps = lab.machine(Role::ConnectionPoint);
    let client = HttpClient::new(&deps);
    let stranger = Lab::new();
    for (presents, verdict) in [
        (None, CertificateVerdict::Absent),
        (Some(lab.identity("cp-client", "cp")), CertificateVerdict::Valid),
        (Some(lab.identity("mp-server", "cp")), CertificateVerdict::WrongUsage),
        (Some(stranger.identity("cp-client", "cp")), CertificateVerdict::UnknownIssuer),
    ] {
        deps.store.present(presents);
        let answer = client.send(&deps.events, &Call::get(url("/caller"))).await.unwrap();
        assert!(answer.body.ends_with(format!("{verdict:?}").as_bytes()), "{verdict:?}: {answer:?}");
        lab.seen("Served", |it| matches!(it, NetEvent::Served(served) if served.certificate == verdict))
            .await;
    }
}

#[tokio::test]
async fn a_body_is_forwarded_while_it_is_still_coming() {
    let lab = Lab::new();
    let echo = any(|request: Request<Body>| async move { Response::new(request.into_body()) });
    let _server = lab.secure(Router::new().fallback(echo)).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let request = Request::post(url("/").parse::<Uri>().unwrap()).body(Body::from_stream(frames)).unwrap();
    let forwarder = Forwarder::new(&lab.machine(Role::ConnectionPoint));
    let mut body = forwarder.send(request).await.unwrap().into_body();
    for part in ["one", "two"] {
        sender.send(Ok(part.into())).await.unwrap();
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part);
    }
    // A body that breaks off must not look like one that ended.
    sender.send(Err(std::io::Error::other("gone"))).await.unwrap();
    assert_eq!(read_capped(body, 100).await.unwrap_err().failure, CallFailure::Broken);
}
