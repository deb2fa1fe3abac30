//! Applications.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_proto::ids::{AppId, ObjectId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Password;

/// An application, and its principal in one tenant.
#[derive(Debug, Clone, Deserialize)]
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
    #[serde(default)]
    pub app_id_uris: Vec<String>,
    /// Where its answers may go.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Whether it has no secret (native and other public clients).
    #[serde(default)]
    pub public: bool,
    /// Whether a device alone may get a token for it (`isDeviceOnlyAuthSupported`; false in a new one).
    #[serde(default)]
    pub device_only_auth: bool,
    /// The version of tokens it accepts, 1 or 2. The management point wants 1.
    #[serde(default = "version_1")]
    pub access_token_version: u8,
    /// Whether it is switched off.
    #[serde(default)]
    pub disabled: bool,
    /// Its secrets.
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    /// The certificates whose keys it may sign assertions with.
    #[serde(default)]
    pub certificates: Vec<AppCertificate>,
    /// The delegated permissions it offers as a resource.
    #[serde(default = "user_impersonation")]
    pub scopes: Vec<String>,
    /// The application roles it offers as a resource.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What it has been granted at other applications, with consent. Microsoft's own need none.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// What its tokens say beyond the documented claims.
    #[serde(default)]
    pub claims: ClaimOptions,
    /// What must be met before a token for it is issued.
    #[serde(default)]
    pub access: AccessRules,
}

/// A secret of an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSecret {
    /// The secret.
    pub value: Password,
    /// It is refused from then on, if ever.
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

/// A certificate of an application, in DER. In files: base64 of it, as between the lines of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCertificate(pub Vec<u8>);

/// What a client may do at a resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The resource's client id.
    pub resource: AppId,
    /// Delegated permissions.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Application roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What the tokens for a resource say beyond the documented claims (entra §3.3, §4.4).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimOptions {
    /// Optional claims by name: `acct`, `auth_time`, `email`, `family_name`, `given_name`, `groups`, `idtyp`,
    /// `ipaddr`, `onprem_sid`, `preferred_username`, `upn`. Version 1 tokens have some of them without being
    /// asked.
    pub optional: Vec<String>,
    /// Whether device tokens name the client in `appid`; the public sample does not.
    pub appid_on_device_tokens: bool,
    /// Seconds that access tokens for it are good, in place of the service's own figures.
    pub lifetime: Option<u32>,
    /// Claims that every access token for it gets, as they stand. They replace documented ones of that name.
    pub extra: Map<String, Value>,
}

/// Conditional access, as far as drills need it (entra §5.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessRules {
    /// Nobody gets a token: AADSTS53003.
    pub blocked: bool,
    /// Users must be on a device that proves itself: AADSTS50097.
    pub device: bool,
    /// That device must be managed and healthy: AADSTS53000.
    pub compliant_device: bool,
    /// That device must be joined to the local domain too: AADSTS53001.
    pub domain_joined_device: bool,
    /// That device must be joined to Azure AD, not only registered: AADSTS50129.
    pub joined_device: bool,
    /// Users must have signed in with a second factor: AADSTS50076.
    pub second_factor: bool,
    /// Users must have signed in no longer ago than so many seconds: AADSTS70043.
    pub sign_in_frequency: Option<u32>,
}

impl App {
    /// An application with nothing special about it: confidential, version 1, offering
    /// `user_impersonation`, without redirect URIs, names, secrets or permissions.
    #[must_use]
    pub fn new(app_id: AppId, object_id: ObjectId, name: impl Into<String>, tenant: TenantId) -> Self {
        Self {
            app_id,
            object_id,
            name: name.into(),
            tenant,
            app_id_uris: Vec::new(),
            redirect_uris: Vec::new(),
            public: false,
            device_only_auth: false,
            access_token_version: version_1(),
            disabled: false,
            secrets: Vec::new(),
            certificates: Vec::new(),
            scopes: user_impersonation(),
            roles: Vec::new(),
            permissions: Vec::new(),
            claims: ClaimOptions::default(),
            access: AccessRules::default(),
        }
    }
}

impl<'de> Deserialize<'de> for AppCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: String = String::deserialize(deserializer)?.split_ascii_whitespace().collect();
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

fn version_1() -> u8 {
    1
}

fn user_impersonation() -> Vec<String> {
    vec!["user_impersonation".to_owned()]
}
