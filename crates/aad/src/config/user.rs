//! Users.

use cmglab_proto::ids::ObjectId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Password;

/// A user. The tenant is the one that owns the domain of the name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The object id.
    pub object_id: ObjectId,
    /// The principal name.
    pub upn: String,
    /// The name to show.
    pub name: String,
    /// The password.
    pub password: Password,
    /// The `puid` claim: 16 hexadecimal digits.
    pub puid: String,
    /// The SID in the local domain, for a synchronised user.
    #[serde(default)]
    pub onprem_sid: Option<String>,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// What stands in the way of signing in, beside that.
    #[serde(default)]
    pub condition: UserCondition,
    /// The groups of the user, for the optional claim `groups`.
    #[serde(default)]
    pub groups: Vec<Uuid>,
    /// Claims that every token of the user gets on top, as they stand.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// What keeps a user from signing in with a password (entra §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UserCondition {
    /// Nothing.
    #[default]
    Good,
    /// Too many wrong passwords: AADSTS50053.
    Locked,
    /// The password has expired: AADSTS50055.
    PasswordExpired,
    /// A second factor is asked for: AADSTS50076.
    SecondFactorNeeded,
    /// A second factor has yet to be set up: AADSTS50079.
    SecondFactorToEnrol,
}
