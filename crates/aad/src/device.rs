//! Devices of the directory.

use std::fmt;

use cmglab_proto::ids::{DeviceId, ObjectId, TenantId};
use jiff::Timestamp;
use serde::Serialize;

mod handles;
mod transport_key;

pub(crate) use transport_key::{DeviceKey, key_id};
pub use transport_key::{EcTransportKey, TransportKey};

/// A device that has joined or registered, or that the local domain synchronised and that has yet to join.
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
    /// The principal name of the user who joined it; empty for a device of the local domain, which joins by
    /// itself.
    pub joined_by: String,
    /// When it last joined; `None` for a synchronised device that has yet to.
    pub joined: Option<Timestamp>,
    /// SHA-1 of its certificate in capital hex; empty while it has none.
    pub thumbprint: String,
    /// The serial number of its certificate in capital hex; empty while it has none.
    pub serial: String,
    /// Its SID in the local domain.
    pub onprem_sid: Option<String>,
    /// The key that session keys are to be wrapped with; a device whose keys are on P-256 has none.
    #[serde(skip)]
    pub transport_key: Option<TransportKey>,
    /// The key that it sent for the same purpose on P-256. Nothing is wrapped with it yet; it is kept for whoever
    /// looks at what a device has registered.
    #[serde(skip)]
    pub ec_transport_key: Option<EcTransportKey>,
    /// In DER: the certificate whose key a device of the local domain joins with.
    #[serde(skip)]
    pub(crate) user_certificate: Option<Vec<u8>>,
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
