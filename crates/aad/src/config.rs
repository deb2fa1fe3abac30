//! The directory and the settings of the service, as data.

mod app;
mod device;
mod password;
mod prt;
mod user;

use cmglab_proto::ids::TenantId;
use serde::Deserialize;

pub use app::{AccessRules, App, AppCertificate, AppSecret, ClaimOptions, Permission};
pub use device::SyncedDevice;
pub use password::Password;
pub use prt::{PrtCipher, PrtOptions, PrtTokenType};
pub use user::{User, UserCondition};

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
    /// Past this, the very same request is refused as a loop; never when absent.
    #[serde(default)]
    pub loop_limit: Option<LoopLimit>,
    /// How primary refresh tokens are given out.
    #[serde(default)]
    pub prt: PrtOptions,
    /// The devices that the local domains have synchronised to them.
    #[serde(default)]
    pub devices: Vec<SyncedDevice>,
    /// Whether users must have signed in with a second factor to register a key of their own. The real
    /// service always asks for it; the lab does only if told, as most of its users have but a password.
    #[serde(default)]
    pub key_provisioning_needs_second_factor: bool,
}

/// How often the very same request may come (AADSTS50196). The real figures are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopLimit {
    /// So many times,
    pub requests: u32,
    /// in so many seconds.
    pub seconds: u32,
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
    /// A refresh token.
    #[serde(default = "ninety_days")]
    pub refresh_token: u32,
    /// A primary refresh token.
    #[serde(default = "fourteen_days")]
    pub primary_refresh_token: u32,
    /// An authorization code.
    #[serde(default = "ten_minutes")]
    pub code: u32,
    /// A device code.
    #[serde(default = "fifteen_minutes")]
    pub device_code: u32,
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

impl Hosts {
    /// One name for everything: the service is reached, and issues, as `authority` (host and port).
    #[must_use]
    pub fn own_origin(authority: impl Into<String>) -> Self {
        let authority = authority.into();
        Self {
            login: authority.clone(),
            aliases: Vec::new(),
            issuer: authority.clone(),
            registration: authority,
        }
    }

    /// Where tokens can be asked whom they are about: at Microsoft Graph, but for an origin of its own.
    pub(crate) fn userinfo(&self) -> String {
        let host = if self.is_own_origin() { &self.login } else { GRAPH };
        format!("https://{host}/oidc/userinfo")
    }

    /// Whether one name stands for everything.
    pub(crate) fn is_own_origin(&self) -> bool {
        self.login == self.registration
    }
}

const GRAPH: &str = "graph.microsoft.com";

impl Lifetimes {
    /// 65 minutes for devices, 60 to 90 for users, 5 for nonces, 14 days for primary refresh tokens (entra
    /// §3.2, §3.3, §4.2, §4.4); the others are those of the public documents.
    #[must_use]
    pub const fn documented() -> Self {
        Self {
            device_token: 3900,
            user_token_min: 3600,
            user_token_max: 5399,
            nonce: 300,
            refresh_token: ninety_days(),
            primary_refresh_token: fourteen_days(),
            code: ten_minutes(),
            device_code: fifteen_minutes(),
        }
    }
}

const fn ninety_days() -> u32 {
    90 * DAY
}

const fn fourteen_days() -> u32 {
    14 * DAY
}

const fn ten_minutes() -> u32 {
    600
}

const fn fifteen_minutes() -> u32 {
    900
}

/// In seconds.
const DAY: u32 = 86_400;
