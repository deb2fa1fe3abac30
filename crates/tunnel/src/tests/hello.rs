//! Who gets a channel, and who does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use cmglab_events::Role;
use cmglab_events::kinds::{CertificateVerdict, ConnectionPointEvent};
use cmglab_net::{CallFailure, Listen, dial, serve};
use cmglab_tls::ServerTls;
use tokio::io::AsyncReadExt as _;

use super::lab::{HOST, Lab, PATIENCE, TCP_PORT, ask, connected, echo, failed, say};
use crate::ALPN;

#[tokio::test]
async fn who_is_not_admitted_hears_nothing_and_is_not_connected() {
    let lab = Lab::new();
    let (open, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (admits, asks) = (Arc::clone(&open), Arc::clone(&asked));
    let mut gateway = lab
        .gateway_that(move |_peer| {
            asks.fetch_add(1, Ordering::SeqCst);
            if admits.load(Ordering::SeqCst) { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
    let _connector = lab.connector(say("here")).start();
    let event = lab.told("ChannelFailed", 2, failed).await;
    let cmglab_events::Kind::ConnectionPoint(ConnectionPointEvent::ChannelFailed { cause, .. }) = event.kind
    else {
        unreachable!()
    };
    assert!(cause.starts_with("the gateway turned this connection point away"), "{cause}");
    assert!(asked.load(Ordering::SeqCst) >= 2);
    assert!(!gateway.has_channel());
    assert_eq!(lab.count(connected), 0);
    open.store(true, Ordering::SeqCst);
    let up = gateway.channel().await;
    assert_eq!(up.peer.verdict, CertificateVerdict::Valid);
    assert_eq!(ask(&up.channel, "/").await, "here");
    lab.told("ChannelConnected", 1, connected).await;
}

#[tokio::test]
async fn the_port_speaks_the_channels_protocol_alone() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let deps = lab.connection_point();
    for other in [b"h2".as_slice(), b"http/1.1"] {
        assert!(dial(&deps, HOST, TCP_PORT, &[other]).await.is_err());
    }
    let mut unnamed = dial(&deps, HOST, TCP_PORT, &[]).await.unwrap();
    let mut said = Vec::new();
    let _closed = tokio::time::timeout(PATIENCE, unnamed.read_to_end(&mut said)).await.expect("it is closed");
    assert!(said.is_empty() && !gateway.has_channel());
    let mut ours = dial(&deps, HOST, TCP_PORT, &[ALPN]).await.unwrap();
    assert_eq!(ours.read_u8().await.unwrap(), b'P', "the preface of HTTP/2, from the side that was dialled");
    assert!(gateway.channel().await.channel.connection().len() == 36);
}

#[tokio::test]
async fn a_connector_tells_why_it_cannot_connect() {
    let lab = Lab::new();
    let connector = lab.connector(echo()).start();
    lab.told("nobody is there", 1, failed).await;
    // Ordinary web servers have the port: one that insists on its protocol, one that names none.
    for alpn in [[b"http/1.1".as_slice()].as_slice(), &[]] {
        let tls = ServerTls::new(lab.identity("cmg-channel")).with_alpn(alpn);
        let listen = Listen { tls: Some(tls), ..lab.listen(TCP_PORT) };
        let _web = serve(&lab.machine(Role::Cmg), listen, Router::new()).await.unwrap();
        let before = lab.count(failed);
        let twice = lab.told("another protocol", before + 2, failed);
        tokio::time::timeout(PATIENCE, twice).await.expect("it is told at once");
    }
    connector.stop().await;
    assert_eq!(lab.count(connected), 0);
    let deps = lab.connection_point();
    let error = dial(&deps, HOST, TCP_PORT + 1, &[ALPN]).await.unwrap_err();
    assert_eq!(error.failure, CallFailure::UnknownName);
}
