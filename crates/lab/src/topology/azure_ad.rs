//! The directory of Azure AD as data: tenants, domains, apps, users.

use std::sync::OnceLock;

use cmglab_aad::UserCondition;
use cmglab_proto::ids::{AppId, DeviceId, ObjectId, TenantId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::LabError;

/// The tenants of Azure AD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureAdTopology {
    /// The tenants; the first is the organisation's own.
    pub tenants: Vec<TenantTopology>,
}

/// One tenant with its ConfigMgr apps, further apps, and users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantTopology {
    /// Tenant id.
    pub id: TenantId,
    /// Verified domain.
    pub domain: String,
    /// Further verified domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_domains: Vec<String>,
    /// Whether the site knows this tenant ("Azure services" in the console).
    #[serde(default = "yes")]
    pub onboarded: bool,
    /// Whether the server app is enabled for device tokens ("Update application settings").
    #[serde(default = "yes")]
    pub device_tokens: bool,
    /// The native app (`AADCLIENTAPPID`).
    pub client_app: AppId,
    /// What the native app may do beside acting for users at the server app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_permissions: Vec<PermissionTopology>,
    /// The web app.
    pub server_app: AppId,
    /// App ID URI of the web app (`AADRESOURCEURI`).
    #[serde(default = "default_resource")]
    pub resource: String,
    /// Application roles that the web app offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_roles: Vec<String>,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserTopology>,
    /// Further apps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppTopology>,
    /// Devices that the local domain has synchronised, and that may join as hybrid ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceTopology>,
}

/// One user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserTopology {
    /// Object id.
    pub id: ObjectId,
    /// User principal name.
    pub upn: String,
    /// Password; these are the lab's own, never real ones.
    #[serde(default = "default_password")]
    pub password: String,
    /// Whether the site has discovered the user.
    #[serde(default = "yes")]
    pub discovered: bool,
    /// SID of a user synchronised from on premises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onprem_sid: Option<String>,
    /// Whether the user may sign in.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What stands in the way of the password.
    #[serde(default)]
    pub condition: UserCondition,
    /// Groups, for the optional claim of that name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Uuid>,
}

/// One app beside the two of ConfigMgr.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppTopology {
    /// Client id.
    pub id: AppId,
    /// Name.
    pub name: String,
    /// Whether it has no secret.
    #[serde(default)]
    pub public: bool,
    /// App ID URIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// Where its answers may go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Secret; the lab's own, never a real one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Whether it gets a certificate when the lab starts.
    #[serde(default)]
    pub certificate: bool,
    /// Delegated permissions that it offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Application roles that it offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What it may do elsewhere, with consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionTopology>,
    /// The version of tokens it accepts, 1 or 2.
    #[serde(default = "version_1")]
    pub access_token_version: u8,
    /// Whether devices alone may get tokens for it.
    #[serde(default)]
    pub device_tokens: bool,
    /// Whether it is switched off.
    #[serde(default)]
    pub disabled: bool,
}

/// One device that the local domain has synchronised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceTopology {
    /// Device id.
    pub id: DeviceId,
    /// Object id.
    pub object_id: ObjectId,
    /// Name.
    pub name: String,
    /// SID in the local domain.
    pub onprem_sid: String,
    /// Whether it has a certificate in its attribute userCertificate; one is made when the lab starts.
    #[serde(default)]
    pub certificate: bool,
}

/// What an app may do at another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionTopology {
    /// The other app.
    pub resource: AppId,
    /// Delegated permissions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Application roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

impl AzureAdTopology {
    /// The directory that a lab starts with, as a readable file.
    pub const BUILT_IN: &str = include_str!("directory.yaml");

    /// The largest file that is read, in bytes.
    pub const MAX_FILE: u64 = 1 << 20;

    /// Reads a directory of at most [`AzureAdTopology::MAX_FILE`] bytes of YAML.
    ///
    /// # Errors
    /// [`LabError`] says where it cannot be understood.
    pub fn parse(yaml: &str) -> Result<Self, LabError> {
        if yaml.len() as u64 > Self::MAX_FILE {
            let cause = format!("{} bytes; at most {} are read", yaml.len(), Self::MAX_FILE);
            return Err(LabError { part: PART.to_owned(), cause });
        }
        let read: Self = serde_saphyr::from_str(yaml).map_err(LabError::of(PART))?;
        if read.tenants.is_empty() {
            let cause = "it has no tenant; the first is to be the organisation's own".to_owned();
            return Err(LabError { part: PART.to_owned(), cause });
        }
        Ok(read)
    }
}

impl Default for AzureAdTopology {
    fn default() -> Self {
        static BUILT_IN: OnceLock<AzureAdTopology> = OnceLock::new();
        #[expect(clippy::expect_used, reason = "a constant with a test")]
        BUILT_IN.get_or_init(|| Self::parse(Self::BUILT_IN).expect("the built-in directory")).clone()
    }
}

impl std::fmt::Debug for UserTopology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserTopology")
            .field("upn", &self.upn)
            .field("password", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AppTopology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppTopology").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

fn default_resource() -> String {
    "https://ConfigMgrService".to_owned()
}

fn default_password() -> String {
    "Lab-Password-1".to_owned()
}

fn yes() -> bool {
    true
}

fn version_1() -> u8 {
    1
}

const PART: &str = "directory of Azure AD";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_directory_has_two_organisations() {
        let built_in = AzureAdTopology::default();
        let [home, other] = built_in.tenants.as_slice() else { panic!("{built_in:?}") };
        assert!(home.onboarded && !other.onboarded);
        assert_eq!(home.resource, other.resource);
        assert_ne!(home.server_app, other.server_app);
        let again: AzureAdTopology =
            serde_json::from_value(serde_json::to_value(&built_in).unwrap()).unwrap();
        assert_eq!(again, built_in);
    }

    #[test]
    fn mistakes_are_told_by_their_place() {
        assert!(AzureAdTopology::parse("tenants: []").unwrap_err().to_string().contains("no tenant"));
        let mistake = AzureAdTopology::BUILT_IN.replace("client_app:", "cilent_app:");
        let error = AzureAdTopology::parse(&mistake).unwrap_err().to_string();
        assert!(error.contains("cilent_app") && error.contains("line"), "{error}");
        assert!(AzureAdTopology::parse(&" ".repeat(AzureAdTopology::MAX_FILE as usize + 1)).is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", AzureAdTopology::default());
        assert!(!shown.contains("Lab-Password") && !shown.contains("Lab-Secret"), "{shown}");
    }
}
