//! What a management point is told.

use cmglab_proto::claims::CCM_TOKEN_LIFETIME;
use cmglab_proto::sts::TokenDelivery;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::ManagementPointError;

/// The settings of one management point. A field that is left out has the value of
/// [`ManagementPointConfig::new`]; an unknown one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagementPointConfig {
    /// The host name that clients and the connection point use, as logs spell it.
    pub host: String,
    /// The external URL that clients on the internet reach this management point by, such as
    /// `https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216`. Without one, content is located at
    /// the host itself.
    #[serde(default)]
    pub internet_base: Option<String>,
    /// The version of the site and of the client it serves, such as `5.00.9128.1000`.
    #[serde(default = "default_version")]
    pub site_version: String,
    /// The build of the site, such as 9128.
    #[serde(default = "default_build")]
    pub build: u32,
    /// How long a CCM token is valid: whole seconds, at least one, at most 30 days.
    #[serde(default = "default_lifetime")]
    pub token_lifetime: SignedDuration,
    /// Where the answer of CCM_STS carries the token.
    #[serde(default)]
    pub token_delivery: TokenDelivery,
    /// The longest message that is read, in bytes.
    #[serde(default = "default_largest_message")]
    pub largest_message: usize,
}

impl ManagementPointConfig {
    /// The management point `host` of a site of build 9128, with the documented token lifetime of 8 hours
    /// and messages of up to 2 MiB.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            internet_base: None,
            site_version: default_version(),
            build: default_build(),
            token_lifetime: default_lifetime(),
            token_delivery: TokenDelivery::default(),
            largest_message: default_largest_message(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ManagementPointError> {
        let wrong = |field, reason| Err(ManagementPointError::Config { field, reason });
        if !is_host(&self.host) {
            return wrong("host", "expected a host name such as MP.LAB.TEST");
        }
        let is_url = |base: &String| base.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
        if self.internet_base.as_ref().is_some_and(|base| !is_url(base) || !is_plain(base)) {
            return wrong("internet_base", "expected https://<CMG>/CCM_Proxy_MutualAuth/<role id>");
        }
        if self.site_version.is_empty() || !is_plain(&self.site_version) {
            return wrong("site_version", "expected a version such as 5.00.9128.1000");
        }
        if !(1..=LONGEST_LIFETIME.as_secs()).contains(&self.token_lifetime.as_secs()) {
            return wrong("token_lifetime", "expected a second at least and 30 days at most");
        }
        if !(SMALLEST_LIMIT..=LARGEST_LIMIT).contains(&self.largest_message) {
            return wrong("largest_message", "expected 64 KiB to 64 MiB");
        }
        Ok(())
    }

    /// The internal URL of a path, as logs print it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host)
    }

    /// The folder of the client's files as clients reach it.
    pub(crate) fn content_url(&self) -> String {
        match &self.internet_base {
            Some(base) => format!("{}/CCM_Client", base.trim_end_matches('/')),
            None => self.url("/CCM_Client"),
        }
    }
}

fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn is_plain(text: &str) -> bool {
    text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn default_version() -> String {
    "5.00.9128.1000".to_owned()
}

fn default_build() -> u32 {
    9128
}

fn default_lifetime() -> SignedDuration {
    CCM_TOKEN_LIFETIME
}

fn default_largest_message() -> usize {
    2 * MIB
}

const MIB: usize = 1024 * 1024;
const SMALLEST_LIMIT: usize = 64 * 1024;
const LARGEST_LIMIT: usize = 64 * MIB;
const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_fields_have_documented_values_and_unknown_ones_are_refused() {
        let read: ManagementPointConfig = serde_json::from_str(r#"{"host":"MP.LAB.TEST"}"#).unwrap();
        assert_eq!(read, ManagementPointConfig::new("MP.LAB.TEST"));
        assert_eq!(read.check(), Ok(()));
        assert!(serde_json::from_str::<ManagementPointConfig>(r#"{"host":"a","hots":"b"}"#).is_err());
        let read: ManagementPointConfig =
            serde_json::from_str(r#"{"host":"a","token_lifetime":"PT10M"}"#).unwrap();
        assert_eq!(read.token_lifetime, SignedDuration::from_mins(10));
    }

    #[test]
    fn mistakes_name_their_field() {
        let fault = |change: fn(&mut ManagementPointConfig)| {
            let mut config = ManagementPointConfig::new("MP.LAB.TEST");
            change(&mut config);
            match config.check() {
                Err(ManagementPointError::Config { field, .. }) => field,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(fault(|config| config.host = "https://MP".to_owned()), "host");
        assert_eq!(fault(|config| config.internet_base = Some("CMG.LAB.TEST".to_owned())), "internet_base");
        assert_eq!(fault(|config| config.site_version.clear()), "site_version");
        assert_eq!(fault(|config| config.token_lifetime = SignedDuration::ZERO), "token_lifetime");
        assert_eq!(fault(|config| config.largest_message = 1), "largest_message");
    }

    #[test]
    fn content_is_located_at_the_gateway_when_there_is_one() {
        let mut config = ManagementPointConfig::new("MP.LAB.TEST");
        assert_eq!(config.content_url(), "https://MP.LAB.TEST/CCM_Client");
        config.internet_base = Some("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/".to_owned());
        assert_eq!(config.content_url(), "https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/CCM_Client");
    }
}
