//! Why a management point cannot be set up or changed.

use cmglab_proto::cab::CabError;
use cmglab_proto::content_link::ContentLinkError;
use cmglab_proto::ids::ClientGuid;
use cmglab_site::SiteError;
use cmglab_token::TokenError;
use jiff::SignedDuration;

/// Every failure of this crate that is not an answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManagementPointError {
    /// A setting cannot be used.
    #[error("management point: {field}: {reason}")]
    Config {
        /// The field.
        field: &'static str,
        /// What was wanted.
        reason: &'static str,
    },
    /// The lifetime of a bulk registration token.
    #[error(
        "bulk registration token: a lifetime of {asked:#} was asked for; ask for 1 to 10080 minutes, 4320 are \
         usual"
    )]
    BulkLifetime {
        /// What was asked for.
        asked: SignedDuration,
    },
    /// A blocked client gets no token of its own.
    #[error("client {client} is blocked; unblock it first")]
    ClientBlocked {
        /// The client.
        client: ClientGuid,
    },
    /// The client's files cannot be packed or published.
    #[error("client content: {0}")]
    Cabinet(#[from] CabError),
    /// A published file has a name that no URL below `/CCM_Client` can have.
    #[error("client content: {name:?} cannot be published; use letters, digits, '.', '-', '_' and '/'")]
    FileName {
        /// The name.
        name: String,
    },
    /// A link to content cannot be made.
    #[error(transparent)]
    ContentLink(#[from] ContentLinkError),
    /// The key for CCM tokens could not be made.
    #[error("CCM token key: {0}")]
    Key(#[from] TokenError),
    /// The site database failed.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The runtime is shutting down.
    #[error("the runtime is shutting down; start the management point again")]
    Stopping,
}
