//! Verifying a token: signature, issuer, audience, and times on the lab's clock.
//!
//! The JWT library checks signature, issuer and audience and that the claims are there. It would read the
//! wall clock for the times, so those two checks are switched off and done here.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::peek::{clipped, open, peek};
use crate::{Header, Jwks, TokenError, compact};

/// The keys of a key set, decoded once.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Debug, Clone)]
struct Key {
    kid: Option<String>,
    x5t: Option<String>,
    decoding: DecodingKey,
}

/// What a token must be to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// Acceptable values of `iss`.
    pub issuers: &'a [&'a str],
    /// Acceptable values of `aud`; one match is enough.
    pub audiences: &'a [&'a str],
    /// The time by the lab's clock.
    pub now: Timestamp,
    /// How far the clocks of issuer and verifier may differ.
    pub leeway: SignedDuration,
}

/// A token that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified<C> {
    /// Its header.
    pub header: Header,
    /// Its claims.
    pub claims: C,
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audiences: Vec<String>,
    /// The claim `nbf`.
    pub valid_from: Timestamp,
    /// The claim `exp`.
    pub valid_to: Timestamp,
}

impl Keys {
    /// Decodes the RSA keys of a set; keys of other kinds or uses are passed over.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when an RSA key is not base64url; [`TokenError::TooLarge`] past 64 keys.
    pub fn from_jwks(set: &Jwks) -> Result<Self, TokenError> {
        set.check_count()?;
        let signs = |usage: &Option<String>| usage.as_deref().is_none_or(|usage| usage == "sig");
        let usable = set.keys.iter().filter(|key| key.kty == "RSA" && signs(&key.usage));
        let keys = usable.map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e)
                .map_err(|error| TokenError::malformed("key in the key set", error))?;
            Ok(Key { kid: key.kid.clone(), x5t: key.x5t.clone(), decoding })
        });
        Ok(Self(keys.collect::<Result<_, TokenError>>()?))
    }

    /// Checks a signature of [`SigningKey::sign_bytes`](crate::SigningKey::sign_bytes) that does not say which
    /// key made it: one of the set must have.
    ///
    /// # Errors
    /// [`TokenError::Signature`].
    pub fn verify_bytes(&self, bytes: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        let signature = compact::encode(signature);
        let made_by = |key: &Key| {
            jsonwebtoken::crypto::verify(&signature, bytes, &key.decoding, Algorithm::RS256).unwrap_or(false)
        };
        if self.0.iter().any(made_by) { Ok(()) } else { Err(TokenError::Signature) }
    }

    /// The key that a header names: by `kid`, or by `x5t` if there is no `kid`.
    fn find(&self, header: &Header) -> Result<&DecodingKey, TokenError> {
        let found = match (&header.kid, &header.x5t) {
            (kid @ Some(_), _) => self.0.iter().find(|key| key.kid == *kid),
            (None, x5t @ Some(_)) => self.0.iter().find(|key| key.x5t == *x5t),
            (None, None) => None,
        };
        let named = || header.kid.as_deref().or(header.x5t.as_deref()).map(clipped);
        found.map(|key| &key.decoding).ok_or_else(|| TokenError::UnknownKey { kid: named() })
    }
}

impl Expect<'_> {
    /// Checks times that were read from a verified token.
    ///
    /// # Errors
    /// [`TokenError::Expired`] from `valid_to` on (RFC 7519 section 4.1.4), [`TokenError::NotYetValid`] before
    /// `valid_from`, both stretched by the leeway.
    pub fn check_times(&self, valid_from: Timestamp, valid_to: Timestamp) -> Result<(), TokenError> {
        let now = self.now;
        if now.duration_since(valid_to) >= self.leeway {
            return Err(TokenError::Expired { valid_to, now });
        }
        if valid_from.duration_since(now) > self.leeway {
            return Err(TokenError::NotYetValid { valid_from, now });
        }
        Ok(())
    }

    /// Checks issuer and audience of a verified token.
    ///
    /// # Errors
    /// [`TokenError::Issuer`]; [`TokenError::Audience`].
    pub fn check_parties(&self, issuer: &str, audiences: &[String]) -> Result<(), TokenError> {
        let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        if !self.issuers.contains(&issuer) {
            return Err(TokenError::Issuer { found: issuer.to_owned(), expected: owned(self.issuers) });
        }
        if !audiences.iter().any(|audience| self.audiences.contains(&audience.as_str())) {
            let expected = owned(self.audiences);
            return Err(TokenError::Audience { found: audiences.to_vec(), expected });
        }
        Ok(())
    }
}

