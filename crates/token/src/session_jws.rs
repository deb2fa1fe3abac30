//! Requests that a client signs with the session key of its primary refresh token (entra section 4.3).
//!
//! Fidelity: documented (MS-OAPXBC) and observed. `ctx` in the header is standard base64, unlike everything
//! around it; base64url and absent padding are taken as well. The key is found by what the payload says, so
//! reading and verifying are two steps. Nonce and times are the caller's to check.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::compact::{self, Parts};
use crate::error::limited;
use crate::session::{DerivedKey, KdfVersion, SessionKey};
use crate::{TokenError, signature};

/// A request that was read and not yet believed.
#[derive(Clone, PartialEq)]
pub struct SessionRequest {
    header: Map<String, Value>,
    payload: Map<String, Value>,
    payload_bytes: Vec<u8>,
    version: KdfVersion,
    ctx: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl SessionRequest {
    /// Reads a request of at most 64 KiB: `alg` HS256, `ctx` of 16 to 64 bytes, `kdf_ver` absent, 1 or 2.
    ///
    /// # Errors
    /// [`TokenError::TooLarge`], [`TokenError::Malformed`], [`TokenError::Unsigned`],
    /// [`TokenError::Algorithm`].
    pub fn parse(jws: &str) -> Result<Self, TokenError> {
        limited("signed request", jws.len(), MAX_REQUEST)?;
        let parts = Parts::of(jws)?;
        let header: Map<String, Value> = compact::decode_json("header", parts.header)?;
        signature::algorithm(&header, &["HS256"])?;
        let payload_bytes = compact::decode("payload", parts.payload)?;
        Ok(Self {
            version: version(header.get("kdf_ver"))?,
            ctx: context(&header)?,
            payload: serde_json::from_slice(&payload_bytes)
                .map_err(|error| TokenError::malformed("payload", error))?,
            payload_bytes,
            message: compact::signed_part(jws, &parts).to_vec(),
            signature: compact::decode("signature", parts.signature)?,
            header,
        })
    }

    /// The payload, which **anyone may have written**: to look the session key up by `refresh_token`.
    #[must_use]
    pub fn unverified(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// The header, as unverified as the payload.
    #[must_use]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// How the client derived its key.
    #[must_use]
    pub fn kdf_version(&self) -> KdfVersion {
        self.version
    }

    /// Checks the signature in constant time and gives the payload, now known to come from the key's holder.
    ///
    /// # Errors
    /// [`TokenError::Signature`].
    pub fn verify(&self, key: &SessionKey) -> Result<&Map<String, Value>, TokenError> {
        let derived = key.derive(self.version, &self.ctx, &self.payload_bytes);
        hmac::verify(&hmac_key(&derived), &self.message, &self.signature)
            .map(|()| &self.payload)
            .map_err(|_| TokenError::Signature)
    }
}

/// The payload holds refresh tokens.
impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.payload.keys().collect();
        f.debug_struct("SessionRequest").field("payload", &members).finish_non_exhaustive()
    }
}

/// Makes a request as a client does. Members of `extra` go into the header and do not replace those that
/// belong there: `alg`, `typ`, `ctx`, and `kdf_ver` in version 2.
///
/// # Errors
/// [`TokenError::Malformed`] when `payload` is not JSON.
pub fn sign(
    payload: &impl Serialize,
    key: &SessionKey,
    ctx: &[u8],
    version: KdfVersion,
    extra: &Map<String, Value>,
) -> Result<String, TokenError> {
    let mut header = extra.clone();
    header.insert("alg".to_owned(), json!("HS256"));
    header.insert("typ".to_owned(), json!("JWT"));
    header.insert("ctx".to_owned(), json!(STANDARD.encode(ctx)));
    if version == KdfVersion::V2 {
        header.insert("kdf_ver".to_owned(), json!(2));
    }
    let payload = serde_json::to_vec(payload).map_err(|error| TokenError::malformed("payload", error))?;
    let key = hmac_key(&key.derive(version, ctx, &payload));
    compact::sign(&compact::encode_json("header", &header)?, &compact::encode(&payload), |message| {
        Ok::<_, TokenError>(hmac::sign(&key, message).as_ref().to_vec())
    })
}

fn hmac_key(derived: &DerivedKey) -> hmac::Key {
    hmac::Key::new(HMAC_SHA256, derived.expose())
}

fn version(kdf_ver: Option<&Value>) -> Result<KdfVersion, TokenError> {
    let number = match kdf_ver {
        None | Some(Value::Null) => Some(1),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    match number {
        Some(1) => Ok(KdfVersion::V1),
        Some(2) => Ok(KdfVersion::V2),
        _ => Err(TokenError::malformed("header", "kdf_ver is neither 1 nor 2")),
    }
}

fn context(header: &Map<String, Value>) -> Result<Vec<u8>, TokenError> {
    let malformed = |reason: &str| TokenError::malformed("header", reason);
    let text = header.get("ctx").and_then(Value::as_str).ok_or_else(|| malformed("there is no ctx"))?;
    let ctx = compact::decode_lenient(text).map_err(|_| malformed("ctx is not base64"))?;
    let usual = (16..=64).contains(&ctx.len());
    if usual { Ok(ctx) } else { Err(malformed("ctx is not 16 to 64 bytes long")) }
}

const MAX_REQUEST: usize = 64 << 10;

#[cfg(test)]
mod tests;
