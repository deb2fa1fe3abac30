//! The signing keys of tenants, fetched from Azure AD over TLS: the tenant's OpenID configuration names
//! the key set.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_net::{Call, Deps, HttpClient};
use cmglab_proto::ids::TenantId;
use cmglab_proto::settings::TenantSettings;
use cmglab_token::{Jwks, Keys};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Every tenant's keys, as last fetched.
#[derive(Debug)]
pub(crate) struct AadKeys {
    http: HttpClient,
    slots: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<Slot>>>>,
}

/// One tenant. Whoever fetches holds its lock, so that many who ask at once cause one fetch.
#[derive(Debug, Default)]
struct Slot {
    cached: Option<Cached>,
    tried_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Cached {
    keys: Arc<Keys>,
    from: String,
    fetched_at: Timestamp,
}

#[derive(Deserialize)]
struct OpenIdConfiguration {
    jwks_uri: String,
}

impl AadKeys {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self { http: HttpClient::new(deps), slots: Mutex::default() }
    }

    /// The keys of a tenant, fetched if there are none or they are a day old. Old keys are better than
    /// none while new ones cannot be had.
    pub(crate) async fn of(
        &self,
        tenant: &TenantSettings,
        deps: &Deps,
        voice: &Source,
    ) -> Result<Arc<Keys>, String> {
        let slot = self.slot(tenant.tenant_id);
        let mut slot = slot.lock().await;
        let now = deps.clock.now();
        let usable = slot.cached.as_ref().filter(|cached| cached.from == tenant.openid_configuration);
        let (old, tried_at) = (usable.map(|cached| Arc::clone(&cached.keys)), slot.tried_at);
        if let (Some(old), Some(cached)) = (&old, usable)
            && (within(DAY, cached.fetched_at, now) || tried_at.is_some_and(|at| within(MINUTE, at, now)))
        {
            return Ok(Arc::clone(old));
        }
        match (self.fetch(&mut slot, tenant, now, voice).await, old) {
            (Ok(keys), _) | (Err(_), Some(keys)) => Ok(keys),
            (Err(cause), None) => Err(cause),
        }
    }

    /// Other keys than `known`: those that another request has fetched meanwhile, or those that Azure AD
    /// has now; none when it was asked less than a minute ago.
    pub(crate) async fn newer(
        &self,
        tenant: &TenantSettings,
        known: &Arc<Keys>,
        deps: &Deps,
        voice: &Source,
    ) -> Result<Option<Arc<Keys>>, String> {
        let slot = self.slot(tenant.tenant_id);
        let mut slot = slot.lock().await;
        let now = deps.clock.now();
        if let Some(cached) = slot.cached.as_ref().filter(|cached| !Arc::ptr_eq(&cached.keys, known)) {
            return Ok(Some(Arc::clone(&cached.keys)));
        }
        if slot.tried_at.is_some_and(|at| within(MINUTE, at, now)) {
            return Ok(None);
        }
        self.fetch(&mut slot, tenant, now, voice).await.map(Some)
    }

    fn slot(&self, tenant: TenantId) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(tenant).or_default())
    }

    async fn fetch(
        &self,
        slot: &mut Slot,
        tenant: &TenantSettings,
        now: Timestamp,
        voice: &Source,
    ) -> Result<Arc<Keys>, String> {
        slot.tried_at = Some(now);
        let from = tenant.openid_configuration.clone();
        match self.download(&from, voice).await {
            Ok((url, set, keys)) => {
                let kids = set.keys.into_iter().filter_map(|key| key.kid).collect();
                voice.emit(ManagementPointEvent::AadKeysFetched { tenant: tenant.tenant_id, url, kids });
                let keys = Arc::new(keys);
                slot.cached = Some(Cached { keys: Arc::clone(&keys), from, fetched_at: now });
                Ok(keys)
            }
            Err((url, cause)) => {
                let event = ManagementPointEvent::AadKeysUnavailable {
                    tenant: tenant.tenant_id,
                    url,
                    cause: cause.clone(),
                };
                voice.emit(event);
                Err(cause)
            }
        }
    }

    /// The key set and where it came from, or the URL that failed and why.
    async fn download(&self, from: &str, voice: &Source) -> Result<(String, Jwks, Keys), (String, String)> {
        let failed = |url: &str, cause: String| (url.to_owned(), cause);
        let document = self.get(from, voice).await.map_err(|cause| failed(from, cause))?;
        let OpenIdConfiguration { jwks_uri } = serde_json::from_slice(&document)
            .map_err(|error| failed(from, format!("not an OpenID configuration: {error}")))?;
        let document = self.get(&jwks_uri, voice).await.map_err(|cause| failed(&jwks_uri, cause))?;
        let set = Jwks::parse(&document).map_err(|error| failed(&jwks_uri, error.to_string()))?;
        let keys = Keys::from_jwks(&set).map_err(|error| failed(&jwks_uri, error.to_string()))?;
        Ok((jwks_uri, set, keys))
    }

    async fn get(&self, url: &str, voice: &Source) -> Result<bytes::Bytes, String> {
        let call = Call::get(url).largest_answer(LARGEST_DOCUMENT);
        match self.http.send(voice, &call).await {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => Err(format!("answered {} {}", answer.status, answer.reason)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whether `then` is less than `span` away; a clock that was set back does not make it so for ever.
fn within(span: SignedDuration, then: Timestamp, now: Timestamp) -> bool {
    now.duration_since(then).abs() < span
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const LARGEST_DOCUMENT: usize = 256 * 1024;
