//! The figures of a `Served` event against what a raw socket counted.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::any;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::ext::ReasonPhrase;

use super::lab::{Lab, Raw, ask};
use crate::{Substatus, read_capped, request_head_bytes};

fn app() -> Router {
    let echo = |request: Request<Body>| async move {
        Body::from(read_capped(request.into_body(), 1 << 20).await.unwrap()).into_response()
    };
    let head = |request: Request<Body>| async move { request_head_bytes(&request).to_string() };
    Router::new()
        .route("/echo", any(echo))
        .route("/head", any(head))
        .route("/fixed", any(|| async { "0123456789" }))
        .route("/stream", any(|| async { stream(&["a", "bcd", "", &"e".repeat(40_000)]) }))
        .route("/large", any(|| async { "x".repeat(300_000) }))
        .route("/none", any(|| async { StatusCode::NO_CONTENT }))
        .route("/same", any(|| async { StatusCode::NOT_MODIFIED }))
        .route("/refused", any(|| async { refused() }))
        .route("/named", any(|| async { StatusCode::from_u16(990).unwrap() }))
}

fn stream(parts: &[&str]) -> Response<Body> {
    let frames: Vec<_> = parts
        .iter()
        .map(|part| Ok::<_, Infallible>(http_body::Frame::data(Bytes::copy_from_slice(part.as_bytes()))))
        .collect();
    Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
}

fn refused() -> Response<Body> {
    let mut response = StatusCode::FORBIDDEN.into_response();
    response.extensions_mut().insert(ReasonPhrase::from_static(b"CMGConnector_Clientcertificaterequired"));
    response.extensions_mut().insert(Substatus(7));
    response
}

#[tokio::test]
async fn sizes_are_those_of_the_wire() {
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;ext\r\n0123456789\r\n0\r\nT: 1\r\n\r\n";
    let large = format!("Content-Length: 200000\r\n\r\n{}", "x".repeat(200_000));
    for (request, answer) in [
        ("GET /fixed HTTP/1.1\r\nHost:a\r\nConnection:   close\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
        ("GET /fixed HTTP/1.0\r\n\r\n".to_owned(), "HTTP/1.0 200 OK"),
        ("HEAD /fixed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
        ("HEAD /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
        ("GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
        ("GET /stream HTTP/1.0\r\n\r\n".to_owned(), "HTTP/1.0 200 OK"),
        ("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 200 OK"),
        ("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 204 No Content"),
        (
            "GET /same HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
            "HTTP/1.1 304 Not Modified",
        ),
        (
            "GET /missing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
            "HTTP/1.1 404 Not Found",
        ),
        (
            "GET /refused HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(),
            "HTTP/1.1 403 CMGConnector_Clientcertificaterequired",
        ),
        ("GET /named HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "HTTP/1.1 990 "),
        (format!("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{chunked}"), "HTTP/1.1 200 OK"),
        (format!("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{large}"), "HTTP/1.1 200 OK"),
        // A body that nobody reads has come all the same.
        (format!("POST /fixed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{chunked}"), "HTTP/1.1 200 OK"),
        (
            format!("POST /none HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n{chunked}"),
            "HTTP/1.1 400 Bad Request",
        ),
    ] {
        let lab = Lab::new();
        let server = lab.plain(app()).await;
        let got = ask(&server, &request).await;
        let first = &request[..request.find("\r\n").unwrap()];
        assert!(got.starts_with(&format!("{answer}\r\n")), "{first}: {got}");
        let served = lab.served(first.split(' ').nth(1).unwrap()).await;
        assert_eq!(served.request_bytes, request.len() as u64, "{first}");
        assert_eq!(served.response_bytes, got.len() as u64, "{first}: {got}");
        assert_eq!(served.reason, answer[13..], "{first}");
        assert_eq!(served.substatus, if served.status == 403 { 7 } else { 0 }, "{first}");
    }
}

#[tokio::test]
async fn every_request_of_a_connection_has_its_own_figures() {
    let lab = Lab::new();
    let server = lab.plain(app()).await;
    let first = "GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n";
    let second = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz";
    let third = "GET /head HTTP/1.1\r\nHost:     a\r\n\r\n";
    let last = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut raw = Raw::connect(&server).await;
    raw.send([first, second, third, last].concat()).await;
    let (one, two) = (raw.until("0123456789").await, raw.until("xyz").await);
    let three = raw.until(&third.len().to_string()).await;
    let four = raw.rest().await;
    for (stem, sent, got) in
        [("/fixed", first, one), ("/echo", second, two), ("/head", third, three), ("/large", last, four)]
    {
        let served = lab.served(stem).await;
        assert_eq!(served.request_bytes, sent.len() as u64, "{stem}");
        assert_eq!(served.response_bytes, got.len() as u64, "{stem}");
    }
}

#[tokio::test]
async fn an_interim_answer_counts() {
    let lab = Lab::new();
    let server = lab.plain(app()).await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let mut raw = Raw::connect(&server).await;
    raw.send(head).await;
    let interim = raw.until("\r\n\r\n").await;
    raw.send("hi").await;
    let rest = raw.rest().await;
    let served = lab.served("/echo").await;
    assert_eq!(served.request_bytes, head.len() as u64 + 2);
    assert_eq!(served.response_bytes, (interim.len() + rest.len()) as u64);
}

#[tokio::test]
async fn an_answer_that_nobody_fetches_is_still_served() {
    let lab = Lab::new();
    let endless = || async {
        let frames =
            futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 8192])));
        Body::from_stream(frames)
    };
    let server = lab.plain(Router::new().route("/endless", any(endless))).await;
    let mut raw = Raw::connect(&server).await;
    raw.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = raw.until("\r\n\r\n").await;
    drop(raw);
    let served = lab.served("/endless").await;
    assert!(served.response_bytes > head.len() as u64);
}

#[tokio::test]
async fn secrets_stay_out_of_the_event() {
    let lab = Lab::new();
    let server = lab.plain(app()).await;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, "a".parse().unwrap());
    ask(&server, "GET /fixed?a=b&Code=secret&%74oken=secret&id_token_hint=secret&x HTTP/1.0\r\n\r\n").await;
    let told = "a=b&Code=[REDACTED]&%74oken=[REDACTED]&id_token_hint=[REDACTED]&x";
    assert_eq!(lab.served("/fixed").await.query.unwrap(), told);
}
