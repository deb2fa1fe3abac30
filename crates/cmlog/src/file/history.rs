//! Old log files that carry the time of their rollover: `x-YYYYMMDD-HHMMSS.log`.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::ToSpan as _;
use jiff::civil::DateTime;

use crate::error::Error;

/// The old files of one log, oldest first.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    stem: String,
    extension: String,
    stamps: Vec<DateTime>,
}

impl Files {
    /// Looks for the old files beside the log at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let extension = path.extension().map(|_| format!(".{}", part(path.extension()))).unwrap_or_default();
        let mut files = Self { folder, stem: part(path.file_stem()), extension, stamps: Vec::new() };
        for entry in fs::read_dir(&files.folder).map_err(|error| Error::io(&files.folder, &error))? {
            let entry = entry.map_err(|error| Error::io(&files.folder, &error))?;
            files.stamps.extend(files.stamp(&entry.file_name().to_string_lossy()));
        }
        files.stamps.sort_unstable();
        Ok(files)
    }

    /// The name for a file that is full at `local` time. When that is taken or not later than the newest,
    /// as under a clock that stands still or was set back, the second after the newest: names stay unique
    /// and in order.
    pub(super) fn next(&self, local: DateTime) -> PathBuf {
        let after = self.stamps.last().and_then(|newest| newest.checked_add(1.second()).ok());
        self.path(after.map_or(local, |after| after.max(local)))
    }

    /// Deletes the oldest until `keep` are left.
    pub(super) fn prune(&self, keep: usize) -> Result<(), Error> {
        let surplus = self.stamps.len().saturating_sub(keep);
        for stamp in &self.stamps[..surplus] {
            let path = self.path(*stamp);
            fs::remove_file(&path).map_err(|error| Error::io(&path, &error))?;
        }
        Ok(())
    }

    fn path(&self, stamp: DateTime) -> PathBuf {
        self.folder.join(format!("{}-{}{}", self.stem, stamp.strftime(STAMP), self.extension))
    }

    fn stamp(&self, name: &str) -> Option<DateTime> {
        let stamp = name.strip_prefix(&self.stem)?.strip_prefix('-')?.strip_suffix(&self.extension)?;
        let stamp = DateTime::strptime(STAMP, stamp).ok()?;
        // The parser is lenient about padding; only names that would come out the same are ours.
        (self.path(stamp).file_name()? == name).then_some(stamp)
    }
}

const STAMP: &str = "%Y%m%d-%H%M%S";
