//! The keys of CCM tokens: the one that signs, and those that are still accepted.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use cmglab_clock::Clock;
use cmglab_events::Source;
use cmglab_events::kinds::ManagementPointEvent;
use cmglab_proto::sts::{BearerError, BearerToken};
use cmglab_site::Site;
use cmglab_token::{HeaderKind, Jwk, Jwks, Keys, SigningKey, TokenError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::ManagementPointError;

/// How far the clocks of whoever issued a token and the management point may differ: the tolerance of the
/// product's token library.
pub(crate) const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// The signing key, and the retirements that are due.
#[derive(Debug)]
pub(crate) struct CcmKeys {
    current: ArcSwap<Signer>,
    /// One rotation at a time, so that each old key is retired once.
    rotating: tokio::sync::Mutex<()>,
    /// Ends with the management point.
    retirements: Mutex<JoinSet<()>>,
}

/// A key that signs, or did.
#[derive(Debug)]
struct Signer {
    key: Arc<SigningKey>,
    /// Until when the longest-lived token is valid that was signed by [`CcmKeys::sign_until`], in seconds
    /// since 1970.
    bound_until: AtomicI64,
}

impl Signer {
    fn new(key: SigningKey) -> Self {
        Self { key: Arc::new(key), bound_until: AtomicI64::new(i64::MIN) }
    }
}

impl CcmKeys {
    /// Makes the first key and publishes it.
    pub(crate) async fn create(
        site: &Site,
        clock: &Clock,
        voice: &Source,
    ) -> Result<Self, ManagementPointError> {
        let key = published(site, clock.now(), voice).await?;
        Ok(Self {
            current: ArcSwap::from_pointee(Signer::new(key)),
            rotating: tokio::sync::Mutex::new(()),
            retirements: Mutex::new(JoinSet::new()),
        })
    }

    /// The key that signs now.
    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current.load().key)
    }

    /// Signs a token that may be valid for longer than a CCM token; the key is kept until then. Answers with
    /// the key's id too.
    pub(crate) async fn sign_until(
        &self,
        expires: Timestamp,
        claims: &impl Serialize,
    ) -> Result<(BearerToken, String), ManagementPointError> {
        let _not_while_rotating = self.rotating.lock().await;
        let signer = self.current.load();
        let token = signer.key.sign(HeaderKind::Ccm, claims)?;
        signer.bound_until.fetch_max(expires.as_second(), Ordering::Relaxed);
        let token =
            token.parse().map_err(|error: BearerError| TokenError::Key { reason: error.to_string() })?;
        Ok((token, signer.key.kid().to_owned()))
    }

    /// Signs bytes that are no token and may be good for longer than a CCM token; the key is kept until then.
    pub(crate) async fn sign_bytes_until(
        &self,
        expires: Timestamp,
        bytes: &[u8],
    ) -> Result<Vec<u8>, ManagementPointError> {
        let _not_while_rotating = self.rotating.lock().await;
        let signer = self.current.load();
        let signature = signer.key.sign_bytes(bytes)?;
        signer.bound_until.fetch_max(expires.as_second(), Ordering::Relaxed);
        Ok(signature)
    }

    /// Signs with a new key from now on; the old one is retired when the last token it signed, valid for
    /// `lifetime` or as long as [`CcmKeys::sign_until`] was told, has expired.
    pub(crate) async fn rotate(
        &self,
        site: &Site,
        clock: &Clock,
        voice: &Source,
        lifetime: SignedDuration,
    ) -> Result<String, ManagementPointError> {
        let _one_at_a_time = self.rotating.lock().await;
        let key = published(site, clock.now(), voice).await?;
        let kid = key.kid().to_owned();
        let old = self.current.swap(Arc::new(Signer::new(key)));
        let last = clock.now().saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let bound = Timestamp::from_second(old.bound_until.load(Ordering::Relaxed));
        let last = bound.map_or(last, |bound| last.max(bound));
        let dead = last.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
        let retirement = retire(site.clone(), clock.clone(), voice.clone(), old.key.kid().to_owned(), dead);
        let mut retirements = self.retirements.lock().unwrap_or_else(PoisonError::into_inner);
        while retirements.try_join_next().is_some() {}
        retirements.spawn(retirement);
        Ok(kid)
    }
}

/// The keys whose tokens are accepted now: every one of the site that is not retired, so also those of
/// the site's other management points.
pub(crate) async fn accepted(site: &Site) -> Result<Keys, ManagementPointError> {
    let live = site.ccm_keys().await?.into_iter().rev().filter(|key| key.retired_at.is_none());
    let keys = live.take(MOST_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key.jwk).ok());
    Ok(Keys::from_jwks(&keys.collect::<Jwks>())?)
}

async fn published(site: &Site, now: Timestamp, voice: &Source) -> Result<SigningKey, ManagementPointError> {
    // Tens of milliseconds of computing: not on a thread that serves requests.
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(now, "ConfigMgr CCM_STS"));
    let key = made.await.map_err(|_| ManagementPointError::Stopping)??;
    let jwk =
        serde_json::to_value(key.jwk()?).map_err(|error| TokenError::Key { reason: error.to_string() })?;
    site.add_ccm_key(jwk, now).await?;
    voice.emit(ManagementPointEvent::CcmKeyAdded { kid: key.kid().to_owned() });
    Ok(key)
}

async fn retire(site: Site, clock: Clock, voice: Source, kid: String, when: Timestamp) {
    let _tick = clock.sleep_until(when).await;
    match site.retire_ccm_key(&kid, clock.now()).await {
        Ok(()) => voice.emit(ManagementPointEvent::CcmKeyRetired { kid }),
        // The key stays in the settings and signs nothing; no request depends on it.
        Err(error) => tracing::warn!(%error, kid, "a CCM key was not retired"),
    }
}

/// Past the most that one key set can hold, the oldest keys are left out.
const MOST_KEYS: usize = 64;
