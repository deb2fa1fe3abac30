//! CCM_STS: an Azure AD token goes in, a CCM token comes out.
//!
//! Fidelity: documented for the steps and the kinds of token (configmgr §3, §5.9, the transcript); lab for
//! how both tokens travel, which `cmglab_proto::sts` decides. An unknown user is refused with 401 (lab;
//! only the client's code 0x87d00231 is documented, configmgr §7 row 24).

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{ManagementPointEvent, TokenFault, TokenService};
use cmglab_proto::claims::{AadTokenKind, CcmClaims, CcmTokenType, SiteClaims};
use cmglab_proto::ids::{BulkTokenId, ClientGuid, UserId};
use cmglab_proto::refusal::MpRefusal;
use cmglab_proto::sts::{self, BearerToken};
use cmglab_site::IssuedToken;
use cmglab_token::HeaderKind;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderValue, Method, Response};

use crate::ManagementPointError;
use crate::aad::{self, AadToken, Subject};
use crate::bearer::{AAD_TOKEN, CCM_TOKEN, Presented, printable};
use crate::config::StsAssembly;
use crate::refused::Refused;
use crate::service::Shared;

pub(crate) async fn answer(
    shared: &Shared,
    voice: &Source,
    path: &str,
    head: &Parts,
) -> Result<Response<Body>, Refused> {
    if !matches!(head.method, Method::GET | Method::POST) {
        return Err(Refused::Method { allowed: "GET, POST" });
    }
    voice.emit(ManagementPointEvent::StsRequested { url: shared.config.url(path) });
    if shared.config.sts_assembly == StsAssembly::Mismatched {
        voice.emit(ManagementPointEvent::StsAssemblyMismatch { assembly: TOKEN_LIBRARY.to_owned() });
        let cause = format!("CCM_STS needs another version of {TOKEN_LIBRARY}.dll than it finds");
        return Err(Refused::Other(MpRefusal::InternalServerError, cause));
    }
    let presented = Presented::of(&head.headers, TokenService::CcmSts)?;
    if presented.is_of_a_site() {
        return Err(not_for_here(shared, &presented).await);
    }
    let Shared { site, deps, aad_keys, .. } = shared;
    let token = aad::validate(&presented, aad_keys, site, deps, voice).await?;
    voice.emit(validated(&token));
    let subject = aad::look_up(&presented, &token, site).await?;
    let token = issue(shared, voice, &subject).await?;
    let mut response = sts::answer(&token, shared.config.token_delivery);
    let length = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    Ok(response.map(Body::from))
}

/// A token of this or another site where one of Azure AD is due.
async fn not_for_here(shared: &Shared, presented: &Presented) -> Refused {
    match presented.of_site(&shared.site, &shared.deps).await {
        Ok(SiteClaims::Ccm(_)) => presented.wrong_purpose(CCM_TOKEN, AAD_TOKEN),
        Ok(SiteClaims::Bulk(claims)) => bulk(shared, presented, claims.unique_id).await,
        Err(refused) => refused,
    }
}

/// The product takes these here; which client the CCM token would name is not public.
pub(crate) async fn bulk(shared: &Shared, presented: &Presented, id: BulkTokenId) -> Refused {
    match shared.site.bulk_token(id).await {
        Ok(Some(known)) if known.blocked_at.is_none() => {
            let gap = "authentication with a bulk registration token";
            Refused::Other(MpRefusal::NotImplemented { gap }, format!("{gap} is not built"))
        }
        Ok(known) => presented.refused(TokenFault::BulkTokenRefused { blocked: known.is_some() }),
        Err(error) => error.into(),
    }
}

fn validated(AadToken { kind, claims }: &AadToken) -> ManagementPointEvent {
    ManagementPointEvent::AadTokenValidated {
        kind: *kind,
        tenant: claims.tid,
        user: claims.user_object_id(),
        device: claims.deviceid,
        on_prem_user_sid: claims.onprem_sid.as_deref().map(printable),
        on_prem_device_sid: claims.onprem_device_sid.as_deref().map(printable),
    }
}

async fn issue(shared: &Shared, voice: &Source, subject: &Subject) -> Result<BearerToken, Refused> {
    let Shared { site, deps, config, ccm_keys, .. } = shared;
    let now = deps.clock.now();
    let client = match subject.device {
        Some(device) => Some(site.client_for_aad_device(device, &deps.ids, now).await?),
        None => None,
    };
    let user = subject.user.as_ref().map_or(UserId::zero(), |user| user.id);
    // The transcript answers a device's token with type UDA and a user of zeros.
    let token_type = match subject.kind {
        AadTokenKind::Device | AadTokenKind::Uda => CcmTokenType::Uda,
        AadTokenKind::User => CcmTokenType::User,
    };
    let claims = CcmClaims::new(site.hierarchy(), token_type, user, client, now, config.token_lifetime);
    let key = ccm_keys.current();
    let token = key.sign(HeaderKind::Ccm, &claims).map_err(ManagementPointError::from)?;
    site.record_token(record(&token, &claims, client)).await?;
    voice.emit(ManagementPointEvent::CcmTokenIssued {
        token_type,
        hierarchy: claims.hierarchy,
        user,
        client,
        kid: key.kid().to_owned(),
        expires: claims.exp.timestamp().unwrap_or(now),
    });
    token
        .parse()
        .map_err(|error: sts::BearerError| Refused::Other(MpRefusal::InternalServerError, error.to_string()))
}

pub(crate) fn record(token: &str, claims: &CcmClaims, client: Option<ClientGuid>) -> IssuedToken {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    IssuedToken {
        sha256,
        client,
        user: claims.user,
        kind: claims.token_type,
        not_before: claims.nbf.timestamp().unwrap_or_default(),
        expires: claims.exp.timestamp().unwrap_or_default(),
    }
}

/// The assembly of configmgr §7 row 22.
const TOKEN_LIBRARY: &str = "System.IdentityModel.Tokens.JWT";
