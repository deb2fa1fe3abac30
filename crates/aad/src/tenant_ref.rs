//! The first segment of a path of the token service: which tenant is meant.

use std::fmt;

use cmglab_proto::ids::TenantId;
use uuid::uuid;

/// A tenant as a path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantRef {
    /// Any account.
    Common,
    /// Any work account.
    Organizations,
    /// Personal accounts; there are none in the lab.
    Consumers,
    /// A tenant of the directory.
    Known(TenantId),
    /// A name that is none of these.
    Unknown(String),
}

impl TenantRef {
    /// What stands for the tenant in an issuer. For a path without one, clients fill the placeholder in.
    pub(crate) fn in_issuer(&self) -> String {
        match self {
            Self::Common | Self::Organizations => "{tenantid}".to_owned(),
            Self::Consumers => CONSUMERS.to_string(),
            Self::Known(tenant) => tenant.to_string(),
            Self::Unknown(name) => name.clone(),
        }
    }
}

/// As the segment of a path.
impl fmt::Display for TenantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Common => f.write_str("common"),
            Self::Organizations => f.write_str("organizations"),
            Self::Consumers => f.write_str("consumers"),
            Self::Known(tenant) => fmt::Display::fmt(tenant, f),
            Self::Unknown(name) => f.write_str(name),
        }
    }
}

/// The segment of a path by its best known name: personal accounts have an id too.
pub(crate) fn well_known(segment: &str) -> &str {
    if segment.parse() == Ok(CONSUMERS) { "consumers" } else { segment }
}

/// The tenant of personal accounts (entra §1.2).
const CONSUMERS: TenantId = TenantId::new(uuid!("9188040d-6c67-4c5b-b112-36a304b66dad"));
