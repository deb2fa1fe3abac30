//! Standard output and standard error, with or without colour.

use std::io::{IsTerminal as _, Write as _};

/// What the caller wants to see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    colour: bool,
    progress: bool,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Bad,
    Dim,
    Good,
    Strong,
}

impl Console {
    pub(crate) fn new(no_color: bool, json: bool) -> Self {
        let colour_off = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colour: !colour_off && std::io::stdout().is_terminal(),
            progress: !json && std::io::stderr().is_terminal(),
        }
    }

    /// One line of the result. A reader that has gone away is not an error of ours.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        let _gone = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
    }

    /// One line about the result.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        let _gone = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// What is being done, on a terminal only; the next one takes its place.
    pub(crate) fn progress(self, text: &str) {
        if self.progress {
            let short: String = text.chars().take(100).collect();
            let _gone = write!(std::io::stderr().lock(), "\r\x1b[2K{short}");
        }
    }

    pub(crate) fn progress_done(self) {
        if self.progress {
            let _gone = write!(std::io::stderr().lock(), "\r\x1b[2K");
        }
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Bad => 31,
            Tone::Dim => 2,
            Tone::Good => 32,
            Tone::Strong => 1,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
