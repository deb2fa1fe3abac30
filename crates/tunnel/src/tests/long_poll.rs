//! A long poll outlives its connections.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::lab::{Lab, Way, ask, closed, connected, echo, get, within};
use crate::Transport;

#[tokio::test]
async fn no_byte_is_lost_or_repeated_when_connections_are() {
    const FRAME: usize = 50_000;
    let lab = Lab::over(Way { transport: Transport::LongPoll, slow: false });
    let mut gateway = lab.gateway().await;
    let between = lab.between(&mut gateway).await;
    // Each one carries two pieces or so, and is then lost in the middle of a third.
    between.lose_after(700_000);
    let _connector = lab.connector(echo()).start();
    let channel = gateway.channel().await.channel;
    let frame = |nth: usize| Bytes::from([(nth % 251) as u8; FRAME].to_vec());
    let frames = (0..200).map(move |nth| Ok::<_, Infallible>(frame(nth)));
    let body = Body::from_stream(futures_util::stream::iter(frames));
    let answer = channel.send(get("/").map(|_| body)).await.unwrap();
    let back = within("the body", answer.into_body().collect()).await.unwrap().to_bytes();
    assert_eq!(back.len(), 200 * FRAME);
    assert!(back.chunks(FRAME).enumerate().all(|(nth, part)| part == frame(nth)));
    let lost = gateway.between.as_ref().unwrap().lost();
    assert!(lost >= 10, "{lost}");
    assert_eq!((lab.count(connected), lab.count(closed)), (1, 0));
}

#[tokio::test]
async fn it_goes_on_when_every_connection_is_cut_at_once() {
    let lab = Lab::over(Way { transport: Transport::LongPoll, slow: false });
    let mut gateway = lab.gateway().await;
    lab.between(&mut gateway).await;
    let _connector = lab.connector(echo()).start();
    let channel = gateway.channel().await.channel;
    for _ in 0..10 {
        assert_eq!(ask(&channel, "/").await, "");
        gateway.between.as_ref().unwrap().cut();
    }
    assert_eq!(ask(&channel, "/").await, "");
    assert_eq!((lab.count(connected), lab.count(closed)), (1, 0));
}
