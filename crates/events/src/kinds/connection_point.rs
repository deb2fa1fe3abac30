//! What the connection point did.

use cmglab_proto::transport::Transport;
use jiff::Timestamp;
use serde::Serialize;

use super::CertificateVerdict;

/// An event of the CMG connection point.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConnectionPointEvent {
    /// The management point's answer began.
    Answered {
        /// Internal URL.
        url: String,
        /// HTTP status as the management point gave it.
        mp_status: u16,
        /// Reason phrase as the management point gave it.
        mp_reason: String,
        /// HTTP status as sent on to the CMG.
        status: u16,
        /// Reason phrase as sent on to the CMG.
        reason: String,
    },
    /// A candidate for the client certificate was passed over.
    CertificateDropped {
        /// SHA-1 of the certificate, in capital hex.
        thumbprint: String,
        /// Why.
        cause: CertificateDrop,
        /// Whether the connection point logs verbosely.
        verbose: bool,
    },
    /// The client certificate for the management point was chosen, or none was left to choose.
    CertificateSelected {
        /// SHA-1 of the certificate, in capital hex.
        #[serde(skip_serializing_if = "Option::is_none")]
        thumbprint: Option<String>,
    },
    /// Candidates for the client certificate went through a filter.
    CertificatesFiltered {
        /// Which.
        filter: CertificateFilter,
        /// How many are left.
        left: usize,
        /// Whether the connection point logs verbosely.
        verbose: bool,
    },
    /// An established channel ended.
    ChannelClosed {
        /// How it was built.
        transport: Transport,
        /// CMG host and port.
        server: String,
        /// Connection id.
        connection: String,
        /// The cause in words.
        cause: String,
    },
    /// A channel stands.
    ChannelConnected {
        /// How it was built.
        transport: Transport,
        /// CMG host and port.
        server: String,
        /// Connection id.
        connection: String,
    },
    /// A channel could not be built.
    ChannelFailed {
        /// How it was tried.
        transport: Transport,
        /// CMG host and port.
        server: String,
        /// Connection id that was tried.
        connection: String,
        /// The cause in words.
        cause: String,
    },
    /// A message, or the answer to it, was given up while it was under way.
    ForwardAborted {
        /// Verb.
        method: String,
        /// Internal URL.
        url: String,
        /// Published endpoint.
        endpoint: String,
        /// The kind of failure.
        failure: ForwardFailure,
        /// The cause in words.
        cause: String,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A message could not be delivered to the management point.
    ForwardFailed {
        /// Verb.
        method: String,
        /// Internal URL.
        url: String,
        /// Published endpoint.
        endpoint: String,
        /// HTTP status answered in its place.
        status: u16,
        /// Reason phrase answered in its place.
        reason: String,
        /// The kind of failure.
        failure: ForwardFailure,
        /// The cause in words.
        cause: String,
        /// Milliseconds of transport time.
        taken_ms: u64,
        /// Whether the connection point logs verbosely.
        verbose: bool,
    },
    /// The management point answered a message.
    Forwarded {
        /// Verb.
        method: String,
        /// Internal URL.
        url: String,
        /// Published endpoint.
        endpoint: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase as sent on to the CMG.
        reason: String,
        /// Bytes of the answer's body.
        body_bytes: u64,
        /// Milliseconds of transport time.
        taken_ms: u64,
        /// Whether the connection point logs verbosely.
        verbose: bool,
    },
    /// A message is being sent to the management point.
    Forwarding {
        /// URL as the client asked for it.
        external_url: String,
        /// The part of it that stands for the published endpoint.
        external_prefix: String,
        /// What takes that part's place.
        internal_prefix: String,
        /// Internal URL.
        url: String,
        /// Whether the connection point logs verbosely.
        verbose: bool,
    },
    /// The minute's look at the channels to every instance.
    Maintaining,
    /// A message matches no mapping here, whatever the CMG thought.
    NotMapped {
        /// URL as the client asked for it.
        external_url: String,
    },
    /// The channel stands on a transport that is not the preferred one, and a better one was tried in vain.
    ProbeFailed {
        /// How it was tried.
        transport: Transport,
        /// CMG host and port.
        server: String,
        /// Connection id that was tried.
        connection: String,
        /// The cause in words.
        cause: String,
    },
    /// The site's settings went to the CMG.
    SettingsPushed {
        /// Version of the document.
        version: u64,
    },
    /// The traffic of one report interval, as it is told to the site.
    TrafficReported {
        /// Start of the interval.
        from: Timestamp,
        /// End of the interval.
        to: Timestamp,
        /// The most messages under way at once.
        max_concurrent_requests: u64,
        /// Each endpoint that had any.
        endpoints: Vec<EndpointTraffic>,
    },
    /// A message was turned away, since as many as the connection point takes are under way.
    TurnedAway {
        /// URL as the client asked for it.
        external_url: String,
        /// How many are under way.
        under_way: usize,
    },
}

/// What passed through one published endpoint of one management point. Bytes are those of heads and bodies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EndpointTraffic {
    /// The endpoint's name.
    pub endpoint: String,
    /// The CMG's service name.
    pub proxy_server: String,
    /// The management point's host name.
    pub target_host: String,
    /// Messages that have ended, well or not.
    pub total_requests: u64,
    /// Those of them that brought a bearer token.
    pub total_requests_with_bearer_token: u64,
    /// The most messages under way at once.
    pub max_concurrent_requests: u64,
    /// Bytes sent to the management point.
    pub total_request_bytes: u64,
    /// Bytes that came from it.
    pub total_response_bytes: u64,
    /// Messages that it refused, or that got no whole answer. Inferred: those that the product meets as an
    /// exception.
    pub failed_requests: u64,
}

/// The kinds of failure between connection point and management point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ForwardFailure {
    /// The connection broke before the answer was whole.
    Broken,
    /// The client, or its channel, went away.
    Cancelled,
    /// Nobody accepts connections there.
    Connect,
    /// The name is not known.
    Name,
    /// Nothing moved any more.
    Timeout,
    /// The management point's certificate was refused, or the handshake failed.
    Trust,
}

/// A filter on the way to the client certificate, in the order of the log (configmgr §5.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateFilter {
    /// Its key may sign.
    DigitalSignature,
    /// It chains to a root that this machine trusts.
    AllowedRootCa,
    /// Its private key is here.
    PrivateKey,
    /// It is meant for client authentication.
    ClientAuth,
}

/// Why a candidate for the client certificate was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateDrop {
    /// Its chain cannot be built, or not for now: dates, revocation.
    Chain(CertificateVerdict),
    /// Its key may not sign, or it cannot be read.
    NoDigitalSignature,
    /// Its private key is not here.
    NoPrivateKey,
    /// It chains to no trusted root.
    NotAllowed,
    /// It is not meant for client authentication.
    NotClientAuth,
}
