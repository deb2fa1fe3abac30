//! The handle that roles hold.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use cmglab_proto::ids::{HierarchyId, SiteCode};
use cmglab_proto::settings::SettingsDocument;
use tokio::sync::watch;

use crate::error::SiteError;
use crate::sqlite::Sqlite;
use crate::store::{Identity, Store};
use crate::worker::Worker;

/// Where a site is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Nowhere: it ends with the last handle.
    Memory,
    /// In a file (SQLite), which is made if missing; two more files stand beside it while it is open.
    File(PathBuf),
}

/// Which site it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteConfig {
    /// The site code. A file that holds another site is refused.
    pub site_code: SiteCode,
    /// The hierarchy id of a new site. A file that holds a site keeps the one it has, so that tokens
    /// issued before a restart stay valid: ask [`Site::hierarchy`].
    pub new_hierarchy: HierarchyId,
}

/// The site database; cheap to clone.
///
/// Writes queue up on one thread, reads of a file on another, so no call blocks the runtime. A write that
/// has returned is seen by every later read and survives the end of the process.
#[derive(Clone)]
pub struct Site {
    inner: Arc<Inner>,
}

struct Inner {
    identity: Identity,
    writer: Worker,
    /// The writer itself when the site is in memory, where there is but one connection.
    reader: Worker,
    /// Whether every change is made by this handle or a clone.
    alone: bool,
    settings_version: watch::Sender<u64>,
    /// The document as it was read last.
    settings: ArcSwapOption<SettingsDocument>,
}

impl Site {
    /// Opens the site at `location`, or makes it.
    ///
    /// # Errors
    /// [`SiteError::Unavailable`], [`SiteError::Busy`] or [`SiteError::Corrupt`] when the file cannot be
    /// used; [`SiteError::NotASite`], [`SiteError::NewerSchema`] or [`SiteError::OtherSite`] when it
    /// holds something else.
    pub async fn open(location: Location, config: SiteConfig) -> Result<Self, SiteError> {
        let alone = location == Location::Memory;
        let (writer, reader) = match location {
            Location::Memory => {
                let only = Worker::start("site", move || Sqlite::in_memory(config)).await?;
                (only.clone(), only)
            }
            Location::File(path) => {
                let for_reader = path.clone();
                let writer = Worker::start("site-writer", move || Sqlite::open(&path, config)).await?;
                let reader = Worker::start("site-reader", move || Sqlite::open_reader(&for_reader)).await?;
                (writer, reader)
            }
        };
        let (identity, version) =
            writer.run(|store| Ok((store.identity()?, store.settings_version()?))).await?;
        let settings_version = watch::Sender::new(version);
        let settings = ArcSwapOption::empty();
        let inner = Inner { identity, writer, reader, alone, settings_version, settings };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The site code.
    #[must_use]
    pub fn site_code(&self) -> SiteCode {
        self.inner.identity.site_code
    }

    /// The hierarchy id, which the site's own tokens carry.
    #[must_use]
    pub fn hierarchy(&self) -> HierarchyId {
        self.inner.identity.hierarchy
    }

    /// Finishes the writes that were sent and releases the file; every clone then answers
    /// [`SiteError::Closed`]. Dropping the last handle does the same without the wait.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }

    /// The version of the settings document, which grows with each change that this handle or a clone
    /// made. Another process's changes show at the next [`Site::settings`].
    #[must_use]
    pub fn watch_settings(&self) -> watch::Receiver<u64> {
        self.inner.settings_version.subscribe()
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        self.inner.reader.run(job).await
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        self.inner.writer.run(job).await
    }

    /// A write that may change the settings document. The version is announced on the writer's thread,
    /// so that it is not lost when the caller stops waiting.
    pub(crate) async fn publish<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        let announced = self.inner.settings_version.clone();
        self.write(move |store| {
            let done = job(store)?;
            announce(&announced, store.settings_version()?);
            Ok(done)
        })
        .await
    }

    /// The settings as they stand: read whole once for each version. A file may have other writers, so it
    /// is asked for its version every time; a site in memory tells of every change itself.
    pub(crate) async fn current_settings(&self) -> Result<Arc<SettingsDocument>, SiteError> {
        let Inner { reader, alone, settings_version, settings, .. } = &*self.inner;
        let kept = settings.load_full();
        if *alone && reader.is_open() {
            let current = *settings_version.borrow();
            if let Some(kept) = kept.as_ref().filter(|kept| kept.version == current) {
                return Ok(Arc::clone(kept));
            }
        }
        let document = self.read(move |store| match kept {
            Some(kept) if kept.version == store.settings_version()? => Ok(kept),
            _ => store.settings().map(Arc::new),
        });
        let document = document.await?;
        settings.rcu(|kept| match kept {
            Some(kept) if kept.version >= document.version => Some(Arc::clone(kept)),
            _ => Some(Arc::clone(&document)),
        });
        announce(settings_version, document.version);
        Ok(document)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("identity", &self.inner.identity)
            .field("writer", &self.inner.writer)
            .finish_non_exhaustive()
    }
}

fn announce(announced: &watch::Sender<u64>, version: u64) {
    announced.send_if_modified(|known| {
        let newer = version > *known;
        *known = version.max(*known);
        newer
    });
}
