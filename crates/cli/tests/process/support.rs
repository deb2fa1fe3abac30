//! Running the binary in a folder of its own.

use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with a space in its name, as people have them.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let made = tempfile::tempdir().unwrap();
    let path = made.path().join("a folder");
    std::fs::create_dir(&path).unwrap();
    (made, path)
}

pub(crate) fn cmglab(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmglab"));
    command.args(arguments).current_dir(folder).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

pub(crate) fn ran(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = cmglab(folder, arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A process that runs until it is told to stop; it is killed if the test fails first.
pub(crate) struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<Box<dyn std::io::Read + Send>>>,
}

impl Running {
    /// Starts it and follows its standard output, or its standard error.
    pub(crate) fn start(folder: &Path, arguments: &[&str], follow_errors: bool) -> Self {
        let mut command = cmglab(folder, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stream: Box<dyn std::io::Read + Send> = if follow_errors {
            Box::new(child.stderr.take().unwrap())
        } else {
            Box::new(child.stdout.take().unwrap())
        };
        Self { child, lines: BufReader::new(stream).lines() }
    }

    /// Waits for a line that contains `text`; the end of the stream is a failure.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("the stream ended without «{text}»: {seen:#?}");
    }

    /// Sends a signal by name and returns the exit code.
    pub(crate) fn stop(mut self, signal: &str) -> Option<i32> {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        // Keep reading, or a full pipe would hold the process.
        let mut rest = String::new();
        while let Some(Ok(line)) = self.lines.next() {
            rest.push_str(&line);
        }
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut rest).unwrap();
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The only folder in `out`.
pub(crate) fn evidence(out: &Path) -> PathBuf {
    let folders: Vec<PathBuf> = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}
