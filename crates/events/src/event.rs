//! One thing that happened.

use std::fmt;
use std::sync::Arc;

use cmglab_proto::ids::{ExchangeId, MessageId};
use jiff::Timestamp;
use serde::Serialize;

use crate::kinds::{
    AadEvent, ClientEvent, CmgEvent, ConnectionPointEvent, LabEvent, ManagementPointEvent, NetEvent,
};

/// Something that really happened on one machine of the lab.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Position in the lab's one sequence of events, from 0.
    pub seq: u64,
    /// Protocol time as the machine saw it.
    pub at: Timestamp,
    /// The machine's name, which is also its folder of logs.
    pub machine: Arc<str>,
    /// The role that speaks.
    pub role: Role,
    /// The client's exchange, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ExchangeId>,
    /// The MessageID that the CMG gave the request, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
}

/// A role of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// Azure AD: token service and device registration.
    Aad,
    /// The ccmsetup-like client and its agent.
    Client,
    /// Cloud management gateway.
    Cmg,
    /// CMG connection point.
    ConnectionPoint,
    /// The lab itself: its runner and clock.
    Lab,
    /// Management point with CCM_STS.
    ManagementPoint,
    /// Host of revocation lists.
    Revocation,
    /// The site server, with its service connection point.
    Site,
    /// The gateway's Azure storage.
    Storage,
}

/// What happened, by the part of the house that saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "source", content = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Azure AD.
    Aad(AadEvent),
    /// The client.
    Client(ClientEvent),
    /// The gateway.
    Cmg(CmgEvent),
    /// The connection point.
    ConnectionPoint(ConnectionPointEvent),
    /// The lab's runner.
    Lab(LabEvent),
    /// The management point.
    ManagementPoint(ManagementPointEvent),
    /// Any role's sockets, TLS and HTTP.
    Net(NetEvent),
}

impl Role {
    /// The short name used in tables and diagrams.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Aad => "aad",
            Self::Client => "client",
            Self::Cmg => "cmg",
            Self::ConnectionPoint => "connection-point",
            Self::Lab => "lab",
            Self::ManagementPoint => "management-point",
            Self::Revocation => "revocation",
            Self::Site => "site",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

macro_rules! kind_from {
    ($($variant:ident($inner:ty)),* $(,)?) => {$(
        impl From<$inner> for Kind {
            fn from(event: $inner) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}

kind_from!(
    Aad(AadEvent),
    Client(ClientEvent),
    Cmg(CmgEvent),
    ConnectionPoint(ConnectionPointEvent),
    Lab(LabEvent),
    ManagementPoint(ManagementPointEvent),
    Net(NetEvent),
);
