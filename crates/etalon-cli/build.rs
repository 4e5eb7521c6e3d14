//! Tells the program which commit it is built from, where that can be known: `ETALON_COMMIT` of the
//! environment, else the repository around this folder. A build without either works as well.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ETALON_COMMIT");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.git");
    let given = std::env::var("ETALON_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| commit_of(&repository));
    let mut version = env!("CARGO_PKG_VERSION").to_string();
    if let Some(commit) = commit {
        println!("cargo::rustc-env=ETALON_COMMIT={commit}");
        version = format!("{version} ({})", commit.get(..12).unwrap_or(&commit));
    }
    println!("cargo::rustc-env=ETALON_VERSION={version}");
}

/// The commit that is checked out. Read from files, so that no git has to be installed.
fn commit_of(repository: &Path) -> Option<String> {
    // In a linked work tree `.git` is a file that names the folder.
    let folder = match fs::read_to_string(repository) {
        Ok(text) => repository.parent()?.join(text.strip_prefix("gitdir: ")?.trim()),
        Err(_) => repository.to_path_buf(),
    };
    let head = read(&folder.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().into()) };
    let common = match fs::read_to_string(folder.join("commondir")) {
        Ok(path) => folder.join(path.trim()),
        Err(_) => folder,
    };
    if let Some(commit) = read(&common.join(reference)) {
        return Some(commit.trim().into());
    }
    let packed = read(&common.join("packed-refs"))?;
    let line = packed.lines().find(|line| line.ends_with(&format!(" {reference}")))?;
    line.split(' ').next().map(String::from)
}

/// The file's text; another build follows when it changes.
fn read(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    println!("cargo::rerun-if-changed={}", file.display());
    Some(text)
}
