//! The settings that the site pushes to the CMG over the connection point's channel.
//!
//! Fidelity: lab (architecture, "How the gateway knows things"). The product replicates the same facts,
//! onboarded tenants, token keys, URL mappings and trusted roots, in ways of its own.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::ids::{AppId, HierarchyId, RoleId, SiteCode, TenantId};
use crate::mapping::UrlMapping;

/// One version of the settings. The CMG takes a document over when its version is the higher one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsDocument {
    /// Counts up with every change at the site.
    pub version: u64,
    /// The hierarchy whose tokens are accepted.
    pub hierarchy_id: HierarchyId,
    /// The site that publishes.
    pub site_code: SiteCode,
    /// The onboarded Azure AD tenants.
    pub tenants: Vec<TenantSettings>,
    /// The public keys of the site's token signers, as JWKs.
    pub ccm_keys: Vec<serde_json::Value>,
    /// The external URLs.
    pub mappings: Vec<UrlMapping>,
    /// The certificate authorities of client certificates: base64 (standard alphabet) of the DER.
    pub client_ca_roots: Vec<String>,
}

/// What the CMG knows of one onboarded tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name in the console.
    pub name: String,
    /// The native app, the client's `AADCLIENTAPPID`.
    pub client_app_id: AppId,
    /// The App ID URI of the server app, the client's `AADRESOURCEURI` and the tokens' audience.
    pub resource_uri: String,
    /// False once an administrator has disabled Azure AD authentication for the tenant.
    pub token_auth_enabled: bool,
    /// The login host's base URL, `https://login.microsoftonline.com`.
    pub authority: String,
    /// The issuers whose tokens are accepted.
    pub issuers: Vec<String>,
    /// Where the CMG finds the signing keys.
    pub openid_configuration: String,
}

impl TenantSettings {
    /// Whether a token for `audience` is meant for this tenant's site: v1 tokens echo the App ID URI as it
    /// was asked for, with or without a slash at its end (entra §4.4).
    #[must_use]
    pub fn is_audience(&self, audience: &str) -> bool {
        audience.trim_end_matches('/') == self.resource_uri.trim_end_matches('/')
    }
}

impl SettingsDocument {
    /// The settings of `tenant`, when it is onboarded.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Option<&TenantSettings> {
        self.tenants.iter().find(|settings| settings.tenant_id == *tenant)
    }

    /// The certificate authorities as DER.
    ///
    /// # Errors
    /// [`SettingsError::BadRoot`] for the first that is not base64.
    pub fn client_ca_roots_der(&self) -> Result<Vec<Vec<u8>>, SettingsError> {
        let decode = |(index, text): (usize, &String)| {
            STANDARD.decode(text).map_err(|_| SettingsError::BadRoot { index })
        };
        self.client_ca_roots.iter().enumerate().map(decode).collect()
    }

    /// Writes the document as JSON.
    ///
    /// # Errors
    /// What [`Self::check`] finds.
    pub fn to_json(&self) -> Result<Vec<u8>, SettingsError> {
        self.check()?;
        serde_json::to_vec(self).map_err(|error| SettingsError::Malformed { detail: error.to_string() })
    }

    /// Reads a document of at most [`MAX_SETTINGS`] bytes and checks it.
    ///
    /// # Errors
    /// [`SettingsError`] names the first thing that is wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, SettingsError> {
        if json.len() > MAX_SETTINGS {
            return Err(SettingsError::TooLarge { bytes: json.len() });
        }
        let document: Self = serde_json::from_slice(json)
            .map_err(|error| SettingsError::Malformed { detail: error.to_string() })?;
        document.check()?;
        Ok(document)
    }

    /// Checks counts, uniqueness and that no private key is on its way to the CMG.
    ///
    /// # Errors
    /// [`SettingsError`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        count("tenants", self.tenants.len())?;
        count("ccm_keys", self.ccm_keys.len())?;
        count("mappings", self.mappings.len())?;
        count("client_ca_roots", self.client_ca_roots.len())?;
        let mut tenants = HashSet::new();
        if let Some(twice) = self.tenants.iter().find(|tenant| !tenants.insert(tenant.tenant_id)) {
            return Err(SettingsError::TenantTwice { tenant: twice.tenant_id });
        }
        let mut roles = HashSet::new();
        if let Some(twice) = self.mappings.iter().find(|mapping| !roles.insert(mapping.role)) {
            return Err(SettingsError::RoleTwice { role: twice.role });
        }
        for mapping in &self.mappings {
            count("endpoints", mapping.endpoints.len())?;
        }
        self.ccm_keys.iter().enumerate().try_for_each(check_key)?;
        self.client_ca_roots_der().map(drop)
    }
}

/// Why a settings document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// More than [`MAX_SETTINGS`] bytes.
    #[error("settings document of {bytes} bytes; at most {MAX_SETTINGS} are read")]
    TooLarge {
        /// The length in bytes.
        bytes: usize,
    },
    /// Not JSON, a field is unknown, missing or of the wrong kind.
    #[error("settings document: {detail}")]
    Malformed {
        /// What the JSON reader says, with line and column.
        detail: String,
    },
    /// A list is too long.
    #[error("settings document: {count} {list}; at most {MAX_LIST} are taken")]
    TooMany {
        /// The list.
        list: &'static str,
        /// Its length.
        count: usize,
    },
    /// A tenant is listed twice.
    #[error("settings document: tenant {tenant} is listed twice")]
    TenantTwice {
        /// The tenant.
        tenant: TenantId,
    },
    /// A management point is listed twice.
    #[error("settings document: management point {role} is listed twice")]
    RoleTwice {
        /// The management point.
        role: RoleId,
    },
    /// A key is not a public JWK.
    #[error(
        "settings document: ccm_keys[{index}] is not a public JWK (an object with kty and no private member)"
    )]
    BadKey {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A root is not base64.
    #[error("settings document: client_ca_roots[{index}] is not base64")]
    BadRoot {
        /// Its place in the list, from 0.
        index: usize,
    },
}

fn count(list: &'static str, count: usize) -> Result<(), SettingsError> {
    if count > MAX_LIST { Err(SettingsError::TooMany { list, count }) } else { Ok(()) }
}

fn check_key((index, key): (usize, &serde_json::Value)) -> Result<(), SettingsError> {
    let public = key.as_object().is_some_and(|members| {
        members.get("kty").is_some_and(|kty| kty == "RSA" || kty == "EC")
            && !PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name))
    });
    if public { Ok(()) } else { Err(SettingsError::BadKey { index }) }
}

/// The largest document that is read, in bytes.
pub const MAX_SETTINGS: usize = 4 * 1024 * 1024;
const MAX_LIST: usize = 256;
/// The members of RFC 7518 §6 that hold a secret.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[cfg(test)]
mod tests;
