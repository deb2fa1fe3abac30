//! The files that the site has distributed to the gateway.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use cmglab_clock::Clock;
use cmglab_proto::content_link::{ContentId, FileName, MAX_FILES, PackageId};
use jiff::Timestamp;

use super::ContentError;
use super::rate::Rate;

/// Published contents, in memory. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct ContentStore {
    clock: Clock,
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    /// By package and content, in upper case: both are taken in any case.
    contents: HashMap<(String, String), Files>,
    /// By container and name, as blobs are asked for.
    blobs: HashMap<String, Arc<Blob>>,
}

type Files = Arc<[Arc<Blob>]>;

/// One file.
pub(super) struct Blob {
    pub(super) name: FileName,
    /// `/<container>/<content>/<file>`.
    pub(super) path: String,
    pub(super) bytes: Bytes,
    pub(super) sha256: [u8; 32],
    pub(super) modified: Timestamp,
    pub(super) rate: Rate,
}

impl ContentStore {
    /// A store with nothing in it, on protocol time.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, known: Arc::default() }
    }

    /// Publishes the files of a content, by their paths within it, in place of those it had. Hashes them all, so
    /// large ones do not belong on a thread that serves requests.
    ///
    /// # Errors
    /// [`ContentError::FileCount`], [`ContentError::Name`], [`ContentError::Twice`], [`ContentError::TooMany`];
    /// what was published before then stays.
    pub fn publish(
        &self,
        package: &PackageId,
        content: &ContentId,
        files: Vec<(String, Bytes)>,
    ) -> Result<(), ContentError> {
        let files = self.read(package, content, files)?;
        let key = key(package, content);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known.contents.contains_key(&key) && known.contents.len() >= MOST_CONTENTS {
            return Err(ContentError::TooMany { limit: MOST_CONTENTS });
        }
        for gone in known.contents.remove(&key).iter().flat_map(|files| files.iter()) {
            known.blobs.remove(&gone.path);
        }
        known.blobs.extend(files.iter().map(|blob| (blob.path.clone(), Arc::clone(blob))));
        known.contents.insert(key, files);
        Ok(())
    }

    fn read(
        &self,
        package: &PackageId,
        content: &ContentId,
        files: Vec<(String, Bytes)>,
    ) -> Result<Files, ContentError> {
        if !(1..=MAX_FILES).contains(&files.len()) {
            return Err(ContentError::FileCount { count: files.len() });
        }
        let mut blobs = Vec::with_capacity(files.len());
        for (name, bytes) in files {
            blobs.push(Blob::new(package, content, name.parse()?, bytes, self.clock.now()));
        }
        blobs.sort_by_key(Blob::key);
        match blobs.windows(2).find(|pair| matches!(pair, [one, next] if one.key() == next.key())) {
            Some(pair) => {
                let name = pair.last().map(|blob| blob.name.to_string()).unwrap_or_default();
                Err(ContentError::Twice { name })
            }
            None => Ok(blobs.into_iter().map(Arc::new).collect()),
        }
    }

    /// The files of a content, in the order of their names.
    pub(super) fn find(&self, package: &PackageId, content: &ContentId) -> Option<Files> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.contents.get(&key(package, content)).cloned()
    }

    /// The file at a path of the storage host.
    pub(super) fn blob(&self, path: &str) -> Option<Arc<Blob>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).blobs.get(path).cloned()
    }
}

impl fmt::Debug for ContentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("ContentStore").field("contents", &known.contents.keys()).finish_non_exhaustive()
    }
}

impl Blob {
    fn new(package: &PackageId, content: &ContentId, name: FileName, bytes: Bytes, now: Timestamp) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        // Containers have lower-case names.
        let path = format!("/content-{}/{content}/{name}", package.as_str().to_ascii_lowercase());
        Self { name, path, bytes, sha256, modified: now, rate: Rate::default() }
    }

    /// A strong validator in the form that Azure's have.
    pub(super) fn etag(&self) -> String {
        let hex: String = self.sha256.iter().take(8).map(|byte| format!("{byte:02X}")).collect();
        format!("\"0x{hex}\"")
    }

    /// Names are compared as Windows compares them.
    fn key(&self) -> String {
        self.name.as_str().to_ascii_lowercase()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("path", &self.path)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

fn key(package: &PackageId, content: &ContentId) -> (String, String) {
    (package.as_str().to_ascii_uppercase(), content.as_str().to_ascii_uppercase())
}

const MOST_CONTENTS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> ContentStore {
        ContentStore::new(Clock::running_from("2027-03-01T12:00:00Z".parse().unwrap(), 0.0))
    }

    fn publish(store: &ContentStore, content: &str, names: &[&str]) -> Result<(), ContentError> {
        let files = names.iter().map(|name| ((*name).to_owned(), Bytes::from_static(b"x"))).collect();
        store.publish(&"LAB00007".parse().unwrap(), &content.parse().unwrap(), files)
    }

    #[test]
    fn what_is_published_again_replaces_what_was() {
        let store = store();
        publish(&store, "LAB00007", &["b.txt", "A/a.txt"]).unwrap();
        publish(&store, "LAB00007.2", &["b.txt"]).unwrap();
        let files = store.find(&"lab00007".parse().unwrap(), &"lab00007".parse().unwrap()).unwrap();
        let names: Vec<_> = files.iter().map(|blob| blob.name.as_str()).collect();
        assert_eq!(names, ["A/a.txt", "b.txt"]);
        assert!(store.blob("/content-lab00007/LAB00007/A/a.txt").is_some());
        publish(&store, "lab00007", &["b.txt"]).unwrap();
        assert!(store.blob("/content-lab00007/LAB00007/A/a.txt").is_none());
        assert!(store.blob("/content-lab00007/lab00007/b.txt").is_some());
        assert!(store.blob("/content-lab00007/LAB00007.2/b.txt").is_some());
        assert!(store.find(&"LAB00008".parse().unwrap(), &"LAB00007".parse().unwrap()).is_none());
    }

    #[test]
    fn bad_contents_are_told_apart_and_change_nothing() {
        let store = store();
        publish(&store, "LAB00007", &["a"]).unwrap();
        assert_eq!(publish(&store, "LAB00007", &[]), Err(ContentError::FileCount { count: 0 }));
        assert!(matches!(publish(&store, "LAB00007", &["../a"]), Err(ContentError::Name(_))));
        assert_eq!(publish(&store, "LAB00007", &["a", "A"]), Err(ContentError::Twice { name: "A".into() }));
        for number in 1..MOST_CONTENTS {
            publish(&store, &format!("c{number}"), &["a"]).unwrap();
        }
        assert_eq!(publish(&store, "more", &["a"]), Err(ContentError::TooMany { limit: MOST_CONTENTS }));
        assert!(publish(&store, "LAB00007", &["a"]).is_ok());
    }
}
