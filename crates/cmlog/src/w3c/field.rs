//! Names of columns.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, quote};

/// A column of a W3C log, in the order in which IIS writes the standard ones (configmgr.md 8).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Field {
    /// `date`: day of the request, UTC.
    Date,
    /// `time`: time of day, UTC, whole seconds.
    Time,
    /// `s-sitename`: the site's instance, such as `W3SVC1`.
    SiteName,
    /// `s-computername`: the server.
    ComputerName,
    /// `s-ip`: the server's address.
    ServerIp,
    /// `cs-method`: the verb.
    Method,
    /// `cs-uri-stem`: the path.
    UriStem,
    /// `cs-uri-query`: the query, without `?`.
    UriQuery,
    /// `s-port`: the server's port.
    ServerPort,
    /// `cs-username`: the signed-in user.
    UserName,
    /// `c-ip`: the client's address.
    ClientIp,
    /// `cs-version`: the protocol, such as `HTTP/1.1`.
    Version,
    /// `cs(User-Agent)`: the header, spaces as `+`.
    UserAgent,
    /// `cs(Cookie)`: the header.
    Cookie,
    /// `cs(Referer)`: the header.
    Referer,
    /// `cs-host`: the Host header.
    Host,
    /// `sc-status`: the HTTP status.
    Status,
    /// `sc-substatus`: the IIS substatus.
    Substatus,
    /// `sc-win32-status`: the Windows error code.
    Win32Status,
    /// `sc-bytes`: bytes sent.
    BytesSent,
    /// `cs-bytes`: bytes received.
    BytesReceived,
    /// `time-taken`: milliseconds.
    TimeTaken,
    /// Any other column, such as an administrator's own.
    Custom(CustomField),
}

/// The name of a column that is not among the standard ones; made by parsing a [`Field`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CustomField(String);

impl Field {
    /// Every standard column, in the order of IIS.
    pub const ALL: [Self; 22] = [
        Self::Date,
        Self::Time,
        Self::SiteName,
        Self::ComputerName,
        Self::ServerIp,
        Self::Method,
        Self::UriStem,
        Self::UriQuery,
        Self::ServerPort,
        Self::UserName,
        Self::ClientIp,
        Self::Version,
        Self::UserAgent,
        Self::Cookie,
        Self::Referer,
        Self::Host,
        Self::Status,
        Self::Substatus,
        Self::Win32Status,
        Self::BytesSent,
        Self::BytesReceived,
        Self::TimeTaken,
    ];

    /// The name that the `#Fields` line carries.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Date => "date",
            Self::Time => "time",
            Self::SiteName => "s-sitename",
            Self::ComputerName => "s-computername",
            Self::ServerIp => "s-ip",
            Self::Method => "cs-method",
            Self::UriStem => "cs-uri-stem",
            Self::UriQuery => "cs-uri-query",
            Self::ServerPort => "s-port",
            Self::UserName => "cs-username",
            Self::ClientIp => "c-ip",
            Self::Version => "cs-version",
            Self::UserAgent => "cs(User-Agent)",
            Self::Cookie => "cs(Cookie)",
            Self::Referer => "cs(Referer)",
            Self::Host => "cs-host",
            Self::Status => "sc-status",
            Self::Substatus => "sc-substatus",
            Self::Win32Status => "sc-win32-status",
            Self::BytesSent => "sc-bytes",
            Self::BytesReceived => "cs-bytes",
            Self::TimeTaken => "time-taken",
            Self::Custom(CustomField(name)) => name,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a name; one that is not standard becomes [`Field::Custom`].
impl FromStr for Field {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        if let Some(known) = Self::ALL.into_iter().find(|field| field.name() == name) {
            return Ok(known);
        }
        let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !printable {
            return Err(Error::Field { name: quote(name) });
        }
        Ok(Self::Custom(CustomField(name.to_owned())))
    }
}

const MAX_NAME_BYTES: usize = 64;
