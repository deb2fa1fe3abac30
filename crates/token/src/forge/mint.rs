//! Tokens from claims of one's choice, sound or with chosen flaws.
//!
//! Fidelity: lab. Each says in its header that it was forged, under a private name that verifiers pass over
//! (RFC 7515 section 4.2), so that nobody takes one for the issuer's in a trace.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{HOUR, flipped_signature};
use crate::error::limited;
use crate::{HeaderKind, SigningKey, TokenError, compact};

/// The order for a token.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mint {
    /// The claims. `iat`, `nbf` and `exp` are added where absent: from now on, for 3900 seconds.
    pub claims: Map<String, Value>,
    /// Which header.
    #[serde(default)]
    pub kind: HeaderKind,
    /// What shall be wrong with it; nothing if empty.
    #[serde(default)]
    pub flaws: Vec<Flaw>,
}

/// One thing wrong with a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Flaw {
    /// It ended an hour ago.
    Expired,
    /// It starts in an hour.
    NotYetValid,
    /// It is meant for this audience.
    Audience(String),
    /// It says that this one issued it.
    Issuer(String),
    /// One bit of its signature is wrong.
    Signature,
    /// Its header names a key that is in no key set, by `kid` and `x5t` alike.
    UnknownKid,
    /// Its algorithm is `none` and its signature empty.
    Unsigned,
    /// Another key signed it than its header names.
    ForeignKey,
    /// It lacks this claim.
    WithoutClaim(String),
}

/// A token that was minted.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Forged {
    /// The token.
    pub token: String,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

impl Mint {
    /// Makes the token with `key`, by whose name it goes. The first token of a process with
    /// [`Flaw::ForeignKey`] takes about 50 ms, for its key has to be made.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for flaws that exclude each other; [`TokenError::TooLarge`] past 16 flaws or
    /// a token of 64 KiB, which is more than any verifier here takes; [`TokenError::Key`].
    pub fn mint(&self, key: &SigningKey, now: Timestamp) -> Result<Forged, TokenError> {
        limited("number of flaws", self.flaws.len(), MAX_FLAWS)?;
        self.check_flaws()?;
        let header = compact::encode_json("header", &self.header(key)?)?;
        let claims = compact::encode_json("claims", &self.claims_at(now))?;
        limited("forged token", header.len() + claims.len(), MAX_FORGED)?;
        let token = self.signed(&header, &claims, key, now)?;
        Ok(Forged { token, flaws: self.flaws.clone() })
    }

    fn has(&self, flaw: &Flaw) -> bool {
        self.flaws.contains(flaw)
    }

    fn check_flaws(&self) -> Result<(), TokenError> {
        let excluded = EXCLUDED.iter().find(|(one, other)| self.has(one) && self.has(other));
        excluded.map_or(Ok(()), |(one, other)| {
            Err(TokenError::malformed("flaws", format!("{one:?} and {other:?} exclude each other; drop one")))
        })
    }

    fn header(&self, key: &SigningKey) -> Result<Map<String, Value>, TokenError> {
        let mut header = key.header(self.kind)?;
        header.insert(MARK.to_owned(), json!("forged"));
        if self.has(&Flaw::Unsigned) {
            header.insert("alg".to_owned(), json!("none"));
        }
        if self.has(&Flaw::UnknownKid) {
            let of = format!("no certificate, and not {}", key.kid());
            let unknown = compact::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, of.as_bytes()).as_ref());
            for name in ["kid", "x5t"] {
                if let Some(named) = header.get_mut(name) {
                    *named = json!(unknown);
                }
            }
        }
        Ok(header)
    }

    /// Flaws come after defaults, and absent claims last.
    fn claims_at(&self, now: Timestamp) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        let now = now.as_second();
        let starts = claims.get("nbf").and_then(Value::as_i64).unwrap_or(now);
        let ends =
            claims.get("exp").and_then(Value::as_i64).unwrap_or_else(|| starts.saturating_add(LIFETIME));
        let lifetime = ends.saturating_sub(starts);
        let shifted = self.flaws.iter().find_map(|flaw| match flaw {
            Flaw::Expired => Some((now - HOUR).saturating_sub(lifetime)),
            Flaw::NotYetValid => Some(now + HOUR),
            _ => None,
        });
        if let Some(starts) = shifted {
            claims.insert("nbf".to_owned(), json!(starts));
            claims.insert("exp".to_owned(), json!(starts.saturating_add(lifetime)));
        }
        let starts = shifted.unwrap_or(starts);
        for (name, value) in [("iat", starts.min(now)), ("nbf", starts), ("exp", ends)] {
            claims.entry(name).or_insert_with(|| json!(value));
        }
        for flaw in &self.flaws {
            match flaw {
                Flaw::Audience(audience) => drop(claims.insert("aud".to_owned(), json!(audience))),
                Flaw::Issuer(issuer) => drop(claims.insert("iss".to_owned(), json!(issuer))),
                _ => {}
            }
        }
        claims.retain(|name, _| !self.has(&Flaw::WithoutClaim(name.clone())));
        claims
    }

    fn signed(
        &self,
        header: &str,
        claims: &str,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        if self.has(&Flaw::Unsigned) {
            return Ok(format!("{header}.{claims}."));
        }
        let signer = if self.has(&Flaw::ForeignKey) { &foreign(now)? } else { key };
        let token = signer.sign_parts(header, claims)?;
        if self.has(&Flaw::Signature) { flipped_signature(&token) } else { Ok(token) }
    }
}

/// A forged token without a flaw is as good as a real one.
impl fmt::Debug for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forged").field("flaws", &self.flaws).finish_non_exhaustive()
    }
}

/// A key that is in no key set, one for the process.
fn foreign(now: Timestamp) -> Result<SigningKey, TokenError> {
    static FOREIGN: OnceLock<SigningKey> = OnceLock::new();
    match FOREIGN.get() {
        Some(key) => Ok(key.clone()),
        None => {
            let key = SigningKey::generate(now, "foreign")?;
            Ok(FOREIGN.get_or_init(|| key).clone())
        }
    }
}

/// The header member that marks what was minted here.
const MARK: &str = "x_cmglab";
const EXCLUDED: [(Flaw, Flaw); 3] = [
    (Flaw::Expired, Flaw::NotYetValid),
    (Flaw::Unsigned, Flaw::Signature),
    (Flaw::Unsigned, Flaw::ForeignKey),
];
/// In seconds (entra section 3.3).
const LIFETIME: i64 = 3900;
const MAX_FLAWS: usize = 16;
const MAX_FORGED: usize = 64 << 10;

#[cfg(test)]
mod tests;
