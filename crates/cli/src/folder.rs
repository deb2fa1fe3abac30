//! A new folder for each run's evidence.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

/// Makes `<out>/<time>-<name>`, with a number behind it when another run has that name already.
pub(crate) fn make(out: &Path, name: &str, now: Timestamp) -> anyhow::Result<PathBuf> {
    let advice = || format!("cannot write to {}; choose another folder with --out", out.display());
    fs::create_dir_all(out).with_context(advice)?;
    let stem = format!("{}-{}", now.strftime("%Y%m%d-%H%M%S"), safe(name));
    for attempt in 1..MOST_ATTEMPTS {
        let folder = out.join(if attempt == 1 { stem.clone() } else { format!("{stem}-{attempt}") });
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(advice),
        }
    }
    anyhow::bail!("{} holds too many runs of {name} of this second", out.display())
}

fn safe(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(80)
        .collect()
}

const MOST_ATTEMPTS: u32 = 10_000;
