//! Bad tokens, for tests of whoever verifies and for scenarios that need a refusal.
//!
//! Each function takes a good token and returns a twin that differs from it in one property; [`Mint`] makes
//! a token from nothing and marks it.

mod mint;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::compact::{self, Parts};
use crate::{SigningKey, TokenError};

pub use mint::{Flaw, Forged, Mint};

/// Signed properly, but it ended an hour before `now`.
///
/// # Errors
/// [`TokenError::Malformed`] when `token` is not a token; [`TokenError::Key`].
pub fn expired(token: &str, key: &SigningKey, now: Timestamp) -> Result<String, TokenError> {
    resigned(token, key, |claims| {
        let lifetime = number(claims, "exp").saturating_sub(number(claims, "nbf"));
        let ended = now.as_second() - HOUR;
        claims.insert("exp".to_owned(), json!(ended));
        claims.insert("nbf".to_owned(), json!(ended.saturating_sub(lifetime)));
    })
}

/// Signed properly, but it starts an hour after `now`.
///
/// # Errors
/// As [`expired`].
pub fn not_yet_valid(token: &str, key: &SigningKey, now: Timestamp) -> Result<String, TokenError> {
    resigned(token, key, |claims| {
        let lifetime = number(claims, "exp").saturating_sub(number(claims, "nbf"));
        let starts = now.as_second() + HOUR;
        claims.insert("nbf".to_owned(), json!(starts));
        claims.insert("exp".to_owned(), json!(starts.saturating_add(lifetime)));
    })
}

/// Signed properly, but meant for `audience`.
///
/// # Errors
/// As [`expired`].
pub fn for_audience(token: &str, key: &SigningKey, audience: &str) -> Result<String, TokenError> {
    resigned(token, key, |claims| {
        claims.insert("aud".to_owned(), json!(audience));
    })
}

/// Signed properly, but issued by `issuer`.
///
/// # Errors
/// As [`expired`].
pub fn from_issuer(token: &str, key: &SigningKey, issuer: &str) -> Result<String, TokenError> {
    resigned(token, key, |claims| {
        claims.insert("iss".to_owned(), json!(issuer));
    })
}

/// Signed properly, but without the claim `name`.
///
/// # Errors
/// As [`expired`].
pub fn without_claim(token: &str, key: &SigningKey, name: &str) -> Result<String, TokenError> {
    resigned(token, key, |claims| {
        claims.remove(name);
    })
}

/// The same token with other claims, signed again with `key` under the same header. With a key other than
/// the one the header names, a token by a foreign signer.
///
/// # Errors
/// As [`expired`].
pub fn resigned(
    token: &str,
    key: &SigningKey,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<String, TokenError> {
    let parts = Parts::of(token)?;
    let mut claims: Map<String, Value> = compact::decode_json("claims", parts.payload)?;
    change(&mut claims);
    key.sign_parts(parts.header, &compact::encode_json("claims", &claims)?)
}

/// The same claims under `alg` `none`, with an empty signature.
///
/// # Errors
/// [`TokenError::Malformed`] when `token` is not a token.
pub fn unsigned(token: &str) -> Result<String, TokenError> {
    with_header(token, "alg", &json!("none"), "")
}

/// The same token with one member of the header replaced and the signature kept.
///
/// # Errors
/// [`TokenError::Malformed`] when `token` is not a token.
pub fn with_header_member(token: &str, name: &str, value: &Value) -> Result<String, TokenError> {
    with_header(token, name, value, Parts::of(token)?.signature)
}

/// The same claims with one bit of the signature flipped.
///
/// # Errors
/// [`TokenError::Malformed`] when `token` is not a token.
pub fn flipped_signature(token: &str) -> Result<String, TokenError> {
    let parts = Parts::of(token)?;
    let mut signature = compact::decode("signature", parts.signature)?;
    let last = signature.last_mut().ok_or_else(|| TokenError::malformed("signature", "it is empty"))?;
    *last ^= 1;
    Ok(format!("{}.{}.{}", parts.header, parts.payload, compact::encode(&signature)))
}

fn with_header(token: &str, name: &str, value: &Value, signature: &str) -> Result<String, TokenError> {
    let parts = Parts::of(token)?;
    let mut header: Map<String, Value> = compact::decode_json("header", parts.header)?;
    header.insert(name.to_owned(), value.clone());
    Ok(format!("{}.{}.{signature}", compact::encode_json("header", &header)?, parts.payload))
}

fn number(claims: &Map<String, Value>, name: &str) -> i64 {
    claims.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// In seconds.
const HOUR: i64 = 3600;
