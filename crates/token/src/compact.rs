//! The compact serialization (RFC 7515 section 7.1): three parts of base64url, joined by dots.

use std::fmt::Display;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TokenError;

/// The parts of a token as they stand in it.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(token: &'a str) -> Result<Self, TokenError> {
        let mut parts = token.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(payload), Some(signature), None) => Ok(Self { header, payload, signature }),
            _ => Err(TokenError::malformed("token", "it does not have three parts")),
        }
    }
}

/// What the signature of `token` covers.
pub(crate) fn signed_part<'a>(token: &'a str, parts: &Parts<'_>) -> &'a [u8] {
    &token.as_bytes()[..parts.header.len() + 1 + parts.payload.len()]
}

/// One part, decoded.
pub(crate) fn decode(what: &'static str, part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|error| TokenError::malformed(what, error))
}

/// One part, decoded and read as JSON.
pub(crate) fn decode_json<T: DeserializeOwned>(what: &'static str, part: &str) -> Result<T, TokenError> {
    serde_json::from_slice(&decode(what, part)?).map_err(|error| TokenError::malformed(what, error))
}

/// One part, from JSON.
pub(crate) fn encode_json(what: &'static str, value: &impl Serialize) -> Result<String, TokenError> {
    let json = serde_json::to_vec(value).map_err(|error| TokenError::malformed(what, error))?;
    Ok(encode(&json))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Joins the parts and appends what `sign` makes of them.
pub(crate) fn sign<E: Display>(
    header: &str,
    payload: &str,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<String, TokenError> {
    let mut token = format!("{header}.{payload}");
    let signature = sign(token.as_bytes()).map_err(TokenError::key)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Base64 of either alphabet, with or without padding, as header members of clients come.
pub(crate) fn decode_lenient(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    LENIENT.decode(text.replace('-', "+").replace('_', "/"))
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
