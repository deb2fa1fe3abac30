//! What a run leaves behind: `events.jsonl`, and the logs of every machine.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use cmglab_cmlog::file::{LogFile as Rolling, Rollover};
use cmglab_events::logs::{self, LogFile, LogLine};
use cmglab_events::{Event, Events};
use cmglab_proto::editions::Edition;

/// Writes events and logs on a thread of its own, so that no role waits for a disk.
#[derive(Debug)]
pub struct Evidence {
    events: Events,
    thread: Option<JoinHandle<Result<(), EvidenceError>>>,
}

/// Evidence that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot write {}: {cause}; choose another folder with --out", path.display())]
pub struct EvidenceError {
    /// The file or folder.
    pub path: PathBuf,
    /// The cause in words.
    pub cause: String,
}

impl Evidence {
    /// Begins to write everything that happens from now on below `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`EvidenceError`] when the folder or its first file cannot be made.
    pub fn start(events: &Events, edition: Edition, folder: &Path) -> Result<Self, EvidenceError> {
        fs::create_dir_all(folder).map_err(|error| trouble(folder, &error))?;
        let jsonl = folder.join("events.jsonl");
        let file = File::create(&jsonl).map_err(|error| trouble(&jsonl, &error))?;
        let writer = Writer {
            logs: folder.join("logs"),
            jsonl: (jsonl, BufWriter::new(file)),
            edition,
            open: HashMap::new(),
        };
        let received = events.listen();
        let thread = std::thread::spawn(move || writer.run(&received));
        Ok(Self { events: events.clone(), thread: Some(thread) })
    }

    /// Writes what is still under way and closes every file.
    ///
    /// # Errors
    /// [`EvidenceError`] of the first thing that could not be written.
    pub fn finish(mut self) -> Result<(), EvidenceError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), EvidenceError> {
        self.events.hang_up();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_panicked| {
            Err(EvidenceError { path: PathBuf::new(), cause: "the writer stopped unexpectedly".to_owned() })
        })
    }
}

/// A run that is cut short keeps its evidence so far.
impl Drop for Evidence {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "evidence is incomplete");
        }
    }
}

struct Writer {
    logs: PathBuf,
    jsonl: (PathBuf, BufWriter<File>),
    edition: Edition,
    open: HashMap<(Arc<str>, LogFile), Rolling>,
}

impl Writer {
    fn run(mut self, received: &Receiver<Event>) -> Result<(), EvidenceError> {
        loop {
            match received.recv_timeout(FLUSH_AFTER) {
                Ok(event) => self.write(&event)?,
                // Quiet for a moment: whoever follows the file sees everything so far.
                Err(RecvTimeoutError::Timeout) => self.flush()?,
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
        }
    }

    fn write(&mut self, event: &Event) -> Result<(), EvidenceError> {
        let (path, file) = &mut self.jsonl;
        let mut line = serde_json::to_string(event)
            .map_err(|error| EvidenceError { path: path.clone(), cause: error.to_string() })?;
        line.push('\n');
        file.write_all(line.as_bytes()).map_err(|error| trouble(path, &error))?;
        for line in logs::lines(event, self.edition) {
            self.log(&line)?;
        }
        Ok(())
    }

    fn log(&mut self, line: &LogLine) -> Result<(), EvidenceError> {
        let key = (Arc::clone(&line.machine), line.file);
        if !self.open.contains_key(&key) {
            let path = self.logs.join(folder_name(&line.machine)).join(line.file.file_name());
            let rollover = if line.file == LogFile::Iis { Rollover::Daily } else { Rollover::default() };
            let mut file = Rolling::create(&path, rollover).map_err(|error| log_trouble(&path, &error))?;
            for header in line.file.preamble(line.at) {
                file.append(header, line.at).map_err(|error| log_trouble(&path, &error))?;
            }
            self.open.insert(key.clone(), file);
        }
        let Some(file) = self.open.get_mut(&key) else { return Ok(()) };
        let path = file.path().to_owned();
        let trouble = |error: cmglab_cmlog::Error| log_trouble(&path, &error);
        if file.next_day(line.at).map_err(trouble)? {
            for header in line.file.preamble(line.at) {
                file.append(header, line.at).map_err(trouble)?;
            }
        }
        file.append(line.physical(), line.at).map_err(trouble)
    }

    fn flush(&mut self) -> Result<(), EvidenceError> {
        let (path, file) = &mut self.jsonl;
        file.flush().map_err(|error| trouble(path, &error))
    }
}

/// A machine's name as a folder: nothing in it can lead elsewhere.
fn folder_name(machine: &str) -> String {
    let name: String = machine
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_' { c } else { '_' })
        .collect();
    if name.starts_with('.') || name.is_empty() { format!("_{name}") } else { name }
}

fn trouble(path: &Path, error: &std::io::Error) -> EvidenceError {
    EvidenceError { path: path.to_owned(), cause: error.to_string() }
}

fn log_trouble(path: &Path, error: &cmglab_cmlog::Error) -> EvidenceError {
    EvidenceError { path: path.to_owned(), cause: error.to_string() }
}

const FLUSH_AFTER: Duration = Duration::from_millis(200);
