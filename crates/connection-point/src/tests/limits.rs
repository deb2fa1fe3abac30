//! What stands still is given up, and only that; what is too much is turned away.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use cmglab_events::kinds::{ConnectionPointEvent as E, ForwardFailure};
use futures_util::StreamExt as _;
use http::Request;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use super::lab::{Lab, PATIENCE, ask, posting, send, with_reason};
use crate::{ConnectionPoint, Limits};

type Piece = Result<Bytes, std::io::Error>;

/// Hangs before or within its answers, or gives more than fits in any window.
fn app(release: Arc<Notify>) -> Router {
    Router::new().fallback(move |request: Request<Body>| async move {
        match request.uri().path().rsplit('/').next().unwrap() {
            "hangs" => std::future::pending().await,
            "stops" => {
                let half = futures_util::stream::once(async { Piece::Ok(Bytes::from_static(b"half")) });
                let pieces = half.chain(futures_util::stream::pending());
                axum::response::Response::new(Body::from_stream(pieces))
            }
            "floods" => {
                let pieces = futures_util::stream::repeat_with(|| Piece::Ok(Bytes::from_static(&[7; 65536])));
                axum::response::Response::new(Body::from_stream(pieces.take(1024)))
            }
            "waits" => {
                release.notified().await;
                with_reason(200, "OK", "at last")
            }
            "swallows" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                axum::response::Response::new(Body::from(body))
            }
            _ => with_reason(200, "OK", "hello"),
        }
    })
}

fn limited(lab: &Lab, patience: Duration, most_requests: u32) -> ConnectionPoint {
    lab.configured(Vec::new(), |config| config.limits = Limits { patience, most_requests })
}

fn timed_out(it: &E) -> bool {
    matches!(
        it,
        E::ForwardFailed { failure: ForwardFailure::Timeout, .. }
            | E::ForwardAborted { failure: ForwardFailure::Timeout, .. }
    )
}

#[tokio::test]
async fn a_management_point_that_hangs_is_a_gateway_timeout_and_slows_nobody() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app(Arc::default())).await, lab.gateway(1).await);
    let role = limited(&lab, Duration::from_millis(1500), 100);
    let _running = role.start();
    let channel = gateway.channel().await;
    let (hanging, sender) = (lab.message("/CCM_STS/hangs"), channel.clone());
    let hanging = tokio::spawn(async move { ask(&sender, hanging).await });
    for _ in 0..20 {
        assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
    }
    assert!(!hanging.is_finished());
    let answer = hanging.await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (504, "CMGConnector_GatewayTimeout"));
    let lines = lab.log(&["Web exception"]);
    assert!(lines[0].starts_with(
        "Web exception for message <id>: System.Net.WebException: The operation has timed out~~  at "
    ));
    assert_eq!((lines.len(), role.traffic()[0].failed_requests), (1, 1));
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_given_up() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app(Arc::default())).await, lab.gateway(1).await);
    let role = limited(&lab, Duration::from_millis(200), 100);
    let _running = role.start();
    let channel = gateway.channel().await;
    let response = send(&channel, lab.message("/CCM_STS/stops")).await.unwrap();
    let read = tokio::time::timeout(PATIENCE, response.into_body().collect()).await;
    assert!(read.expect("an end in time").is_err());
    lab.told("the timeout", timed_out).await;
    let told = |it: &E| matches!(it, E::Forwarded { status: 200, body_bytes: 4, .. });
    lab.told("what was passed on", told).await;
    assert_eq!(role.traffic()[0].failed_requests, 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_place() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app(Arc::default())).await, lab.gateway(1).await);
    let role = limited(&lab, Duration::from_millis(200), 1);
    let _running = role.start();
    let channel = gateway.channel().await;
    let unread = send(&channel, lab.message("/CCM_Client/floods")).await.unwrap();
    lab.told("the timeout", timed_out).await;
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200, "the only place is free");
    drop(unread);
    let answer = ask(&channel, lab.message("/CCM_Client/floods")).await;
    assert_eq!(answer.body.len(), 64 << 20, "who reads gets all of it");
}

#[tokio::test]
async fn a_slow_upload_is_not_cut_while_it_moves() {
    let lab = Lab::new().await;
    let (_mp, mut gateway) = (lab.mp(app(Arc::default())).await, lab.gateway(1).await);
    let role = limited(&lab, Duration::from_millis(1500), 100);
    let _running = role.start();
    let channel = gateway.channel().await;
    let pieces = futures_util::stream::unfold(0, |sent| async move {
        // This slowness is the subject.
        tokio::time::sleep(Duration::from_millis(300)).await;
        (sent < 7).then(|| (Piece::Ok(Bytes::from_static(b"piece")), sent + 1))
    });
    let mut request = posting(lab.message("/CCM_Incoming/swallows"), "");
    request.headers_mut().remove(CONTENT_LENGTH);
    let answer = ask(&channel, request.map(|_| Body::from_stream(pieces))).await;
    assert_eq!((answer.status, answer.body.len()), (200, 35));
    assert_eq!(role.traffic()[0].failed_requests, 0);
}

#[tokio::test]
async fn more_than_it_takes_is_turned_away_at_once() {
    let lab = Lab::new().await;
    let release = Arc::new(Notify::new());
    let (_mp, mut gateway) = (lab.mp(app(Arc::clone(&release))).await, lab.gateway(1).await);
    let role = limited(&lab, Duration::from_secs(50), 2);
    let running = role.start();
    let channel = gateway.channel().await;
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let (request, channel) = (lab.message("/CCM_STS/waits"), channel.clone());
            tokio::spawn(async move { ask(&channel, request).await })
        })
        .collect();
    let both = std::cell::Cell::new(0);
    let second = |it: &E| {
        both.set(both.get() + usize::from(matches!(it, E::Forwarding { .. })));
        both.get() == 2
    };
    lab.told("both under way", second).await;
    let answer = ask(&channel, lab.message("/CCM_STS")).await;
    assert_eq!((answer.status, answer.reason.as_str()), (503, "CMGConnector_ServiceUnavailable"));
    assert!(answer.headers.contains_key(RETRY_AFTER));
    assert_eq!(lab.log(&["ERROR: Message <id> for"]).len(), 1);
    for one in waiting {
        // Each stores its permit, should the handler not wait yet.
        release.notify_one();
        release.notify_one();
        assert_eq!(one.await.unwrap().body, "at last");
    }
    let answer = ask(&channel, lab.message("/CCM_STS")).await;
    assert_eq!(answer.status, 200);
    running.drain(PATIENCE).await;
    let [traffic] = &role.traffic()[..] else { panic!() };
    assert_eq!((traffic.total_requests, traffic.max_concurrent_requests), (3, 2));
}
