//! The commands that the documentation shows are run, made small; its links lead somewhere; its table of keys is the program's.

use crate::Etalon;
use etalon::record::Record;
use std::fs;
use std::path::{Path, PathBuf};

/// What makes a job small enough for a test, whatever it is.
const SMALL: [&str; 7] = [
    "network.width=16",
    "data.train=100",
    "data.test=50",
    "measure.samples=50",
    "search.seeds=2",
    "search.trainings=2",
    "search.threshold=0.15",
];

/// The same for a sweep, with four sizes left for a law.
const SMALL_GRID: [&str; 4] =
    ["grid.network.width=[8, 16]", "grid.network.depth=[1, 2, 3]", "grid.seed=[0, 1]", "train.steps=50"];

/// Pages whose commands are run in one folder, in the order in which they are read.
const PAGES: [&str; 11] = [
    "README.md",
    "docs/tutorial.md",
    "docs/concepts.md",
    "docs/sweeps.md",
    "docs/data.md",
    "docs/logs.md",
    "docs/schedules.md",
    "docs/large-rate.md",
    "docs/reproduce.md",
    "docs/reports.md",
    "docs/reference.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_commands_that_are_shown_do_what_is_said() {
    let etalon = Etalon::new();
    let mut run = Vec::new();
    for name in PAGES {
        let text = page(name);
        if let Some(grid) = text.split("```").find_map(|block| block.strip_prefix("toml\n[grid]")) {
            etalon.write("grid.toml", &format!("[grid]{grid}"));
        }
        for line in text.lines().filter_map(|line| line.strip_prefix("etalon ")) {
            run.push(command(&etalon, name, line));
        }
    }
    for verb in [
        "find",
        "measure",
        "train",
        "sweep",
        "schedule",
        "status",
        "fit",
        "plot",
        "watch",
        "report",
        "export",
        "spec",
        "theory",
        "reproduce",
        "completions",
        "man",
    ] {
        assert!(run.iter().any(|shown| shown == verb), "the documentation shows `etalon {verb}`");
    }
    assert!(etalon.read("runs/job/spec.toml").contains("width = 16"));
}

/// Runs a line of a page, and says which verb it was.
fn command(etalon: &Etalon, page: &str, line: &str) -> String {
    let line = line.split('#').next().unwrap();
    let (line, redirected) = line.split_once(" > ").unwrap_or((line, ""));
    let mut arguments = words(line);
    let verb = arguments[0];
    if ["find", "measure", "train"].contains(&verb) {
        // What is asked for on the line wins.
        arguments
            .extend(SMALL.iter().filter(|small| !line.contains("--quick") || !small.contains("trainings")));
    }
    if verb == "sweep" {
        arguments.extend(SMALL[1..].iter().chain(&SMALL_GRID));
    }
    // What needs a network is tested with the data, what needs a cluster on one.
    if (verb == "data" && arguments[1] == "fetch") || arguments.contains(&"slurm") {
        return verb.into();
    }
    let outcome = etalon.run(&arguments);
    if line.contains("data.name=mnist") {
        assert!(outcome.complaint().contains("etalon data fetch mnist"), "{page}: {line}");
        return verb.into();
    }
    assert_eq!(outcome.code, Some(0), "{page}: etalon {line}: {}", outcome.stderr);
    if !redirected.is_empty() && !redirected.contains('~') {
        etalon.write(redirected.trim(), &outcome.stdout);
    }
    verb.into()
}

/// The words of a line as a shell has them: spaces between single quotes separate nothing.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let split = |(index, part)| -> Vec<&str> {
        if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
    };
    parts.flat_map(split).collect()
}

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_to_a_file() {
    let summary = page("docs/SUMMARY.md");
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "SUMMARY.md has {name}");
            pages.push(path);
        }
    }
    for path in pages {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let leads = file.is_empty() || file.contains("://") || path.parent().unwrap().join(file).exists();
            assert!(leads, "{}: {link}", path.display());
        }
    }
}

/// `docs/keys.md`; `ETALON_GOLDEN=write` writes it anew.
#[test]
fn the_table_of_keys_is_that_of_the_program() {
    let keys: serde_json::Value =
        serde_json::from_str(&Etalon::new().run(&["spec", "--keys", "--json"]).printed()).unwrap();
    let cell = |text: &str| text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;");
    let mut text = String::from("# Every key of a spec\n\nWritten from `etalon spec --keys`.\n\n");
    text.push_str("| key | default | meaning |\n|---|---|---|\n");
    for key in keys.as_array().unwrap() {
        let default = if key["default"].is_null() { "-".into() } else { format!("`{}`", key["default"]) };
        let (name, doc) = (key["key"].as_str().unwrap(), key["doc"].as_str().unwrap());
        text.push_str(&format!("| `{name}` | {} | {} |\n", cell(&default), cell(doc)));
    }
    let file = root().join("docs/keys.md");
    if std::env::var_os("ETALON_GOLDEN").is_some_and(|word| word == "write") {
        fs::write(&file, &text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "docs/keys.md is old; ETALON_GOLDEN=write cargo test -p etalon-lr --test cli docs::"
    );
}

/// The table of kinds in `docs/reference.md`; `ETALON_GOLDEN=write` writes it anew.
#[test]
fn the_table_of_records_is_that_of_the_program() {
    let row = |(kind, schema, file): &(&str, u32, &str)| format!("| `{kind}` | {schema} | `{file}` |\n");
    let rows: String = Record::KINDS.iter().map(row).collect();
    let table = format!("| kind | schema | file |\n|---|---|---|\n{rows}");
    let file = root().join("docs/reference.md");
    let kept = page("docs/reference.md");
    if std::env::var_os("ETALON_GOLDEN").is_some_and(|word| word == "write") {
        let (before, after) =
            (kept.split("| kind |").next().unwrap(), kept.split("\n## Environment").nth(1).unwrap());
        fs::write(&file, format!("{before}{table}\n## Environment{after}")).unwrap();
    }
    assert!(
        page("docs/reference.md").contains(&format!("\n{table}\n")),
        "docs/reference.md is old; ETALON_GOLDEN=write cargo test -p etalon-lr --test cli docs::"
    );
}
