//! What the gateway does with too much, with callers that hang, and with channels that end in good order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use cmglab_events::kinds::{CmgEvent, ConnectionPointEvent};
use cmglab_events::{Event, Kind};
use cmglab_lab::{Lab, Topology};
use cmglab_net::{Deps, Forwarder, dial};
use http::Request;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::origin;
use crate::support::{self, PATIENCE};

async fn ccm_token(lab: &Lab, deps: &Deps) -> String {
    let token = support::aad_token(lab, deps, "alice@lab.test").await;
    support::ccm_token(lab, deps, &token).await
}

fn through(path: &str) -> String {
    format!("/CCM_Proxy_ServerAuth/{}{path}", origin::role())
}

fn get(token: &str, path: &str) -> Request<Body> {
    Request::get(format!("https://CMG.LAB.TEST{}", through(path)))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap()
}

/// An upload of `length` bytes of which none is sent yet.
async fn half_an_upload(deps: &Deps, token: &str, length: usize) -> impl AsyncStream {
    let mut stream = dial(deps, "CMG.LAB.TEST", 443, &[b"http/1.1"]).await.unwrap();
    let head = format!(
        "BITS_POST {} HTTP/1.1\r\nHost: CMG.LAB.TEST\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n",
        through("/CCM_Incoming/large")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

trait AsyncStream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {}
impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> AsyncStream for S {}

/// Waits until the connection point has begun to forward so many requests since `from`.
async fn forwarded(lab: &Lab, from: u64, wanted: usize) {
    let seen = AtomicUsize::new(0);
    let enough = |event: &Event| {
        let one = matches!(event.kind, Kind::ConnectionPoint(ConnectionPointEvent::Forwarding { .. }));
        let new = usize::from(one && event.seq >= from);
        seen.fetch_add(new, Ordering::SeqCst) + new >= wanted
    };
    lab.events().wait_for("requests under way", PATIENCE, enough).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_instance_says_when_to_come_again_and_then_takes_more() {
    let mut topology = Topology::default();
    topology.cmg.size = serde_json::from_str("\"lab-b2s\"").unwrap();
    let lab = support::lab(topology).await;
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 1024).await;
    let (token, forwarder) = (ccm_token(&lab, &deps).await, Forwarder::new(&deps));
    let from = support::now(&lab);
    let mut under_way = Vec::new();
    for _ in 0..10 {
        under_way.push(half_an_upload(&deps, &token, 5).await);
    }
    forwarded(&lab, from, 10).await;
    let refused = forwarder.send(get(&token, "/CCM_Client/1")).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), cmglab_net::reason_of(&refused)),
        (503, "CMGService_ServiceUnavailable".to_owned())
    );
    let seconds: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0);
    let mut one = under_way.pop().unwrap();
    one.write_all(b"12345").await.unwrap();
    let mut answer = vec![0; 1024];
    let read = tokio::time::timeout(PATIENCE, one.read(&mut answer)).await.expect("an answer").unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer[..read]));
    let relayed = |event: &Event| matches!(&event.kind, Kind::Cmg(CmgEvent::Relayed { status: 200, request_uri, .. }) if request_uri.ends_with("/CCM_INCOMING/LARGE"));
    lab.events().wait_for("the upload told", PATIENCE, relayed).await.unwrap();
    assert_eq!(forwarder.send(get(&token, "/CCM_Client/1")).await.unwrap().status(), 200);
    drop(under_way);
    lab.shutdown().await;
}

