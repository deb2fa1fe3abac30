//! Bodies.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use crate::tests::lab::{Lab, PATIENCE, Way, ask, ask_later, echo, frames, get, serve, within};

pub(super) async fn a_large_body_arrives_intact_both_ways(way: Way) {
    const FRAME: usize = 100_000;
    let count = if way.slow { 30 } else { 240 };
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(echo()).start();
    let channel = gateway.channel().await.channel;
    // No two places alike within any window.
    let frame = |nth: usize| -> Bytes {
        (0..FRAME / 4)
            .flat_map(|at| ((nth * FRAME + at) as u32).wrapping_mul(0x9e37_79b1).to_le_bytes())
            .collect()
    };
    let body = Body::from_stream(futures_util::stream::iter(
        (0..count).map(move |nth| Ok::<_, Infallible>(frame(nth))),
    ));
    let mut back = channel.send(get("/").map(|_| body)).await.unwrap().into_body();
    let (mut nth, mut expected) = (0, frame(0));
    while let Some(part) = within("a frame", back.frame()).await {
        let mut part = part.unwrap().into_data().unwrap();
        while !part.is_empty() {
            if expected.is_empty() {
                nth += 1;
                expected = frame(nth);
            }
            let length = part.len().min(expected.len());
            assert!(part.split_to(length) == expected.split_to(length), "in frame {nth}");
        }
    }
    assert_eq!((nth, expected.len()), (count - 1, 0));
}

pub(super) async fn a_large_body_flows_only_as_fast_as_it_is_read(way: Way) {
    let count = if way.slow { 96 } else { 512 }; // of 64 KiB
    let lab = Lab::over(way);
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
    let (body, pulled) = frames(count);
    let large = ask_later(&channel, get("/large").map(|_| body));
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
    assert!(pulled.load(Ordering::SeqCst) < count / 2);
    let mut bytes = 0;
    while let Some(frame) = within("a frame", back.frame()).await {
        bytes += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!((bytes, pulled.load(Ordering::SeqCst)), (count * 64 * 1024, count));
}

/// Together they would fill any window that they shared.
pub(super) async fn bodies_that_nobody_reads_harm_no_other(way: Way) {
    let count = if way.slow { 5 } else { 64 };
    let lab = Lab::over(way);
    let mut gateway = lab.gateway().await;
    let connector = lab.connector(serve(|request| async move {
        match request.uri().path() {
            // Holds the request's body without reading it.
            "/hold" => {
                let _held = request.into_body();
                std::future::pending().await
            }
            "/large" => Response::new(frames(16).0),
            _ => Response::new(Body::from("done")),
        }
    }));
    let _connector = connector.start();
    let channel = gateway.channel().await.channel;
    let unread_here = async {
        let mut answers = Vec::new();
        for _ in 0..count {
            answers.push(channel.send(get("/large")).await.unwrap());
        }
        answers
    };
    let answers = tokio::time::timeout(PATIENCE, unread_here).await.expect("the heads of all answers");
    let unread_there: Vec<_> =
        (0..count).map(|_| ask_later(&channel, get("/hold").map(|_| frames(16).0))).collect();
    for _ in 0..20 {
        assert_eq!(ask(&channel, "/other").await, "done");
    }
    assert!(unread_there.iter().all(|one| !one.is_finished()));
    for answer in answers {
        let body = within("a body that was left", answer.into_body().collect()).await.unwrap();
        assert_eq!(body.to_bytes().len(), 16 * 64 * 1024);
    }
}
