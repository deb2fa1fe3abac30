//! What a stranger sends to the gateway, and how it proves itself.

use std::fmt;

use serde::Deserialize;

/// One HTTPS request of nobody the lab knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRequest {
    /// Verb.
    #[serde(default = "get")]
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `Host` header; the gateway's own name when left out.
    #[serde(default)]
    pub host: Option<String>,
    /// `User-Agent` header; none when left out.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Bearer token; none when left out.
    #[serde(default)]
    pub token: Option<TokenKind>,
    /// Client certificate; none when left out.
    #[serde(default)]
    pub certificate: Option<PresentedCertificate>,
}

/// A token that the lab's services really issue: the one that [`Step::MakeToken`](super::Step::MakeToken) kept,
/// or one that is got at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenKind {
    /// Of Azure AD, for the user who is logged on, by password.
    AzureAd,
    /// A bulk registration token of the documented lifetime.
    Bulk,
    /// A CCM token, for such a token of Azure AD, from CCM_STS through the gateway.
    Ccm,
    /// The token by which the registered client identifies itself.
    ClientAuth,
}

/// The state of the client certificate that a stranger presents. All are issued at that moment, and all but
/// [`PresentedCertificate::UnknownIssuer`] by the PKI of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PresentedCertificate {
    /// Past its end.
    Expired,
    /// Nothing is wrong with it, and its intermediate comes with it.
    Good,
    /// On the next revocation list of its issuer.
    Revoked,
    /// Of another PKI.
    UnknownIssuer,
    /// Good, and sent without its intermediate.
    WithoutIntermediates,
    /// For servers.
    WrongUsage,
}

impl TokenKind {
    /// Whether a user has to sign in for it.
    #[must_use]
    pub fn is_of_the_user(self) -> bool {
        matches!(self, Self::AzureAd | Self::Ccm)
    }
}

/// As it stands in the file.
impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AzureAd => "azure-ad",
            Self::Bulk => "bulk",
            Self::Ccm => "ccm",
            Self::ClientAuth => "client-auth",
        })
    }
}

/// As it stands in the file.
impl fmt::Display for PresentedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "expired",
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::UnknownIssuer => "unknown-issuer",
            Self::WithoutIntermediates => "without-intermediates",
            Self::WrongUsage => "wrong-usage",
        })
    }
}

impl fmt::Display for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some(token) = self.token {
            write!(f, " with token {token}")?;
        }
        self.certificate.map_or(Ok(()), |certificate| write!(f, " with certificate {certificate}"))
    }
}

fn get() -> String {
    "GET".to_owned()
}
