//! What a scenario states about a run.

use std::fmt;

use cmglab_events::Role;
use cmglab_events::logs::LogFile;
use serde::{Deserialize, Serialize};

use crate::pattern::{Extent, Pattern};
use crate::suggest::did_you_mean;

/// What must and must not be seen. What is left out is not looked at, except that a step of the client
/// that fails must be stated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// How the last installation ended.
    pub install: Option<InstallExpectation>,
    /// What the client is in the end.
    pub client: Option<ClientState>,
    /// Whether the last message or location refresh got through.
    pub communicates: Option<bool>,
    /// Requests that were seen.
    pub requests: Vec<RequestExpectation>,
    /// Requests that were never seen.
    pub no_requests: Vec<RequestExpectation>,
    /// Whether the lines of [`Expect::log`] stand in this order within each file.
    pub ordered: bool,
    /// Lines that are there.
    pub log: Vec<LineExpectation>,
    /// Lines that are not there.
    pub no_log: Vec<LineExpectation>,
}

/// How an installation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallExpectation {
    /// ccmsetup's return code: 0 success, 10 a changed manifest or file, others failures.
    pub return_code: u8,
}

/// What a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientState {
    /// Nothing was installed.
    NotInstalled,
    /// Installed, and unknown to the site.
    NotRegistered,
    /// Installed and registered.
    Registered,
}

/// Requests of one kind at one role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestExpectation {
    /// Who saw them.
    pub at: Station,
    /// Verb; any when left out.
    #[serde(default)]
    pub method: Option<String>,
    /// Path as received, with its query where the pattern has a `?`; any when left out.
    #[serde(default)]
    pub path: Option<Pattern>,
    /// HTTP status of the answer; any when left out.
    #[serde(default)]
    pub status: Option<u16>,
    /// Reason phrase of the answer; any when left out.
    #[serde(default)]
    pub reason: Option<String>,
    /// How many exactly; at least one when left out.
    #[serde(default)]
    pub count: Option<u32>,
}

/// Who may see a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Station {
    /// Azure AD.
    Aad,
    /// The gateway.
    Cmg,
    /// The connection point: requests that came to it over its channel.
    ConnectionPoint,
    /// The management point.
    ManagementPoint,
    /// The host of CRLs.
    Revocation,
}

/// Lines of one kind in one log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineExpectation {
    /// The file's name, such as `ccmsetup.log`.
    #[serde(deserialize_with = "file")]
    pub file: LogFile,
    /// The machine, where several write a file of that name; any when left out.
    #[serde(default)]
    pub machine: Option<String>,
    /// The text, without the stamp around it.
    pub line: Pattern,
    /// How much of the line the text is.
    #[serde(default, rename = "match")]
    pub extent: Extent,
    /// How many exactly; at least one when left out.
    #[serde(default)]
    pub count: Option<u32>,
}

impl Station {
    /// The role.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Aad => Role::Aad,
            Self::Cmg => Role::Cmg,
            Self::ConnectionPoint => Role::ConnectionPoint,
            Self::ManagementPoint => Role::ManagementPoint,
            Self::Revocation => Role::Revocation,
        }
    }
}

impl fmt::Display for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInstalled => "not-installed",
            Self::NotRegistered => "not-registered",
            Self::Registered => "registered",
        })
    }
}

impl fmt::Display for RequestExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.at.role())?;
        write!(f, " {}", self.method.as_deref().unwrap_or("any verb"))?;
        write!(f, " {}", self.path.as_ref().map_or("any path", Pattern::as_str))?;
        if let Some(status) = self.status {
            write!(f, " → {status}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " {reason}")?;
        }
        self.count.map_or(Ok(()), |count| write!(f, " ({count} times)"))
    }
}

impl fmt::Display for LineExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.file.file_name(), &self.line);
        match &self.machine {
            Some(machine) => write!(f, "{machine}/{file}: «{line}»")?,
            None => write!(f, "{file}: «{line}»")?,
        }
        if self.extent == Extent::Start {
            f.write_str(" at a line's start")?;
        }
        self.count.map_or(Ok(()), |count| write!(f, " ({count} times)"))
    }
}

fn file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<LogFile, D::Error> {
    let name = String::deserialize(deserializer)?;
    LogFile::from_file_name(&name).ok_or_else(|| {
        let name: String = name.chars().take(60).collect();
        let fix = did_you_mean(&name, &LogFile::ALL.map(LogFile::file_name));
        serde::de::Error::custom(format!("there is no log `{name}`; {fix}"))
    })
}
