//! The gateway's Azure storage: the host that clients fetch files from.
//!
//! Fidelity: documented, as the Azure Storage reference has reading a blob with a shared access signature: the
//! headers, the conditions, the error codes. Suffix ranges are answered too, which Azure does not do.

mod answer;
mod refused;

use std::sync::Arc;

use axum::Router;
use cmglab_clock::{Interval, Stopwatch};
use cmglab_events::Source;
use cmglab_events::kinds::CmgEvent;
use cmglab_net::Deps;
use cmglab_proto::content_link::storage::{BlobAccess, BlobLink, StorageAccount};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio_util::task::AbortOnDropHandle;

use super::keys::AccountKeys;
use super::store::Blob;
use super::{ContentError, ContentStore};
use crate::Meter;

/// What a storage account is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// Its name.
    pub account: StorageAccount,
    /// How long a link to a file is good: a minute to 24 hours.
    #[serde(default = "default_lifetime")]
    pub link_lifetime: SignedDuration,
    /// How many requests for one file are answered in a second (configmgr §1.3); one more gets 503.
    #[serde(default = "default_rate")]
    pub most_requests_per_second: u32,
}

impl StorageConfig {
    /// The account with links of 8 hours and the documented 500 requests in a second.
    #[must_use]
    pub fn new(account: StorageAccount) -> Self {
        let (link_lifetime, most_requests_per_second) = (default_lifetime(), default_rate());
        Self { account, link_lifetime, most_requests_per_second }
    }
}

/// A storage account with the files of a gateway. Cheap to clone; clones are the same account.
#[derive(Debug, Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: StorageConfig,
    content: ContentStore,
    deps: Deps,
    egress: Meter,
    keys: Arc<AccountKeys>,
    /// Transport time, for the rate.
    running: Stopwatch,
    _rotating: AbortOnDropHandle<()>,
}

impl Storage {
    /// The account that serves `content`. Its keys are rotated every 180 days of protocol time, by a task of
    /// the present runtime that ends with the account. What it sends is counted by `egress`.
    ///
    /// # Errors
    /// [`ContentError::LinkLifetime`]; [`ContentError::Key`].
    pub fn new(
        config: StorageConfig,
        content: ContentStore,
        deps: Deps,
        egress: Meter,
    ) -> Result<Self, ContentError> {
        if config.link_lifetime < SHORTEST_LINK || config.link_lifetime > LONGEST_LINK {
            return Err(ContentError::LinkLifetime { asked: config.link_lifetime });
        }
        let keys = Arc::new(AccountKeys::generate()?);
        // From now on, not from when the task first runs.
        let interval = deps.clock.interval(ROTATION);
        let rotating =
            keep_rotating(interval, config.account.clone(), Arc::clone(&keys), deps.events.clone());
        let rotating = AbortOnDropHandle::new(tokio::spawn(rotating));
        let running = Stopwatch::start();
        let shared = Shared { config, content, deps, egress, keys, running, _rotating: rotating };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The name that clients ask, `<account>.blob.core.windows.net`.
    #[must_use]
    pub fn host(&self) -> String {
        self.shared.config.account.host()
    }

    /// The files.
    #[must_use]
    pub fn content(&self) -> &ContentStore {
        &self.shared.content
    }

    /// The service of that host.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer::handle).with_state(Arc::clone(&self.shared))
    }

    /// Makes one of the two keys anew before its time. Links that the other one signed stay good.
    ///
    /// # Errors
    /// [`ContentError::Key`].
    pub fn rotate_key(&self) -> Result<(), ContentError> {
        rotate(&self.shared.config.account, &self.shared.keys, &self.shared.deps.events)
    }

    /// Until when a link is good that is made now.
    pub(super) fn expiry(&self, now: Timestamp) -> Timestamp {
        seconds(now.saturating_add(self.shared.config.link_lifetime).unwrap_or(now))
    }

    /// A link to one file.
    pub(super) fn link(
        &self,
        blob: &Blob,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<BlobLink, ContentError> {
        let Shared { config, keys, .. } = &*self.shared;
        let starts = seconds(now.saturating_sub(BACKDATED).unwrap_or(now));
        let access = BlobAccess { starts, expires };
        let signature = keys.sign(&access.string_to_sign(&config.account, &blob.path));
        Ok(access.link(&config.account, &blob.path, &signature)?)
    }
}

async fn keep_rotating(
    mut interval: Interval,
    account: StorageAccount,
    keys: Arc<AccountKeys>,
    voice: Source,
) {
    loop {
        interval.tick().await;
        if let Err(error) = rotate(&account, &keys, &voice) {
            // The keys there are stay in use; no request depends on new ones.
            tracing::warn!(%error, %account, "a storage key was not rotated");
        }
    }
}

fn rotate(account: &StorageAccount, keys: &AccountKeys, voice: &Source) -> Result<(), ContentError> {
    let key = keys.rotate()?.to_owned();
    voice.emit(CmgEvent::StorageKeyRotated { account: account.to_string(), key });
    Ok(())
}

/// Links know whole seconds.
fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn default_lifetime() -> SignedDuration {
    SignedDuration::from_hours(8)
}

fn default_rate() -> u32 {
    500
}

const ROTATION: SignedDuration = SignedDuration::from_hours(180 * 24);
/// The clocks of an instance and of storage may differ.
const BACKDATED: SignedDuration = SignedDuration::from_mins(5);
const SHORTEST_LINK: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_LINK: SignedDuration = SignedDuration::from_hours(24);
