//! Which path leads where. Paths are compared in any case and never decoded: an escaped one is unknown.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use cmglab_events::Source;
use cmglab_events::kinds::CertificateVerdict;
use cmglab_net::{Exchange, MESSAGE_HEADER, Peer};
use cmglab_proto::ids::MessageId;
use cmglab_proto::refusal::MpRefusal;
use http::header::SERVER;
use http::{HeaderValue, Request, Response};

use crate::config::Mode;
use crate::refused::Refused;
use crate::service::Shared;
use crate::{download, messaging, sts, web_server};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    // One handler for all, since no router compares paths as IIS does.
    Router::new().fallback(answer).with_state(shared)
}

#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    Sts,
    TokenMessages,
    Content(&'a str),
    /// Not built, and closed to whoever has no client certificate.
    Certificate(&'static str),
    /// Not built.
    Missing(&'static str),
    Unknown,
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let voice = voice(&shared, &request);
    let path = request.uri().path().to_owned();
    let mut response = match handle(&shared, &voice, &path, request).await {
        Ok(response) => response,
        Err(refused) => refused.answer(&shared.config, &voice, &path),
    };
    response.headers_mut().insert(SERVER, HeaderValue::from_static("Microsoft-IIS/10.0"));
    response
}

async fn handle(
    shared: &Shared,
    voice: &Source,
    path: &str,
    request: Request<Body>,
) -> Result<Response<Body>, Refused> {
    if let Some(response) = web_server::answer(shared, voice, path)? {
        return Ok(response);
    }
    let certificate = match request.extensions().get::<Peer>() {
        // Nobody is asked for one, so nothing is made of what comes.
        Some(_) if shared.config.mode == Mode::EnhancedHttp => CertificateVerdict::Absent,
        Some(peer) => peer.verdict,
        None => {
            let cause = "nobody judged the caller's certificate; serve this router with cmglab_net::serve";
            return Err(Refused::Other(MpRefusal::InternalServerError, cause.to_owned()));
        }
    };
    if !matches!(certificate, CertificateVerdict::Absent | CertificateVerdict::Valid) {
        return Err(Refused::Certificate(certificate));
    }
    let (head, body) = request.into_parts();
    match Route::of(path) {
        Route::Sts => sts::answer(shared, voice, path, &head).await,
        Route::TokenMessages => messaging::answer(shared, voice, &head, body).await,
        Route::Content(name) => download::answer(shared, voice, name, &head, certificate).await,
        Route::Certificate(_)
            if shared.config.mode == Mode::Https && certificate != CertificateVerdict::Valid =>
        {
            let cause = "this path is for clients with a certificate".to_owned();
            Err(Refused::Other(MpRefusal::ClientCertificateRequired, cause))
        }
        Route::Certificate(gap) | Route::Missing(gap) => Err(missing(gap)),
        Route::Unknown => Err(Refused::Other(MpRefusal::NotFound, "nothing is at this path".to_owned())),
    }
}

fn missing(gap: &'static str) -> Refused {
    Refused::Other(MpRefusal::NotImplemented { gap }, format!("{gap} is not built"))
}

/// Both ids are for the reader of events; nothing is decided by them. A MessageID is believed only of a
/// caller with a good certificate, as the connection point has one; in enhanced HTTP nothing tells it from
/// other callers, so there it is believed of all.
fn voice(shared: &Shared, request: &Request<Body>) -> Source {
    let events = &shared.deps.events;
    let voice = match request.extensions().get::<Exchange>() {
        Some(Exchange(exchange)) => events.in_exchange(*exchange),
        None => events.clone(),
    };
    let peer = request.extensions().get::<Peer>();
    let trusted = peer.is_some_and(|peer| peer.verdict == CertificateVerdict::Valid);
    if !trusted && shared.config.mode == Mode::Https {
        return voice;
    }
    let message = request.headers().get(MESSAGE_HEADER).and_then(|value| value.to_str().ok());
    match message.and_then(|text| text.parse::<MessageId>().ok()) {
        Some(message) => voice.in_message(message),
        None => voice,
    }
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        let Some(path) = path.strip_prefix('/') else { return Self::Unknown };
        let (application, rest) = path.split_once('/').unwrap_or((path, ""));
        let is = |name: &str| application.eq_ignore_ascii_case(name);
        let is_request = rest.eq_ignore_ascii_case("request");
        if is("CCM_STS") {
            return if rest.is_empty() { Self::Sts } else { Self::Unknown };
        }
        if is("CCM_Client") {
            return Self::Content(rest);
        }
        if is("ccm_system_tokenauth") {
            return if is_request { Self::TokenMessages } else { Self::Unknown };
        }
        if is("ccm_system") || is("ccm_system_windowsauth") || is("ccm_system_altauth") {
            return match (is_request, is("ccm_system"), is("ccm_system_windowsauth")) {
                (false, _, _) => Self::Unknown,
                (_, true, _) => Self::Certificate("messaging with a client certificate"),
                (_, _, true) => Self::Missing("messaging with Windows authentication"),
                _ => Self::Missing("messaging with authentication inside the message"),
            };
        }
        CERTIFICATE
            .iter()
            .find(|(name, _)| is(name))
            .map(|(_, gap)| Self::Certificate(gap))
            .or_else(|| MISSING.iter().find(|(name, _)| is(name)).map(|(_, gap)| Self::Missing(gap)))
            .unwrap_or(Self::Unknown)
    }
}

/// Applications of a real management point (configmgr §1.8) that want a client certificate over HTTPS.
const CERTIFICATE: [(&str, &str); 2] =
    [("SMS_MP", "policy and information about the site"), ("CCM_Incoming", "the upload of large messages")];
/// Those with another authentication.
const MISSING: [(&str, &str); 6] = [
    ("SMS_MP_WindowsAuth", "policy with Windows authentication"),
    ("SMS_MP_TokenAuth", "policy with a token"),
    ("SMS_MP_AltAuth", "policy with authentication inside the message"),
    ("BGB", "the notification channel"),
    ("CMUserService", "the user service"),
    ("CMUserService_WindowsAuth", "the user service with Windows authentication"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_in_any_case_and_whole() {
        assert_eq!(Route::of("/CCM_STS"), Route::Sts);
        assert_eq!(Route::of("/ccm_sts/"), Route::Sts);
        assert_eq!(Route::of("/CCM_System_TokenAuth/Request"), Route::TokenMessages);
        assert_eq!(Route::of("/ccm_client/CCMSETUP.cab"), Route::Content("CCMSETUP.cab"));
        assert!(matches!(Route::of("/SMS_MP/.sms_aut"), Route::Certificate(_)));
        assert!(matches!(Route::of("/ccm_system/request"), Route::Certificate(_)));
        assert!(matches!(Route::of("/ccm_system_altauth/request"), Route::Missing(_)));
        assert!(matches!(Route::of("/bgb"), Route::Missing(_)));
        for path in ["/", "", "*", "/CCM_STS/x", "/CCM%5FSTS", "/ccm_system", "/ccm_system_tokenauth/x", "/a"]
        {
            assert_eq!(Route::of(path), Route::Unknown, "{path}");
        }
    }
}
