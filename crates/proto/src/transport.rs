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

/// The ports of channels; the documented ones unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPorts {
    /// TCP-TLS port of the first instance; the others count up from it.
    pub tcp: u16,
    /// HTTPS port of the first instance of two or more; the others count up from it. A single instance takes
    /// its channels on 443.
    pub https: u16,
}

impl Default for ChannelPorts {
    fn default() -> Self {
        Self { tcp: 10140, https: 10124 }
    }
}

impl ChannelPorts {
    /// The port for a transport to an instance (counted from 1) of a gateway that has so many.
    #[must_use]
    pub fn of(self, transport: Transport, instance: u8, instances: u8) -> u16 {
        let nth = u16::from(instance.saturating_sub(1));
        match transport {
            Transport::TcpTls => self.tcp.saturating_add(nth),
            Transport::HttpsUpgrade | Transport::LongPoll if instances <= 1 => HTTPS_PORT,
            Transport::HttpsUpgrade | Transport::LongPoll => self.https.saturating_add(nth),
        }
    }
}

impl Transport {
    /// The documented port of an instance (counted from 1) of a gateway that has so many.
    #[must_use]
    pub fn port(self, instance: u8, instances: u8) -> u16 {
        ChannelPorts::default().of(self, instance, instances)
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
        let others = ChannelPorts { tcp: 20140, https: 65535 };
        assert_eq!(others.of(Transport::TcpTls, 3, 3), 20142);
        assert_eq!(others.of(Transport::LongPoll, 3, 3), 65535, "no number past the last port");
    }
}
