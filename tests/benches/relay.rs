//! What the gateway's three hops cost a small request.
//!
//! A whole lab runs in this process. Callers with kept connections ask for one byte, through gateway and
//! connection point and straight from the origin, in turns; the ratio is what counts, since both run on the same
//! machine at the same time.
//!
//! `cargo bench -p cmglab-tests --bench relay [-- --requests N]`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the eye, run by hand")]

use std::time::Duration;

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Role;
use cmglab_lab::{Lab, LabOptions, Topology};
use cmglab_net::Forwarder;
use http::Request;

#[path = "../lab/origin.rs"]
mod origin;
mod signed_in;

use origin::ORIGIN;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let requests = signed_in::argument("--requests").unwrap_or(8000);
    let lab = Lab::start(Topology::default(), LabOptions::default()).await.unwrap();
    let _origin = origin::start(&lab, 1024).await;
    let caller = lab.machine("caller", Role::Client, &["cmg-root", "site", "aad-tls"]).unwrap();
    let token = signed_in::ccm_token(&lab, &caller).await;
    let forwarder = Forwarder::new(&caller);
    let through = format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{}", origin::role());
    ask(&forwarder, &through, &token, 200).await;
    ask(&forwarder, ORIGIN, &token, 200).await;
    let (mut hops, mut straight) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        hops += ask(&forwarder, &through, &token, requests / ROUNDS).await;
        straight += ask(&forwarder, ORIGIN, &token, requests / ROUNDS).await;
    }
    let rate = |took: Duration| requests as f64 / took.as_secs_f64();
    println!("one byte, {requests} times each way, {CALLERS} callers, everything in this process");
    println!("three hops  {:>8.0}/s", rate(hops));
    println!("straight    {:>8.0}/s", rate(straight));
    println!("ratio       {:>8.2}", straight.as_secs_f64() / hops.as_secs_f64());
    lab.shutdown().await;
}

async fn ask(forwarder: &Forwarder, base: &str, token: &str, requests: u64) -> Duration {
    let watch = Stopwatch::start();
    let callers = (0..CALLERS).map(|_| async {
        for _ in 0..requests / CALLERS {
            let request = Request::get(format!("{base}/CCM_Client/1"))
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            let response = forwarder.send(request).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(origin::count(Body::new(response.into_body())).await, 1);
        }
    });
    futures_util::future::join_all(callers).await;
    watch.elapsed()
}

const CALLERS: u64 = 32;
const ROUNDS: u64 = 5;