/// More readers than a channel's window for one connection could ever hold, if they shared it.
#[tokio::test(flavor = "multi_thread")]
async fn readers_that_hang_slow_nobody_else() {
    const HUNG: usize = 48;
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 1024).await;
    let (token, forwarder) = (ccm_token(&lab, &deps).await, Forwarder::new(&deps));
    let mut hung = Vec::new();
    for _ in 0..HUNG {
        let response = forwarder.send(get(&token, "/CCM_Client/1000000000000")).await.unwrap();
        assert_eq!(response.status(), 200);
        hung.push(response.into_body());
    }
    // Each has its first bytes, and would take many more.
    for body in &mut hung {
        assert!(body.frame().await.unwrap().unwrap().data_ref().is_some());
    }
    let whole = async {
        let response = forwarder.send(get(&token, "/CCM_Client/4000000")).await.unwrap();
        origin::count(Body::new(response.into_body())).await
    };
    let bytes = tokio::time::timeout(PATIENCE, whole).await.expect("the hung ones hold it up");
    assert_eq!(bytes, 4_000_000);
    drop(hung);
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 100_000).await;
    let (token, forwarder) = (ccm_token(&lab, &deps).await, Forwarder::new(&deps));
    for (bytes, status, reason) in [(100_000, 200, "OK"), (100_001, 413, "CMGService_RequestEntityTooLarge")]
    {
        for told in [true, false] {
            let url = format!("https://CMG.LAB.TEST{}", through("/CCM_Incoming/large"));
            let mut request = Request::builder()
                .method("BITS_POST")
                .uri(url)
                .header("authorization", format!("Bearer {token}"));
            if told {
                request = request.header("content-length", bytes.to_string());
            }
            let response = forwarder.send(request.body(origin::body(bytes)).unwrap()).await.unwrap();
            let answer = (response.status().as_u16(), cmglab_net::reason_of(&response));
            assert_eq!(answer, (status, reason.to_owned()), "{bytes} bytes, told: {told}");
        }
    }
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_point_that_is_drained_finishes_what_is_under_way() {
    let lab = Arc::new(support::lab(Topology::default()).await);
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 1024).await;
    let token = ccm_token(&lab, &deps).await;
    let from = support::now(&lab);
    let mut upload = half_an_upload(&deps, &token, 5).await;
    forwarded(&lab, from, 1).await;
    let draining = Arc::clone(&lab);
    let drained =
        tokio::spawn(async move { draining.drain_connection_points(Duration::from_secs(20)).await });
    let service = lab.cmg().clone();
    let gone = move |_: &Event| service.instances().all(|one| one.statistics().channels == 0);
    lab.events().wait_for("the channel out of service", PATIENCE, gone).await.unwrap();
    upload.write_all(b"12345").await.unwrap();
    let mut answer = vec![0; 1024];
    let read = tokio::time::timeout(PATIENCE, upload.read(&mut answer)).await.unwrap().unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer[..read]));
    drained.await.unwrap();
    Arc::into_inner(lab).unwrap().shutdown().await;
}

/// More than HTTP/2 libraries take for honest, and for as long as the channel lives.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_leave_in_the_middle_harm_no_other() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 1024).await;
    let (token, forwarder) = (ccm_token(&lab, &deps).await, Forwarder::new(&deps));
    let from = support::now(&lab);
    let mut upload = half_an_upload(&deps, &token, 5).await;
    forwarded(&lab, from, 1).await;
    for _ in 0..3 {
        let mut begun = Vec::new();
        for _ in 0..150 {
            begun.push(forwarder.send(get(&token, "/CCM_Client/1000000000000")).await.unwrap());
        }
        assert!(begun.iter().all(|response| response.status() == 200));
    }
    assert_eq!(forwarder.send(get(&token, "/CCM_Client/1")).await.unwrap().status(), 200);
    upload.write_all(b"12345").await.unwrap();
    let mut answer = vec![0; 1024];
    let read = tokio::time::timeout(PATIENCE, upload.read(&mut answer)).await.expect("an answer").unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer[..read]));
    let lost = lab.events().snapshot().into_iter();
    let lost = lost.filter(|event| matches!(event.kind, Kind::Cmg(CmgEvent::ChannelDown { .. }))).count();
    assert_eq!(lost, 0, "the channel was lost");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_its_client_breaks_off_is_the_clients_fault() {
    let lab = support::lab(Topology::default()).await;
    let deps = support::stranger(&lab);
    let _origin = origin::start(&lab, 1024).await;
    let token = ccm_token(&lab, &deps).await;
    let mut stream = dial(&deps, "CMG.LAB.TEST", 443, &[b"http/1.1"]).await.unwrap();
    let head = format!(
        "BITS_POST {} HTTP/1.1\r\nHost: CMG.LAB.TEST\r\nAuthorization: Bearer {token}\r\n\
         Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\nnonsense\r\n",
        through("/CCM_Incoming/large")
    );
    let from = support::now(&lab);
    stream.write_all(head.as_bytes()).await.unwrap();
    let blamed = move |event: &Event| match &event.kind {
        Kind::Cmg(CmgEvent::Refused { status, cause, .. }) => {
            event.seq >= from && (*status, cause.starts_with("the client's body")) == (400, true)
        }
        _ => false,
    };
    lab.events().wait_for("the client blamed", PATIENCE, blamed).await.unwrap();
    lab.shutdown().await;
}