/// Verifies an RS256 token of at most 16 KiB. Claims `iss`, `aud`, `nbf` and `exp` are required.
///
/// # Errors
/// The first of: [`TokenError::TooLarge`], [`TokenError::Malformed`], [`TokenError::Unsigned`],
/// [`TokenError::Algorithm`], [`TokenError::UnknownKey`], [`TokenError::Signature`],
/// [`TokenError::MissingClaim`], [`TokenError::Issuer`], [`TokenError::Audience`], [`TokenError::Expired`],
/// [`TokenError::NotYetValid`]; and [`TokenError::Malformed`] when the claims do not fit `C`.
pub fn verify<C: DeserializeOwned>(
    token: &str,
    keys: &Keys,
    expect: &Expect<'_>,
) -> Result<Verified<C>, TokenError> {
    let (header, _) = open(token)?;
    header.check(&[ALGORITHM])?;
    let key = keys.find(&header)?;
    let decoded = jsonwebtoken::decode::<Value>(token, key, &validation(expect));
    let claims = decoded.map_err(|error| refusal(token, &error, expect))?.claims;
    let parties = Parties::of(&claims)?;
    expect.check_parties(&parties.issuer, &parties.audiences)?;
    let (valid_from, valid_to) = (time(&claims, "nbf")?, time(&claims, "exp")?);
    expect.check_times(valid_from, valid_to)?;
    let claims = C::deserialize(claims).map_err(|error| TokenError::malformed("claims", error))?;
    let Parties { issuer, audiences } = parties;
    Ok(Verified { header, claims, issuer, audiences, valid_from, valid_to })
}

struct Parties {
    issuer: String,
    audiences: Vec<String>,
}

impl Parties {
    /// Stricter than the library, which also accepts a list of issuers.
    fn of(claims: &Value) -> Result<Self, TokenError> {
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or_else(|| missing("iss"))?.to_owned();
        let audiences = match claims.get("aud") {
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(all)) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        Ok(Self { issuer, audiences: audiences.ok_or_else(|| missing("aud"))? })
    }
}

fn validation(expect: &Expect<'_>) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_required_spec_claims(&REQUIRED);
    validation.set_issuer(expect.issuers);
    validation.set_audience(expect.audiences);
    validation
}

/// The library's verdict as a typed cause. It looks at claims only after the signature has verified.
fn refusal(token: &str, error: &jsonwebtoken::errors::Error, expect: &Expect<'_>) -> TokenError {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => {
            claims_refusal(token, expect).err().unwrap_or_else(|| TokenError::malformed("claims", error))
        }
        _ => TokenError::malformed("token", error),
    }
}

/// The library names a missing claim at random when there are several; here the order is fixed.
fn claims_refusal(token: &str, expect: &Expect<'_>) -> Result<(), TokenError> {
    let (_, claims) = peek(token)?;
    let parties = Parties::of(&claims)?;
    time(&claims, "nbf")?;
    time(&claims, "exp")?;
    expect.check_parties(&parties.issuer, &parties.audiences)
}

fn time(claims: &Value, name: &str) -> Result<Timestamp, TokenError> {
    let number = claims.get(name).ok_or_else(|| missing(name))?;
    // Fractions of a second are allowed by RFC 7519 and of no interest.
    let seconds = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64));
    let seconds = seconds.filter(|&seconds| seconds >= 0).ok_or_else(|| missing(name))?;
    Timestamp::from_second(seconds).map_err(|_| missing(name))
}

fn missing(name: &str) -> TokenError {
    TokenError::MissingClaim(name.to_owned())
}

const ALGORITHM: &str = "RS256";
const REQUIRED: [&str; 4] = ["exp", "nbf", "aud", "iss"];

#[cfg(test)]
mod tests;
