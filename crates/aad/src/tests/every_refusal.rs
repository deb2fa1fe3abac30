//! Every refusal of the table by its real cause, and the same request without the cause.
//!
//! A row that nobody provokes fails the test, so a new one brings its provoker along.

mod access;
mod answers;
mod authorize;
mod client;
mod code;
mod device;
mod device_code;
mod prt;
mod requests;
mod service;
mod user;

use std::pin::Pin;

use super::lab::{Lab, Reply};
use crate::errors::{Aadsts, TABLE};

/// A row, and who provokes it: sends a request with the cause of the refusal, or without it.
type Entry = (&'static Aadsts, fn(bool) -> Pending);
type Pending = Pin<Box<dyn Future<Output = Shown>>>;

/// An answer, and the lab that gave it.
struct Shown {
    lab: Lab,
    reply: Reply,
}

const THEMES: [&[Entry]; 9] = [
    access::ENTRIES,
    authorize::ENTRIES,
    client::ENTRIES,
    code::ENTRIES,
    device::ENTRIES,
    device_code::ENTRIES,
    prt::ENTRIES,
    service::ENTRIES,
    user::ENTRIES,
];

#[test]
fn every_row_is_provoked_once() {
    for row in TABLE {
        let provokers = THEMES.iter().copied().flatten().filter(|(provoked, _)| provoked == row);
        assert_eq!(provokers.count(), 1, "{row:?}");
    }
    assert_eq!(THEMES.iter().copied().flatten().count(), TABLE.len());
}

/// The refusal is the row and no other, and it is the cause that is refused.
async fn provoke(entries: &[Entry]) {
    for (row, provoke) in entries {
        let refusal = answers::refusal(&provoke(true).await);
        let fitting: Vec<_> = TABLE.iter().copied().filter(|row| refusal.is(row)).collect();
        assert_eq!(fitting, [*row], "{refusal:?}");
        let Shown { reply, .. } = provoke(false).await;
        assert!(answers::grants(&reply), "{row:?} without its cause: {} {}", reply.status, reply.text);
    }
}

#[tokio::test]
async fn by_rules_of_access() {
    provoke(access::ENTRIES).await;
}

#[tokio::test]
async fn by_the_authorization_request() {
    provoke(authorize::ENTRIES).await;
}

#[tokio::test]
async fn by_the_client() {
    provoke(client::ENTRIES).await;
}

#[tokio::test]
async fn by_the_code() {
    provoke(code::ENTRIES).await;
}

#[tokio::test]
async fn by_the_device() {
    provoke(device::ENTRIES).await;
}

#[tokio::test]
async fn by_the_device_code() {
    provoke(device_code::ENTRIES).await;
}

#[tokio::test]
async fn by_the_primary_refresh_token() {
    provoke(prt::ENTRIES).await;
}

#[tokio::test]
async fn by_the_service() {
    provoke(service::ENTRIES).await;
}

#[tokio::test]
async fn by_the_user() {
    provoke(user::ENTRIES).await;
}
