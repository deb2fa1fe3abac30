//! `/ccm_system_tokenauth/request`: CCM messages under a token.
//!
//! Fidelity: observed (mp-wire §2): a message that cannot be taken is answered 200 without a body; lab
//! for the tokens' header and for 401 (mp-wire §10.14). Location services take a CCM token only,
//! registration takes an Azure AD token or a CCM token (mp-wire §10.16).

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{ManagementPointEvent, TokenService};
use cmglab_net::{CallFailure, read_capped};
use cmglab_proto::ccm::{self, Endpoint, Reply, ReplyMode};
use cmglab_proto::claims::{CcmClaims, SiteClaims};
use cmglab_proto::refusal::MpRefusal;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use crate::aad::{self, Subject};
use crate::bearer::{AAD_TOKEN, CCM_TOKEN, Presented, printable};
use crate::refused::Refused;
use crate::service::Shared;
use crate::{answer, location, registration, sts};

/// Who sent a message, by the token that came with it.
#[derive(Debug)]
pub(crate) enum Caller {
    /// Whom an Azure AD token names.
    Aad(Subject),
    /// Whom a CCM token names.
    Ccm(CcmClaims),
}

pub(crate) async fn answer(
    shared: &Shared,
    voice: &Source,
    head: &Parts,
    body: Body,
) -> Result<Response<Body>, Refused> {
    if head.method.as_str() != ccm::METHOD {
        return Err(Refused::Method { allowed: ccm::METHOD });
    }
    let (presented, caller) = caller(shared, voice, &head.headers).await?;
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let body = read_capped(body, shared.limits.body).await.map_err(|error| {
        let refusal = match error.failure {
            CallFailure::TooLarge => MpRefusal::RequestEntityTooLarge,
            _ => MpRefusal::BadRequest,
        };
        Refused::Other(refusal, error.to_string())
    })?;
    let message = match ccm::Request::decode(content_type.unwrap_or_default(), &body, &shared.limits) {
        Ok(message) => message,
        Err(error) => {
            unreadable(voice, &caller, error.to_string());
            return Ok(answer::empty());
        }
    };
    let payload = match (&message.msg.target_endpoint, &caller) {
        (Endpoint::ClientRegistration, caller) => {
            registration::answer(shared, voice, caller, &message).await?
        }
        (Endpoint::LocationManager, Caller::Ccm(claims)) => {
            location::answer(shared, voice, claims, &message).await?
        }
        (Endpoint::LocationManager, Caller::Aad(_)) => {
            let presented = presented.shown_to(TokenService::Messaging);
            return Err(presented.wrong_purpose(AAD_TOKEN, CCM_TOKEN));
        }
        (other, _) => {
            let endpoint = printable(other.as_str());
            voice.emit(ManagementPointEvent::MessageDropped {
                cause: format!("endpoint '{endpoint}' is not part of this lab"),
                endpoint: Some(endpoint),
            });
            None
        }
    };
    Ok(reply(shared, &message, payload))
}

async fn caller(
    shared: &Shared,
    voice: &Source,
    headers: &HeaderMap,
) -> Result<(Presented, Caller), Refused> {
    let Shared { site, deps, aad_keys, .. } = shared;
    let presented = Presented::of(headers, TokenService::Messaging)?;
    if presented.is_of_a_site() {
        return match presented.of_site(site, deps).await? {
            SiteClaims::Ccm(claims) => Ok((presented, Caller::Ccm(claims))),
            SiteClaims::Bulk(claims) => Err(sts::bulk(shared, &presented, claims.unique_id).await),
        };
    }
    // Only registration takes tokens of anyone else.
    let presented = presented.shown_to(TokenService::Registration);
    let token = aad::validate(&presented, aad_keys, site, deps, voice).await?;
    let subject = aad::look_up(&presented, &token, site).await?;
    Ok((presented, Caller::Aad(subject)))
}

/// The endpoint cannot be known then; with an Azure AD token it can only have been registration.
fn unreadable(voice: &Source, caller: &Caller, cause: String) {
    voice.emit(match caller {
        Caller::Aad(_) => ManagementPointEvent::RegistrationInvalid { cause },
        Caller::Ccm(_) => ManagementPointEvent::MessageDropped { endpoint: None, cause },
    });
}

fn reply(shared: &Shared, message: &ccm::Request, payload: Option<String>) -> Response<Body> {
    let Some(payload) = payload.filter(|_| message.msg.reply_mode == ReplyMode::Sync) else {
        return answer::empty();
    };
    let Shared { deps, config, .. } = shared;
    let id = deps.ids.guid().into();
    let reply = Reply::answering(&message.msg, id, deps.clock.now(), &config.host, &payload);
    let (content_type, body) = reply.encode();
    answer::whole(StatusCode::OK, &content_type, body)
}
