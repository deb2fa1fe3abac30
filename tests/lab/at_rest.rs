//! The CCM token at rest.

use std::fs;
use std::path::{Path, PathBuf};

use cmglab_client::{ReturnCode, Sid};
use cmglab_clock::Clock;
use cmglab_events::Role;
use cmglab_events::kinds::NetEvent;
use cmglab_events::{Events, Kind};
use cmglab_lab::{Evidence, Lab, LabOptions, Topology};

use crate::support;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let found = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    };
    files(folder).into_iter().filter(found).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_stands_in_clear_in_the_clients_folder_or_in_the_output() {
    let out = tempfile::tempdir().unwrap();
    let events = Events::new();
    let evidence = Evidence::start(&events, Topology::default().edition, &out.path().join("run")).unwrap();
    let options = LabOptions {
        events,
        clock: Clock::system(),
        folder: Some(out.path().join("state")),
        ..LabOptions::default()
    };
    let lab = Lab::start(Topology::default(), options).await.unwrap();
    let mut client = lab.client().await.unwrap();
    assert_eq!(client.install(&support::command_line(&lab)).await.return_code, ReturnCode::Success);
    client.register().await.unwrap();
    let token = client.token_cache().load(&Sid::system()).unwrap().unwrap().unwrap();
    let parts: Vec<&str> = token.token.expose().split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("a compact JWT") };
    drop(client);
    lab.shutdown().await;
    evidence.finish().unwrap();
    assert!(files(out.path()).len() > 10);
    for secret in [*payload, *signature] {
        assert_eq!(holds(out.path(), secret), Vec::<PathBuf>::new());
    }
    // No other token of the run either, nor the password that got them.
    let jwts: Vec<PathBuf> = files(out.path()).into_iter().filter(|path| holds_a_jwt(path)).collect();
    assert_eq!(jwts, Vec::<PathBuf>::new());
    assert_eq!(holds(out.path(), "Lab-Password-1"), Vec::<PathBuf>::new());
    // The search finds what is there: the header is no secret, and here it is put down in clear.
    fs::write(out.path().join("control"), header).unwrap();
    assert_eq!(holds(out.path(), header).len(), 1);
    fs::write(out.path().join("control"), parts.join(".")).unwrap();
    assert!(holds_a_jwt(&out.path().join("control")));
}

/// Two parts of base64url with a dot between, the first of which is JSON: the look of every JWT.
fn holds_a_jwt(path: &Path) -> bool {
    let bytes = fs::read(path).unwrap();
    let words = bytes.split(|byte| !(byte.is_ascii_alphanumeric() || b"-_.".contains(byte)));
    words.filter_map(|word| std::str::from_utf8(word).ok()).any(|word| {
        word.find("eyJ")
            .is_some_and(|start| word[start..].split('.').filter(|part| part.len() > 20).count() >= 2)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_cached_token_is_used_and_a_flipped_bit_means_one_new_request() {
    let lab = support::lab(Topology::default()).await;
    let mut client = lab.client().await.unwrap();
    assert_eq!(client.install(&support::command_line(&lab)).await.return_code, ReturnCode::Success);
    client.register().await.unwrap();
    drop(client);

    let mut client = lab.client().await.unwrap();
    let before = support::now(&lab);
    client.refresh_location().await.unwrap();
    assert_eq!(sts_requests(&lab, before), 0, "the token of before the restart is good");

    let state = client.machine().folder.clone();
    let blob = files(&state).into_iter().find(|path| path.to_string_lossy().contains("S-1-5-18")).unwrap();
    drop(client);
    let mut bytes = fs::read(&blob).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let mut client = lab.client().await.unwrap();
    let before = support::now(&lab);
    client.refresh_location().await.unwrap();
    client.refresh_location().await.unwrap();
    assert_eq!(sts_requests(&lab, before), 1, "one clean request, then the cache again");
    lab.shutdown().await;
}

fn sts_requests(lab: &Lab, from: u64) -> usize {
    let served = support::events_of(lab, Role::Cmg, from).into_iter().filter(|event| match &event.kind {
        Kind::Net(NetEvent::Served(served)) => served.stem.ends_with("/CCM_STS"),
        _ => false,
    });
    served.count()
}
