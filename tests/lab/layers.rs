//! The walls of the house, read from `cargo metadata`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Layer of every crate: it may use lower layers only.
const LAYERS: &[(&str, u32)] = &[
    ("cmglab-clock", 0),
    ("cmglab-cmlog", 0),
    ("cmglab-ids", 0),
    ("cmglab-proto", 0),
    ("cmglab-events", 1),
    ("cmglab-fault", 1),
    ("cmglab-pki", 1),
    ("cmglab-token", 1),
    ("cmglab-tls", 2),
    ("cmglab-net", 3),
    ("cmglab-site", 3),
    ("cmglab-tunnel", 4),
    ("cmglab-aad", 5),
    ("cmglab-client", 5),
    ("cmglab-cmg", 5),
    ("cmglab-connection-point", 5),
    ("cmglab-management-point", 5),
    ("cmglab-revocation", 5),
    ("cmglab-lab", 6),
    ("cmglab-scenario", 7),
    ("cmglab", 8),
    ("cmglab-tests", 9),
];

/// Crates that must never be in the graph: a second TLS stack or crypto provider.
const BANNED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "aws-lc-fips-sys"];

fn cargo(arguments: &[&str]) -> Vec<u8> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output =
        Command::new(env!("CARGO")).args(arguments).args(["--manifest-path", manifest]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn metadata() -> Value {
    // Members alone: a package of another platform may not have been downloaded.
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"]);
    serde_json::from_slice(&output).unwrap()
}

fn members(metadata: &Value) -> Vec<&Value> {
    metadata["packages"].as_array().unwrap().iter().collect()
}

#[test]
fn a_crate_uses_lower_layers_only() {
    let layers: BTreeMap<&str, u32> = LAYERS.iter().copied().collect();
    for package in members(&metadata()) {
        let name = package["name"].as_str().unwrap();
        let own = *layers.get(name).unwrap_or_else(|| panic!("{name} has no layer; give it one in LAYERS"));
        for dependency in package["dependencies"].as_array().unwrap() {
            // A test may reach for anything below the top.
            if dependency["kind"] == "dev" {
                continue;
            }
            let used = dependency["name"].as_str().unwrap();
            if let Some(layer) = layers.get(used) {
                assert!(*layer < own, "{name} (layer {own}) must not use {used} (layer {layer})");
            }
        }
    }
}

#[test]
fn only_tls_names_rustls() {
    for package in members(&metadata()) {
        let name = package["name"].as_str().unwrap();
        let names_rustls = package["dependencies"].as_array().unwrap().iter().any(|dependency| {
            dependency["kind"] != "dev"
                && matches!(dependency["name"].as_str().unwrap(), "rustls" | "tokio-rustls")
        });
        assert_eq!(names_rustls, name == "cmglab-tls", "{name}");
    }
}

#[test]
fn there_is_one_crypto_provider() {
    // The tree, not the metadata: the latter lists optional packages that nothing builds.
    let tree = cargo(&["tree", "--workspace", "--prefix", "none", "--locked", "--offline"]);
    let tree = String::from_utf8(tree).unwrap();
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"aws-lc-rs"), "{names:?}");
    for banned in BANNED {
        assert!(!names.contains(banned), "{banned} must not be in the graph");
    }
}

#[test]
fn files_stay_small() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let listed = Command::new("git").args(["-C", root, "ls-files", "*.rs"]).output();
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: not a git checkout");
        return;
    };
    for file in String::from_utf8(listed.stdout).unwrap().lines() {
        let Ok(text) = std::fs::read_to_string(format!("{root}/{file}")) else { continue };
        let lines = text.lines().count();
        assert!(lines <= 600, "{file} has {lines} lines; split it by concept (at most 600)");
    }
}
