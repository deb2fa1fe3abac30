//! Every way a request can fail here, with its answer and its event in one place.

use axum::body::Body;
use cmglab_events::Source;
use cmglab_events::kinds::{CertificateVerdict, ManagementPointEvent, TokenFault, TokenService};
use cmglab_net::reason_of;
use cmglab_proto::refusal::{MpRefusal, Refusal};
use cmglab_site::SiteError;
use http::header::{ALLOW, CONTENT_RANGE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::{ManagementPointConfig, ManagementPointError, answer};

/// Why a request got no success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refused {
    /// The certificate that came with it is worth nothing.
    Certificate(CertificateVerdict),
    /// The path is there and takes only these methods.
    Method { allowed: &'static str },
    /// Nothing of the file lies in the range asked for.
    Range { length: usize },
    /// A token is due, and what came is not one.
    Token(Box<TokenRefused>),
    /// Anything else, with the cause in words.
    Other(MpRefusal, String),
}

/// A token that was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TokenRefused {
    pub(crate) service: TokenService,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) fault: TokenFault,
}

impl Refused {
    /// Says what happened and answers it.
    pub(crate) fn answer(self, config: &ManagementPointConfig, voice: &Source, path: &str) -> Response<Body> {
        let response = self.response();
        let status = response.status().as_u16();
        let substatus = response.extensions().get::<cmglab_net::Substatus>().map_or(0, |it| it.0);
        voice.emit(match self {
            Self::Certificate(verdict) => {
                ManagementPointEvent::CertificateRefused { path: path.to_owned(), verdict, status, substatus }
            }
            Self::Token(refused) => {
                let TokenRefused { service, issuer, audience, fault } = *refused;
                let url = config.url(path);
                ManagementPointEvent::TokenRefused { service, url, status, issuer, audience, fault }
            }
            other => ManagementPointEvent::Refused {
                path: path.to_owned(),
                status,
                substatus,
                reason: reason_of(&response),
                cause: other.cause(),
            },
        });
        response
    }

    fn response(&self) -> Response<Body> {
        match self {
            Self::Certificate(verdict) => answer::refusal(&certificate(*verdict)),
            Self::Method { allowed } => {
                let mut response = answer::refusal(&MpRefusal::MethodNotAllowed);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
                response
            }
            Self::Range { length } => not_satisfiable(*length),
            Self::Token(refused) => token(&refused.fault),
            Self::Other(refusal, _) => answer::refusal(refusal),
        }
    }

    fn cause(self) -> String {
        match self {
            Self::Method { allowed } => format!("only {allowed} is taken here"),
            Self::Range { length } => format!("the file has {length} bytes"),
            Self::Other(_, cause) => cause,
            Self::Certificate(_) | Self::Token(_) => String::new(),
        }
    }
}

impl From<SiteError> for Refused {
    fn from(error: SiteError) -> Self {
        Self::Other(MpRefusal::InternalServerError, error.to_string())
    }
}

impl From<ManagementPointError> for Refused {
    fn from(error: ManagementPointError) -> Self {
        Self::Other(MpRefusal::InternalServerError, error.to_string())
    }
}

impl From<TokenRefused> for Refused {
    fn from(refused: TokenRefused) -> Self {
        Self::Token(Box::new(refused))
    }
}

/// The substatus that IIS gives each kind of bad certificate.
fn certificate(verdict: CertificateVerdict) -> MpRefusal {
    match verdict {
        CertificateVerdict::Revoked | CertificateVerdict::RevocationUnknown => MpRefusal::CertificateRevoked,
        CertificateVerdict::Expired | CertificateVerdict::NotYetValid => MpRefusal::CertificateExpired,
        CertificateVerdict::WrongUsage => MpRefusal::CertificateWrongUsage,
        _ => MpRefusal::CertificateUntrusted,
    }
}

fn token(fault: &TokenFault) -> Response<Body> {
    if matches!(fault, TokenFault::KeysUnavailable { .. }) {
        return answer::refusal(&MpRefusal::InternalServerError);
    }
    let mut response = answer::refusal(&MpRefusal::Unauthorized);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// RFC 9110 section 15.5.17.
fn not_satisfiable(length: usize) -> Response<Body> {
    let mut response = answer::refusal(&NotSatisfiable);
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{length}")) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

#[derive(Debug)]
struct NotSatisfiable;

impl Refusal for NotSatisfiable {
    fn status(&self) -> StatusCode {
        StatusCode::RANGE_NOT_SATISFIABLE
    }

    fn reason(&self) -> std::borrow::Cow<'_, str> {
        "Requested Range Not Satisfiable".into()
    }
}
