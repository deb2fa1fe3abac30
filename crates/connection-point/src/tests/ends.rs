//! The ends: of clients, of channels, of the role.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cmglab_events::kinds::{ConnectionPointEvent as E, ForwardFailure};
use cmglab_fault::{Point, Rule, Verdict, When};
use http::Request;
use tokio::sync::{Notify, mpsc};

use super::lab::{Lab, PATIENCE, ask, send, with_reason};

/// A management point whose answers wait for leave; it tells when a request came, and when it was dropped.
struct Waiting {
    app: Router,
    leave: Arc<Notify>,
    told: mpsc::UnboundedReceiver<&'static str>,
}

struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _nobody = self.0.send("dropped");
    }
}

impl Waiting {
    fn new() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let leave = Arc::new(Notify::new());
        let wait = Arc::clone(&leave);
        let app = Router::new().fallback(move |_request: Request<Body>| async move {
            let dropped = Dropped(tell.clone());
            tell.send("came").unwrap();
            wait.notified().await;
            std::mem::forget(dropped);
            with_reason(200, "OK", "at last")
        });
        Self { app, leave, told }
    }

    async fn next(&mut self) -> &'static str {
        tokio::time::timeout(PATIENCE, self.told.recv()).await.expect("in time").unwrap()
    }
}

fn cancelled(it: &E) -> bool {
    matches!(it, E::ForwardAborted { failure: ForwardFailure::Cancelled, .. })
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_along() {
    let (lab, mut waiting) = (Lab::new().await, Waiting::new());
    let (_mp, mut gateway) = (lab.mp(waiting.app.clone()).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let _running = role.start();
    let channel = gateway.channel().await;
    let (request, sender) = (lab.message("/CCM_STS"), channel.clone());
    let client = tokio::spawn(async move { send(&sender, request).await.map(drop) });
    assert_eq!(waiting.next().await, "came");
    client.abort();
    lab.told("the cancellation", cancelled).await;
    assert_eq!(waiting.next().await, "dropped");
    let line = lab.log(&["Web exception"]).pop().unwrap();
    assert!(line.contains("System.Net.WebException: The request was aborted: The request was canceled.~~"));
    let [traffic] = &role.traffic()[..] else { panic!() };
    assert_eq!((traffic.total_requests, traffic.failed_requests, traffic.total_response_bytes), (1, 1, 0));
    // The next one is served.
    waiting.leave.notify_one();
    assert_eq!(ask(&channel, lab.message("/CCM_STS")).await.status, 200);
}

#[tokio::test]
async fn switched_off_it_leaves_nothing_under_way() {
    let (lab, mut waiting) = (Lab::new().await, Waiting::new());
    let (_mp, mut gateway) = (lab.mp(waiting.app.clone()).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let running = role.start();
    let channel = gateway.channel().await;
    let request = lab.message("/CCM_STS");
    let client = tokio::spawn(async move { send(&channel, request).await.map(drop) });
    assert_eq!(waiting.next().await, "came");
    running.stop().await;
    assert!(
        client.await.unwrap().unwrap_err().unsent.is_none(),
        "it was sent, and may have been carried out"
    );
    assert_eq!(waiting.next().await, "dropped");
    lab.told("the cancellation", cancelled).await;
    assert!(lab.reports().is_empty());
    // It can be switched on again.
    let _running = role.start();
    waiting.leave.notify_one();
    assert_eq!(ask(&gateway.channel().await, lab.message("/CCM_STS")).await.status, 200);
}

#[tokio::test]
async fn drained_it_finishes_what_is_under_way_and_takes_nothing_new() {
    let (lab, mut waiting) = (Lab::new().await, Waiting::new());
    let (_mp, mut gateway) = (lab.mp(waiting.app.clone()).await, lab.gateway(1).await);
    let role = lab.connection_point(Vec::new());
    let running = role.start();
    let channel = gateway.channel().await;
    let (request, sender) = (lab.message("/CCM_STS"), channel.clone());
    let client = tokio::spawn(async move { ask(&sender, request).await });
    assert_eq!(waiting.next().await, "came");
    let draining = tokio::spawn(running.drain(PATIENCE));
    // The gateway learns of it as soon as the word has come; what it sends from then on comes back to it.
    loop {
        let (late, sender) = (lab.message("/CCM_Client"), channel.clone());
        let late = tokio::spawn(async move { sender.send(late).await.map(drop) });
        tokio::select! {
            refused = late => {
                assert!(refused.unwrap().unwrap_err().unsent.is_some());
                break;
            }
            // One that was quicker than the word is still served.
            told = waiting.next() => {
                assert_eq!(told, "came");
                waiting.leave.notify_one();
            }
        }
    }
    assert!(!draining.is_finished());
    waiting.leave.notify_one();
    waiting.leave.notify_one();
    assert_eq!(client.await.unwrap().body, "at last");
    draining.await.unwrap();
    let reported: u64 = lab.reports()[0].1.iter().map(|one| one.total_requests).sum();
    assert_eq!(
        (lab.reports().len(), reported),
        (1, role.traffic().iter().map(|one| one.total_requests).sum())
    );
    assert!(!lab.log(&["Web exception"]).iter().any(|line| line.contains("aborted")));
}

#[tokio::test]
async fn what_outlives_the_grace_is_cut_and_counted() {
    let (lab, mut waiting) = (Lab::new().await, Waiting::new());
    let (_mp, mut gateway) = (lab.mp(waiting.app.clone()).await, lab.gateway(1).await);
    let running = lab.connection_point(Vec::new()).start();
    let channel = gateway.channel().await;
    let request = lab.message("/CCM_STS");
    let client = tokio::spawn(async move { send(&channel, request).await.map(drop) });
    assert_eq!(waiting.next().await, "came");
    running.drain(Duration::from_millis(50)).await;
    assert!(client.await.unwrap().is_err());
    let [(most, endpoints)] = &lab.reports()[..] else { panic!() };
    assert_eq!((*most, endpoints[0].total_requests, endpoints[0].failed_requests), (1, 1, 1));
}

#[tokio::test]
async fn a_channel_that_is_cut_takes_its_message_along_and_no_other_channel() {
    let (lab, waiting) = (Lab::new().await, Waiting::new());
    let (_mp, mut first, mut second) =
        (lab.mp(waiting.app.clone()).await, lab.gateway(1).await, lab.gateway(2).await);
    let role = lab.configured(Vec::new(), |config| config.instances = 2);
    let _running = role.start();
    let (channel, other) = (first.channel().await, second.channel().await);
    let rule = Rule {
        at: Point::Forward,
        containing: "/CCM_STS/cut".to_owned(),
        when: When::Always,
        verdict: Verdict::CutChannel,
    };
    let _guard = lab.faults.install(rule);
    assert!(send(&channel, lab.message("/CCM_STS/cut")).await.unwrap_err().unsent.is_none());
    lab.told("the end of the message", cancelled).await;
    waiting.leave.notify_one();
    assert_eq!(ask(&other, lab.message("/CCM_STS")).await.status, 200);
    waiting.leave.notify_one();
    assert_eq!(ask(&first.channel().await, lab.message("/CCM_STS")).await.status, 200, "it is dialled again");
    assert_eq!(lab.log(&["Tcp connection"]).len(), 1);
}
