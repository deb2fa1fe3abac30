//! What the gateway saw.

use cmglab_proto::ids::{MessageId, TenantId};
use jiff::Timestamp;
use serde::Serialize;

/// An event of the cloud management gateway.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CmgEvent {
    /// `AADAuthInfo` was asked for.
    AadAuthInfoAnswered {
        /// The tenant asked for, when the query named one.
        tenant: Option<TenantId>,
        /// Whether that tenant is onboarded.
        found: bool,
    },
    /// A connection point's channel is gone.
    ChannelDown {
        /// Connection id.
        connection: String,
        /// The cause in words.
        cause: String,
    },
    /// A connection point was turned away.
    ChannelRefused {
        /// Caller's address.
        peer: String,
        /// The cause in words.
        cause: String,
    },
    /// A connection point has dialled in.
    ChannelUp {
        /// Connection id.
        connection: String,
        /// Subject of the connection point's certificate.
        subject: String,
    },
    /// A channel may carry requests from now on.
    InService {
        /// Connection id.
        connection: String,
    },
    /// Azure AD's signing keys were fetched.
    KeysFetched {
        /// Where from.
        url: String,
        /// Key ids.
        kids: Vec<String>,
    },
    /// Azure AD's signing keys could not be had.
    KeysUnavailable {
        /// Where from.
        url: String,
        /// The cause in words.
        cause: String,
    },
    /// A request was refused at the edge.
    Refused {
        /// The full URL asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// The rule that refused it, in words.
        cause: String,
    },
    /// A request arrived over the channel's other end and was answered; the sum over these is what
    /// [`CmgEvent::Traffic`] reports.
    Relayed {
        /// The request's id on the channel.
        message: MessageId,
        /// Verb.
        method: String,
        /// The path in the spelling of CMGService.log (upper case), without the query.
        request_uri: String,
        /// The full URL that was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// Bytes of the request: head and body.
        request_bytes: u64,
        /// Bytes of the response: head and body.
        response_bytes: u64,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A request was forwarded onto the channel.
    Relaying {
        /// The request's id on the channel.
        message: MessageId,
        /// The full URL that was asked for.
        url: String,
    },
    /// The site's settings document was taken over.
    SettingsApplied {
        /// Its version.
        version: u64,
        /// How many tenants it onboards.
        tenants: usize,
    },
    /// A token passed the gate.
    TokenAccepted {
        /// The full URL asked for.
        url: String,
        /// Issuer.
        issuer: String,
        /// Audience.
        audience: String,
    },
    /// A token was refused at the gate; nothing is forwarded.
    TokenRefused {
        /// The full URL asked for.
        url: String,
        /// Issuer claimed, when the token could be read at all.
        issuer: Option<String>,
        /// Audience claimed, when the token could be read at all.
        audience: Option<String>,
        /// The check that failed.
        refusal: TokenRefusal,
        /// The cause in words.
        cause: String,
    },
    /// One report interval of one URI.
    Traffic {
        /// The path in upper case.
        request_uri: String,
        /// Requests.
        requests: u64,
        /// Bytes of requests.
        request_bytes: u64,
        /// Responses.
        responses: u64,
        /// Bytes of responses.
        response_bytes: u64,
        /// Average milliseconds.
        average_ms: u64,
        /// Start of the interval.
        from: Timestamp,
        /// End of the interval.
        to: Timestamp,
    },
}

/// Which check of the gate a token failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenRefusal {
    /// Signature, form, algorithm or key.
    Invalid,
    /// Outside its lifetime.
    Lifetime,
    /// No token where one is due.
    Missing,
    /// No validator stands for its issuer and audience.
    NoValidator,
}
