//! Every way storage can refuse, as Azure writes it: status, code, and an XML body.

use axum::body::Body;
use cmglab_proto::ccm::xml::Element;
use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

/// Why a blob is not handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The signature is missing, unreadable, of another blob, or out of its time.
    Authentication { cause: String },
    /// Parameters that reading a blob does not have.
    Query { cause: String },
    /// Another method.
    Verb,
    /// The signature is good and the file gone.
    NotFound,
    /// The caller knows this version already.
    NotModified,
    /// The caller wants another version.
    Precondition,
    /// Nothing of the file lies in the range asked for.
    Range { length: usize },
    /// Too many requests for this file within a second.
    Busy,
}

impl Refused {
    pub(super) fn code(&self) -> &'static str {
        self.parts().1
    }

    pub(super) fn cause(&self) -> String {
        match self {
            Self::Authentication { cause } | Self::Query { cause } => cause.clone(),
            Self::Range { length } => format!("the blob has {length} bytes"),
            other => other.parts().2.to_owned(),
        }
    }

    pub(super) fn answer(&self, request: &str, now: &str) -> Response<Body> {
        let (status, code, message) = self.parts();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert("x-ms-error-code", HeaderValue::from_static(code));
        match self {
            Self::Verb => drop(headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Self::Range { length } => {
                if let Ok(range) = HeaderValue::from_str(&format!("bytes */{length}")) {
                    headers.insert(CONTENT_RANGE, range);
                }
            }
            _ => {}
        }
        if status == StatusCode::NOT_MODIFIED {
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        let mut error = Element::new("Error")
            .with_leaf("Code", code)
            .with_leaf("Message", format!("{message}\nRequestId:{request}\nTime:{now}"));
        if let Self::Authentication { cause } = self {
            error = error.with_leaf("AuthenticationErrorDetail", cause);
        }
        let xml = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", error.to_xml());
        response.map(|_| Body::from(xml))
    }

    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Authentication { .. } => {
                (StatusCode::FORBIDDEN, "AuthenticationFailed", "The request is not authenticated.")
            }
            Self::Query { .. } => (
                StatusCode::BAD_REQUEST,
                "InvalidQueryParameterValue",
                "A query parameter is not one of this operation.",
            ),
            Self::Verb => {
                (StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "The resource takes GET and HEAD.")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "BlobNotFound", "There is no such blob."),
            Self::NotModified => (StatusCode::NOT_MODIFIED, "ConditionNotMet", "The blob is unchanged."),
            Self::Precondition => {
                (StatusCode::PRECONDITION_FAILED, "ConditionNotMet", "The blob is another version.")
            }
            Self::Range { .. } => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "The range is not within the blob.")
            }
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "ServerBusy",
                "There are more requests for the blob in a second than are answered.",
            ),
        }
    }
}
