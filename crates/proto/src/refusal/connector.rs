use std::borrow::Cow;

use http::StatusCode;

use super::Refusal;

/// What the connection point answers instead of a success. The relayed ones are documented (configmgr
/// §5.8); 502 and 504 are the lab's. Bodies are empty: the one published aggregate of failures counts
/// exactly the bytes of the status line (configmgr §5.7). A relayed answer keeps the management
/// point's own body instead.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectorRefusal {
    /// The management point refused; its status stays, its reason is rewritten.
    Relayed {
        /// The management point's status.
        status: StatusCode,
        /// The management point's reason phrase, empty over HTTP/2.
        mp_reason: String,
    },
    /// The management point redirected. That reaches clients as 401 `CMGConnector_Unauthorized`.
    /// Observed (configmgr §7, row 21).
    Redirected,
    /// The management point cannot be reached: name, connection or TLS.
    MpUnreachable,
    /// The management point did not answer in time.
    MpTimeout,
}

impl ConnectorRefusal {
    /// The refusal that an answer of the management point turns into; `None` when it is relayed as it is.
    #[must_use]
    pub fn of_answer(status: StatusCode, mp_reason: &str) -> Option<Self> {
        if status.is_client_error() || status.is_server_error() || status.as_u16() >= 600 {
            Some(Self::Relayed { status, mp_reason: mp_reason.to_owned() })
        } else if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            Some(Self::Redirected)
        } else {
            None
        }
    }
}

impl Refusal for ConnectorRefusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Relayed { status, .. } => *status,
            Self::Redirected => StatusCode::UNAUTHORIZED,
            Self::MpUnreachable => StatusCode::BAD_GATEWAY,
            Self::MpTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn reason(&self) -> Cow<'_, str> {
        match self {
            Self::Relayed { status, mp_reason } => connector_reason(*status, mp_reason),
            _ => connector_reason(self.status(), ""),
        }
        .into()
    }

    fn body(&self) -> String {
        String::new()
    }
}

/// The reason phrase the connection point puts in place of the management point's: `CMGConnector_` and
/// the reason without its spaces. An empty reason falls back to the name that .NET gives the status.
/// Characters that no reason phrase may have are dropped, and at most 128 are kept.
#[must_use]
pub fn connector_reason(status: StatusCode, mp_reason: &str) -> String {
    let squeezed: String = mp_reason.chars().filter(char::is_ascii_graphic).take(MAX_REASON).collect();
    match (squeezed.as_str(), dotnet_name(status)) {
        ("", Some(name)) => format!("CMGConnector_{name}"),
        ("", None) => format!("CMGConnector_{}", status.as_u16()),
        (reason, _) => format!("CMGConnector_{reason}"),
    }
}

/// The member of .NET's `HttpStatusCode`.
const fn dotnet_name(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        402 => "PaymentRequired",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        407 => "ProxyAuthenticationRequired",
        408 => "RequestTimeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "LengthRequired",
        412 => "PreconditionFailed",
        413 => "RequestEntityTooLarge",
        414 => "RequestUriTooLong",
        415 => "UnsupportedMediaType",
        416 => "RequestedRangeNotSatisfiable",
        417 => "ExpectationFailed",
        426 => "UpgradeRequired",
        500 => "InternalServerError",
        501 => "NotImplemented",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        505 => "HttpVersionNotSupported",
        _ => return None,
    })
}

const MAX_REASON: usize = 128;
