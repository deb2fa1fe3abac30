//! The settings that the site pushes to the CMG over the connection point's channel.
//!
//! Fidelity: lab (architecture, "How the gateway knows things"). The product replicates the same facts,
//! onboarded tenants, token keys, URL mappings and trusted roots, in ways of its own.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::ids::{AppId, BulkTokenId, ClientGuid, HierarchyId, RoleId, SiteCode, TenantId};
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
    /// The uploaded authorities of client certificates, roots and intermediates: base64 (standard alphabet)
    /// of the DER.
    pub client_authorities: Vec<String>,
    /// "Verify client certificate revocation" (configmgr §4.2).
    pub verify_client_revocation: bool,
    /// Clients that the administrator has blocked: their site tokens are refused.
    pub blocked_clients: Vec<ClientGuid>,
    /// Bulk registration tokens that the administrator has blocked.
    pub blocked_bulk_tokens: Vec<BulkTokenId>,
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
    /// The settings of a site where nothing is set up yet: empty lists, and the revocation of client
    /// certificates verified, as the console's wizard has it (configmgr §4.2).
    #[must_use]
    pub fn new(version: u64, hierarchy_id: HierarchyId, site_code: SiteCode) -> Self {
        Self {
            version,
            hierarchy_id,
            site_code,
            tenants: Vec::new(),
            ccm_keys: Vec::new(),
            mappings: Vec::new(),
            client_authorities: Vec::new(),
            verify_client_revocation: true,
            blocked_clients: Vec::new(),
            blocked_bulk_tokens: Vec::new(),
        }
    }

    /// The settings of `tenant`, when it is onboarded.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Option<&TenantSettings> {
        self.tenants.iter().find(|settings| settings.tenant_id == *tenant)
    }

    /// The certificate authorities as DER.
    ///
    /// # Errors
    /// [`SettingsError::BadRoot`] for the first that is not base64.
    pub fn client_authorities_der(&self) -> Result<Vec<Vec<u8>>, SettingsError> {
        let decode = |(index, text): (usize, &String)| {
            STANDARD.decode(text).map_err(|_| SettingsError::BadRoot { index })
        };
        self.client_authorities.iter().enumerate().map(decode).collect()
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
        count("tenants", self.tenants.len(), MAX_LIST)?;
        count("ccm_keys", self.ccm_keys.len(), MAX_LIST)?;
        count("mappings", self.mappings.len(), MAX_LIST)?;
        count("client_authorities", self.client_authorities.len(), MAX_LIST)?;
        count("blocked_clients", self.blocked_clients.len(), MAX_BLOCKED)?;
        count("blocked_bulk_tokens", self.blocked_bulk_tokens.len(), MAX_BLOCKED)?;
        for mapping in &self.mappings {
            count("endpoints", mapping.endpoints.len(), MAX_LIST)?;
        }
        if let Some(tenant) = twice(self.tenants.iter().map(|tenant| tenant.tenant_id)) {
            return Err(SettingsError::TenantTwice { tenant });
        }
        if let Some(role) = twice(self.mappings.iter().map(|mapping| mapping.role)) {
            return Err(SettingsError::RoleTwice { role });
        }
        if let Some(client) = twice(self.blocked_clients.iter().copied()) {
            return Err(SettingsError::BlockedTwice { list: "blocked_clients", id: client.to_string() });
        }
        if let Some(token) = twice(self.blocked_bulk_tokens.iter().copied()) {
            return Err(SettingsError::BlockedTwice { list: "blocked_bulk_tokens", id: token.to_string() });
        }
        self.ccm_keys.iter().enumerate().try_for_each(check_key)?;
        self.client_authorities_der().map(drop)
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
    #[error("settings document: {count} {list}; at most {limit} are taken")]
    TooMany {
        /// The list.
        list: &'static str,
        /// Its length.
        count: usize,
        /// The most that is taken.
        limit: usize,
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
    /// A blocked client or token is listed twice.
    #[error("settings document: {list} has {id} twice")]
    BlockedTwice {
        /// The list.
        list: &'static str,
        /// What is listed twice.
        id: String,
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
    #[error("settings document: client_authorities[{index}] is not base64")]
    BadRoot {
        /// Its place in the list, from 0.
        index: usize,
    },
}

fn count(list: &'static str, count: usize, limit: usize) -> Result<(), SettingsError> {
    if count > limit { Err(SettingsError::TooMany { list, count, limit }) } else { Ok(()) }
}

/// The first item that was there before.
fn twice<T: Copy + Eq + std::hash::Hash>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = HashSet::new();
    items.find(|item| !seen.insert(*item))
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
/// The most clients, and the most bulk registration tokens, that are blocked at a time.
pub const MAX_BLOCKED: usize = 4096;
const MAX_LIST: usize = 256;
/// The members of RFC 7518 §6 that hold a secret.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[cfg(test)]
mod tests;
