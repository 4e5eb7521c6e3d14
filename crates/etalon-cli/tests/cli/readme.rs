//! The commands that the README shows are run, made small.

use crate::Etalon;

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

#[test]
fn the_readmes_commands_do_what_it_says() {
    let readme = include_str!("../../../../README.md");
    let etalon = Etalon::new();
    let spec = etalon.run(&["spec"]).printed();
    etalon.write("job.toml", &spec);
    let grid = readme.split("```").find_map(|block| block.strip_prefix("toml\n")).unwrap();
    etalon.write("grid.toml", grid);
    let mut run = Vec::new();
    for line in readme.lines().filter_map(|line| line.strip_prefix("etalon ")) {
        // A comment, and where the shell sends the output, are not the program's.
        let line = line.split('#').next().unwrap().split('>').next().unwrap();
        let mut arguments = words(line);
        let verb = arguments[0];
        if ["find", "measure", "train"].contains(&verb) {
            arguments.extend(SMALL);
        }
        if verb == "sweep" {
            arguments.extend(SMALL[1..].iter().chain(&SMALL_GRID));
        }
        let outcome = match (verb, arguments.get(1)) {
            // What needs a network is tested with the data.
            ("data", Some(&"fetch")) => continue,
            // What needs a cluster is tested on one.
            ("sweep", _) if arguments.contains(&"slurm") => continue,
            _ => etalon.run(&arguments),
        };
        if line.contains("data.name=mnist") {
            assert!(outcome.complaint().contains("etalon data fetch mnist"), "{line}");
        } else {
            assert_eq!(outcome.code, Some(0), "etalon {line}: {}", outcome.stderr);
        }
        run.push(verb);
    }
    for verb in [
        "find",
        "measure",
        "train",
        "sweep",
        "schedule",
        "status",
        "fit",
        "report",
        "export",
        "spec",
        "reproduce",
        "completions",
    ] {
        assert!(run.contains(&verb), "the README shows `etalon {verb}`");
    }
    assert!(etalon.read("runs/heavy-ball/spec.toml").contains("momentum = 0.9"));
}

/// The words of a line as a shell has them: spaces between single quotes separate nothing.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let split = |(index, part)| -> Vec<&str> {
        if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
    };
    parts.flat_map(split).collect()
}
