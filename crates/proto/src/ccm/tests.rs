//! Tests of the message codec: against the vectors, the variants of public clients, and hostile input.

use std::sync::LazyLock;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::sign::from_hex;
use super::*;
use crate::ids::{ClientGuid, MessageId};

mod documents;
mod hostile;
mod reply;
mod request;
mod signing;

/// A field of the shared vectors.
fn vector(name: &str) -> &'static str {
    VECTORS[name].as_str().unwrap_or_else(|| panic!("vector {name}"))
}

fn vector_bytes(name: &str) -> Vec<u8> {
    from_hex(vector(name)).unwrap()
}

fn vector_key() -> sign::PublicKey {
    sign::PublicKey::from_blob(&vector_bytes("publickeyblob_hex")).unwrap()
}

fn limits() -> Limits {
    Limits::default()
}

fn client() -> ClientGuid {
    vector("client_id").parse().unwrap()
}

fn time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn header(endpoint: Endpoint) -> Msg {
    let mut msg = Msg::new(MessageId::new(Uuid::from_u128(7)), endpoint, time());
    msg.source_host = "LABPC1".to_owned();
    msg.reply_to = "direct:LABPC1:SccmMessaging".to_owned();
    msg.target_host = "mp1.lab.invalid".to_owned();
    msg
}

/// A body of any shape: header lines (each with its line end) and bytes of each part.
fn frame(boundary: &str, parts: &[(&str, &[u8])], tail: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (headers, bytes) in parts {
        let lead = if body.is_empty() { "" } else { "\r\n" };
        body.extend_from_slice(format!("{lead}--{boundary}\r\n{headers}\r\n").as_bytes());
        body.extend_from_slice(bytes);
    }
    body.extend_from_slice(format!("\r\n--{boundary}--{tail}").as_bytes());
    body
}

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/ccm.json"));
    serde_json::from_str(text).unwrap()
});

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
