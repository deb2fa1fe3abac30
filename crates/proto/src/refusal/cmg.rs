use std::borrow::Cow;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Refusal;

/// What the CMG refuses by itself. The reason of `InvalidToken` is documented, those of the others are
/// the lab's (configmgr §9, decision 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CmgRefusal {
    /// The request line or a header can be understood in two ways.
    BadRequest,
    /// The token is missing, of a tenant that is not onboarded, expired or otherwise not valid.
    InvalidToken,
    /// The client certificate does not chain to an uploaded root, also when an intermediate is missing
    /// (configmgr §4.2: 401).
    UntrustedCertificate,
    /// A MutualAuth path without a client certificate; substatus 7.
    CertificateRequired,
    /// The client certificate is revoked, or its revocation list cannot be had; substatus 13.
    RevokedCertificate,
    /// The client certificate is outside its validity; substatus 17.
    ExpiredCertificate,
    /// The request is understood and not allowed.
    Forbidden,
    /// No URL mapping matches.
    NotFound,
    /// The path is published, the method is not.
    MethodNotAllowed,
    /// The body exceeds the endpoint's limit.
    RequestEntityTooLarge,
    /// The request target is too long.
    RequestUriTooLong,
    /// The headers are too large.
    RequestHeadersTooLarge,
    /// The CMG itself failed.
    InternalServerError,
    /// The product answers this, the lab does not.
    NotImplemented,
    /// The channel broke before the answer was complete.
    BadGateway,
    /// No connection point is connected, or none has settings.
    ServiceUnavailable,
    /// The connection point did not answer in time.
    GatewayTimeout,
}

impl CmgRefusal {
    /// Every refusal, for tests and documentation.
    pub const ALL: [Self; 17] = [
        Self::BadRequest,
        Self::InvalidToken,
        Self::UntrustedCertificate,
        Self::CertificateRequired,
        Self::RevokedCertificate,
        Self::ExpiredCertificate,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestEntityTooLarge,
        Self::RequestUriTooLong,
        Self::RequestHeadersTooLarge,
        Self::InternalServerError,
        Self::NotImplemented,
        Self::BadGateway,
        Self::ServiceUnavailable,
        Self::GatewayTimeout,
    ];

    const fn parts(self) -> (StatusCode, u16, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, 0, "CMGService_BadRequest"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, 0, "CMGService_Invalid_Token"),
            Self::UntrustedCertificate => (StatusCode::UNAUTHORIZED, 0, "CMGService_Unauthorized"),
            Self::CertificateRequired => (StatusCode::FORBIDDEN, 7, "CMGService_Forbidden"),
            Self::RevokedCertificate => (StatusCode::FORBIDDEN, 13, "CMGService_Forbidden"),
            Self::ExpiredCertificate => (StatusCode::FORBIDDEN, 17, "CMGService_Forbidden"),
            Self::Forbidden => (StatusCode::FORBIDDEN, 0, "CMGService_Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, 0, "CMGService_NotFound"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, 0, "CMGService_MethodNotAllowed"),
            Self::RequestEntityTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, 0, "CMGService_RequestEntityTooLarge")
            }
            Self::RequestUriTooLong => (StatusCode::URI_TOO_LONG, 0, "CMGService_RequestUriTooLong"),
            Self::RequestHeadersTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, 0, "CMGService_RequestHeadersTooLarge")
            }
            Self::InternalServerError => {
                (StatusCode::INTERNAL_SERVER_ERROR, 0, "CMGService_InternalServerError")
            }
            Self::NotImplemented => (StatusCode::NOT_IMPLEMENTED, 0, "CMGService_NotImplemented"),
            Self::BadGateway => (StatusCode::BAD_GATEWAY, 0, "CMGService_BadGateway"),
            Self::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, 0, "CMGService_ServiceUnavailable"),
            Self::GatewayTimeout => (StatusCode::GATEWAY_TIMEOUT, 0, "CMGService_GatewayTimeout"),
        }
    }
}

impl Refusal for CmgRefusal {
    fn status(&self) -> StatusCode {
        self.parts().0
    }

    fn reason(&self) -> Cow<'_, str> {
        self.parts().2.into()
    }

    fn substatus(&self) -> u16 {
        self.parts().1
    }
}
