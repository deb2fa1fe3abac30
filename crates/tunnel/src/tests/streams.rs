//! What passes over a channel that stands.

use axum::body::Body;
use http::{HeaderName, Request, Response};
use http_body_util::BodyExt as _;

use super::lab::{Lab, PATIENCE, ask, get, say, serve};
use crate::{Channel, Envelope, MESSAGE_PATH, Registry, ReplyEnvelope};

#[tokio::test]
async fn channels_take_turns() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let registry = Registry::new();
    assert!(registry.turn().is_empty());
    let mut connectors = Vec::new();
    for name in ["one", "two"] {
        connectors.push(lab.connector(say(name)).start());
        registry.add(gateway.channel().await.channel);
    }
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(ask(&registry.turn()[0], "/").await);
    }
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{said:?}");
    // Behind the one whose turn it is come the others.
    let [first, second]: [Channel; 2] = registry.turn().try_into().unwrap();
    assert_ne!(first.connection(), second.connection());
    registry.remove(first.connection());
    for _ in 0..2 {
        let [left]: [Channel; 1] = registry.turn().try_into().unwrap();
        assert_eq!(left.connection(), second.connection());
    }
    registry.remove(second.connection());
    assert!(registry.turn().is_empty());
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
