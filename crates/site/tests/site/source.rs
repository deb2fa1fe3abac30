//! A guard on the crate's own source: SQL is never put together at run time.

use std::fs;
use std::path::{Path, PathBuf};

/// The lines that put text together; each by its file and number.
fn assembled(source: &str, file: &Path) -> Vec<String> {
    source
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            ["format!", "push_str", "concat", "write!", ".join("].iter().any(|word| line.contains(word))
        })
        .map(|(number, line)| format!("{}:{}: {}", file.display(), number + 1, line.trim()))
        .collect()
}

#[test]
fn no_engine_puts_text_together() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let engine = fs::read_dir(source.join("sqlite")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = engine.chain([source.join("sqlite.rs")]).collect();
    assert!(files.len() > 5, "the engine has moved: {files:?}");
    let found: Vec<String> =
        files.iter().flat_map(|file| assembled(&fs::read_to_string(file).unwrap(), file)).collect();
    assert!(found.is_empty(), "SQL must be a constant with parameters: {found:#?}");
}

#[test]
fn the_guard_sees_what_it_looks_for() {
    assert_eq!(assembled("let sql = format!(\"… '{name}'\");", Path::new("x")).len(), 1);
    assert_eq!(assembled("const ALL: &str = \"SELECT 1\";", Path::new("x")).len(), 0);
}
