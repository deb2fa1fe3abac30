//! What the client did: ccmsetup first, the installed agent after it.

use cmglab_proto::ids::{AppId, ClientGuid, DeviceId, MessageId, ObjectId, TenantId};
use cmglab_proto::url::CcmHostName;
use jiff::Timestamp;
use serde::Serialize;

use super::TlsFailure;

/// An event of the client.
///
/// Each variant is one thing that happened and causes the lines that are about it, so that a line is
/// gone when the act is gone. No variant holds a token, a key or a password.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientEvent {
    /// The CMG told the tenant's onboarding facts.
    AadInfoReceived {
        /// The tenant.
        tenant: TenantId,
        /// The native app.
        client_app: AppId,
        /// App ID URI of the server app.
        resource: String,
    },
    /// The CMG is about to be asked for the tenant's onboarding facts.
    AadInfoRequested {
        /// The CMG's name as given on the command line.
        cmg: String,
    },
    /// Azure AD gave no token.
    AadTokenFailed {
        /// Where it is logged.
        log: ClientLog,
        /// The account whose token was wanted.
        sid: String,
        /// The cause, in Azure AD's words or those of the extension that asks it.
        details: String,
        /// The code of the failure, as Windows gives it.
        hresult: u32,
    },
    /// Azure AD is about to be asked for a token.
    AadTokenRequested {
        /// Where it is logged.
        log: ClientLog,
        /// The native app, which asks.
        client_app: AppId,
        /// App ID URI of the server app, for which the token will be.
        resource: String,
        /// Whose token.
        account: AadAccount,
    },
    /// Azure AD gave a token.
    AadTokenRetrieved {
        /// Where it is logged.
        log: ClientLog,
        /// Whose token.
        identity: AadIdentity,
    },
    /// There was nothing to do: the client is registered.
    AlreadyRegistered {
        /// Its id.
        client: ClientGuid,
    },
    /// A cached token could not be opened; a new one is asked for.
    CachedTokenUnreadable {
        /// Whose token.
        sid: String,
        /// The cause in words.
        cause: String,
    },
    /// A CCM token is in the cache, encrypted.
    CcmTokenCached {
        /// Where it is logged.
        log: ClientLog,
        /// Whose token.
        sid: String,
        /// When it expires.
        expires: Timestamp,
        /// The client it was issued to.
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<ClientGuid>,
    },
    /// The cached token is of no more use.
    CcmTokenExpiring {
        /// Where it is logged.
        log: ClientLog,
        /// Whose token.
        sid: String,
        /// When it expires or expired.
        expires: Timestamp,
    },
    /// The security token service gave no token.
    CcmTokenFailed {
        /// Where it is logged.
        log: ClientLog,
        /// The code of the failure, as Windows gives it.
        hresult: u32,
    },
    /// The security token service is about to be asked for a token.
    CcmTokenRequested {
        /// Where it is logged.
        log: ClientLog,
        /// The server as the client speaks of it.
        server: StsServer,
        /// The URL that goes over the wire.
        url: String,
    },
    /// The CCM token stands in the header of a request.
    CcmTokenAppended {
        /// Where it is logged.
        log: ClientLog,
    },
    /// The command line cannot be carried out.
    CommandLineRefused {
        /// The cause in words.
        cause: String,
    },
    /// A request to the CMG is set up: connection opened, options set.
    Connecting {
        /// Where it is logged.
        log: ClientLog,
        /// The component that sends.
        caller: HttpCaller,
        /// The CMG.
        host: String,
        /// Path and query.
        path: String,
        /// Whether a CCM token goes along.
        ccm_token: bool,
        /// Whether revocation of the server's certificate is checked.
        checks_crl: bool,
    },
    /// A file of the client has another hash than announced.
    ContentHashMismatch {
        /// The file.
        file: String,
        /// SHA-256 that was announced, in hexadecimal.
        expected: String,
        /// SHA-256 of what came, in hexadecimal.
        actual: String,
    },
    /// A place to download the client from is known.
    ContentLocated {
        /// The location as the site gave it.
        url: String,
    },
    /// The site is about to be asked where the client is to be had.
    ContentLocationRequested {
        /// The message's body.
        body: String,
    },
    /// Whether revocation is checked has changed hands.
    CrlCheckSet {
        /// Whether it is checked from now on.
        on: bool,
        /// Who decided.
        by: CrlCheckBy,
    },
    /// The device gets no token, so the user who is logged on is asked for.
    FallingBackToUser {
        /// Where it is logged.
        log: ClientLog,
        /// The user's SID.
        sid: String,
    },
    /// The answer to a request of the client was not a success.
    HttpRefused {
        /// Where it is logged.
        log: ClientLog,
        /// The component that had sent.
        caller: HttpCaller,
        /// The URL.
        url: String,
        /// Whether revocation was checked.
        checks_crl: bool,
        /// HTTP status.
        status: u16,
        /// Reason phrase; its prefix tells which hop answered.
        reason: String,
    },
    /// There was no answer to a request of the client.
    HttpUnanswered {
        /// Where it is logged.
        log: ClientLog,
        /// The component that had sent.
        caller: HttpCaller,
        /// The URL.
        url: String,
        /// Whether revocation was checked.
        checks_crl: bool,
        /// What went wrong, as WinHTTP counts it.
        failure: WinHttpFailure,
        /// The cause in words.
        cause: String,
    },
    /// ccmsetup ends.
    InstallEnded {
        /// Its return code.
        return_code: u8,
    },
    /// ccmsetup starts.
    InstallStarted {
        /// The command line, secrets blotted out.
        command_line: String,
    },
    /// The verified client is being put in its folder.
    Installing {
        /// Its version.
        version: String,
        /// Its product code, in braces.
        product_code: String,
    },
    /// Azure AD took the device in.
    Joined {
        /// The device's id.
        device: DeviceId,
        /// Whether it is joined, not merely registered.
        joined: bool,
    },
    /// Azure AD did not take the device in.
    JoinFailed {
        /// The cause in words.
        cause: String,
    },
    /// The site could not be asked for its present settings.
    LocationRefreshFailed {
        /// The internet management point.
        server: CcmHostName,
        /// The code of the failure, as Windows gives it.
        hresult: u32,
    },
    /// The site is about to be asked about itself.
    LocationRequested {
        /// Where it is logged.
        log: ClientLog,
        /// The internet management point.
        server: CcmHostName,
        /// The message's body.
        payload: String,
    },
    /// A message was answered.
    MessageAnswered {
        /// The message.
        message: MessageId,
        /// Its reply; none for a message that wants none.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<MessageId>,
    },
    /// A message got no reply.
    MessageFailed {
        /// Where it went.
        url: String,
        /// The code of the failure, as Windows gives it.
        hresult: u32,
    },
    /// The body of a reply.
    MessageReceived {
        /// Where it is logged.
        log: ClientLog,
        /// The body.
        body: String,
    },
    /// A message of the agent is about to be sent.
    MessageSending {
        /// The message.
        message: MessageId,
        /// The internet management point.
        server: CcmHostName,
        /// The endpoint it is for.
        endpoint: String,
        /// The account that sends.
        sid: String,
    },
    /// There is neither a token nor a certificate of a PKI to go on with.
    NoAccessToken {
        /// Where it is logged.
        log: ClientLog,
    },
    /// The site took the client in.
    Registered {
        /// The id that the site assigned.
        client: ClientGuid,
        /// Approval status: 3 approved by Azure AD.
        approval: i8,
    },
    /// The site has not decided.
    RegistrationPending {
        /// The id that the site assigned.
        client: ClientGuid,
    },
    /// The site turned the client away.
    RegistrationRejected {
        /// The status it gave.
        status: u8,
    },
    /// The site could not process the request and wants it again.
    RegistrationRetry {
        /// The status it gave.
        status: u8,
    },
    /// The client begins to register.
    RegistrationSending {
        /// The id that it proposes.
        client: ClientGuid,
    },
    /// The registration will be proven by a token of Azure AD.
    RegistrationUsesAad,
    /// A root that is published on the internet is trusted from now on.
    RootTrusted {
        /// Its subject.
        subject: String,
        /// SHA-1 of the certificate in capital hexadecimal.
        thumbprint: String,
    },
    /// The internet has no root that this machine would trust.
    RootUnavailable {
        /// Where it was looked for.
        url: String,
        /// The cause in words.
        cause: String,
    },
    /// The CMG's certificate was refused, or the handshake failed.
    TlsRefused {
        /// Where it is logged.
        log: ClientLog,
        /// The component that would have sent.
        caller: HttpCaller,
        /// The URL.
        url: String,
        /// Whether revocation was checked.
        checks_crl: bool,
        /// The check that failed.
        failure: TlsFailure,
        /// The cause in words.
        cause: String,
    },
    /// The device has no workplace join certificate, so Azure AD is not asked for anything.
    WpjCertificateMissing {
        /// Whether the device is registered, though not joined.
        registered: bool,
    },
}

