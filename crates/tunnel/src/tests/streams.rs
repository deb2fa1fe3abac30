//! What passes over a channel that stands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use super::lab::{Lab, PATIENCE, ask, frames, get, say, serve};
use crate::{ChannelError, Envelope, MESSAGE_PATH, Registry, ReplyEnvelope};

#[tokio::test]
async fn a_request_and_its_answer_cross_with_all_they_have() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(serve(|request| async move {
        assert_eq!((request.method().as_str(), request.uri().path()), ("CCM_POST", MESSAGE_PATH));
        let header = request.headers().get("x-client").cloned().unwrap();
        let mut response = Response::new(Body::new(request.into_body()));
        *response.status_mut() = StatusCode::from_u16(990).unwrap();
        response.headers_mut().insert("x-server", header);
        response
    }));
    let _connector = _connector.start();
    let up = gateway.channel().await;
    let mut request = get(MESSAGE_PATH).map(|_| Body::from("hello"));
    *request.method_mut() = Method::from_bytes(b"CCM_POST").unwrap();
    request.headers_mut().insert("x-client", HeaderValue::from_static("value"));
    let response = up.channel.send(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 990);
    assert_eq!(response.headers()["x-server"], "value");
    assert!(!response.headers().contains_key("date"), "no other clock than the lab's");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn a_large_body_flows_only_as_fast_as_it_is_read() {
    const COUNT: usize = 512; // 32 MiB
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let connector = lab.connector(serve(move |request| {
        let opened = Arc::clone(&opened);
        async move {
            if request.uri().path() == "/large" {
                opened.notified().await;
            }
            Response::new(Body::new(request.into_body()))
        }
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    let (body, pulled) = frames(COUNT);
    let sending = channel.clone();
    let large = tokio::spawn(async move { sending.send(get("/large").map(|_| body)).await });
    // Others get through meanwhile, and the sender has come to a halt.
    for _ in 0..50 {
        assert_eq!(ask(&channel, "/small").await, "");
    }
    let held = pulled.load(Ordering::SeqCst);
    assert!((1..=32).contains(&held), "{held} frames for a reader that has read none");
    gate.notify_one();
    let mut back = large.await.unwrap().unwrap().into_body();
    // The answer is held back in turn until it is read.
    for _ in 0..50 {
        assert_eq!(ask(&channel, "/small").await, "");
    }
    assert!(pulled.load(Ordering::SeqCst) < COUNT / 2);
    let mut bytes = 0;
    while let Some(frame) = back.frame().await {
        bytes += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!((bytes, pulled.load(Ordering::SeqCst)), (COUNT * 64 * 1024, COUNT));
}

#[tokio::test]
async fn a_hung_request_harms_no_other() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let connector = lab.connector(serve(|request| async move {
        if request.uri().path() == "/hung" {
            std::future::pending::<()>().await;
        }
        Response::new(Body::from("done"))
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    // More of them than hyper would let be under way by default.
    let hung: Vec<_> = (0..300)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { channel.send(get("/hung")).await })
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(ask(&channel, "/other").await, "done");
    }
    assert!(hung.iter().all(|one| !one.is_finished()));
}

#[tokio::test]
async fn channels_take_turns() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let registry = Registry::new();
    assert!(matches!(registry.pick(), Err(ChannelError::NoChannel)));
    let mut connectors = Vec::new();
    for name in ["one", "two"] {
        connectors.push(lab.connector(say(name)).start());
        registry.add(gateway.channel().await.channel);
    }
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(ask(&registry.pick().unwrap(), "/").await);
    }
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:?}");
    let first = registry.pick().unwrap();
    registry.remove(first.connection());
    let (left, other) = (registry.pick().unwrap(), registry.pick().unwrap());
    assert_eq!(left.connection(), other.connection());
    assert_ne!(left.connection(), first.connection());
    registry.remove(left.connection());
    assert!(matches!(registry.pick(), Err(ChannelError::NoChannel)));
}

#[tokio::test]
async fn an_envelope_comes_from_the_channel_alone() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let name = HeaderName::from_static("x-cmglab-envelope");
    let forged = || {
        let envelope = ReplyEnvelope { reason: "forged".to_owned(), substatus: 1 };
        let mut request = Request::new(());
        envelope.attach(request.headers_mut());
        request.headers()["x-cmglab-envelope"].clone()
    };
    let connector = lab.connector(serve(move |mut request| async move {
        let envelope = Envelope::detach(request.headers_mut());
        let left = request.headers().contains_key("x-cmglab-envelope");
        let mut response = Response::new(Body::from(format!("{left} {:?}", envelope.map(|it| it.target))));
        // As a management point would, that wants to be believed.
        response.headers_mut().append("x-cmglab-envelope", forged());
        response.headers_mut().append("x-cmglab-envelope", forged());
        ReplyEnvelope { reason: "OK".to_owned(), substatus: 0 }.attach(response.headers_mut());
        response
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    // As long as an edge takes it.
    let target = format!("/CCM_Proxy_ServerAuth/{}", "x".repeat(60 * 1024));
    let envelope = Envelope {
        message: "3087bd34-b82c-4950-b972-e82bb0fb8385".parse().unwrap(),
        exchange: None,
        target: target.clone(),
        origin: "https://CMG.LAB.TEST".to_owned(),
    };
    for trusted in [true, false] {
        let mut request = get(MESSAGE_PATH);
        if trusted {
            request.headers_mut().append(&name, forged());
            request.headers_mut().append(&name, forged());
            envelope.attach(request.headers_mut());
        }
        let mut response = channel.send(request).await.unwrap();
        let reply = ReplyEnvelope::detach(response.headers_mut()).unwrap();
        assert_eq!((reply.reason.as_str(), reply.substatus), ("OK", 0));
        assert!(!response.headers().contains_key(&name));
        let said = response.into_body().collect().await.unwrap().to_bytes();
        let expected = if trusted { format!("Ok({target:?})") } else { "Err(Missing)".to_owned() };
        assert_eq!(said, format!("false {expected}"));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let connector = lab.connector(serve(|request| async move {
        let parts = [Ok(bytes::Bytes::from_static(b"half")), Err(std::io::Error::other("gone"))];
        let count = if request.uri().path() == "/whole" { 1 } else { 2 };
        Response::new(Body::from_stream(futures_util::stream::iter(parts.into_iter().take(count))))
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    // HTTP/2 may report the end of the stream before the head of the answer was looked at.
    if let Ok(response) = tokio::time::timeout(PATIENCE, channel.send(get("/"))).await.unwrap() {
        assert!(response.into_body().collect().await.is_err());
    }
    assert_eq!(ask(&channel, "/whole").await, "half");
}
