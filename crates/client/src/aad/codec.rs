//! The bytes of token requests and answers (entra §3.2, §4.5, §5.1).
//!
//! Fidelity: observed.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::Role;
use cmglab_net::Answer;
use cmglab_pki::Identity;
use cmglab_proto::sts::BearerToken;
use cmglab_token::jws_x5c;
use serde::{Deserialize, Serialize};

use super::{AadApp, AadRefusal};
use crate::ClientError;

/// The signed request for a device token.
pub(super) fn device_request(
    app: &AadApp,
    nonce: &str,
    windows_version: &str,
    identity: &Identity,
) -> Result<String, ClientError> {
    let client_id = app.client_app.to_string();
    let payload = DeviceRequest {
        resource: &app.resource,
        client_id: &client_id,
        request_nonce: nonce,
        win_ver: windows_version,
        grant_type: "device_token",
        redirect_uri: broker_redirect(&client_id),
        iss: "aad:brokerplugin",
    };
    sign(Some(2), &payload, identity)
}

/// A request that the device signs.
pub(super) fn sign(
    kdf_ver: Option<u8>,
    payload: &impl Serialize,
    identity: &Identity,
) -> Result<String, ClientError> {
    let x5c = STANDARD.encode(identity.leaf());
    let header = Header { alg: "RS256", typ: "JWT", kdf_ver, x5c };
    Ok(jws_x5c::sign(&header, payload, |message| identity.key().sign_rs256(message))?)
}

/// Where the broker of Windows takes answers for an app.
pub(super) fn broker_redirect(client_id: &str) -> String {
    format!("ms-appx-web://Microsoft.AAD.BrokerPlugin/{client_id}")
}

/// `application/x-www-form-urlencoded` (WHATWG URL §5.2).
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(&mut out, name);
        out.push('=');
        encode(&mut out, value);
    }
    out
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
}

pub(super) fn nonce(body: &[u8]) -> Result<String, ClientError> {
    let answer: NonceAnswer = read(body, "a nonce")?;
    Ok(answer.nonce)
}

pub(super) fn access_token(body: &[u8]) -> Result<BearerToken, ClientError> {
    let answer: TokenAnswer = read(body, "a token")?;
    answer.access_token.parse().map_err(|error| ClientError::answer(Role::Aad, "a token", error))
}

/// A refusal; a body in another form is told by its status alone.
pub(super) fn refusal(answer: &Answer) -> AadRefusal {
    let read: ErrorAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    let short = |text: String| text.chars().filter(|char| !char.is_control()).take(LONGEST_TEXT).collect();
    AadRefusal {
        status: answer.status,
        error: if read.error.is_empty() { answer.reason.clone() } else { short(read.error) },
        code: read.error_codes.first().copied(),
        description: short(read.error_description),
    }
}

// The reader's own words could quote a token, so they are not passed on.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de [u8], what: &'static str) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ClientError::answer(Role::Aad, what, format!("not the expected JSON, at {line}:{column}"))
    })
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf_ver: Option<u8>,
    x5c: String,
}

#[derive(Serialize)]
struct DeviceRequest<'a> {
    resource: &'a str,
    client_id: &'a str,
    request_nonce: &'a str,
    win_ver: &'a str,
    grant_type: &'static str,
    redirect_uri: String,
    iss: &'static str,
}

#[derive(Deserialize)]
struct NonceAnswer {
    #[serde(rename = "Nonce")]
    nonce: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorAnswer {
    error: String,
    error_description: String,
    error_codes: Vec<u32>,
}

pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The broker of Windows, which joins devices.
pub(super) const BROKER: &str = "29d9ed98-a469-4536-ade2-f981bc1d605e";
/// Windows itself, when a user logs on.
pub(super) const SIGN_IN: &str = "38aa3b87-a06d-4817-b275-7a316988d93b";
/// The resource that joins devices.
pub(super) const REGISTRATION: &str = "urn:ms-drs:enterpriseregistration.windows.net";
const LONGEST_TEXT: usize = 1024;

#[cfg(test)]
mod tests;
