//! Why a step of the client failed, and where.

use cmglab_events::Role;
use cmglab_events::kinds::TlsFailure;
use cmglab_net::{CallError, CallFailure};
use cmglab_proto::aadauthinfo::AadAuthInfoError;
use cmglab_proto::cab::CabError;
use cmglab_proto::ccm::CcmError;
use cmglab_proto::claims::ClaimsError;
use cmglab_proto::manifest::ManifestError;
use cmglab_proto::sts::StsError;
use cmglab_token::TokenError;

use crate::CommandLineError;
use crate::aad::AadRefusal;

/// Every failure of this crate. What a hop refused says which hop it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Azure AD refused, in its own words.
    #[error(transparent)]
    Aad(#[from] AadRefusal),
    /// An answer is not what the protocol has there.
    #[error("{hop} answered {what} in an unknown form: {reason}")]
    Answer {
        /// Who answered.
        hop: Role,
        /// What was asked for.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a security identifier.
    #[error("{got:?} is not a SID; expected a text such as S-1-5-21-1-2-3-1001")]
    BadSid {
        /// The text, shortened.
        got: String,
    },
    /// The cabinet cannot be read.
    #[error("ccmsetup.cab: {0}")]
    Cabinet(#[from] CabError),
    /// The command line cannot be carried out.
    #[error(transparent)]
    CommandLine(#[from] CommandLineError),
    /// The configuration is not usable.
    #[error("client configuration: {field}: {reason}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong, and what to give.
        reason: &'static str,
    },
    /// A downloaded file has another hash than announced.
    #[error("{file} has SHA-256 {actual}, and {expected} was announced; somebody changed it on the way")]
    ContentHash {
        /// The file.
        file: String,
        /// What was announced, in capital hex.
        expected: String,
        /// What came, in capital hex.
        actual: String,
    },
    /// The crypto provider failed.
    #[error("{doing} failed in the crypto provider")]
    Crypto {
        /// What was being done.
        doing: &'static str,
    },
    /// A certificate or key cannot be made or read.
    #[error(transparent)]
    Pki(#[from] cmglab_pki::PkiError),
    /// The location of the client's files is at another host than the CMG, which must not see the token.
    #[error("the site located the client at {url}, which is not at {cmg}; set the MP's internet base URL")]
    ForeignLocation {
        /// The location, shortened.
        url: String,
        /// The CMG.
        cmg: String,
    },
    /// The cabinet's files are not those of its manifest.
    #[error("ccmsetup.cab: {0}")]
    Manifest(#[from] ManifestError),
    /// A message cannot be written or signed.
    #[error("message: {0}")]
    Message(CcmError),
    /// Nobody is logged on, so there is no user token.
    #[error("nobody is logged on to {machine}, so there is no user to get a token for")]
    NobodyLoggedOn {
        /// The machine.
        machine: String,
    },
    /// The site knows no place that has the client's files.
    #[error("the site knows no location of the client; distribute its package, or check the boundaries")]
    NoLocation,
    /// A message was accepted and not answered: dropped, or its sender is not known yet.
    #[error("{url} answered the message for {endpoint} with nothing; see the management point's logs")]
    NoReply {
        /// Where it was sent.
        url: String,
        /// The endpoint it was for.
        endpoint: String,
    },
    /// The client is not installed.
    #[error("the client is not installed; run ccmsetup first")]
    NotInstalled,
    /// The tenant is not onboarded at the CMG.
    #[error("AADAuthInfo: {0}")]
    NotOnboarded(AadAuthInfoError),
    /// The client is not registered.
    #[error("the client is not registered; register it first")]
    NotRegistered,
    /// The device has no usable workplace join certificate.
    #[error(
        "{machine} has no workplace join certificate, so Azure AD is not asked for a token; join the device \
         to Azure AD, being registered is not enough"
    )]
    NoWpjCertificate {
        /// The machine.
        machine: String,
    },
    /// An answer with a status that is not a success.
    #[error("{hop} refused {url} with {status} {reason}")]
    Refused {
        /// Who refused, by the reason phrase.
        hop: Role,
        /// The URL.
        url: String,
        /// HTTP status.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
    /// The site answered about another site, or about none.
    #[error("the management point knows nothing of site {site}; check SMSSITECODE")]
    SiteUnknown {
        /// The site asked about.
        site: String,
    },
    /// A file of the client's folder cannot be read or written.
    #[error("{file}: {reason}")]
    Storage {
        /// The file.
        file: String,
        /// The cause in words.
        reason: String,
    },
    /// A token cannot be read, or a signed request not be made.
    #[error("token: {0}")]
    Token(#[from] TokenError),
    /// There was no answer.
    #[error("{hop}: no answer from {url}: {call}")]
    Unanswered {
        /// Who was asked.
        hop: Role,
        /// The URL.
        url: String,
        /// What went wrong.
        call: CallError,
    },
}

impl ClientError {
    /// The hop at which it failed; the client itself where no other is to blame.
    #[must_use]
    pub fn hop(&self) -> Role {
        match self {
            Self::Answer { hop, .. } | Self::Refused { hop, .. } | Self::Unanswered { hop, .. } => *hop,
            Self::Aad(_) => Role::Aad,
            Self::NotOnboarded(_) => Role::Cmg,
            Self::ContentHash { .. }
            | Self::ForeignLocation { .. }
            | Self::NoLocation
            | Self::NoReply { .. }
            | Self::SiteUnknown { .. } => Role::ManagementPoint,
            _ => Role::Client,
        }
    }

    /// The TLS check that failed, when it was one.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFailure> {
        match self {
            Self::Unanswered { call, .. } => call.tls(),
            _ => None,
        }
    }

    /// The code by which Windows would know the failure (configmgr §7.1).
    #[must_use]
    pub fn hresult(&self) -> u32 {
        match self {
            Self::Refused { .. } => BAD_HTTP_STATUS,
            Self::NoReply { .. } => NO_REPLY,
            Self::Unanswered { call, .. } => match call.failure {
                CallFailure::Timeout => 0x8007_2ee2,
                CallFailure::UnknownName => 0x8007_2ee7,
                CallFailure::Connect => 0x8007_2efd,
                CallFailure::Broken => 0x8007_2efe,
                CallFailure::Tls(_) => 0x8007_2f8f,
                _ => UNSPECIFIED,
            },
            _ => UNSPECIFIED,
        }
    }

    pub(crate) fn answer(hop: Role, what: &'static str, reason: impl ToString) -> Self {
        Self::Answer { hop, what, reason: reason.to_string() }
    }

    pub(crate) fn sts(error: &StsError) -> Self {
        Self::answer(Role::ManagementPoint, "a CCM token", error)
    }

    pub(crate) fn claims(error: &ClaimsError) -> Self {
        Self::answer(Role::ManagementPoint, "a CCM token", error)
    }

    pub(crate) fn reply(error: &CcmError) -> Self {
        Self::answer(Role::ManagementPoint, "a message", error)
    }
}

/// The hop that a reason phrase speaks for: the CMG answers for itself and whoever is near, the
/// connection point for the management point (configmgr §5.8).
pub(crate) fn hop_of(reason: &str) -> Role {
    if reason.starts_with("CMGConnector_") { Role::ConnectionPoint } else { Role::Cmg }
}

/// CCM_E_BAD_HTTP_STATUS_CODE.
const BAD_HTTP_STATUS: u32 = 0x87d0_027e;
/// The wrapper that messaging puts around any failure of its transport.
pub(crate) const TRANSIENT: u32 = 0x87d0_0231;
const NO_REPLY: u32 = 0x8000_000a;
const UNSPECIFIED: u32 = 0x8000_4005;
