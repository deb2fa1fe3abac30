//! Access tokens of this service that come back to it as bearer tokens (RFC 6750).

use cmglab_proto::ids::TenantId;
use cmglab_token::{Expect, TokenError, Verified, verify};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::Aad;
use crate::ask::Ask;

/// The token of the Authorization header.
pub(crate) fn token(ask: &Ask) -> Option<&str> {
    let (scheme, token) = ask.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}

/// Verifies a token that this service issued for a tenant, under whichever of its names, to one of
/// `audiences`.
pub(crate) fn verified<C: DeserializeOwned>(
    aad: &Aad,
    tenant: TenantId,
    token: &str,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Verified<C>, TokenError> {
    let issuers = aad.own_issuers(tenant);
    let issuers: Vec<&str> = issuers.iter().map(String::as_str).collect();
    // No leeway: the same clock issued it.
    let expect = Expect { issuers: &issuers, audiences, now, leeway: SignedDuration::ZERO };
    verify(token, aad.ring().keys(), &expect)
}
