//! The signing keys of tenants, and what is told of them.

use std::sync::Arc;

use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_net::{Deps, Fetch, IssuerKeys, KeysUnavailable, OpenIdKeys};
use cmglab_proto::ids::TenantId;
use cmglab_proto::settings::TenantSettings;
use cmglab_token::Keys;

/// Every tenant's keys, as last fetched.
#[derive(Debug)]
pub(crate) struct AadKeys(OpenIdKeys);

impl AadKeys {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self(OpenIdKeys::new(deps))
    }

    /// The keys of a tenant.
    pub(crate) async fn of(&self, tenant: &TenantSettings, voice: &Source) -> Result<Arc<Keys>, String> {
        let found = self.0.keys(voice, &tenant.openid_configuration).await;
        told(tenant.tenant_id, voice, found)
    }

    /// Other keys than `known`; none when Azure AD was asked less than a minute ago.
    pub(crate) async fn newer(
        &self,
        tenant: &TenantSettings,
        known: &Arc<Keys>,
        voice: &Source,
    ) -> Result<Option<Arc<Keys>>, String> {
        let found = self.0.newer(voice, &tenant.openid_configuration, known).await;
        found.transpose().map(|found| told(tenant.tenant_id, voice, found)).transpose()
    }
}

fn told(
    tenant: TenantId,
    voice: &Source,
    found: Result<IssuerKeys, KeysUnavailable>,
) -> Result<Arc<Keys>, String> {
    let unavailable = |KeysUnavailable { url, error }| {
        let cause = error.cause;
        voice.emit(ManagementPointEvent::AadKeysUnavailable { tenant, url, cause: cause.clone() });
        cause
    };
    let IssuerKeys { keys, fetch } = found.map_err(unavailable)?;
    match fetch {
        Fetch::None => {}
        Fetch::Done { url, kids } => voice.emit(ManagementPointEvent::AadKeysFetched { tenant, url, kids }),
        Fetch::Failed(trouble) => drop(unavailable(trouble)),
    }
    Ok(keys)
}
