//! The external URL grammar of the CMG.
//!
//! Fidelity: documented (configmgr §1.5), except what is refused before routing, which is the lab's.
//! Nothing here decodes a percent escape: what the client sent is what is matched, forwarded and
//! logged, so no two hops can read one target in two ways.

mod host;
mod target;

pub use host::{CcmHostName, HostNameError};
pub use target::{AAD_AUTH_INFO, CmgPath, MAX_TARGET, SERVICE_METADATA, TargetError};

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the caller of an external URL proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AuthScheme {
    /// A client certificate, in the TLS handshake.
    MutualAuth,
    /// A bearer token; TLS proves the server alone.
    ServerAuth,
}

impl AuthScheme {
    /// The path segment of the scheme, in the spelling of the product's documentation.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::MutualAuth => "CCM_Proxy_MutualAuth",
            Self::ServerAuth => "CCM_Proxy_ServerAuth",
        }
    }

    /// The scheme that a path segment names, in any case.
    #[must_use]
    pub fn from_segment(segment: &str) -> Option<Self> {
        [Self::MutualAuth, Self::ServerAuth]
            .into_iter()
            .find(|scheme| scheme.segment().eq_ignore_ascii_case(segment))
    }
}

impl fmt::Display for AuthScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MutualAuth => "MutualAuth",
            Self::ServerAuth => "ServerAuth",
        })
    }
}
