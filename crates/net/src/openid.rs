//! An issuer's signing keys, fetched over TLS by its OpenID configuration (OpenID Connect Discovery §4).

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cmglab_events::Source;
use cmglab_token::{Jwks, Keys};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{Call, CallError, CallFailure, Deps, HttpClient};

/// A cache of signing keys by OpenID configuration URL. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct OpenIdKeys {
    http: HttpClient,
    deps: Deps,
    slots: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot>>>>>,
}

/// Keys, and what was done for this call to have them.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    /// The keys.
    pub keys: Arc<Keys>,
    /// Whether they come from the cache.
    pub fetch: Fetch,
}

/// What was done for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// Nothing: the cache had them.
    None,
    /// They were fetched.
    Done {
        /// The `jwks_uri`.
        url: String,
        /// Key ids.
        kids: Vec<String>,
    },
    /// New ones could not be had, so the old ones are in use.
    Failed(KeysUnavailable),
}

/// Keys that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {error}")]
pub struct KeysUnavailable {
    /// The URL that failed.
    pub url: String,
    /// Why.
    pub error: CallError,
}

/// One issuer. Whoever fetches holds its lock, so that many who ask at once cause one fetch.
#[derive(Debug, Default)]
struct Slot {
    cached: Option<(Arc<Keys>, Timestamp)>,
    tried_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Configuration {
    jwks_uri: String,
}

impl OpenIdKeys {
    /// An empty cache that fetches as this role.
    #[must_use]
    pub fn new(deps: &Deps) -> Self {
        Self { http: HttpClient::new(deps), deps: deps.clone(), slots: Arc::default() }
    }

    /// The keys of the issuer with this OpenID configuration, fetched if there are none or they are a day
    /// old. Old keys are better than none while new ones cannot be had.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when there are none.
    pub async fn keys(&self, voice: &Source, configuration: &str) -> Result<IssuerKeys, KeysUnavailable> {
        let slot = self.slot(configuration);
        let mut slot = slot.lock().await;
        let now = self.deps.clock.now();
        let Some((old, fetched_at)) = slot.cached.clone() else {
            return self.fetch(&mut slot, voice, configuration).await;
        };
        if within(DAY, fetched_at, now) || slot.tried_at.is_some_and(|at| within(MINUTE, at, now)) {
            return Ok(IssuerKeys { keys: old, fetch: Fetch::None });
        }
        let fetched = self.fetch(&mut slot, voice, configuration).await;
        Ok(fetched.unwrap_or_else(|trouble| IssuerKeys { keys: old, fetch: Fetch::Failed(trouble) }))
    }

    /// Other keys than `known`, for a token whose key is not among them: those that another call has
    /// fetched meanwhile, or those that the issuer has now. `None` when it was asked less than a minute of
    /// protocol time ago, so that forged key ids cannot make this role flood the issuer.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when the issuer was asked in vain.
    pub async fn newer(
        &self,
        voice: &Source,
        configuration: &str,
        known: &Arc<Keys>,
    ) -> Result<Option<IssuerKeys>, KeysUnavailable> {
        let slot = self.slot(configuration);
        let mut slot = slot.lock().await;
        if let Some((keys, _)) = slot.cached.as_ref().filter(|(keys, _)| !Arc::ptr_eq(keys, known)) {
            return Ok(Some(IssuerKeys { keys: Arc::clone(keys), fetch: Fetch::None }));
        }
        if slot.tried_at.is_some_and(|at| within(MINUTE, at, self.deps.clock.now())) {
            return Ok(None);
        }
        self.fetch(&mut slot, voice, configuration).await.map(Some)
    }

    fn slot(&self, configuration: &str) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_ISSUERS && !slots.contains_key(configuration) {
            slots.clear();
        }
        Arc::clone(slots.entry(configuration.to_owned()).or_default())
    }

    async fn fetch(
        &self,
        slot: &mut Slot,
        voice: &Source,
        configuration: &str,
    ) -> Result<IssuerKeys, KeysUnavailable> {
        let now = self.deps.clock.now();
        slot.tried_at = Some(now);
        let document = self.get(voice, configuration).await?;
        let Configuration { jwks_uri: url } =
            serde_json::from_slice(&document).map_err(|error| unusable(configuration, &error))?;
        let set = Jwks::parse(&self.get(voice, &url).await?).map_err(|error| unusable(&url, &error))?;
        let keys = Arc::new(Keys::from_jwks(&set).map_err(|error| unusable(&url, &error))?);
        slot.cached = Some((Arc::clone(&keys), now));
        let kids = set.keys.into_iter().filter_map(|key| key.kid).collect();
        Ok(IssuerKeys { keys, fetch: Fetch::Done { url, kids } })
    }

    async fn get(&self, voice: &Source, url: &str) -> Result<Bytes, KeysUnavailable> {
        let failed = |error| KeysUnavailable { url: url.to_owned(), error };
        let call = Call::get(url).largest_answer(LARGEST_DOCUMENT);
        let answer = self.http.send(voice, &call).await.map_err(failed)?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let cause = format!("answered {} {}", answer.status, answer.reason);
        Err(failed(CallError::new(CallFailure::Broken, cause)))
    }
}

fn unusable(url: &str, error: &dyn Display) -> KeysUnavailable {
    let cause = format!("answered something unusable: {error}");
    KeysUnavailable { url: url.to_owned(), error: CallError::new(CallFailure::Broken, cause) }
}

/// Whether `then` is less than `span` away; a clock that was set back does not make it so for ever.
fn within(span: SignedDuration, then: Timestamp, now: Timestamp) -> bool {
    now.duration_since(then).abs() < span
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
const LARGEST_DOCUMENT: usize = 256 * 1024;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const MOST_ISSUERS: usize = 256;
