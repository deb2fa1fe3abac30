//! A user who proves himself with a key of Windows Hello for Business (entra §4.2).
//!
//! Fidelity: observed. The user is the issuer of the assertion; the name beside it counts for nothing.
//! Inferred: that a key serves on the device it was registered from and on no other.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use cmglab_token::TokenError;
use cmglab_token::assertion::{numeric_date, verify_with_key};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::issue::Around;
use super::redeem::is_our_host;
use crate::errors::{
    ASSERTION_CLAIMS, ASSERTION_INVALID, GRANT_OF_OTHER_DEVICE, KEY_UNKNOWN, MALFORMED, Refusal,
};
use crate::grant::for_user::{SignIn, usable};
use crate::proof;

/// The user whose registered key signed the assertion. Checked in this order: user known, key registered,
/// signature, audience, times, nonce, the key's device, user enabled.
pub(super) fn sign_in(around: &Around<'_>) -> Result<SignIn, Refusal> {
    let (aad, now) = (around.request.aad, around.request.ask.now);
    let assertion = proof::text(around.payload, "assertion")?;
    let (header, unverified) = proof::look(assertion)?;
    let upn = proof::text(&unverified, "iss")?;
    let kid = header.kid.as_deref().map(plain).unwrap_or_default();
    let directory = aad.directory();
    let user = directory.user(around.tenant, upn)?.clone();
    let key = directory.user_key(user.object_id, &kid).cloned();
    drop(directory);
    let key = key.ok_or_else(|| KEY_UNKNOWN.about(&[upn, &kid]))?;
    let claims = verified(assertion, &key.public_key)?;
    audience(around, &claims)?;
    times(&claims, now)?;
    proof::known(aad, claims.get("request_nonce").or_else(|| claims.get("nonce")), now)?;
    if key.device != around.device.id {
        return Err(GRANT_OF_OTHER_DEVICE.about(&[&around.device.id.to_string()]));
    }
    usable(&user)?;
    // The key, and that the user had to unlock it.
    Ok(around.signed_in(user.object_id, vec!["rsa", "mfa"]))
}

fn verified(assertion: &str, pkcs1: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let unusable = |_| ASSERTION_INVALID.about(&["the registered key cannot be used"]);
    let key = PublicKey::from_der(pkcs1).map_err(|_| unusable(()))?;
    let spki: PublicKeyX509Der<'_> = key.as_der().map_err(|_| unusable(()))?;
    match verify_with_key(assertion, spki.as_ref()) {
        Ok(assertion) => Ok(assertion.claims),
        Err(TokenError::Signature | TokenError::Unsigned | TokenError::Algorithm(_)) => {
            Err(ASSERTION_INVALID.about(&["the signature does not verify with the registered key"]))
        }
        Err(error) => Err(MALFORMED.about(&[&format!("assertion: {error}")])),
    }
}

/// The tenant by any of its names, or this service.
fn audience(around: &Around<'_>, claims: &Map<String, Value>) -> Result<(), Refusal> {
    let found = claims.get("aud").and_then(Value::as_str);
    let found = found.ok_or_else(|| ASSERTION_CLAIMS.about(&["aud is missing"]))?;
    let aad = around.request.aad;
    let of_tenant = || {
        found.parse() == Ok(around.tenant) || aad.directory().tenant_of_domain(found) == Some(around.tenant)
    };
    if ["common", "organizations"].contains(&found) || of_tenant() || is_our_host(aad, found) {
        Ok(())
    } else {
        Err(ASSERTION_INVALID.about(&[&format!("it is for '{found}'")]))
    }
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
    for name in ["iat", "exp"] {
        if claims.get(name).and_then(numeric_date).is_none() {
            return Err(ASSERTION_CLAIMS.about(&[&format!("{name} is missing or not a time")]));
        }
    }
    proof::in_time(claims, now)
}

/// A key id in the one form they are kept in: standard base64 with padding.
fn plain(kid: &str) -> String {
    let text = kid.trim_end_matches('=').replace('-', "+").replace('_', "/");
    STANDARD_NO_PAD.decode(&text).map_or_else(|_| kid.to_owned(), |bytes| STANDARD.encode(bytes))
}
