//! What the program is built from: licences that its own allow, one source, and no crate in two versions but those named here.
//!
//! Advisories are not looked up: that needs a database from the network.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Licences under which a crate may be part of a program that is MIT or Apache-2.0.
const LICENCES: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    // For files of its own alone.
    "MPL-2.0",
];

/// Crates that others want in two versions.
const TWICE: [&str; 5] = ["getrandom", "hashbrown", "miniz_oxide", "r-efi", "syn"];

/// All packages of the workspace and of what it depends on, on any system.
fn packages() -> Vec<Value> {
    let call = |offline: Option<&str>| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--format-version=1", "--all-features", "--locked"]).args(offline);
        cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).output().unwrap()
    };
    // What other systems need is not here unless it was asked for.
    let mut output = call(Some("--offline"));
    if !output.status.success() {
        output = call(None);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
    facts["packages"].as_array().unwrap().clone()
}

/// Whether an expression of SPDX can be met with licences of the list: of alternatives one, of parts each.
fn is_allowed(expression: &str) -> bool {
    // Older crates write a slash for "or".
    let expression = expression.replace('/', " OR ");
    let parts = |text: &str, operator: &str| -> Vec<String> {
        let (mut depth, mut parts) = (0, vec![Vec::new()]);
        for word in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
            depth += i32::from(word == "(") - i32::from(word == ")");
            if depth == 0 && word == operator {
                parts.push(Vec::new())
            } else {
                parts.last_mut().unwrap().push(word.to_string())
            }
        }
        parts.into_iter().map(|words| words.join(" ")).collect()
    };
    let alternatives = parts(&expression, "OR");
    if alternatives.len() > 1 {
        return alternatives.iter().any(|part| is_allowed(part));
    }
    let all = parts(&expression, "AND");
    if all.len() > 1 {
        return all.iter().all(|part| is_allowed(part));
    }
    let only = all[0].trim();
    match only.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => is_allowed(inner),
        None => LICENCES.contains(&only),
    }
}

#[test]
fn expressions_of_licences_are_understood() {
    for allowed in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR Zlib", "(MIT OR GPL-2.0) AND Unicode-3.0", "(MIT)"] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-2.0) OR GPL-3.0", "Apache-2.0 WITH X"] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

#[test]
fn crates_have_licences_that_allow_their_use_one_source_and_one_version() {
    let (mut sources, mut versions) = (BTreeSet::new(), BTreeMap::<_, Vec<_>>::new());
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in &packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let (name, licence) = (text("name"), text("license"));
        assert!(
            is_allowed(licence),
            "{name} {} is under `{licence}`, which is not in LICENCES",
            text("version")
        );
        // The workspace's own have none.
        if let Some(source) = package["source"].as_str() {
            assert!(source.starts_with("registry+"), "{name} comes from {source}, which may change");
            sources.insert(source);
        }
        versions.entry(name).or_default().push(text("version"));
    }
    assert_eq!(sources.len(), 1, "{sources:?}");
    let twice: Vec<_> =
        versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| *name).collect();
    assert_eq!(twice, TWICE, "crates in two versions: build one, or name it in TWICE");
}
