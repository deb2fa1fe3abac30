//! Channels break, and come back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cmglab_events::Role;
use cmglab_net::{dial, serve_streams};
use http::Response;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Notify, mpsc, watch};

use super::lab::{HOST, Lab, PATIENCE, ask, closed, connected, get, say, serve};
use crate::{ALPN, ChannelError, FIRST_PORT, Serve};

/// Tells when its request has come, when it was let go, and when it was dropped unanswered.
struct Held {
    serve: Serve,
    came: mpsc::UnboundedReceiver<()>,
    dropped: mpsc::UnboundedReceiver<()>,
    gate: Arc<Notify>,
}

struct OnDrop(mpsc::UnboundedSender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ended = self.0.send(());
    }
}

fn held() -> Held {
    let (comes, came) = mpsc::unbounded_channel();
    let (drops, dropped) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let serve = serve(move |_request| {
        let (comes, guard, opened) = (comes.clone(), OnDrop(drops.clone()), Arc::clone(&opened));
        async move {
            comes.send(()).unwrap();
            opened.notified().await;
            drop(guard);
            Response::new(Body::from("done"))
        }
    });
    Held { serve, came, dropped, gate }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} in time"))
}

/// Waits until nothing but `baseline` tasks are alive.
async fn tasks_end(baseline: usize) {
    let metrics = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while metrics.num_alive_tasks() > baseline {
            tokio::task::yield_now().await;
        }
    };
    within("the end of every task", ended).await;
}

#[tokio::test]
async fn a_stopped_connector_breaks_what_is_under_way_and_leaves_nothing_behind() {
    let lab = Lab::new();
    let baseline = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    let channel = up.channel.clone();
    let under_way = tokio::spawn(async move { channel.send(get("/")).await });
    within("the request", held.came.recv()).await.unwrap();
    within("the stop", connector.stop()).await;
    let broken = within("the answer", under_way).await.unwrap();
    assert!(matches!(broken, Err(ChannelError::Broken { .. })), "{broken:?}");
    within("the handler's end", held.dropped.recv()).await.unwrap();
    assert!(within("the channel's end", up.gone).await.is_ok());
    assert!(matches!(up.channel.send(get("/")).await, Err(ChannelError::Broken { .. })));

    let again = lab.connector(say("again")).start();
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "again");
    drop((again, up.channel));
    gateway.server.shutdown(PATIENCE).await;
    tasks_end(baseline).await;
}

#[tokio::test]
async fn a_cut_channel_is_dialled_again() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let (cut, watched) = watch::channel(0);
    let _connector = lab.connector(Arc::clone(&held.serve)).cut_by(watched).start();
    for round in 1..=3 {
        let up = gateway.channel().await;
        lab.told("ChannelConnected", round, connected).await;
        let channel = up.channel.clone();
        let under_way = tokio::spawn(async move { channel.send(get("/")).await });
        within("the request", held.came.recv()).await.unwrap();
        cut.send_modify(|count| *count += 1);
        assert!(within("the answer", under_way).await.unwrap().is_err());
        within("the handler's end", held.dropped.recv()).await.unwrap();
        assert!(within("the channel's end", up.gone).await.is_ok());
        lab.told("ChannelClosed", round, closed).await;
    }
    let up = gateway.channel().await;
    held.gate.notify_one();
    assert_eq!(ask(&up.channel, "/").await, "done");
}

#[tokio::test]
async fn a_gateway_that_restarts_is_found_again() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let _connector = lab.connector(say("here")).start();
    let up = gateway.channel().await;
    assert_eq!(ask(&up.channel, "/").await, "here");
    gateway.server.abort();
    within("the port's end", gateway.server.closed()).await;
    lab.told("ChannelClosed", 1, closed).await;
    assert!(matches!(up.channel.send(get("/")).await, Err(ChannelError::Broken { .. })));
    let mut gateway = lab.gateway().await;
    assert_eq!(ask(&gateway.channel().await.channel, "/").await, "here");
    lab.told("ChannelConnected", 2, connected).await;
}

#[tokio::test]
async fn a_gateway_that_shuts_down_lets_requests_under_way_finish() {
    let lab = Lab::new();
    let mut gateway = lab.gateway().await;
    let mut held = held();
    let _connector = lab.connector(Arc::clone(&held.serve)).start();
    let up = gateway.channel().await;
    let channel = up.channel;
    let under_way = tokio::spawn(async move { ask(&channel, "/").await });
    within("the request", held.came.recv()).await.unwrap();
    let shutdown = async {
        let closing = gateway.server.shutdown(PATIENCE * 2);
        tokio::pin!(closing);
        tokio::select! {
            () = &mut closing => panic!("a request is under way"),
            gone = up.gone => assert_eq!(gone.unwrap(), "the gateway is closing"),
        }
        held.gate.notify_one();
        closing.await;
    };
    within("the shutdown", shutdown).await;
    assert_eq!(under_way.await.unwrap(), "done");
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_given_up() {
    let lab = Lab::new();
    // It says hello and nothing ever after.
    let mut listen = lab.listen();
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
    let _silent = dial(&lab.connection_point(), HOST, FIRST_PORT, &[ALPN]).await.unwrap();
    let up = gateway.channel().await;
    tokio::time::pause();
    let cause =
        tokio::time::timeout(Duration::from_secs(60), up.gone).await.expect("it is given up").unwrap();
    assert!(cause.contains("timed out") || cause.contains("keep-alive"), "{cause}");
}
