//! A handler may turn its connection into something else.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use cmglab_events::Role;
use cmglab_events::kinds::NetEvent;
use http::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::lab::{HOST, Lab, PATIENCE, Raw, ask};
use crate::dial;

const WISH: &str = "GET /turn HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

/// Answers `status`, and echoes what comes after it; tells when that has ended.
fn echoing(status: StatusCode) -> (Router, mpsc::UnboundedReceiver<u64>) {
    let (tell, ended) = mpsc::unbounded_channel();
    let handler = any(move |mut request: Request<Body>| {
        let tell = tell.clone();
        async move {
            let upgraded = hyper::upgrade::on(&mut request);
            let granted = status == StatusCode::SWITCHING_PROTOCOLS;
            // Whoever does not grant it must not wait for it.
            let _echo = granted.then(|| {
                tokio::spawn(async move {
                    let Ok(stream) = upgraded.await else { return };
                    let (mut read, mut write) = tokio::io::split(TokioIo::new(stream));
                    let echoed = tokio::io::copy(&mut read, &mut write).await.unwrap();
                    write.shutdown().await.unwrap();
                    tell.send(echoed).unwrap();
                })
            });
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
    });
    (Router::new().fallback(handler), ended)
}

#[tokio::test]
async fn what_follows_an_upgrade_is_the_handlers_and_no_request() {
    let lab = Lab::new();
    let (app, mut ended) = echoing(StatusCode::SWITCHING_PROTOCOLS);
    let server = lab.plain(app).await;
    let mut raw = Raw::connect(&server).await;
    raw.send(WISH).await;
    let head = raw.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    // It would be a request, and a broken one, if anybody took it for HTTP.
    let bytes = "POST /other HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n\r\n".repeat(100);
    raw.send(&bytes).await;
    let mut echoed = String::new();
    while echoed.len() < bytes.len() {
        echoed += &raw.until("\r\n\r\n").await;
    }
    assert_eq!(echoed, bytes);
    drop(raw);
    assert_eq!(ended.recv().await, Some(bytes.len() as u64));
    let served = lab.served("/turn").await;
    assert_eq!((served.status, served.request_bytes), (101, WISH.len() as u64));
    assert_eq!(served.response_bytes, head.len() as u64);
    assert_eq!(lab.count(|event| matches!(event, NetEvent::Served(_))), 1);
    assert_eq!(lab.count(|event| matches!(event, NetEvent::MalformedRequest { .. })), 0);
}

#[tokio::test]
async fn without_that_answer_the_next_request_is_one() {
    let lab = Lab::new();
    let (app, _ended) = echoing(StatusCode::OK);
    let server = lab.plain(app).await;
    let next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = ask(&server, format!("{WISH}{next}")).await;
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 2, "{said}");
    lab.served("/next").await;
}

#[tokio::test]
async fn a_connection_that_had_a_wish_is_closed_in_good_order() {
    let lab = Lab::new();
    let (app, _ended) = echoing(StatusCode::UPGRADE_REQUIRED);
    let server = lab.secure(app).await;
    let mut stream = dial(&lab.machine(Role::Client), HOST, 443, &[b"http/1.1"]).await.unwrap();
    stream.write_all(WISH.as_bytes()).await.unwrap();
    stream.write_all(b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut said = String::new();
    // Without the close of TLS, this would be an error: what was said could have been cut short.
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut said)).await.unwrap().unwrap();
    assert_eq!(said.matches("HTTP/1.1 426 Upgrade Required").count(), 2, "{said}");
    tokio::time::timeout(PATIENCE, server.shutdown(PATIENCE)).await.unwrap();
}

#[tokio::test]
async fn a_closing_port_does_not_wait_for_what_is_no_longer_its_own() {
    let lab = Lab::new();
    let (app, mut ended) = echoing(StatusCode::SWITCHING_PROTOCOLS);
    let server = lab.plain(app).await;
    let mut raw = Raw::connect(&server).await;
    raw.send(WISH).await;
    raw.until("\r\n\r\n").await;
    tokio::time::timeout(PATIENCE, server.shutdown(Duration::from_secs(60))).await.expect("at once");
    raw.send("still here\n").await;
    assert_eq!(raw.until("\n").await, "still here\n");
    drop(raw);
    assert_eq!(ended.recv().await, Some(11));
}
