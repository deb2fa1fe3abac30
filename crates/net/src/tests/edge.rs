//! What an HTTP library would clean up, sent as raw bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use cmglab_events::kinds::NetEvent;
use http::{Request, StatusCode};

use super::lab::{Lab, Raw, ask};
use crate::read_capped;

/// Answers every request with its target and body, and counts them.
fn echo() -> (Router, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let handler = any(move |request: Request<Body>| async move {
        counter.fetch_add(1, Ordering::SeqCst);
        let target = request.uri().to_string();
        match read_capped(request.into_body(), 1024).await {
            Ok(body) => (StatusCode::OK, format!("<{target} {}>", String::from_utf8_lossy(&body))),
            Err(error) => (StatusCode::BAD_REQUEST, error.cause),
        }
    });
    (Router::new().fallback(handler), reached)
}

#[tokio::test]
async fn an_ambiguous_request_is_refused_before_any_handler() {
    let close = "Connection: close\r\n\r\n";
    let cases = [
        ("two Hosts", format!("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n{close}")),
        ("no Host", format!("GET / HTTP/1.1\r\n{close}")),
        ("absolute-form", format!("GET http://a/ HTTP/1.1\r\nHost: a\r\n{close}")),
        ("CONNECT", format!("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n{close}")),
        (
            "CL and TE",
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n{close}0\r\n\r\n"
            ),
        ),
        (
            "TE and CL",
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n{close}0\r\n\r\n"
            ),
        ),
        (
            "two equal CLs",
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n{close}x"),
        ),
        (
            "two CLs",
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n{close}xx"),
        ),
        ("a list of CLs", format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n{close}x")),
        ("a signed CL", format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n{close}x")),
        (
            "gzip, chunked",
            format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n{close}0\r\n\r\n"),
        ),
        (
            "chunked twice",
            format!(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n{close}0\r\n\r\n"
            ),
        ),
        ("gzip", format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n{close}")),
        (
            "TE in HTTP/1.0",
            format!("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{close}0\r\n\r\n"),
        ),
        ("obs-fold", format!("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n  2\r\n{close}")),
        ("space before colon", format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n{close}x")),
        ("control in value", format!("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n{close}")),
        ("no version", format!("GET /\r\nHost: a\r\n{close}")),
    ];
    for (what, bytes) in cases {
        let lab = Lab::new();
        let (app, reached) = echo();
        let server = lab.plain(app).await;
        let answer = ask(&server, bytes).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "),
            "{what}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{what}: {answer}");
        assert_eq!(reached.load(Ordering::SeqCst), 0, "{what}");
        lab.malformed().await;
        assert_eq!(lab.count(|it| matches!(it, NetEvent::MalformedRequest { .. })), 1, "{what}");
    }
}

#[tokio::test]
async fn sound_requests_pass() {
    let lab = Lab::new();
    let (app, _reached) = echo();
    let server = lab.plain(app).await;
    for (bytes, status, body) in [
        ("GET /a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK", "</a?b >"),
        ("GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK", "</a >"),
        ("GET /%2e%2E/.. HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK", "</%2e%2E/.. >"),
        (
            "\r\nPOST / HTTP/1.1\r\nhost:a\r\nconnection:close\r\ncontent-length:2\r\n\r\nhi",
            "HTTP/1.1 200 OK",
            "</ hi>",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nT: 1\r\n\r\n",
            "HTTP/1.1 200 OK",
            "</ hi>",
        ),
        (
            "CCM_POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 200 OK",
            "</ hi>",
        ),
    ] {
        let answer = ask(&server, bytes).await;
        assert!(answer.starts_with(status) && answer.ends_with(body), "{bytes:?}: {answer}");
        assert!(answer.contains("\r\ndate: Sun, 01 Mar 2026 12:00:00 GMT\r\n"), "{answer}");
    }
    assert_eq!(lab.count(|it| matches!(it, NetEvent::MalformedRequest { .. })), 0);
}

#[tokio::test]
async fn a_request_hidden_behind_an_ambiguous_one_is_never_seen() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Host: b\r\nContent-Length: 5\r\n",
    ] {
        let lab = Lab::new();
        let (app, reached) = echo();
        let server = lab.plain(app).await;
        let answer =
            ask(&server, format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n{hidden}{hidden}"))
                .await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert_eq!(reached.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let lab = Lab::new();
    let (app, reached) = echo();
    let server = lab.plain(app).await;
    let stream = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\
        POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
        GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for piece in [stream.len(), 7, 1] {
        let mut raw = Raw::connect(&server).await;
        for bytes in stream.as_bytes().chunks(piece) {
            raw.send(bytes).await;
        }
        let answer = raw.rest().await;
        let at: Vec<_> =
            ["</1 >", "</2 GET /no", "</3 abc>", "</4 >"].map(|part| answer.find(part).expect(part)).into();
        assert!(at.is_sorted(), "{answer}");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 12);
}

#[tokio::test]
async fn a_broken_chunk_is_told_and_ends_the_connection() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, cause) in [
        ("3\r\nabc\r\nnonsense\r\n", "a chunk without a readable size"),
        ("3\r\nabcd\r\n0\r\n\r\n", "a chunk without its line end"),
        ("fffffffffffffffff\r\n", "a chunk whose size overflows"),
    ] {
        let lab = Lab::new();
        let (app, _reached) = echo();
        let server = lab.plain(app).await;
        let answer = ask(&server, format!("{head}{body}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && !answer.contains("hidden"), "{answer}");
        assert_eq!(lab.malformed().await, cause);
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431() {
    let lab = Lab::new();
    let (app, reached) = echo();
    let server = lab.plain(app).await;
    let with = |bytes: usize| format!("GET / HTTP/1.0\r\nX: {}\r\n\r\n", "x".repeat(bytes));
    assert!(ask(&server, with(40 * 1024)).await.starts_with("HTTP/1.0 200 OK\r\n"));
    for bytes in [70 * 1024, 200 * 1024] {
        let answer = ask(&server, with(bytes)).await;
        assert!(answer.is_empty() || answer.contains(" 431 Request Header Fields Too Large\r\n"), "{answer}");
        lab.malformed().await;
    }
    let many = format!("GET / HTTP/1.0\r\n{}\r\n", "X: 1\r\n".repeat(200));
    assert!(ask(&server, many).await.contains(" 431 Request Header Fields Too Large\r\n"));
    assert_eq!(reached.load(Ordering::SeqCst), 1);
    assert_eq!(lab.count(|it| matches!(it, NetEvent::MalformedRequest { .. })), 3);
}

#[tokio::test]
async fn http_2_is_not_spoken_here() {
    let lab = Lab::new();
    let server = lab.plain(Router::new()).await;
    assert!(!ask(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.contains("200"));
    lab.malformed().await;
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_when_its_body_is_wanted() {
    let lab = Lab::new();
    let (app, _reached) = echo();
    let server = lab.plain(app).await;
    let mut raw = Raw::connect(&server).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(raw.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    raw.send("hi").await;
    assert!(raw.rest().await.ends_with("</ hi>"));

    let refusing = lab.plain(Router::new().fallback(any(|| async { StatusCode::FORBIDDEN }))).await;
    let mut raw = Raw::connect(&refusing).await;
    raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await;
    assert!(raw.until("\r\n\r\n").await.starts_with("HTTP/1.1 403 Forbidden\r\n"));
}
