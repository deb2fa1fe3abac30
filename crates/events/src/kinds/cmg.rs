//! What the gateway saw.

use cmglab_proto::ids::{ClientGuid, MessageId, TenantId};
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
    /// Storage refused a file of a content.
    BlobRefused {
        /// The storage account.
        account: String,
        /// The path asked for, without its signature.
        path: String,
        /// HTTP status.
        status: u16,
        /// The storage service's error code.
        code: String,
        /// The cause in words.
        cause: String,
    },
    /// Storage handed out a file of a content, whole or in part.
    BlobServed {
        /// The storage account.
        account: String,
        /// The path asked for, without its signature.
        path: String,
        /// HTTP status: 200, 206 or 304.
        status: u16,
        /// The first byte of the part, from 0.
        from: u64,
        /// Bytes of it that were sent; fewer than asked for when the caller left.
        bytes: u64,
        /// Bytes of the file.
        of: u64,
    },
    /// A client certificate passed; the request needs no token.
    CertificateAccepted {
        /// The full URL asked for.
        url: String,
        /// Subject of the certificate.
        subject: String,
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
    /// The files of a content were listed for the holder of a link.
    ContentListed {
        /// The full URL asked for, without its signature.
        url: String,
        /// The package.
        package: String,
        /// The content.
        content: String,
        /// The client that the link was made for.
        client: ClientGuid,
        /// How many files there are.
        files: usize,
        /// Until when the links to them are good.
        expires: Timestamp,
    },
    /// A link to content was refused.
    ContentRefused {
        /// The full URL asked for, without its signature.
        url: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// The rule that refused it, in words.
        cause: String,
    },
    /// The content service cannot reach its storage: the two have no version of TLS in common.
    ContentStorageUnreachable {
        /// The full URL asked for, without its signature.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The client left before its request was answered.
    Abandoned {
        /// The request's id on the channel.
        message: MessageId,
        /// The full URL that was asked for.
        url: String,
        /// Bytes of the request so far: head and body.
        request_bytes: u64,
        /// Milliseconds of transport time.
        taken_ms: u64,
    },
    /// More has left the service within fourteen days than the administrator allowed for.
    CostAlert {
        /// Service name.
        service: String,
        /// Bytes that left.
        bytes: u64,
        /// Bytes past which the alert is critical.
        critical_bytes: u64,
        /// Whether the service is stopped for it.
        stops: bool,
    },
    /// A request was given to this channel.
    Dispatched {
        /// The request's id on the channel.
        message: MessageId,
        /// Connection id.
        connection: String,
    },
    /// A channel may carry requests from now on.
    InService {
        /// Connection id.
        connection: String,
    },
    /// The state of an instance's virtual machine changed.
    InstanceStatus {
        /// Service name.
        service: String,
        /// Role instance name.
        instance: String,
        /// The state.
        status: InstanceStatus,
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
    /// A key of the storage account was made anew, and signs from now on.
    StorageKeyRotated {
        /// The storage account.
        account: String,
        /// The key's name, `key1` or `key2`.
        key: String,
    },
    /// A token passed the gate.
    TokenAccepted {
        /// The full URL asked for.
        url: String,
        /// What kind of token it is.
        kind: BearerKind,
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
    /// A channel was lost before anything of a request was sent on it; another may have it.
    Undelivered {
        /// The request's id on the channel.
        message: MessageId,
        /// Connection id.
        connection: String,
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

/// The state of an instance, in the words of Azure that CloudMgr.log repeats (configmgr §5.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum InstanceStatus {
    /// Started: not in service before it has a channel. Documented.
    BusyRole,
    /// Started again after a stop. Documented.
    RestartingRole,
    /// Stopped. The lab's, by analogy.
    StoppedVM,
}

/// A kind of token that the gate accepts somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BearerKind {
    /// Of an onboarded Azure AD tenant.
    Aad,
    /// Of the site, to get clients in bulk through their installation.
    BulkRegistration,
    /// Of the site, for a client or user, from its security token service.
    Ccm,
    /// Of the site, for a registered client, against its own signature.
    ClientToken,
}

/// Which check of the gate a token failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenRefusal {
    /// The administrator has blocked it, or the client that it names.
    Blocked,
    /// Past its lifetime.
    Expired {
        /// Until when it was good.
        valid_to: Timestamp,
        /// The gateway's time.
        now: Timestamp,
    },
    /// Signature, form, algorithm or key.
    Invalid,
    /// No token where one is due.
    Missing,
    /// No validator stands for its issuer and audience.
    NoValidator,
    /// Before its lifetime.
    NotYetValid {
        /// From when on it is good.
        valid_from: Timestamp,
        /// The gateway's time.
        now: Timestamp,
    },
    /// Good, but not for this endpoint.
    WrongPurpose,
}
