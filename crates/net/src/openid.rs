//! An issuer's signing keys, fetched over TLS by its OpenID configuration (OpenID Connect Discovery §4).

use std::collections::HashMap;
use std::sync::Arc;

use cmglab_events::Source;
use cmglab_token::{Jwks, Keys};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{Call, CallError, CallFailure, Deps, HttpClient};

/// A cache of signing keys by OpenID configuration URL. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct OpenIdKeys {
    http: HttpClient,
    deps: Deps,
    cached: Arc<Mutex<HashMap<String, Cached>>>,
}

/// Keys, and whether they were fetched just now.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    /// The keys.
    pub keys: Arc<Keys>,
    /// Their ids, when they were fetched for this call.
    pub fetched: Option<Vec<String>>,
}

#[derive(Debug)]
struct Cached {
    keys: Arc<Keys>,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Configuration {
    jwks_uri: String,
}

impl OpenIdKeys {
    /// An empty cache that fetches as this role.
    #[must_use]
    pub fn new(deps: &Deps) -> Self {
        Self { http: HttpClient::new(deps), deps: deps.clone(), cached: Arc::default() }
    }

    /// The keys of the issuer with this OpenID configuration, from the cache where they are.
    ///
    /// # Errors
    /// [`CallError`] when they cannot be had.
    pub async fn keys(&self, voice: &Source, configuration: &str) -> Result<IssuerKeys, CallError> {
        let mut cached = self.cached.lock().await;
        if let Some(found) = cached.get(configuration) {
            return Ok(IssuerKeys { keys: Arc::clone(&found.keys), fetched: None });
        }
        self.fetch(voice, configuration, &mut cached).await
    }

    /// The keys fetched anew, for a token whose key is not among those known; at most once a minute of
    /// protocol time, so that forged key ids cannot make this role flood the issuer.
    ///
    /// # Errors
    /// [`CallError`] when they cannot be had.
    pub async fn refresh(&self, voice: &Source, configuration: &str) -> Result<IssuerKeys, CallError> {
        let mut cached = self.cached.lock().await;
        let now = self.deps.clock.now();
        if let Some(found) = cached.get(configuration)
            && now.duration_since(found.at).abs() < REFRESH_AT_MOST_EVERY
        {
            return Ok(IssuerKeys { keys: Arc::clone(&found.keys), fetched: None });
        }
        self.fetch(voice, configuration, &mut cached).await
    }

    async fn fetch(
        &self,
        voice: &Source,
        configuration: &str,
        cached: &mut HashMap<String, Cached>,
    ) -> Result<IssuerKeys, CallError> {
        let found: Configuration = self.json(voice, configuration).await?;
        let jwks: Jwks = self.json(voice, &found.jwks_uri).await?;
        let keys = Keys::from_jwks(&jwks).map_err(|error| unusable(&found.jwks_uri, &error))?;
        let keys = Arc::new(keys);
        if cached.len() >= MOST_ISSUERS {
            cached.clear();
        }
        cached
            .insert(configuration.to_owned(), Cached { keys: Arc::clone(&keys), at: self.deps.clock.now() });
        let kids = jwks.keys.iter().filter_map(|key| key.kid.clone()).collect();
        Ok(IssuerKeys { keys, fetched: Some(kids) })
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, voice: &Source, url: &str) -> Result<T, CallError> {
        let answer = self.http.send(voice, &Call::get(url).largest_answer(LARGEST_DOCUMENT)).await?;
        if answer.status != 200 {
            return Err(CallError::new(
                CallFailure::Broken,
                format!("{url} answered {} {}", answer.status, answer.reason),
            ));
        }
        serde_json::from_slice(&answer.body).map_err(|error| unusable(url, &error))
    }
}

fn unusable(url: &str, error: &dyn std::error::Error) -> CallError {
    CallError::new(CallFailure::Broken, format!("{url} answered something unusable: {error}"))
}

const LARGEST_DOCUMENT: usize = 256 * 1024;
const MOST_ISSUERS: usize = 256;
const REFRESH_AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);