/// Which of the client's logs a step is written to: the same step is taken by ccmsetup and, later, by
/// components of the installed agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientLog {
    /// ADALOperationProvider.log.
    AdalOperationProvider,
    /// CcmMessaging.log.
    CcmMessaging,
    /// ccmsetup.log.
    CcmSetup,
    /// ClientIDManagerStartup.log.
    ClientIdManagerStartup,
    /// LocationServices.log.
    LocationServices,
}

/// Whose token Azure AD is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AadAccount {
    /// The device itself.
    Device {
        /// The token endpoint that stands for the account.
        endpoint: String,
    },
    /// The user who is logged on.
    User {
        /// The user's account.
        account: ObjectId,
    },
}

/// Whose token Azure AD gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AadIdentity {
    /// The device.
    Device {
        /// Its id.
        device: DeviceId,
    },
    /// The user.
    User {
        /// The object id.
        user: ObjectId,
    },
}

/// How the client speaks of the server it asks for a CCM token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StsServer {
    /// ccmsetup: by `CCMHOSTNAME`; the log's edition decides the spelling.
    CommandLine {
        /// The property as given.
        name: CcmHostName,
    },
    /// The agent at its start: by its assigned management point, although the CMG is asked.
    ManagementPoint {
        /// The management point's host name.
        host: String,
    },
    /// The agent's messaging: by the URL alone.
    Url,
}

