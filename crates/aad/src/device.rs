//! Devices of the directory.

use std::fmt;

use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use jiff::Timestamp;
use serde::Serialize;

mod transport_key;

pub use transport_key::TransportKey;

/// A device that has joined or registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The id of its object, which is another.
    pub object_id: ObjectId,
    /// Its tenant.
    pub tenant: TenantId,
    /// How it is tied to the tenant.
    pub trust: TrustType,
    /// Whether it may get tokens.
    pub enabled: bool,
    /// Whether its management says that it meets the policies.
    pub compliant: bool,
    /// The name it gave itself.
    pub name: String,
    /// The version of its system, as it said.
    pub os_version: String,
    /// The principal name of the user who joined it.
    pub joined_by: String,
    /// When.
    pub joined: Timestamp,
    /// SHA-1 of its certificate in capital hex.
    pub thumbprint: String,
    /// The key that session keys are to be wrapped with.
    #[serde(skip)]
    pub transport_key: TransportKey,
}

/// How a device is tied to its tenant, in the words of the directory (entra §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum TrustType {
    /// Joined.
    AzureAd,
    /// Joined to the local domain and known here (hybrid).
    ServerAd,
    /// Registered.
    Workplace,
}

impl fmt::Display for TrustType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AzureAd => "AzureAd",
            Self::ServerAd => "ServerAd",
            Self::Workplace => "Workplace",
        })
    }
}
