//! What the management point did.

use cmglab_proto::claims::{AadTokenKind, CcmTokenType};
use cmglab_proto::ids::{AppId, BulkTokenId, ClientGuid, DeviceId, HierarchyId, ObjectId, TenantId, UserId};
use jiff::Timestamp;
use serde::Serialize;

use super::CertificateVerdict;

/// An event of the management point.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ManagementPointEvent {
    /// The signing keys of a tenant were fetched from Azure AD.
    AadKeysFetched {
        /// The tenant.
        tenant: TenantId,
        /// The `jwks_uri`.
        url: String,
        /// Key ids.
        kids: Vec<String>,
    },
    /// The signing keys of a tenant could not be had.
    AadKeysUnavailable {
        /// The tenant.
        tenant: TenantId,
        /// The URL that failed.
        url: String,
        /// The cause in words.
        cause: String,
    },
    /// CCM_STS verified an Azure AD token; the site database was not asked yet.
    AadTokenValidated {
        /// What the token proves.
        kind: AadTokenKind,
        /// The tenant.
        tenant: TenantId,
        /// The user's object id, zeros without a user.
        user: ObjectId,
        /// The device, if the token names one.
        device: Option<DeviceId>,
        /// The user's SID in the local domain.
        on_prem_user_sid: Option<String>,
        /// The device's SID in the local domain.
        on_prem_device_sid: Option<String>,
    },
    /// A bulk registration token was made.
    BulkTokenMade {
        /// Its unique id.
        id: BulkTokenId,
        /// The key that signed it.
        kid: String,
        /// Until when it is valid.
        expires: Timestamp,
    },
    /// A key signs CCM tokens from now on; its public half is in the site's settings.
    CcmKeyAdded {
        /// Its key id.
        kid: String,
    },
    /// A key left the site's settings, since every token it signed has expired.
    CcmKeyRetired {
        /// Its key id.
        kid: String,
    },
    /// CCM_STS handed out a CCM token.
    CcmTokenIssued {
        /// What for.
        token_type: CcmTokenType,
        /// The hierarchy.
        hierarchy: HierarchyId,
        /// The site's own id of the user, zeros for a device.
        user: UserId,
        /// The client; none for a user without a device.
        client: Option<ClientGuid>,
        /// The key that signed it.
        kid: String,
        /// Until when it is valid.
        expires: Timestamp,
    },
    /// A client certificate was presented and is worth nothing, so the request is refused.
    CertificateRefused {
        /// The path asked for.
        path: String,
        /// What is wrong with the certificate.
        verdict: CertificateVerdict,
        /// HTTP status.
        status: u16,
        /// IIS substatus.
        substatus: u16,
    },
    /// A registered client got a token of its own.
    ClientTokenMade {
        /// The client.
        client: ClientGuid,
        /// The key that signed it.
        kid: String,
        /// Until when it is valid.
        expires: Timestamp,
    },
    /// A link to content on the gateway was signed.
    ContentLinkMade {
        /// The client that it is for.
        client: ClientGuid,
        /// The package.
        package: String,
        /// The content.
        content: String,
        /// Until when it is good.
        expires: Timestamp,
    },
    /// Client content was published.
    ContentPublished {
        /// The package at the site.
        package: String,
        /// Its version.
        version: u32,
        /// Bytes of `ccmsetup.cab`.
        bytes: u64,
        /// SHA-256 of `ccmsetup.cab` in capital hex.
        sha256: String,
    },
    /// A file of the client was handed out, whole or in part.
    ContentServed {
        /// The path asked for.
        path: String,
        /// HTTP status: 200 or 206.
        status: u16,
        /// First byte.
        from: u64,
        /// Number of bytes.
        bytes: u64,
        /// Bytes of the whole file.
        of: u64,
    },
    /// Location services answered where content is.
    ContentLocated {
        /// The client that asked, by its token.
        client: Option<ClientGuid>,
        /// The package asked for; none for the client's own.
        package: Option<String>,
        /// The location; none when the site has no such content.
        url: Option<String>,
    },
    /// A message was dropped: the answer is 200 without a body.
    MessageDropped {
        /// The endpoint it was for, if that could be read.
        endpoint: Option<String>,
        /// The cause in words.
        cause: String,
    },
    /// The web server sent a request elsewhere, before anything of the management point saw it.
    Redirected {
        /// The path asked for.
        path: String,
        /// Where to.
        location: String,
    },
    /// A request was refused for a reason that is neither its token nor its certificate.
    Refused {
        /// The path asked for.
        path: String,
        /// HTTP status.
        status: u16,
        /// IIS substatus, 0 when there is none.
        substatus: u16,
        /// Reason phrase.
        reason: String,
        /// The cause in words.
        cause: String,
    },
    /// A client is registered.
    Registered {
        /// Its GUID.
        client: ClientGuid,
        /// The GUID it proposed, if any.
        proposed: Option<ClientGuid>,
        /// Its name.
        netbios_name: String,
        /// The approval status it was told.
        approval: i8,
    },
    /// A certificate of a registration request was judged.
    RegistrationCertificate {
        /// SHA-1 thumbprint in capital hex.
        thumbprint: String,
        /// The subject's common name, or its whole subject.
        issued_to: String,
        /// What is wrong with it, if anything is.
        fault: Option<CertificateFault>,
    },
    /// A registration request is not one, or its signature does not hold: the answer is 200 without a
    /// body.
    RegistrationInvalid {
        /// The cause in words.
        cause: String,
    },
    /// A registration was answered with status 3.
    RegistrationRejected {
        /// The GUID the client has or proposed.
        client: Option<ClientGuid>,
        /// The cause in words.
        cause: String,
    },
    /// A registration request is being processed.
    RegistrationRequested {
        /// The GUID the client has or proposes.
        client: Option<ClientGuid>,
        /// The Azure AD tenant of the token that came with it; none with a CCM token.
        tenant: Option<TenantId>,
        /// The Azure AD device of that token.
        device: Option<DeviceId>,
    },
    /// Location services answered about a site.
    SiteInfoAnswered {
        /// The client that asked, by its token.
        client: Option<ClientGuid>,
        /// The site asked for.
        site: String,
        /// Whether it is this one.
        found: bool,
        /// Whether clients are told to check revocation.
        clients_check_crl: bool,
    },
    /// CCM_STS cannot run, since an assembly on its disk has another version than it was built with.
    StsAssemblyMismatch {
        /// The assembly, without its extension.
        assembly: String,
    },
    /// CCM_STS got a request.
    StsRequested {
        /// The internal URL.
        url: String,
    },
    /// A token was refused.
    TokenRefused {
        /// Who refused it.
        service: TokenService,
        /// The internal URL.
        url: String,
        /// HTTP status answered.
        status: u16,
        /// Issuer claimed, when the token could be read at all.
        issuer: Option<String>,
        /// Audience claimed, when the token could be read at all.
        audience: Option<String>,
        /// The check that failed.
        fault: TokenFault,
    },
    /// The web server refuses a request, since the certificate that is bound is not the one that enhanced
    /// HTTP wants.
    WrongBinding {
        /// The path asked for.
        path: String,
        /// The port.
        port: u16,
        /// Subject of the certificate that is bound.
        subject: String,
        /// Its issuer.
        issuer: String,
        /// The common name of the issuer that is wanted.
        wanted: String,
    },
}

