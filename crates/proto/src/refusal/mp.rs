use std::borrow::Cow;

use http::StatusCode;

use super::Refusal;

/// What the management point's web server refuses. Statuses and substatuses are those of IIS; the reason
/// of `ClientCertificateRequired` is documented (configmgr §1.8), the others are the standard ones.
///
/// A message that is well-formed HTTP and refused as a message is answered 200 with no body instead
/// (mp-wire §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MpRefusal {
    /// 400: the request cannot be read.
    BadRequest,
    /// 401: no token, or not a valid one.
    Unauthorized,
    /// 403: understood and not allowed.
    Forbidden,
    /// 403.4: plain HTTP to a management point that wants HTTPS.
    TlsRequired,
    /// 403.7: no client certificate.
    ClientCertificateRequired,
    /// 403.13: the client certificate is revoked, or its revocation list cannot be had.
    CertificateRevoked,
    /// 403.16: the client certificate ends at no trusted root.
    CertificateUntrusted,
    /// 403.16: the client certificate is for another use; IIS has one substatus for every bad chain.
    CertificateWrongUsage,
    /// 403.17: the client certificate is outside its validity.
    CertificateExpired,
    /// 404: nothing stands at the path.
    NotFound,
    /// 405: the path does not take the method.
    MethodNotAllowed,
    /// 413.1: the body exceeds the limit.
    RequestEntityTooLarge,
    /// 500: the management point or its database failed.
    InternalServerError,
    /// 501: the product does this, the lab does not; the body names the gap.
    NotImplemented {
        /// What is missing.
        gap: &'static str,
    },
    /// 503: the management point is stopping or its application pool is down.
    ServiceUnavailable,
}

impl MpRefusal {
    const fn parts(self) -> (StatusCode, u16, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, 0, "Bad Request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, 0, "Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, 0, "Forbidden"),
            Self::TlsRequired => (StatusCode::FORBIDDEN, 4, "Forbidden"),
            Self::ClientCertificateRequired => (StatusCode::FORBIDDEN, 7, "Client certificate required"),
            Self::CertificateRevoked => (StatusCode::FORBIDDEN, 13, "Forbidden"),
            Self::CertificateUntrusted | Self::CertificateWrongUsage => {
                (StatusCode::FORBIDDEN, 16, "Forbidden")
            }
            Self::CertificateExpired => (StatusCode::FORBIDDEN, 17, "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, 0, "Not Found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, 0, "Method Not Allowed"),
            Self::RequestEntityTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 1, "Request Entity Too Large"),
            Self::InternalServerError => (StatusCode::INTERNAL_SERVER_ERROR, 0, "Internal Server Error"),
            Self::NotImplemented { .. } => (StatusCode::NOT_IMPLEMENTED, 0, "Not Implemented"),
            Self::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, 0, "Service Unavailable"),
        }
    }
}

impl Refusal for MpRefusal {
    fn status(&self) -> StatusCode {
        self.parts().0
    }

    fn reason(&self) -> Cow<'_, str> {
        self.parts().2.into()
    }

    fn substatus(&self) -> u16 {
        self.parts().1
    }

    fn body(&self) -> String {
        match self {
            Self::NotImplemented { gap } => format!("501 Not Implemented: {gap} is not part of this lab\n"),
            _ => format!("{} {}\n", super::status_text(self.status(), self.substatus()), self.reason()),
        }
    }
}
