//! Modules of the library point one way, and so do those of its pages.

use std::path::{Path, PathBuf};

/// From below to above: each knows those before it alone. What stands in no list is a helper, or above all of them.
const ORDER: [&str; 15] = [
    "folder",
    "schedule",
    "data",
    "train",
    "curvature",
    "phase",
    "search",
    "jobs",
    "trainer",
    "spec",
    "models",
    "equivalence",
    "sweep",
    "claims",
    "record",
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
fn named(source: &str) -> Vec<String> {
    after("crate::", source)
}

/// What a source names after a path.
fn after(path: &str, source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n").split(path).skip(1).flat_map(first).collect()
}

/// The first words of a path: one, or those of a list in braces, whose items may have lists of their own.
fn first(rest: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let Some(list) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            c => items.last_mut().unwrap().push(c),
        }
    }
    items.iter().map(|item| word(item)).filter(|word| !word.is_empty()).collect()
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
            let above = named(&source).into_iter().find(|other| rank(other).is_some_and(|other| other > own));
            assert_eq!(above, None, "{} is below it", file.display());
            let is_below = Some(own) < rank("spec");
            assert!(
                !(is_below && named(&source).iter().any(|other| other == "error")),
                "{}: errors of specs",
                file.display()
            );
        }
    }
}

#[test]
fn a_module_above_is_seen() {
    assert_eq!(named("use crate::spec::Spec;\n// crate::sweep\n#[cfg(test)]\ncrate::jobs"), ["spec"]);
    assert_eq!(named("use crate::{claims, spec};"), ["claims", "spec"]);
    assert_eq!(
        named("use crate::{\n    figure::{Axis, Cell},\n    report::page,\n};\ncrate::jobs::find()"),
        ["figure", "report", "jobs"]
    );
}

#[test]
fn figures_and_exports_know_no_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etalon-report/src");
    for module in ["figure", "export"] {
        let mut files = Vec::new();
        sources(&root.join(module), &mut files);
        for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "rs")) {
            let names = named(&std::fs::read_to_string(file).unwrap());
            assert!(names.iter().all(|name| name == module), "{}: {names:?}", file.display());
        }
    }
}

#[test]
fn pages_of_a_report_stand_in_no_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etalon-report/src/pages");
    let mut known: Vec<(String, Vec<String>)> = Vec::new();
    for entry in std::fs::read_dir(&root).unwrap().flatten() {
        let module = entry.path().file_stem().unwrap().to_str().unwrap().to_string();
        let (mut files, mut names) = (Vec::new(), Vec::new());
        match entry.path().is_dir() {
            true => sources(&entry.path(), &mut files),
            false => files.push(entry.path()),
        }
        // What names all of them is above all of them.
        for file in
            files.iter().filter(|file| module != "mod" && file.extension().is_some_and(|ext| ext == "rs"))
        {
            let source = std::fs::read_to_string(file).unwrap();
            let is_inner = entry.path().is_dir() && file.file_stem().unwrap() != "mod";
            names.extend(after("crate::pages::", &source));
            names.extend(after("super::", &source).into_iter().filter(|_| !is_inner));
        }
        names.retain(|name| *name != module);
        known.push((module, names));
    }
    assert!(known.iter().any(|(module, names)| module == "sweep" && names.contains(&"laws".to_string())));
    // Modules that know none of those left are taken away; those of a circle stay.
    loop {
        let left: Vec<String> = known.iter().map(|(module, _)| module.clone()).collect();
        known.retain(|(_, names)| names.iter().any(|name| left.contains(name)));
        if known.len() == left.len() {
            break;
        }
    }
    assert_eq!(known, [], "a circle, and what knows of it");
}
