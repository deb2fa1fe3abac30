//! The endpoints of a management point that messages are routed to.

use std::fmt;

/// The endpoint a message is for, the routing key of CCM messaging (mp-wire §0, §1.3). Read in any case,
/// since clients differ; written in one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `MP_ClientRegistration`; open to all.
    ClientRegistration,
    /// `MP_LocationManager`; open to all.
    LocationManager,
    /// `MP_PolicyManager`; only for signed messages of registered clients.
    PolicyManager,
    /// `MP_TokenManager`; only for signed messages of registered clients.
    TokenManager,
    /// `MP_DdrEndpoint`, heartbeats.
    Ddr,
    /// `MP_ClientIdManager`.
    ClientIdManager,
    /// Any other name, such as the client's own endpoints that replies are addressed to.
    Other(String),
}

impl Endpoint {
    /// Reads a name in any case; an unknown one is kept as it is.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        KNOWN
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// Reads the endpoint from the end of a target address: what follows the last `:` or `]`
    /// (`mp:[http]MP_LocationManager`).
    #[must_use]
    pub fn from_address(address: &str) -> Self {
        Self::from_name(address.rsplit([':', ']']).next().unwrap_or(address))
    }

    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ClientRegistration => "MP_ClientRegistration",
            Self::LocationManager => "MP_LocationManager",
            Self::PolicyManager => "MP_PolicyManager",
            Self::TokenManager => "MP_TokenManager",
            Self::Ddr => "MP_DdrEndpoint",
            Self::ClientIdManager => "MP_ClientIdManager",
            Self::Other(name) => name,
        }
    }

    /// Whether the endpoint takes only messages that a registered client signed (mp-wire §0).
    #[must_use]
    pub fn is_client_signed(&self) -> bool {
        matches!(self, Self::PolicyManager | Self::TokenManager)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const KNOWN: [Endpoint; 6] = [
    Endpoint::ClientRegistration,
    Endpoint::LocationManager,
    Endpoint::PolicyManager,
    Endpoint::TokenManager,
    Endpoint::Ddr,
    Endpoint::ClientIdManager,
];
