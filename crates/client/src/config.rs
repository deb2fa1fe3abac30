//! What a client is told.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::ClientError;

/// The settings of one client. A field that is left out has the value of [`ClientConfig::default`]; an
/// unknown one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientConfig {
    /// The host of Azure AD's token service.
    pub login_host: String,
    /// The host of Azure AD's device registration.
    pub registration_host: String,
    /// The version of Windows that the device tells Azure AD.
    pub windows_version: String,
    /// A CCM token is renewed when it expires within this time. The product's own margin is not public.
    pub renew_before: SignedDuration,
    /// Where the roots of third-party certificates come from; without it the machine fetches none.
    pub automatic_roots: Option<AutomaticRoots>,
}

/// How a machine comes by a root that is published on the internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomaticRoots {
    /// The host that publishes them, over plain HTTP.
    pub host: String,
    /// The list that came with the machine: SHA-256 of each root in capital hex. What is fetched and not
    /// on it is not trusted.
    pub sha256: BTreeSet<String>,
}

impl Default for ClientConfig {
    /// Azure AD under its real names, Windows 11, renewal ten minutes ahead, no automatic roots.
    fn default() -> Self {
        Self {
            login_host: "login.microsoftonline.com".to_owned(),
            registration_host: "enterpriseregistration.windows.net".to_owned(),
            windows_version: "10.0.22631.0".to_owned(),
            renew_before: SignedDuration::from_mins(10),
            automatic_roots: None,
        }
    }
}

impl ClientConfig {
    pub(crate) fn check(&self) -> Result<(), ClientError> {
        let wrong = |field, reason| Err(ClientError::Config { field, reason });
        if !is_host(&self.login_host) {
            return wrong("login_host", "expected a host name such as login.microsoftonline.com");
        }
        if !is_host(&self.registration_host) {
            return wrong("registration_host", "expected a host name");
        }
        if self.renew_before.is_negative() || self.renew_before > LONGEST_MARGIN {
            return wrong("renew_before", "expected 0 to 8 hours, the life of a token");
        }
        match &self.automatic_roots {
            Some(roots) if !is_host(&roots.host) => wrong("automatic_roots.host", "expected a host name"),
            Some(roots) if !roots.sha256.iter().all(|hash| is_sha256(hash)) => {
                wrong("automatic_roots.sha256", "expected 64 hexadecimal digits in capitals each")
            }
            _ => Ok(()),
        }
    }
}

fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
}

const LONGEST_MARGIN: SignedDuration = SignedDuration::from_hours(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_fields_have_their_defaults_and_unknown_ones_are_refused() {
        let read: ClientConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(read, ClientConfig::default());
        assert_eq!(read.check(), Ok(()));
        assert!(serde_json::from_str::<ClientConfig>(r#"{"login_hots":"x"}"#).is_err());
    }

    #[test]
    fn mistakes_name_their_field() {
        let fault = |change: fn(&mut ClientConfig)| {
            let mut config = ClientConfig::default();
            change(&mut config);
            match config.check() {
                Err(ClientError::Config { field, .. }) => field,
                other => panic!("{other:?}"),
            }
        };
        let roots = |host: &str, hash: &str| {
            Some(AutomaticRoots { host: host.to_owned(), sha256: [hash.to_owned()].into() })
        };
        assert!(
            ClientConfig { automatic_roots: roots("crl.lab.test", &"A0".repeat(32)), ..Default::default() }
                .check()
                .is_ok()
        );
        assert_eq!(fault(|config| config.login_host = "https://x".to_owned()), "login_host");
        assert_eq!(fault(|config| config.registration_host.clear()), "registration_host");
        assert_eq!(fault(|config| config.renew_before = SignedDuration::from_hours(9)), "renew_before");
        let mut config = ClientConfig { automatic_roots: roots("a b", "A0"), ..Default::default() };
        assert!(matches!(config.check(), Err(ClientError::Config { field: "automatic_roots.host", .. })));
        config.automatic_roots = roots("a", "a0");
        assert!(matches!(config.check(), Err(ClientError::Config { field: "automatic_roots.sha256", .. })));
    }
}
