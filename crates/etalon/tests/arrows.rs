//! Modules of the library point one way.

use std::path::{Path, PathBuf};

/// From below to above: each knows those before it alone. What stands in no list is a helper, or above all of them.
const ORDER: [&str; 17] = [
    "folder",
    "schedule",
    "data",
    "train",
    "curvature",
    "phase",
    "search",
    "jobs",
    "spec",
    "models",
    "equivalence",
    "sweep",
    "figure",
    "claims",
    "export",
    "record",
    "report",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            sources(&path, found);
        } else if !is_test {
            found.push(path);
        }
    }
}

/// The modules that a source names, its tests and comments left out.
fn named(source: &str) -> Vec<&str> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let word = |rest: &'_ str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    lines.flat_map(|line| line.split("crate::").skip(1)).map(|rest| &rest[..word(rest)]).collect()
}

#[test]
fn no_module_knows_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rank = |module: &str| ORDER.iter().position(|&known| known == module);
    for (own, module) in ORDER.iter().enumerate() {
        let mut files = Vec::new();
        sources(&root.join(module), &mut files);
        assert!(!files.is_empty(), "{module}");
        for file in files {
            let source = std::fs::read_to_string(&file).unwrap();
            let above =
                named(&source).into_iter().find(|&other| rank(other).is_some_and(|other| other > own));
            assert_eq!(above, None, "{} is below it", file.display());
            let is_below = Some(own) < rank("spec");
            assert!(!(is_below && named(&source).contains(&"error")), "{}: errors of specs", file.display());
        }
    }
}

#[test]
fn a_module_above_is_seen() {
    assert_eq!(named("use crate::spec::Spec;\n// crate::sweep\n#[cfg(test)]\ncrate::jobs"), ["spec"]);
}
