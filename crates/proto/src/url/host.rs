use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::AuthScheme;
use crate::ids::RoleId;

/// The `CCMHOSTNAME` of the client's command line: the CMG's name and the external path of one
/// management point, `CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216`. Documented, configmgr §2.
///
/// The command line and the registry always hold the MutualAuth form; a client that has a token turns
/// it into the ServerAuth form just before it sends. The spelling given is kept, for the logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CcmHostName {
    text: String,
    host_len: usize,
    segment_len: usize,
    role: RoleId,
}

impl CcmHostName {
    /// The CMG's name as given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[..self.host_len]
    }

    /// The management point's role id.
    #[must_use]
    pub const fn role(&self) -> RoleId {
        self.role
    }

    /// The whole property as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path for a client certificate, as given: `/CCM_Proxy_MutualAuth/<role>`.
    #[must_use]
    pub fn mutual_auth_path(&self) -> String {
        self.text[self.host_len..].to_owned()
    }

    /// The path for a token: `/CCM_Proxy_ServerAuth/<role>`, in capitals when the segment was given in
    /// capitals. The rest keeps its spelling.
    #[must_use]
    pub fn server_auth_path(&self) -> String {
        let (given, role) = self.text[self.host_len + 1..].split_at(self.segment_len);
        let segment = AuthScheme::ServerAuth.segment();
        if given.bytes().any(|byte| byte.is_ascii_lowercase()) {
            format!("/{segment}{role}")
        } else {
            format!("/{}{role}", segment.to_ascii_uppercase())
        }
    }

    /// [`Self::mutual_auth_path`] or [`Self::server_auth_path`].
    #[must_use]
    pub fn path(&self, scheme: AuthScheme) -> String {
        match scheme {
            AuthScheme::MutualAuth => self.mutual_auth_path(),
            AuthScheme::ServerAuth => self.server_auth_path(),
        }
    }
}

impl FromStr for CcmHostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        if text.is_empty() {
            return Err(HostNameError::Empty);
        }
        if text.len() > MAX_HOST_NAME {
            return Err(HostNameError::TooLong { bytes: text.len() });
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(HostNameError::SchemeGiven { scheme: scheme.to_owned() });
        }
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        check_host(host)?;
        let (segment, role) = path.split_once('/').unwrap_or((path, ""));
        check_segment(host, segment)?;
        let (role_text, extra) = role.split_once('/').map_or((role, None), |(role, rest)| (role, Some(rest)));
        if role_text.is_empty() {
            return Err(HostNameError::NoRole);
        }
        let role = role_text.parse().map_err(|_| HostNameError::BadRole { got: role_text.to_owned() })?;
        if let Some(extra) = extra {
            return Err(HostNameError::ExtraText { got: format!("/{extra}") });
        }
        Ok(Self { text: text.to_owned(), host_len: host.len(), segment_len: segment.len(), role })
    }
}

impl fmt::Display for CcmHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CcmHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CcmHostName({})", self.text)
    }
}

impl Serialize for CcmHostName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for CcmHostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What is wrong with a `CCMHOSTNAME`, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostNameError {
    /// Nothing was given.
    #[error("CCMHOSTNAME is empty; give {EXAMPLE}")]
    Empty,
    /// More than 1024 bytes.
    #[error("CCMHOSTNAME is {bytes} bytes long; at most {MAX_HOST_NAME} are read")]
    TooLong {
        /// The length in bytes.
        bytes: usize,
    },
    /// A URL was given; that is the form of `/mp:`.
    #[error("CCMHOSTNAME begins with {scheme}://; leave it out (only /mp: wants it)")]
    SchemeGiven {
        /// The scheme before `://`.
        scheme: String,
    },
    /// The part before the first slash is not a host name.
    #[error("CCMHOSTNAME: {got:?} is not a host name; give letters, digits, dots and hyphens, no port")]
    BadHost {
        /// The host part.
        got: String,
    },
    /// There is a host name and nothing else.
    #[error("CCMHOSTNAME has no path after {host}; append /CCM_Proxy_MutualAuth/<MP role id>")]
    NoPath {
        /// The host part.
        host: String,
    },
    /// The ServerAuth form was given; the client derives that by itself.
    #[error(
        "CCMHOSTNAME holds the ServerAuth form; give CCM_Proxy_MutualAuth, also for clients with a token"
    )]
    ServerAuthGiven,
    /// The first path segment is something else.
    #[error("CCMHOSTNAME: expected CCM_Proxy_MutualAuth after the host, got {got:?}")]
    NotMutualAuth {
        /// The segment.
        got: String,
    },
    /// The role id is missing.
    #[error("CCMHOSTNAME ends without an MP role id; append /<MP role id>, a decimal number")]
    NoRole,
    /// The role id is not a number.
    #[error("CCMHOSTNAME: the MP role id must be a decimal number of at most 64 bits, got {got:?}")]
    BadRole {
        /// The segment.
        got: String,
    },
    /// Something follows the role id.
    #[error("CCMHOSTNAME: nothing may follow the MP role id, got {got:?}")]
    ExtraText {
        /// What follows, from its slash on.
        got: String,
    },
}

