//! Reading scenario files: text to [`Scenario`], with the place of every mistake.

mod check;
mod mistake;

use std::fs;
use std::path::{Component, Path, PathBuf};

use cmglab_lab::Topology;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::error::Mistake;
use crate::model::{Expect, Scenario, Step};
use crate::{ScenarioError, builtin};

impl Scenario {
    /// Reads a scenario. `file` names it in errors, and its path must end with the scenario's name.
    ///
    /// # Errors
    /// [`ScenarioError`] with the first mistake.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ScenarioError> {
        read(text, file).map_err(|mistake| mistake.in_file(file))
    }

    /// Reads the scenario in a file.
    ///
    /// # Errors
    /// [`ScenarioError`] when the file cannot be read, or with its first mistake.
    pub fn load(file: &Path) -> Result<Self, ScenarioError> {
        let text = text_of(file).map_err(|mistake| mistake.in_file(file))?;
        Self::parse(&text, file)
    }

    /// Reads every scenario below a folder, sorted by path.
    ///
    /// # Errors
    /// [`ScenarioError`] of the first file that is not one, or when there is none at all.
    pub fn load_folder(folder: &Path) -> Result<Vec<Self>, ScenarioError> {
        let mut files = Vec::new();
        collect(folder, 0, &mut files).map_err(|mistake| mistake.in_file(folder))?;
        files.sort_by_key(|file| file.with_extension(""));
        if files.is_empty() {
            let fix = "name a folder with scenario files (*.yaml)";
            return Err(Mistake::of_file("there is no scenario in it", fix).in_file(folder));
        }
        files.iter().map(|file| Self::load(file)).collect()
    }

    /// The built-in scenario of that name, such as `install/device-token`.
    ///
    /// # Errors
    /// [`ScenarioError`] names the nearest one there is.
    pub fn builtin(name: &str) -> Result<Self, ScenarioError> {
        let found = builtin::ALL.iter().find(|(known, _text)| *known == name);
        let (name, text) = found.ok_or_else(|| {
            let known: Vec<&str> = builtin::ALL.iter().map(|(name, _text)| *name).collect();
            let fix = crate::suggest::did_you_mean(name, &known);
            Mistake::of_file("there is no built-in scenario of that name", fix).in_file(name)
        })?;
        Self::parse(text, &Path::new("scenarios").join(format!("{name}.yaml")))
    }
}

/// The file as it stands, with places for what is checked beyond its form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    about: Spanned<String>,
    lab: Option<Spanned<Topology>>,
    steps: Spanned<Vec<Spanned<Step>>>,
    expect: Option<Spanned<Expect>>,
}

fn read(text: &str, path: &Path) -> Result<Scenario, Mistake> {
    if text.len() > LARGEST {
        return Err(too_large());
    }
    let file: File =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| mistake::of(&error))?;
    check::name(&file.name, path)?;
    check::about(&file.about)?;
    file.lab.as_ref().map_or(Ok(()), check::lab)?;
    let lab = file.lab.map(|lab| lab.value).unwrap_or_default();
    check::steps(&file.steps, &lab)?;
    check::says_something(file.expect.as_ref().map(|expect| &expect.value), &file.steps.value)?;
    file.expect.as_ref().map_or(Ok(()), |expect| check::expect(expect, &file.steps.value))?;
    Ok(Scenario {
        name: file.name.value,
        about: file.about.value.trim().to_owned(),
        lab,
        steps: file.steps.value.into_iter().map(|step| step.value).collect(),
        expect: file.expect.map(|expect| expect.value).unwrap_or_default(),
    })
}

/// A scenario is short, flat and repeats nothing.
fn options() -> serde_saphyr::Options {
    let budget = serde_saphyr::budget! {
        max_depth: 16,
        max_nodes: 20_000,
        max_events: 60_000,
        max_documents: 1,
        max_anchors: 0,
        max_aliases: 0,
        max_total_scalar_bytes: LARGEST,
    };
    serde_saphyr::options! {
        budget: budget,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn text_of(file: &Path) -> Result<String, Mistake> {
    let unreadable = |error: std::io::Error| {
        Mistake::of_file(format!("cannot be read: {error}"), "check the path and its permissions")
    };
    if fs::metadata(file).map_err(unreadable)?.len() > LARGEST as u64 {
        return Err(too_large());
    }
    fs::read_to_string(file).map_err(unreadable)
}

fn too_large() -> Mistake {
    Mistake::of_file(
        format!("a scenario has at most {} KiB", LARGEST / 1024),
        "split it into several scenarios",
    )
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Mistake> {
    let unreadable = |error: std::io::Error| {
        Mistake::of_file(format!("the folder cannot be read: {error}"), "check the path and its permissions")
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        if kind.is_dir() && depth < DEEPEST {
            collect(&path, depth + 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            let what = format!("there are more than {MOST_FILES} scenarios below it");
            return Err(Mistake::of_file(what, "name a smaller folder"));
        }
    }
    Ok(())
}

/// The name that a file must bear: its path behind the last folder called `scenarios`, as far as known.
fn name_by_path(path: &Path) -> (String, bool) {
    let path = path.with_extension("");
    let parts: Vec<&str> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    match parts.iter().rposition(|part| *part == "scenarios") {
        Some(root) => (parts[root + 1..].join("/"), true),
        None => (parts.join("/"), false),
    }
}

const EXTENSION: &str = "yaml";
const LARGEST: usize = 256 * 1024;
const MOST_FILES: usize = 10_000;
const DEEPEST: usize = 8;

#[cfg(test)]
mod tests;
