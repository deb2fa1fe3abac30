//! An end that falls silent is given up. Over TCP-TLS, where the test can be one end.

use std::time::Duration;

use cmglab_events::Role;
use cmglab_net::{dial, serve_streams};
use tokio::io::AsyncWriteExt as _;

use super::lab::{HOST, Lab, TCP_PORT, closed, connected, say};
use crate::ALPN;

#[tokio::test]
async fn a_gateway_that_falls_silent_is_given_up() {
    let lab = Lab::new();
    // It says hello and nothing ever after.
    let mut listen = lab.listen(TCP_PORT);
    listen.tls = listen.tls.map(|tls| tls.with_alpn(&[ALPN]));
    let deps = lab.machine(Role::Cmg);
    let silent = serve_streams(&deps, listen, |mut stream, _peer, stop| async move {
        let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(hello).await.unwrap();
        stream.flush().await.unwrap();
        stop.cancelled().await;
    });
    let _silent = silent.await.unwrap();
    let _connector = lab.connector(say("here")).start();
    lab.told("ChannelConnected", 1, connected).await;
    // From here, time jumps to the next timer whenever nothing else is to be done.
    tokio::time::pause();
    let given_up = lab.told("ChannelClosed", 1, closed);
    tokio::time::timeout(Duration::from_secs(60), given_up).await.expect("it is given up");
}

#[tokio::test]
async fn a_connection_point_that_falls_silent_is_given_up() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let _silent = dial(&lab.connection_point(), HOST, TCP_PORT, &[ALPN]).await.unwrap();
    let up = gateway.channel().await;
    tokio::time::pause();
    let cause =
        tokio::time::timeout(Duration::from_secs(60), up.gone).await.expect("it is given up").unwrap();
    assert!(cause.contains("timed out") || cause.contains("keep-alive"), "{cause}");
}
