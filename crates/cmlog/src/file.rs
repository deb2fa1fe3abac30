//! Log files that roll over.
//!
//! Fidelity: documented for the size and the history (configmgr.md 5.2), observed for the file names.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::bias::Bias;
use crate::error::{Error, within_limit};

mod history;
#[cfg(test)]
mod tests;

/// What becomes of a log file that is full.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Rollover {
    /// `x.log` becomes `x.lo_`, in place of an older `x.lo_`.
    #[default]
    LoUnderscore,
    /// Keeps this many old files: 0 drops the full one, 1 is [`Rollover::LoUnderscore`], more name it
    /// `x-YYYYMMDD-HHMMSS.log` and delete the oldest past the count.
    History(usize),
    /// The file grows without end.
    Never,
    /// With the first line of another day (UTC), as IIS does it: the file of the day before becomes
    /// `u_exYYMMDD.log`, which is what IIS calls it. See [`LogFile::next_day`].
    Daily,
}

/// A log file to append to. Lines end in a carriage return and a line feed; each goes to the system in one
/// write, so a crash loses nothing that was appended.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    /// Closed while a rollover renames it, and after a failure.
    file: Option<File>,
    bytes: u64,
    rollover: Rollover,
    max_bytes: u64,
    bom: bool,
    bias: Bias,
    /// Of its last line, where files are of one day each.
    day: Option<Date>,
}

impl LogFile {
    /// Opens the file at `path`, and makes it and its folders if need be. What is in it stays.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: impl Into<PathBuf>, rollover: Rollover) -> Result<Self, Error> {
        let path = path.into();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, &error))?;
        }
        let (file, bytes) = open(&path)?;
        let bias = Bias::UTC;
        Ok(Self {
            path,
            file: Some(file),
            bytes,
            rollover,
            max_bytes: MAX_BYTES,
            bom: false,
            bias,
            day: None,
        })
    }

    /// Rolls over before the file passes `max_bytes`; [`MAX_BYTES`] if this is not called. A line that is
    /// longer gets a file of its own.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Starts each new file with a UTF-8 byte order mark.
    #[must_use]
    pub fn with_bom(self) -> Self {
        Self { bom: true, ..self }
    }

    /// Stamps the names of old files with local time at `bias` in place of UTC.
    #[must_use]
    pub fn with_bias(self, bias: Bias) -> Self {
        Self { bias, ..self }
    }

    /// Appends `line` and a line end, after rolling over if the file would grow too large. `now` names the
    /// old file where the rollover keeps a history.
    ///
    /// # Errors
    /// [`Error::LineTooLong`]; [`Error::Io`], after which the next call tries again.
    pub fn append(&mut self, line: impl fmt::Display, now: Timestamp) -> Result<(), Error> {
        let line = line.to_string();
        let line = within_limit(&line)?;
        if self.is_full(line.len() + LINE_END.len()) {
            self.roll_over(now)?;
        }
        let mut bytes = Vec::with_capacity(BOM.len() + line.len() + LINE_END.len());
        if self.bom && self.bytes == 0 {
            bytes.extend_from_slice(BOM);
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(LINE_END);
        self.write(&bytes)
    }

    /// Begins the file of `now`'s day if the last line was of another, and tells whether it did: such a file
    /// needs its header lines again. Does nothing but for [`Rollover::Daily`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn next_day(&mut self, now: Timestamp) -> Result<bool, Error> {
        let today = Bias::UTC.offset().to_datetime(now).date();
        let before = self.day.replace(today).filter(|day| *day != today);
        let (Rollover::Daily, Some(before)) = (self.rollover, before) else { return Ok(false) };
        self.file = None;
        self.rename(&self.path.with_file_name(format!("u_ex{}.log", before.strftime("%y%m%d"))))?;
        let (file, bytes) = open(&self.path)?;
        (self.file, self.bytes) = (Some(file), bytes);
        Ok(true)
    }

    /// Where the lines go.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the current file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether `more` bytes would pass the limit. A file without a line is never full.
    fn is_full(&self, more: usize) -> bool {
        let empty = if self.bom { BOM.len() as u64 } else { 0 };
        !matches!(self.rollover, Rollover::Never | Rollover::Daily)
            && self.bytes > empty
            && self.bytes.saturating_add(more as u64) > self.max_bytes
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let (file, bytes) = open(&self.path)?;
                self.bytes = bytes;
                file
            }
        };
        file.write_all(bytes).map_err(|error| Error::io(&self.path, &error))?;
        self.file = Some(file);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn roll_over(&mut self, now: Timestamp) -> Result<(), Error> {
        // Windows renames no open file.
        self.file = None;
        match self.rollover {
            Rollover::Never | Rollover::Daily => {}
            Rollover::History(0) => self.if_there(fs::remove_file(&self.path))?,
            Rollover::LoUnderscore | Rollover::History(1) => self.rename(&self.path.with_extension("lo_"))?,
            Rollover::History(keep) => {
                let old = history::Files::of(&self.path)?;
                self.rename(&old.next(self.bias.offset().to_datetime(now)))?;
                old.prune(keep - 1)?;
            }
        }
        let (file, bytes) = open(&self.path)?;
        (self.file, self.bytes) = (Some(file), bytes);
        Ok(())
    }

    fn rename(&self, to: &Path) -> Result<(), Error> {
        self.if_there(fs::rename(&self.path, to))
    }

    /// A full file that somebody took away needs no rollover.
    fn if_there(&self, result: io::Result<()>) -> Result<(), Error> {
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

fn open(path: &Path) -> Result<(File, u64), Error> {
    let open = || {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    };
    open().map_err(|error: io::Error| Error::io(path, &error))
}

/// The size past which Configuration Manager rolls a log over by default.
pub const MAX_BYTES: u64 = 250_000;

const BOM: &[u8] = "\u{feff}".as_bytes();
const LINE_END: &[u8] = b"\r\n";