fn check_host(host: &str) -> Result<(), HostNameError> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if host.len() <= 253 && host.split('.').all(label) {
        Ok(())
    } else {
        Err(HostNameError::BadHost { got: host.to_owned() })
    }
}

fn check_segment(host: &str, segment: &str) -> Result<(), HostNameError> {
    match AuthScheme::from_segment(segment) {
        Some(AuthScheme::MutualAuth) => Ok(()),
        Some(AuthScheme::ServerAuth) => Err(HostNameError::ServerAuthGiven),
        None if segment.is_empty() => Err(HostNameError::NoPath { host: host.to_owned() }),
        None => Err(HostNameError::NotMutualAuth { got: segment.to_owned() }),
    }
}

const MAX_HOST_NAME: usize = 1024;
const EXAMPLE: &str = "CMG.LAB.TEST/CCM_Proxy_MutualAuth/<MP role id>";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<CcmHostName, HostNameError> {
        text.parse()
    }

    #[test]
    fn the_spelling_is_kept_and_server_auth_follows_it() {
        let name = parse("CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216").unwrap();
        assert_eq!(name.host(), "CMG.LAB.TEST");
        assert_eq!(name.role(), RoleId::new(1, 10280));
        assert_eq!(name.mutual_auth_path(), "/CCM_Proxy_MutualAuth/72057594037938216");
        assert_eq!(name.server_auth_path(), "/CCM_Proxy_ServerAuth/72057594037938216");

        let capitals = parse("CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216").unwrap();
        assert_eq!(capitals.mutual_auth_path(), "/CCM_PROXY_MUTUALAUTH/72057594037938216");
        assert_eq!(capitals.server_auth_path(), "/CCM_PROXY_SERVERAUTH/72057594037938216");

        let mixed = parse("cmg.lab.test/CCM_PROXY_MutualAuth/9").unwrap();
        assert_eq!(mixed.server_auth_path(), "/CCM_Proxy_ServerAuth/9");
        assert_eq!(mixed.to_string(), "cmg.lab.test/CCM_PROXY_MutualAuth/9");
    }

    #[test]
    fn each_mistake_is_named() {
        use HostNameError as E;
        assert_eq!(parse(""), Err(E::Empty));
        assert_eq!(
            parse("https://cmg.lab.test/CCM_Proxy_MutualAuth/9"),
            Err(E::SchemeGiven { scheme: "https".into() })
        );
        assert_eq!(parse("cmg.lab.test"), Err(E::NoPath { host: "cmg.lab.test".into() }));
        assert_eq!(parse("cmg.lab.test/"), Err(E::NoPath { host: "cmg.lab.test".into() }));
        for host in
            ["/CCM_Proxy_MutualAuth/9", "cmg:443/CCM_Proxy_MutualAuth/9", "a b/CCM_Proxy_MutualAuth/9"]
        {
            assert!(matches!(parse(host), Err(E::BadHost { .. })), "{host}");
        }
        assert_eq!(parse("cmg/CCM_Proxy_ServerAuth/9"), Err(E::ServerAuthGiven));
        assert_eq!(parse("cmg/CCM_STS/9"), Err(E::NotMutualAuth { got: "CCM_STS".into() }));
        assert_eq!(parse("cmg/CCM_Proxy_MutualAuth"), Err(E::NoRole));
        assert_eq!(parse("cmg/CCM_Proxy_MutualAuth/"), Err(E::NoRole));
        assert_eq!(parse("cmg/CCM_Proxy_MutualAuth/x9"), Err(E::BadRole { got: "x9".into() }));
        assert_eq!(parse("cmg/CCM_Proxy_MutualAuth/9/"), Err(E::ExtraText { got: "/".into() }));
        assert!(matches!(parse(&"c".repeat(2000)), Err(E::TooLong { bytes: 2000 })));
        assert!(parse("cmg/ccm_proxy_mutualauth/9").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(https://)?[a-zA-Z.:/ é]{0,12}(/CCM_Proxy_MutualAuth)?[/0-9é]{0,9}") {
            if let Ok(name) = parse(&text) {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert_eq!(format!("{}{}", name.host(), name.mutual_auth_path()), text);
                prop_assert!(name.server_auth_path().ends_with(&name.role().to_string()));
            }
        }
    }
}
