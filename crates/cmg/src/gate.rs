//! The gate: nothing invalid is forwarded.
//!
//! A validator is chosen by issuer and audience; what it believes must then be a kind of token that is meant
//! for the endpoint, and not be blocked. Fidelity: documented for the first half (configmgr §1.4), lab for the
//! statuses of blocked tokens and for the table in `purpose`.

mod purpose;

use std::sync::Arc;

use cmglab_events::Source;
use cmglab_events::kinds::{BearerKind, CmgEvent, TokenRefusal};
use cmglab_net::{Fetch, IssuerKeys, KeysUnavailable, OpenIdKeys};
use cmglab_proto::claims::{AUDIENCE, CcmTokenType, SiteClaims, issuer};
use cmglab_proto::settings::TenantSettings;
use cmglab_proto::sts;
use cmglab_token::{Expect, Keys, TokenError};
use http::HeaderMap;
use jiff::SignedDuration;
use serde_json::Value;

use crate::Shared;
use crate::settings::{Applied, Validator};

/// Lets a token pass, or says why not. Either way an event tells of it.
pub(crate) async fn check(
    shared: &Shared,
    applied: &Applied,
    voice: &Source,
    ask: Ask<'_>,
) -> Result<(), Refused> {
    let mut seen = Seen::default();
    let outcome = judge(shared, applied, voice, &ask, &mut seen).await;
    let (issuer, audience) = (seen.issuer.map(shown), seen.audience.map(shown));
    voice.emit(match &outcome {
        Ok(kind) => CmgEvent::TokenAccepted {
            url: ask.url.to_owned(),
            kind: *kind,
            issuer: issuer.unwrap_or_default(),
            audience: audience.unwrap_or_default(),
        },
        Err(refused) => CmgEvent::TokenRefused {
            url: ask.url.to_owned(),
            issuer,
            audience,
            refusal: refused.kind,
            cause: refused.cause.clone(),
        },
    });
    outcome.map(drop)
}

/// What is asked of the gate.
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a str,
    /// The published endpoint; `None` for what the gateway answers by itself to the bearer of any token.
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
}

/// Why a token does not pass.
#[derive(Debug)]
pub(crate) struct Refused {
    kind: TokenRefusal,
    pub(crate) cause: String,
}

/// What a token says of itself, unverified.
#[derive(Default)]
struct Seen {
    issuer: Option<String>,
    audience: Option<String>,
}

async fn judge(
    shared: &Shared,
    applied: &Applied,
    voice: &Source,
    ask: &Ask<'_>,
    seen: &mut Seen,
) -> Result<BearerKind, Refused> {
    let bearer = sts::bearer(ask.headers).map_err(|error| refused(TokenRefusal::Missing, error))?;
    let token = bearer.expose();
    let (_header, claims) =
        cmglab_token::peek(token).map_err(|error| refused(TokenRefusal::Invalid, error))?;
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    (seen.issuer, seen.audience) = (claim("iss"), claim("aud"));
    let (token_issuer, audience) =
        (seen.issuer.as_deref().unwrap_or_default(), seen.audience.as_deref().unwrap_or_default());
    let validator = applied
        .validator(token_issuer, audience)
        .map_err(|cause| refused(TokenRefusal::NoValidator, cause))?;
    let now = shared.deps.clock.now();
    match validator {
        Validator::Site => {
            let expect = Expect {
                issuers: &[&issuer(&applied.document.hierarchy_id)],
                audiences: &[AUDIENCE],
                now,
                leeway: LEEWAY,
            };
            let claims = of_site(token, &applied.ccm_keys, &expect)?;
            let kind = kind(&claims);
            meant_for(ask.endpoint, kind)?;
            not_blocked(applied, &claims)?;
            Ok(kind)
        }
        Validator::Aad(tenant) => {
            meant_for(ask.endpoint, BearerKind::Aad)?;
            let expect = Expect { issuers: &[token_issuer], audiences: &[audience], now, leeway: LEEWAY };
            verify_aad(&shared.keys, voice, tenant, token, &expect).await?;
            Ok(BearerKind::Aad)
        }
    }
}