/// The part of the management point that looked at a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenService {
    /// CCM_STS.
    CcmSts,
    /// The client's files.
    Content,
    /// CCM messaging other than registration, or before the endpoint is known.
    Messaging,
    /// MP_ClientRegistration.
    Registration,
}

/// Which check a token failed, or why the site does not know whom it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenFault {
    /// The token comes from an application that the tenant has not registered with the site.
    ApplicationUnknown {
        /// The application.
        app: AppId,
    },
    /// The bulk registration token is blocked, or this site has not made it.
    BulkTokenRefused {
        /// Whether it is known and blocked.
        blocked: bool,
    },
    /// Past its lifetime.
    Expired {
        /// The end of its lifetime.
        valid_to: Timestamp,
        /// The management point's time.
        now: Timestamp,
        /// Whether it is a bulk registration token.
        pre_auth: bool,
    },
    /// The keys to verify it with could not be had; the management point's failure, not the caller's.
    KeysUnavailable {
        /// The cause in words.
        cause: String,
    },
    /// Not a token that can be read, or its claims do not fit together.
    Malformed {
        /// The cause in words.
        cause: String,
    },
    /// No usable token came along.
    Missing {
        /// The cause in words.
        cause: String,
    },
    /// The token names neither a user nor a device.
    NobodyNamed,
    /// Before its lifetime.
    NotYetValid {
        /// The start of its lifetime.
        valid_from: Timestamp,
        /// The management point's time.
        now: Timestamp,
    },
    /// No onboarded tenant has its issuer and audience.
    NoValidator,
    /// Signature, algorithm or key.
    Signature {
        /// The cause in words.
        cause: String,
    },
    /// Azure AD authentication is disabled for the tenant.
    TenantDisabled {
        /// The tenant.
        tenant: TenantId,
    },
    /// The tenant is not onboarded, or no longer.
    TenantUnknown {
        /// The tenant.
        tenant: TenantId,
    },
    /// The user is not discovered.
    UserUnknown {
        /// The tenant.
        tenant: TenantId,
        /// The user's object id.
        user: ObjectId,
    },
    /// A good token, for another purpose.
    WrongPurpose {
        /// What came.
        got: String,
        /// What is due.
        due: String,
    },
}

/// What is wrong with a certificate that a client wants to register with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateFault {
    /// Past its notAfter.
    Expired,
    /// Not a certificate, or its own signature does not hold.
    Malformed,
    /// Before its notBefore.
    NotYetValid,
    /// Issued by an authority that the site does not know.
    Untrusted,
    /// Not RSA, or RSA of less than 2048 bits.
    WeakKey,
}
