//! What a management point is told.

use cmglab_proto::claims::CCM_TOKEN_LIFETIME;
use cmglab_proto::sts::TokenDelivery;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::ManagementPointError;

/// Which connections a management point takes from clients on the intranet and from the connection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// HTTPS with a certificate of the organisation's PKI. Paths without tokens want a client certificate.
    #[default]
    Https,
    /// Enhanced HTTP: the site's own certificate is bound, and no client certificate is asked for.
    EnhancedHttp,
}

/// Whether the token library of CCM_STS is the one that it was built with (configmgr §7, row 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StsAssembly {
    /// It is.
    #[default]
    Matching,
    /// Another version lies in its place, and CCM_STS cannot run.
    Mismatched,
}

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
    /// HTTPS or enhanced HTTP.
    #[serde(default)]
    pub mode: Mode,
    /// Where IIS sends every request, as an application catalog has been seen to set it on the whole site
    /// (configmgr §7, row 21): an `http` or `https` URL, or a path. None for no redirect.
    #[serde(default)]
    pub redirect: Option<String>,
    /// The token library of CCM_STS.
    #[serde(default)]
    pub sts_assembly: StsAssembly,
    /// The certificate in DER that whoever serves the router has bound to its port. In enhanced HTTP one
    /// that `SMS Issuing` has not issued makes every request fail (configmgr §7, row 20). None for a router
    /// without a port.
    #[serde(skip)]
    pub bound_certificate: Option<Vec<u8>>,
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
            mode: Mode::default(),
            redirect: None,
            sts_assembly: StsAssembly::default(),
            bound_certificate: None,
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
        let is_target = |to: &str| ["https://", "http://", "/"].iter().any(|start| to.starts_with(start));
        if self.redirect.as_ref().is_some_and(|to| !is_target(to) || !is_plain(to)) {
            return wrong("redirect", "expected a URL or a path such as /CMApplicationCatalog");
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
        let read: ManagementPointConfig =
            serde_json::from_str(r#"{"host":"a","mode":"enhanced-http","sts_assembly":"mismatched"}"#)
                .unwrap();
        assert_eq!((read.mode, read.sts_assembly), (Mode::EnhancedHttp, StsAssembly::Mismatched));
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
        for target in ["", "CMApplicationCatalog", "https://MP.LAB.TEST/a b", "/\r\nX: y"] {
            let mut config = ManagementPointConfig::new("MP.LAB.TEST");
            config.redirect = Some(target.to_owned());
            assert!(config.check().is_err(), "{target:?}");
            config.redirect = Some("/CMApplicationCatalog".to_owned());
            assert_eq!(config.check(), Ok(()));
        }
    }

    #[test]
    fn content_is_located_at_the_gateway_when_there_is_one() {
        let mut config = ManagementPointConfig::new("MP.LAB.TEST");
        assert_eq!(config.content_url(), "https://MP.LAB.TEST/CCM_Client");
        config.internet_base = Some("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/".to_owned());
        assert_eq!(config.content_url(), "https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/9/CCM_Client");
    }
}
