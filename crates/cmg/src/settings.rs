//! What the site has told this gateway.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use cmglab_proto::claims;
use cmglab_proto::ids::{BulkTokenId, ClientGuid};
use cmglab_proto::settings::{SettingsDocument, TenantSettings};
use cmglab_token::{Jwks, Keys};

/// The settings in force; none before the first document.
#[derive(Debug, Default)]
pub(crate) struct CurrentSettings {
    applied: ArcSwapOption<Applied>,
    applying: Mutex<()>,
}

/// One document, made ready for use.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) document: SettingsDocument,
    pub(crate) ccm_keys: Arc<Keys>,
    pub(crate) blocked_clients: HashSet<ClientGuid>,
    pub(crate) blocked_bulk_tokens: HashSet<BulkTokenId>,
    ccm_issuer: String,
}

/// Who may vouch for a token: chosen by its issuer and audience, before anything is verified.
#[derive(Debug)]
pub(crate) enum Validator<'a> {
    Aad(&'a TenantSettings),
    Site,
}

impl CurrentSettings {
    pub(crate) fn current(&self) -> Option<Arc<Applied>> {
        self.applied.load_full()
    }

    pub(crate) fn forget(&self) {
        self.applied.store(None);
    }

    pub(crate) fn version(&self) -> u64 {
        self.applied.load().as_ref().map_or(0, |applied| applied.document.version)
    }

    /// Takes over a document that differs from the one in force. Its number may be lower: a site database
    /// that was restored or made anew counts from where it stands.
    ///
    /// `trust` takes over what the document says of client certificates; it comes first, and only one document
    /// is taken over at a time, so that requests never meet one document with the trust of another.
    ///
    /// # Errors
    /// The cause in words, when its keys or authorities are unusable; the document in force then stays.
    pub(crate) fn apply(
        &self,
        document: SettingsDocument,
        trust: impl FnOnce(&SettingsDocument) -> Result<(), String>,
    ) -> Result<bool, String> {
        let _one_at_a_time = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.applied.load();
        if known.as_ref().is_some_and(|known| known.document == document) {
            return Ok(false);
        }
        let keys = document.ccm_keys.iter().cloned().map(serde_json::from_value).collect::<Result<_, _>>();
        let jwks = Jwks { keys: keys.map_err(|error| format!("CCM signing key: {error}"))? };
        let ccm_keys = Keys::from_jwks(&jwks).map_err(|error| format!("CCM signing key: {error}"))?;
        trust(&document)?;
        self.applied.store(Some(Arc::new(Applied {
            ccm_keys: Arc::new(ccm_keys),
            ccm_issuer: claims::issuer(&document.hierarchy_id),
            blocked_clients: document.blocked_clients.iter().copied().collect(),
            blocked_bulk_tokens: document.blocked_bulk_tokens.iter().copied().collect(),
            document,
        })));
        Ok(true)
    }
}

impl Applied {
    /// The validator for this issuer and audience.
    ///
    /// # Errors
    /// Why the site has none, in words.
    pub(crate) fn validator(&self, issuer: &str, audience: &str) -> Result<Validator<'_>, String> {
        if issuer == self.ccm_issuer && audience == claims::AUDIENCE {
            return Ok(Validator::Site);
        }
        let of_issuer = |tenant: &&TenantSettings| tenant.issuers.iter().any(|one| one == issuer);
        let mut tenants = self.document.tenants.iter().filter(of_issuer).peekable();
        if tenants.peek().is_none() {
            return Err("neither an onboarded tenant nor the site is the issuer".to_owned());
        }
        let Some(tenant) = tenants.find(|tenant| tenant.is_audience(audience)) else {
            return Err("the tenant of the issuer is onboarded with another audience".to_owned());
        };
        if !tenant.token_auth_enabled {
            return Err(format!("Azure AD authentication is disabled for tenant {}", tenant.tenant_id));
        }
        Ok(Validator::Aad(tenant))
    }
}

#[cfg(test)]
mod tests;
