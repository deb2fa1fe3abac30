//! What IIS itself does with a request, before any part of the management point sees it.
//!
//! Fidelity: documented that enhanced HTTP with a stale certificate bound answers 403 (configmgr §7 row 20,
//! §4.2); observed that a redirect on the whole site answers 302 and leaves CCM_STS without a line (row 21).

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_pki::read::Certificate;
use cmglab_proto::refusal::MpRefusal;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use crate::config::Mode;
use crate::refused::Refused;
use crate::service::Shared;
use crate::{ManagementPointConfig, ManagementPointError, answer};

/// The certificate that is bound although enhanced HTTP wants another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrongBinding {
    subject: String,
    issuer: String,
}

impl WrongBinding {
    /// Looks at what is bound.
    pub(crate) fn of(config: &ManagementPointConfig) -> Result<Option<Self>, ManagementPointError> {
        let Some(der) = &config.bound_certificate else { return Ok(None) };
        let unreadable = |_| ManagementPointError::Config {
            field: "bound_certificate",
            reason: "expected one certificate in DER",
        };
        let bound = Certificate::parse(der).map_err(unreadable)?;
        let is_of_the_site = bound.issuer_common_name.as_deref() == Some(SMS_ISSUING);
        let wrong = config.mode == Mode::EnhancedHttp && !is_of_the_site;
        Ok(wrong.then_some(Self { subject: bound.subject, issuer: bound.issuer }))
    }
}

/// The web server's own answer, if it lets nobody else answer.
pub(crate) fn answer(shared: &Shared, voice: &Source, path: &str) -> Result<Option<Response<Body>>, Refused> {
    if let Some(WrongBinding { subject, issuer }) = &shared.wrong_binding {
        voice.emit(ManagementPointEvent::WrongBinding {
            path: path.to_owned(),
            port: PORT,
            subject: subject.clone(),
            issuer: issuer.clone(),
            wanted: SMS_ISSUING.to_owned(),
        });
        let cause = format!("the certificate bound on {PORT} was issued by {issuer}, not by {SMS_ISSUING}");
        return Err(Refused::Other(MpRefusal::Forbidden, cause));
    }
    let Some(location) = &shared.config.redirect else { return Ok(None) };
    voice.emit(ManagementPointEvent::Redirected { path: path.to_owned(), location: location.clone() });
    let mut response = answer::whole(StatusCode::FOUND, "text/plain", format!("302 Found: {location}\n"));
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(Some(response))
}

/// Who issues the "SMS Role SSL Certificate" of enhanced HTTP.
const SMS_ISSUING: &str = "SMS Issuing";
/// The port of both modes.
const PORT: u16 = 443;
