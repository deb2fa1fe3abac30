//! The directory and the settings of the service, as data.

use std::fmt;

use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq as _;

/// Everything Azure AD starts with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AadConfig {
    /// The names it answers for and signs with.
    pub hosts: Hosts,
    /// How long what it issues is good.
    pub lifetimes: Lifetimes,
    /// The tenants.
    pub tenants: Vec<Tenant>,
    /// The applications registered in them.
    pub apps: Vec<App>,
    /// The users in them.
    pub users: Vec<User>,
}

/// Host names, each with `:port` where it is not 443.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// The token service.
    pub login: String,
    /// Other names of the token service.
    pub aliases: Vec<String>,
    /// The host in the issuer of version 1 tokens.
    pub issuer: String,
    /// Device registration.
    pub registration: String,
}

/// Lifetimes in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// A device token.
    pub device_token: u32,
    /// A user token at least; the real one varies.
    pub user_token_min: u32,
    /// A user token at most.
    pub user_token_max: u32,
    /// A nonce.
    pub nonce: u32,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its verified domains, the primary first.
    pub domains: Vec<String>,
    /// Its name.
    pub name: String,
    /// Where it is: `AF`, `AS`, `AP`, `EU`, `ME`, `NA` or `SA`.
    pub region: String,
}

/// An application, and its principal in one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its client id.
    pub app_id: AppId,
    /// The object id of its principal.
    pub object_id: ObjectId,
    /// Its name.
    pub name: String,
    /// The tenant it is registered in.
    pub tenant: TenantId,
    /// The names under which tokens for it are asked.
    pub app_id_uris: Vec<String>,
    /// Where its answers may go.
    pub redirect_uris: Vec<String>,
    /// Whether it has no secret (native and other public clients).
    pub public: bool,
    /// Whether a device alone may get a token for it (`isDeviceOnlyAuthSupported`; false in a new one).
    pub device_only_auth: bool,
    /// The version of tokens it accepts, 1 or 2. The management point wants 1.
    pub access_token_version: u8,
    /// Whether it is switched off.
    pub disabled: bool,
}

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
    pub onprem_sid: Option<String>,
    /// Whether the user may sign in.
    pub enabled: bool,
}

/// A password; never shown.
#[derive(Clone)]
pub struct Password(SecretString);

impl Hosts {
    /// The names of the public cloud (entra §1.1).
    #[must_use]
    pub fn documented() -> Self {
        Self {
            login: "login.microsoftonline.com".to_owned(),
            aliases: ["login.windows.net", "login.microsoft.com", "sts.windows.net"]
                .map(str::to_owned)
                .into(),
            issuer: "sts.windows.net".to_owned(),
            registration: "enterpriseregistration.windows.net".to_owned(),
        }
    }
}

impl Lifetimes {
    /// 65 minutes for devices, 60 to 90 for users, 5 for nonces (entra §3.2, §3.3, §4.4).
    #[must_use]
    pub const fn documented() -> Self {
        Self { device_token: 3900, user_token_min: 3600, user_token_max: 5399, nonce: 300 }
    }
}

impl Password {
    /// Takes a password over.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(SecretString::from(password.into()))
    }

    /// Whether `given` is the password, in a time that does not tell how much of it is right.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