fn of_site(token: &str, keys: &Keys, expect: &Expect<'_>) -> Result<SiteClaims, Refused> {
    let verified =
        cmglab_token::verify::<Value>(token, keys, expect).map_err(|error| token_refused(&error))?;
    SiteClaims::parse(verified.claims.to_string().as_bytes())
        .map_err(|error| refused(TokenRefusal::Invalid, error))
}

fn kind(claims: &SiteClaims) -> BearerKind {
    match claims {
        SiteClaims::Bulk(_) => BearerKind::BulkRegistration,
        SiteClaims::Ccm(claims) if claims.token_type == CcmTokenType::ClientToken => BearerKind::ClientToken,
        SiteClaims::Ccm(_) => BearerKind::Ccm,
    }
}

fn meant_for(endpoint: Option<&str>, kind: BearerKind) -> Result<(), Refused> {
    match endpoint {
        Some(endpoint) if !purpose::accepts(endpoint, kind) => {
            Err(refused(TokenRefusal::WrongPurpose, format!("{endpoint} is not for {}", purpose::name(kind))))
        }
        _ => Ok(()),
    }
}

/// What the administrator has blocked, by the id in the token.
fn not_blocked(applied: &Applied, claims: &SiteClaims) -> Result<(), Refused> {
    let blocked =
        |what: String| Err(refused(TokenRefusal::Blocked, format!("{what} is blocked at the site")));
    match claims {
        SiteClaims::Bulk(claims) if applied.blocked_bulk_tokens.contains(&claims.unique_id) => {
            blocked(format!("bulk registration token {}", claims.unique_id))
        }
        SiteClaims::Ccm(claims) => match claims.device {
            Some(device) if applied.blocked_clients.contains(&device) => blocked(format!("client {device}")),
            _ => Ok(()),
        },
        SiteClaims::Bulk(_) => Ok(()),
    }
}

async fn verify_aad(
    keys: &OpenIdKeys,
    voice: &Source,
    tenant: &TenantSettings,
    token: &str,
    expect: &Expect<'_>,
) -> Result<(), Refused> {
    let configuration = &tenant.openid_configuration;
    let known = told(voice, keys.keys(voice, configuration).await)?;
    match cmglab_token::verify::<Value>(token, &known, expect) {
        Err(error @ TokenError::UnknownKey { .. }) => {
            let newer = keys.newer(voice, configuration, &known).await.transpose();
            let newer = newer.ok_or_else(|| token_refused(&error))?;
            verify(token, &*told(voice, newer)?, expect)
        }
        Err(error) => Err(token_refused(&error)),
        Ok(_verified) => Ok(()),
    }
}

fn told(voice: &Source, found: Result<IssuerKeys, KeysUnavailable>) -> Result<Arc<Keys>, Refused> {
    let unavailable = |KeysUnavailable { url, error }| {
        voice.emit(CmgEvent::KeysUnavailable { url, cause: error.cause });
    };
    match found {
        Ok(IssuerKeys { keys, fetch }) => {
            match fetch {
                Fetch::None => {}
                Fetch::Done { url, kids } => voice.emit(CmgEvent::KeysFetched { url, kids }),
                Fetch::Failed(trouble) => unavailable(trouble),
            }
            Ok(keys)
        }
        Err(trouble) => {
            unavailable(trouble);
            Err(refused(TokenRefusal::Invalid, "the issuer's signing keys cannot be had"))
        }
    }
}

fn verify(token: &str, keys: &Keys, expect: &Expect<'_>) -> Result<(), Refused> {
    cmglab_token::verify::<Value>(token, keys, expect).map(drop).map_err(|error| token_refused(&error))
}

fn token_refused(error: &TokenError) -> Refused {
    let kind = match error {
        TokenError::Expired { valid_to, now } => TokenRefusal::Expired { valid_to: *valid_to, now: *now },
        TokenError::NotYetValid { valid_from, now } => {
            TokenRefusal::NotYetValid { valid_from: *valid_from, now: *now }
        }
        _ => TokenRefusal::Invalid,
    };
    refused(kind, error)
}

/// The start of foreign text, without what could break a line.
fn shown(text: String) -> String {
    text.chars().take(512).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn refused(kind: TokenRefusal, cause: impl std::fmt::Display) -> Refused {
    Refused { kind, cause: cause.to_string() }
}

/// The tolerance of the product's token library.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
