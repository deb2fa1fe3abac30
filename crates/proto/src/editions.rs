//! The two published editions of the transcript, which spell the STS URL in two ways.
//!
//! Fidelity: observed (mp-wire §0; configmgr §1.5, §5.3). The bytes on the wire are the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::url::CcmHostName;

/// How the client's log spells the URL it asks for a CCM token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Edition {
    /// The edition of 2019: the spelling of `CCMHOSTNAME`, such as `CCM_PROXY_MUTUALAUTH`.
    #[default]
    #[serde(rename = "2019")]
    Y2019,
    /// The draft of 2018: the ServerAuth form that goes over the wire.
    #[serde(rename = "2018-draft")]
    Draft2018,
}

impl Edition {
    /// Host and path of the STS server, as in `Getting CCM Token from STS server '…'`.
    #[must_use]
    pub fn sts_server(self, name: &CcmHostName) -> String {
        match self {
            Self::Y2019 => name.to_string(),
            Self::Draft2018 => format!("{}{}", name.host(), name.server_auth_path()),
        }
    }

    /// The URL, as in `Getting CCM Token from https://…/CCM_STS`.
    #[must_use]
    pub fn sts_url(self, name: &CcmHostName) -> String {
        format!("https://{}{}", self.sts_server(name), crate::sts::PATH)
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Y2019 => "2019",
            Self::Draft2018 => "2018-draft",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edition_spells_the_url_its_own_way() {
        let name: CcmHostName = "CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216".parse().unwrap();
        assert_eq!(Edition::Y2019.sts_server(&name), "CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216");
        assert_eq!(
            Edition::Y2019.sts_url(&name),
            "https://CMG.LAB.TEST/CCM_PROXY_MUTUALAUTH/72057594037938216/CCM_STS"
        );
        assert_eq!(
            Edition::Draft2018.sts_url(&name),
            "https://CMG.LAB.TEST/CCM_PROXY_SERVERAUTH/72057594037938216/CCM_STS"
        );
    }

    #[test]
    fn the_names_are_those_of_the_files() {
        for (edition, name) in [(Edition::Y2019, "\"2019\""), (Edition::Draft2018, "\"2018-draft\"")] {
            assert_eq!(serde_json::to_string(&edition).unwrap(), name);
            assert_eq!(serde_json::from_str::<Edition>(name).unwrap(), edition);
            assert_eq!(format!("\"{edition}\""), name);
        }
    }
}
