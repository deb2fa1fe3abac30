//! What the administrator of Azure AD does while a scenario runs.

use std::fmt;

use cmglab_proto::ids::AppId;
use serde::Deserialize;

/// One change. Written as a word (`disable-device`) or as a word with a value (`{ delete-user: <upn> }`).
/// The device is the client's own, and the apps of a tenant are those of the tenant it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AzureAdChange {
    /// The device is taken off the directory; its certificate stays on the machine.
    DeleteDevice,
    /// A user, by principal name, is taken off the directory.
    DeleteUser(String),
    /// The device gets no more tokens.
    DisableDevice,
    /// A user, by principal name, may not sign in any more.
    DisableUser(String),
    /// The device gets tokens again.
    EnableDevice,
    /// The native app loses what it was granted at the server app.
    RemoveConsent,
    /// What a user, by principal name, has signed in to ends.
    RevokeSessions(String),
    /// The next signing key signs, and another one is published beside it.
    RotateKeys,
    /// An application is taken off the directory.
    UnregisterApp(AppId),
}

impl AzureAdChange {
    /// The user it is about.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::DeleteUser(upn) | Self::DisableUser(upn) | Self::RevokeSessions(upn) => Some(upn),
            _ => None,
        }
    }

    /// Whether it is about the client's device.
    pub(crate) fn is_of_the_device(&self) -> bool {
        matches!(self, Self::DeleteDevice | Self::DisableDevice | Self::EnableDevice)
    }
}

/// As it stands in the file.
impl fmt::Display for AzureAdChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteDevice => f.write_str("delete-device"),
            Self::DeleteUser(upn) => write!(f, "{{ delete-user: {upn} }}"),
            Self::DisableDevice => f.write_str("disable-device"),
            Self::DisableUser(upn) => write!(f, "{{ disable-user: {upn} }}"),
            Self::EnableDevice => f.write_str("enable-device"),
            Self::RemoveConsent => f.write_str("remove-consent"),
            Self::RevokeSessions(upn) => write!(f, "{{ revoke-sessions: {upn} }}"),
            Self::RotateKeys => f.write_str("rotate-keys"),
            Self::UnregisterApp(app) => write!(f, "{{ unregister-app: {app} }}"),
        }
    }
}
