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

/// What the README says of `find` and of its rival is what the page of the league has.
#[test]
fn the_readme_says_what_the_league_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (page, readme) = (read("docs/league.md"), read("README.md"));
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    // Method, mean regret, its error, that by median runs, the worst, budgets.
    let row = |method: &str| {
        let line = page.lines().find(|line| line.starts_with(&format!("| {method} |"))).unwrap();
        let cells: Vec<f64> = line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
        (cells[0], cells[4])
    };
    let (regret, budgets) = row("etalon find");
    let (rival_regret, rival_budgets) = row("Optuna TPE, 20 trials");
    let told = format!(
        "about {budgets:.0} trainings' worth for a rate that loses {regret:.1} % of what the best would gain, where Optuna's TPE \
         takes {rival_budgets:.0} to lose {rival_regret:.1} %"
    );
    assert!(readme.contains(&told), "the README does not say: {told}");
}
