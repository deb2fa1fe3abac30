//! Which gateway to serve, and how.

use std::time::Duration;

use cmglab_tunnel::{ChannelPorts, Transport};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Configuration of a connection point. Reports every five minutes and maintenance every minute are
/// documented (configmgr §1.1) and not to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionPointConfig {
    /// The gateway's service name.
    pub cmg_host: String,
    /// How many instances the gateway has, 1 to 16.
    #[serde(default = "one", deserialize_with = "instances")]
    pub instances: u8,
    /// Where its instances take channels.
    #[serde(default)]
    pub ports: ChannelPorts,
    /// The transports in order of trial; the first is the preferred one.
    #[serde(default = "order_of_trial")]
    pub transports: Vec<Transport>,
    /// Whether it logs verbosely, which is what the published lines of SMS_CLOUD_PROXYCONNECTOR.log need.
    #[serde(default = "yes")]
    pub verbose: bool,
    /// How much it takes, and for how long.
    #[serde(skip)]
    pub limits: Limits,
}

/// How much a connection point takes, and for how long. Lab; the product's are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a message may stand still, in transport time, before it is given up: no byte of it or of its
    /// answer moves. Shorter than the gateway's own patience, so that the answer names the hop that was slow.
    pub patience: Duration,
    /// The most messages under way at once; those beyond are turned away.
    pub most_requests: u32,
}

impl ConnectionPointConfig {
    /// For a gateway of one instance, by every transport in the documented order, with verbose logs.
    #[must_use]
    pub fn new(cmg_host: impl Into<String>) -> Self {
        Self {
            cmg_host: cmg_host.into(),
            instances: one(),
            ports: ChannelPorts::default(),
            transports: order_of_trial(),
            verbose: yes(),
            limits: Limits::default(),
        }
    }
}

impl Limits {
    pub(crate) fn places(self) -> usize {
        self.most_requests as usize
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(50), most_requests: 4096 }
    }
}

fn instances<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        count @ 1..=MOST_INSTANCES => Ok(count),
        other => Err(de::Error::custom(format!("{other} instances; a gateway has 1 to {MOST_INSTANCES}"))),
    }
}

fn one() -> u8 {
    1
}

fn yes() -> bool {
    true
}

fn order_of_trial() -> Vec<Transport> {
    vec![Transport::TcpTls, Transport::HttpsUpgrade, Transport::LongPoll]
}

/// Documented (configmgr §1.3).
pub(crate) const MOST_INSTANCES: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_enough_and_no_gateway_has_seventeen_instances() {
        let read = |json: &str| serde_json::from_str::<ConnectionPointConfig>(json);
        let usual = ConnectionPointConfig::new("CMG.LAB.TEST");
        assert_eq!(read(r#"{"cmg_host":"CMG.LAB.TEST"}"#).unwrap(), usual);
        assert_eq!(read(&serde_json::to_string(&usual).unwrap()).unwrap(), usual);
        assert!(read(r#"{"cmg_host":"a","instances":16}"#).is_ok());
        for wrong in [r#"{"cmg_host":"a","instances":17}"#, r#"{"cmg_host":"a","instances":0}"#] {
            assert!(read(wrong).unwrap_err().to_string().contains("1 to 16"));
        }
        assert!(read(r#"{"cmg_host":"a","limits":{}}"#).is_err());
    }
}