/// The component of the client that sends a request; the name in front of `Host=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpCaller {
    /// `ccmhttp`, of the agent's messaging.
    CcmHttp,
    /// `ccmsetup`.
    CcmSetup,
    /// `SMS CCM 5.0`.
    SmsCcm,
}

/// Who decides whether revocation is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrlCheckBy {
    /// `/NoCRLCheck`, given or not given.
    CommandLine,
    /// The site, through location services.
    Site,
}

/// Failures of WinHTTP other than those of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WinHttpFailure {
    /// 12029: nobody accepts the connection.
    CannotConnect,
    /// 12030: the connection broke.
    ConnectionError,
    /// 12152: the answer is not one.
    InvalidServerResponse,
    /// 12007: no such name.
    NameNotResolved,
    /// 12002: no answer in time.
    Timeout,
}

impl WinHttpFailure {
    /// The number, as `winhttp.h` has it.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::CannotConnect => 12_029,
            Self::ConnectionError => 12_030,
            Self::InvalidServerResponse => 12_152,
            Self::NameNotResolved => 12_007,
            Self::Timeout => 12_002,
        }
    }

    /// The name, as `winhttp.h` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CannotConnect => "ERROR_WINHTTP_CANNOT_CONNECT",
            Self::ConnectionError => "ERROR_WINHTTP_CONNECTION_ERROR",
            Self::InvalidServerResponse => "ERROR_WINHTTP_INVALID_SERVER_RESPONSE",
            Self::NameNotResolved => "ERROR_WINHTTP_NAME_NOT_RESOLVED",
            Self::Timeout => "ERROR_WINHTTP_TIMEOUT",
        }
    }
}
