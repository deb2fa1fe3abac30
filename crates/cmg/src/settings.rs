//! What the site has told this gateway.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use cmglab_proto::claims;
use cmglab_proto::settings::{SettingsDocument, TenantSettings};
use cmglab_token::{Jwks, Keys};

/// The settings in force; none before the first document.
#[derive(Debug, Default)]
pub(crate) struct CurrentSettings {
    applied: ArcSwapOption<Applied>,
}

/// One document, made ready for use.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) document: SettingsDocument,
    pub(crate) ccm_keys: Arc<Keys>,
    ccm_issuer: String,
}

/// Who may vouch for a token: chosen by its issuer and audience, before anything is verified.
#[derive(Debug)]
pub(crate) enum Validator<'a> {
    Aad(&'a TenantSettings),
    Ccm,
}

impl CurrentSettings {
    pub(crate) fn current(&self) -> Option<Arc<Applied>> {
        self.applied.load_full()
    }

    pub(crate) fn version(&self) -> u64 {
        self.applied.load().as_ref().map_or(0, |applied| applied.document.version)
    }

    /// Takes over a document that differs from the one in force. Its number may be lower: a site database
    /// that was restored or made anew counts from where it stands.
    ///
    /// # Errors
    /// The cause in words, when its keys are unusable.
    pub(crate) fn apply(&self, document: SettingsDocument) -> Result<bool, String> {
        let known = self.applied.load();
        if known.as_ref().is_some_and(|known| known.document == document) {
            return Ok(false);
        }
        let keys = document.ccm_keys.iter().cloned().map(serde_json::from_value).collect::<Result<_, _>>();
        let jwks = Jwks { keys: keys.map_err(|error| format!("CCM signing key: {error}"))? };
        let ccm_keys = Keys::from_jwks(&jwks).map_err(|error| format!("CCM signing key: {error}"))?;
        let ccm_issuer = claims::issuer(&document.hierarchy_id);
        self.applied.store(Some(Arc::new(Applied { document, ccm_keys: Arc::new(ccm_keys), ccm_issuer })));
        Ok(true)
    }
}

impl Applied {
    /// The validator for this issuer and audience, if the site has one.
    pub(crate) fn validator(&self, issuer: &str, audience: &str) -> Option<Validator<'_>> {
        if issuer == self.ccm_issuer && audience == claims::AUDIENCE {
            return Some(Validator::Ccm);
        }
        self.document
            .tenants
            .iter()
            .filter(|tenant| tenant.token_auth_enabled)
            .find(|tenant| tenant.issuers.iter().any(|one| one == issuer) && tenant.is_audience(audience))
            .map(Validator::Aad)
    }
}
