//! The specs that belong to the documents and to the league of finders.

use etalon::sweep::Grid;
use std::path::{Path, PathBuf};

fn specs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            specs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

/// Every one is a whole grid, whose cells are valid specs.
#[test]
fn every_spec_of_the_documents_makes_a_sweep() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    specs(&root.join("docs"), &mut found);
    assert!(found.len() >= 13, "{found:?}");
    specs(&root.join("bench/league/tasks"), &mut found);
    for path in found {
        // A spec without a grid is a sweep of one cell.
        Grid::load(Some(&path), &[]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
