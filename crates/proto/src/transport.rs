//! The ways in which a connection point reaches an instance (configmgr §1.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way to build a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// One long-lived TLS connection on a port of its own; classic deployments prefer it. Documented.
    TcpTls,
    /// An HTTPS connection that is turned into a channel (`Upgrade`). Documented that HTTPS is the fallback;
    /// how is the lab's.
    HttpsUpgrade,
    /// HTTPS requests and answers alone, for what stands between and lets no upgrade pass. Observed for
    /// the answer `990 BGB Session Ended`; otherwise the lab's.
    LongPoll,
}

impl Transport {
    /// The documented port of an instance (counted from 1) of a gateway that has so many.
    #[must_use]
    pub fn port(self, instance: u8, instances: u8) -> u16 {
        let nth = u16::from(instance.saturating_sub(1));
        match self {
            Self::TcpTls => FIRST_TCP_PORT + nth,
            Self::HttpsUpgrade | Self::LongPoll if instances <= 1 => HTTPS_PORT,
            Self::HttpsUpgrade | Self::LongPoll => FIRST_HTTPS_PORT + nth,
        }
    }

    /// The word for it in SMS_CLOUD_PROXYCONNECTOR.log (configmgr §5.8).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TcpTls => "Tcp",
            Self::HttpsUpgrade | Self::LongPoll => "Http",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TcpTls => "TCP-TLS",
            Self::HttpsUpgrade => "HTTPS upgrade",
            Self::LongPoll => "HTTPS long poll",
        })
    }
}

const FIRST_TCP_PORT: u16 = 10140;
const FIRST_HTTPS_PORT: u16 = 10124;
const HTTPS_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_the_documented_ones() {
        let ports = |transport: Transport, instances| [1, 16].map(|nth| transport.port(nth, instances));
        assert_eq!(ports(Transport::TcpTls, 16), [10140, 10155]);
        assert_eq!(ports(Transport::HttpsUpgrade, 16), [10124, 10139]);
        assert_eq!(ports(Transport::LongPoll, 2), [10124, 10139]);
        assert_eq!(Transport::LongPoll.port(1, 1), 443);
        assert_eq!(Transport::TcpTls.port(1, 1), 10140);
    }
}
