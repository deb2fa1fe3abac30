//! What a large body costs on its way through all three hops: time, and the memory that it takes.
//!
//! A whole lab runs in this process: client, gateway, connection point, and in the management point's place an
//! origin that gives and takes a body of any size. Bodies must stream: the highest resident size while one
//! passes is set beside that before it. For scale, the same body goes straight to the origin.
//!
//! `cargo bench -p cmglab-tests --bench large_body [-- --mebibytes N]`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the eye, run by hand")]

use std::fs;
use std::time::Duration;

use axum::body::Body;
use cmglab_clock::Stopwatch;
use cmglab_events::Role;
use cmglab_lab::{Lab, LabOptions, Topology};
use cmglab_net::Forwarder;
use http_body_util::BodyExt as _;

#[path = "../lab/origin.rs"]
mod origin;
mod signed_in;

use origin::{ORIGIN, body, count, role};

/// That of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let bytes = signed_in::argument("--mebibytes").unwrap_or(256) * MIB;
    if peak_kib().is_none() {
        println!("skipped: /proc/self/status is not there, so memory cannot be read");
        return;
    }
    let lab = Lab::start(Topology::default(), LabOptions::default()).await.unwrap();
    let _origin = origin::start(&lab, bytes).await;
    let caller = lab.machine("caller", Role::Client, &["cmg-root", "site", "aad-tls"]).unwrap();
    let token = signed_in::ccm_token(&lab, &caller).await;
    let forwarder = Forwarder::new(&caller);
    let through = format!("https://CMG.LAB.TEST/CCM_Proxy_ServerAuth/{}", role());
    // Connections, revocation lists and keys before anything is measured.
    for base in [through.as_str(), ORIGIN] {
        up(&forwarder, base, &token, 1).await;
    }
    println!(
        "{} MiB through client → gateway → connection point → origin, and straight to the origin",
        bytes / MIB
    );
    for (what, base) in [("three hops", through.as_str()), ("straight", ORIGIN)] {
        let sent = measured(up(&forwarder, base, &token, bytes)).await;
        let received = measured(down(&forwarder, base, &token, bytes)).await;
        for (way, Figure { took, grew_kib }) in [("up", sent), ("down", received)] {
            let rate = bytes as f64 / MIB as f64 / took.as_secs_f64();
            println!(
                "{what:<12} {way:<5} {took:>8.2?} {rate:>7.0} MiB/s   resident size grew by at most {grew_kib} KiB"
            );
        }
    }
    lab.shutdown().await;
}

struct Figure {
    took: Duration,
    grew_kib: u64,
}

async fn measured(work: impl Future<Output = ()>) -> Figure {
    // Resets the peak to the present size.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, watch) = (peak_kib().unwrap(), Stopwatch::start());
    work.await;
    Figure { took: watch.elapsed(), grew_kib: peak_kib().unwrap().saturating_sub(before) }
}

fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

async fn up(forwarder: &Forwarder, base: &str, token: &str, bytes: u64) {
    let request = http::Request::builder()
        .method("BITS_POST")
        .uri(format!("{base}/CCM_Incoming/large"))
        .header("authorization", format!("Bearer {token}"))
        .body(body(bytes))
        .unwrap();
    let response = forwarder.send(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let counted = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(counted, bytes.to_string(), "the origin counted another number of bytes");
}

async fn down(forwarder: &Forwarder, base: &str, token: &str, bytes: u64) {
    let request = http::Request::get(format!("{base}/CCM_Client/{bytes}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let response = forwarder.send(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(count(Body::new(response.into_body())).await, bytes);
}

const MIB: u64 = 1024 * 1024;
