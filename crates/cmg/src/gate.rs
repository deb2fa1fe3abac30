//! The gate: nothing invalid is forwarded.

use std::sync::Arc;

use cmglab_events::Source;
use cmglab_events::kinds::{CmgEvent, TokenRefusal};
use cmglab_net::{Fetch, IssuerKeys, KeysUnavailable, OpenIdKeys};
use cmglab_proto::claims::{AUDIENCE, issuer};
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
    voice.emit(match &outcome {
        Ok(()) => CmgEvent::TokenAccepted {
            url: ask.url.to_owned(),
            issuer: seen.issuer.unwrap_or_default(),
            audience: seen.audience.unwrap_or_default(),
        },
        Err(refused) => CmgEvent::TokenRefused {
            url: ask.url.to_owned(),
            issuer: seen.issuer,
            audience: seen.audience,
            refusal: refused.kind,
            cause: refused.cause.clone(),
        },
    });
    outcome
}

/// What is asked of the gate.
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a str,
    /// The published endpoint; empty where none is involved.
    pub(crate) endpoint: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// Why a token does not pass.
#[derive(Debug)]
pub(crate) struct Refused {
    kind: TokenRefusal,
    pub(crate) cause: String,
}

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
) -> Result<(), Refused> {
    let bearer = sts::bearer(ask.headers).map_err(|error| refused(TokenRefusal::Missing, error))?;
    let token = bearer.expose();
    let (_header, claims) =
        cmglab_token::peek(token).map_err(|error| refused(TokenRefusal::Invalid, error))?;
    let claim =
        |name: &str| claims.get(name).and_then(Value::as_str).map(|text| text.chars().take(512).collect());
    (seen.issuer, seen.audience) = (claim("iss"), claim("aud"));
    let (token_issuer, audience) =
        (seen.issuer.as_deref().unwrap_or_default(), seen.audience.as_deref().unwrap_or_default());
    let validator = applied.validator(token_issuer, audience).ok_or_else(|| {
        refused(
            TokenRefusal::NoValidator,
            "no onboarded tenant and no site key stands for this issuer and audience",
        )
    })?;
    allowed(ask.endpoint, &validator)?;
    let now = shared.deps.clock.now();
    match validator {
        Validator::Ccm => {
            let ccm_issuer = issuer(&applied.document.hierarchy_id);
            let expect = Expect { issuers: &[&ccm_issuer], audiences: &[AUDIENCE], now, leeway: LEEWAY };
            verify(token, &applied.ccm_keys, &expect)
        }
        Validator::Aad(tenant) => {
            let expect = Expect { issuers: &[token_issuer], audiences: &[audience], now, leeway: LEEWAY };
            verify_aad(&shared.keys, voice, tenant, token, &expect).await
        }
    }
}

/// Which tokens an endpoint is for (configmgr §3, mp-wire §8.1): the security token service exchanges
/// Azure AD tokens; content is for holders of a site token; messages may carry either, since registration
/// comes with an Azure AD token.
fn allowed(endpoint: &str, validator: &Validator<'_>) -> Result<(), Refused> {
    let cause = match (endpoint, validator) {
        ("CCM_STS", Validator::Ccm) => "a site token where an Azure AD token is due",
        ("CCM_Client" | "CCM_Incoming", Validator::Aad(_)) => "an Azure AD token where a site token is due",
        _ => return Ok(()),
    };
    Err(refused(TokenRefusal::Invalid, cause))
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
        TokenError::Expired { .. } | TokenError::NotYetValid { .. } => TokenRefusal::Lifetime,
        _ => TokenRefusal::Invalid,
    };
    refused(kind, error)
}

fn refused(kind: TokenRefusal, cause: impl std::fmt::Display) -> Refused {
    Refused { kind, cause: cause.to_string() }
}

/// The tolerance of the product's token library.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
