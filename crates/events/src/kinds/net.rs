//! What sockets, TLS and HTTP of any role have to say.

use serde::Serialize;

/// An event of a role's transport.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NetEvent {
    /// A request of ours was answered.
    Called {
        /// Host asked.
        host: String,
        /// Verb.
        method: String,
        /// Path and query, without secrets.
        target: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase as received.
        reason: String,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A request of ours got no answer.
    CallFailed {
        /// Host asked.
        host: String,
        /// Verb.
        method: String,
        /// Path and query, without secrets.
        target: String,
        /// The TLS check that failed, when it was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls: Option<TlsFailure>,
        /// The cause in words.
        cause: String,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A revocation list was asked for.
    CrlFetched {
        /// Distribution point.
        url: String,
        /// What came of it.
        outcome: CrlOutcome,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// A TLS handshake towards this role did not complete.
    HandshakeFailed {
        /// Caller's address.
        peer: String,
        /// The cause in words.
        cause: String,
    },
    /// A role accepts connections.
    Listening {
        /// The address clients use.
        url: String,
        /// The socket.
        address: String,
    },
    /// A request was refused before any handler, because its form is ambiguous or broken.
    MalformedRequest {
        /// Caller's address.
        peer: String,
        /// The cause in words.
        cause: String,
    },
    /// A request was answered by this role.
    Served(Served),
}

/// One answered request, with what an IIS log needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Served {
    /// Verb.
    pub method: String,
    /// Path as received, never decoded.
    pub stem: String,
    /// Query as received, secrets removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `Host` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// HTTP version, as in `HTTP/1.1`.
    pub version: String,
    /// `User-Agent` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// This role's own IP address, as its log shows it.
    pub server: String,
    /// Caller's IP address.
    pub client: String,
    /// The port that this role's clients dial by documentation, not the lab's socket.
    pub port: u16,
    /// HTTP status.
    pub status: u16,
    /// IIS substatus, 0 when there is none.
    pub substatus: u16,
    /// Reason phrase sent.
    pub reason: String,
    /// Bytes of the request: head and body.
    pub request_bytes: u64,
    /// Bytes of the response: head and body.
    pub response_bytes: u64,
    /// Milliseconds of transport time until the last byte of the answer was handed over.
    pub taken_ms: u64,
    /// What is known of the caller's TLS certificate.
    pub certificate: CertificateVerdict,
}

/// What a role concluded about the certificate its caller presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateVerdict {
    /// None was presented, or none was asked for.
    Absent,
    /// Past its notAfter.
    Expired,
    /// Not a certificate, or one that could not be read.
    Malformed,
    /// Before its notBefore.
    NotYetValid,
    /// Listed on its issuer's CRL.
    Revoked,
    /// Its issuer's CRL could not be had.
    RevocationUnknown,
    /// Chains to no trusted root (a missing intermediate looks the same).
    UnknownIssuer,
    /// Every check passed.
    Valid,
    /// Lacks the client authentication usage.
    WrongUsage,
}

/// Why a server's certificate was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TlsFailure {
    /// Past its notAfter, or before its notBefore.
    Date,
    /// A reason other than those named here.
    Other,
    /// Listed on its issuer's CRL.
    Revoked,
    /// The CRL could not be fetched, or was stale.
    RevocationOffline,
    /// Chains to no trusted root.
    UnknownIssuer,
    /// The name asked for is not in the certificate.
    WrongName,
    /// Lacks the server authentication usage.
    WrongUsage,
}

/// The end of one attempt to fetch a CRL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CrlOutcome {
    /// Fetched, signature not judged yet.
    Fetched {
        /// Bytes.
        bytes: u64,
    },
    /// Not to be had.
    Unavailable {
        /// HTTP status, when the distribution point answered at all.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The cause in words.
        cause: String,
    },
}
