//! Answers of the token service that only the holder of the session key can read (entra section 4.3).
//!
//! Fidelity: observed. The header says A256GCM, and what the service sends is AES-256-CBC with a vector of 16
//! bytes and a tag that nobody checks; a vector of 12 bytes means that it is AES-256-GCM after all. The key
//! is derived by version 1, whatever the request used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use super::content::{BLOCK, Sealed, open_cbc, open_gcm, seal_cbc, seal_gcm};
use super::parts::{ENC, Parts, join};
use crate::error::limited;
use crate::session::{KdfVersion, SessionKey};
use crate::{TokenError, compact};

/// How an answer is encrypted. The header is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerCipher {
    /// AES-256-CBC, as the real service.
    #[default]
    Cbc,
    /// AES-256-GCM, as the header says.
    Gcm,
}

/// Encrypts an answer of at most 64 KiB. `ctx` is what the key is derived from: fresh random bytes, 24 or 32
/// of them.
///
/// # Errors
/// [`TokenError::TooLarge`]; [`TokenError::Key`] when the provider fails.
pub fn seal(
    payload: &[u8],
    key: &SessionKey,
    ctx: &[u8],
    cipher: AnswerCipher,
) -> Result<String, TokenError> {
    limited("answer", payload.len(), MAX_PAYLOAD)?;
    limited("ctx", ctx.len(), MAX_CTX)?;
    let header = Header { alg: DIRECT, enc: ENC, ctx: &STANDARD.encode(ctx), kid: "session" };
    let protected = compact::encode_json("header", &header)?;
    let key = key.derive(KdfVersion::V1, ctx, payload);
    let Sealed { iv, ciphertext, tag } = match cipher {
        AnswerCipher::Cbc => seal_cbc(key.expose(), payload)?,
        AnswerCipher::Gcm => seal_gcm(key.expose(), &protected, payload)?,
    };
    Ok(join(&protected, [&[], &iv, &ciphertext, &tag]))
}

/// Decrypts an answer; the length of the vector tells how. The result of the CBC form is **not
/// authenticated**: another key mostly fails on the padding, and a changed message may not fail at all.
///
/// # Errors
/// [`TokenError::TooLarge`] past 128 KiB, [`TokenError::Malformed`]; [`TokenError::Unsigned`] and
/// [`TokenError::Algorithm`] when the header says another encryption; [`TokenError::Decryption`].
pub fn open(jwe: &str, key: &SessionKey) -> Result<Vec<u8>, TokenError> {
    let parts = Parts::of(jwe)?;
    parts.algorithm(&[DIRECT])?;
    if !parts.encrypted_key.is_empty() {
        return Err(TokenError::malformed("encrypted key", "there is one, and alg is dir"));
    }
    let text = parts.header.get("ctx").and_then(Value::as_str);
    let text = text.ok_or_else(|| TokenError::malformed("header", "there is no ctx"))?;
    let ctx = compact::decode_lenient(text).map_err(|error| TokenError::malformed("ctx", error))?;
    let key = key.derive(KdfVersion::V1, &ctx, &[]);
    match <[u8; BLOCK]>::try_from(parts.iv.as_slice()) {
        Ok(iv) => open_cbc(key.expose(), iv, &parts.ciphertext),
        Err(_) => open_gcm(key.expose(), &parts.iv, parts.protected, &parts.ciphertext, &parts.tag),
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    enc: &'a str,
    ctx: &'a str,
    kid: &'a str,
}

const DIRECT: &str = "dir";
const MAX_PAYLOAD: usize = 64 << 10;
const MAX_CTX: usize = 64;
