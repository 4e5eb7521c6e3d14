//! `etalon sweep` and `etalon status`.

use crate::{Etalon, json};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Very short trials on a noisy linear teacher.
const TINY: &str = "\
loss = \"mse\"
[data]
name = \"teacher\"
train = 16
test = 8
dimension = 4
[network]
depth = 1
width = 8
[train]
batch = \"full\"
steps = 20
[grid]
";

pub(crate) const FIVE_HUNDRED: &str =
    "optimizer.eta = { log = [1e-3, 10.0], points = 50 }\nseed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n";

/// Five hundred trials of some milliseconds each, so that there is time to disturb them.
pub(crate) fn five_hundred() -> Etalon {
    let etalon = Etalon::new();
    let slower = TINY.replace("steps = 20", "steps = 300").replace("train = 16", "train = 64");
    etalon.write("spec.toml", &format!("{}{FIVE_HUNDRED}", slower.replace("width = 8", "width = 64")));
    etalon
}

pub(crate) fn etalon(grid: &str) -> Etalon {
    let etalon = Etalon::new();
    etalon.write("spec.toml", &format!("{TINY}{grid}"));
    etalon
}

fn start(etalon: &Etalon, out: &str) -> Child {
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(["sweep", "spec.toml", "--out", out, "--threads", "2"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What must not depend on how the sweep was run: all results, and the summary.
pub(crate) fn results(root: &Path) -> Vec<(String, Vec<u8>)> {
    let read =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    let mut files: Vec<_> =
        fs::read_dir(root.join("trials")).unwrap().map(|entry| read(entry.unwrap())).collect();
    files.sort();
    files.push(("summary.csv".into(), fs::read(root.join("summary.csv")).unwrap()));
    files
}

pub(crate) fn finished(root: &Path) -> usize {
    fs::read_dir(root.join("trials")).map_or(0, Iterator::count)
}

/// Waits until so many trials are finished.
pub(crate) fn wait_for(root: &Path, trials: usize, child: &mut Child) {
    let began = Instant::now();
    while finished(root) < trials {
        assert!(began.elapsed() < Duration::from_secs(50), "the sweep stands still");
        assert!(child.try_wait().unwrap().is_none(), "the sweep ended before {trials} trials");
        sleep(Duration::from_micros(300));
    }
}

#[test]
fn twenty_kills_change_no_byte() {
    let etalon = five_hundred();
    etalon.run(&["sweep", "spec.toml", "--out", "whole"]).printed();
    let killed = etalon.path().join("killed");
    // A linear congruential generator: the moments are arbitrary, and the same in every run of this test.
    let mut state = 12345u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for kill in 0..20 {
        let target = finished(&killed) + random(23) as usize;
        let mut child = start(&etalon, "killed");
        wait_for(&killed, target, &mut child);
        sleep(Duration::from_micros(random(3000).into()));
        assert!(child.try_wait().unwrap().is_none(), "it ended before kill {kill}, of {target} trials");
        // SIGKILL on Unix.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = finished(&killed);
    assert!((1..500).contains(&before), "{before} trials were finished between kills");
    let report = json(&etalon.run(&["sweep", "spec.toml", "--out", "killed", "--json"]).printed());
    assert_eq!((&report["kept"], &report["done"]), (&before.into(), &(500 - before).into()));
    let (whole, killed_results) = (results(&etalon.path().join("whole")), results(&killed));
    assert_eq!(whole.len(), 501);
    assert!(whole == killed_results, "a byte differs");
    assert_eq!(fs::read_dir(killed.join("running")).unwrap().count(), 0, "nothing is left behind");
}

/// Searches with some tens of probes each.
const SEARCHES: &str = "\
job = \"find\"
network.width = [16, 32, 48, 64]
seed = [0, 1, 2, 3, 4]
[search]
metric = \"train_loss\"
threshold = 0.5
eta_star = 'only'
seeds = 2
[measure]
samples = 16
";

#[test]
fn killed_searches_go_on_from_their_probes_and_change_no_byte() {
    let etalon = Etalon::new();
    let slower = TINY.replace("steps = 20", "steps = 2000").replace("train = 16", "train = 64");
    etalon.write("spec.toml", &format!("{slower}{SEARCHES}"));
    etalon.run(&["sweep", "spec.toml", "--out", "whole"]).printed();
    let killed = etalon.path().join("killed");
    let mut resumed = 0;
    for kill in 1..=6 {
        let mut child = start(&etalon, "killed");
        wait_for(&killed, 2 * kill, &mut child);
        // Into the next search, so that some of its probes are made.
        sleep(Duration::from_millis(20));
        child.kill().unwrap();
        child.wait().unwrap();
        resumed += fs::read_dir(killed.join("probes")).unwrap().count();
    }
    assert!(resumed > 0, "some search was killed between two probes");
    etalon.run(&["sweep", "spec.toml", "--out", "killed"]).printed();
    assert!(results(&etalon.path().join("whole")) == results(&killed), "a byte differs");
    assert_eq!(fs::read_dir(killed.join("probes")).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn boundaries_make_a_phase_diagram() {
    let etalon = Etalon::new();
    let spec = format!(
        "{TINY}job = \"boundaries\"\nnetwork.width = [16, 64]\nseed = [0, 1]\n[measure]\nsamples = 16\n"
    );
    etalon.write("spec.toml", &spec);
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let svg = etalon.read("run/figures/boundaries.svg");
    assert!(svg.contains("c_h_loss: the loss rises") && svg.contains(">width</text>"), "{svg}");
    let csv = etalon.read("run/figures/boundaries.csv");
    assert!(csv.starts_with("network.width,boundary,median,least,most,seeds,missing\n16,c_h_loss,"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + 2 * 3);
    // One size makes no diagram, and says so.
    let outcome = etalon.run(&["sweep", "spec.toml", "grid.network.width=[16]", "--out", "one"]);
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome.stderr.starts_with("note: no phase diagram: no key of the grid has two sizes"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn two_processes_share_a_folder() {
    let etalon = five_hundred();
    etalon.run(&["sweep", "spec.toml", "--out", "alone"]).printed();
    let children = [start(&etalon, "shared"), start(&etalon, "shared")];
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    etalon.run(&["sweep", "spec.toml", "--out", "shared"]).printed();
    assert!(
        results(&etalon.path().join("alone")) == results(&etalon.path().join("shared")),
        "a byte differs"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_cleanly_and_says_how_to_go_on() {
    let etalon = five_hundred();
    let root = etalon.path().join("run");
    let mut child = start(&etalon, "run");
    wait_for(&root, 5, &mut child);
    let id = child.id().to_string();
    assert!(etalon.plain_command("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("the same command goes on"), "{complaint}");
    assert_eq!(fs::read_dir(root.join("running")).unwrap().count(), 0);
    let status = json(&etalon.run(&["status", "run", "--json"]).printed());
    assert_eq!(status["done"], finished(&root));
    assert_eq!(status["waiting"], 500 - finished(&root));
    assert_eq!(etalon.read("run/summary.csv").lines().count(), 1 + finished(&root));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_more_is_reported_and_survived() {
    // The cheapest trial comes first, then a short one of a wide network, which costs more than a long one of a narrow one.
    let etalon = etalon(
        "train.steps = [4, 200]\nnetwork.width = [1, 50]\nwhere = [\"network.width * train.steps <= 200\"]\n",
    );
    // A limit on the size of a file stands in for a full disk: writing fails half way.
    let line = format!(
        "trap '' XFSZ; ulimit -f 8; exec '{}' sweep spec.toml --out run --threads 1",
        env!("CARGO_BIN_EXE_etalon")
    );
    let output = etalon.plain_command("sh").args(["-c", &line]).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.contains("File too large") && complaint.contains("finished trials are kept"),
        "{complaint}"
    );
    let status = json(&etalon.run(&["status", "run", "--json"]).printed());
    assert_eq!((&status["done"], &status["waiting"]), (&2.into(), &1.into()));
    assert_eq!(json(&etalon.run(&["sweep", "spec.toml", "--out", "run", "--json"]).printed())["done"], 1);
    assert_eq!(finished(&etalon.path().join("run")), 3);
}

#[test]
fn failed_trials_are_listed_and_make_the_verdict_negative() {
    let etalon = etalon("train.batch = [8, 99]\n");
    let outcome = etalon.run(&["sweep", "spec.toml", "--out", "run"]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(1), "2 trials: 1 done now, 0 before, 1 failed\n")
    );
    assert!(outcome.stderr.starts_with("warning: 1 trials failed, the first one with: train.batch is 99"));
    let text = etalon.run(&["status", "run"]).printed();
    assert!(text.contains("train.batch is 99") && text.contains("done"), "{text}");
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let etalon = etalon("seed = [0, 1]\n");
    let complaint = etalon.run(&["sweep", "spec.toml"]).complaint();
    assert!(complaint.contains("give one with --out DIR"), "{complaint}");
    let complaint = etalon.run(&["sweep", "spec.toml", "--out", "/proc/none"]).complaint();
    assert!(complaint.contains("/proc/none"), "{complaint}");
    let complaint = etalon.run(&["train", "spec.toml"]).complaint();
    assert!(complaint.contains("belongs to a sweep") && complaint.contains("spec.toml:14"), "{complaint}");
    let complaint = etalon.run(&["status", "."]).complaint();
    assert!(complaint.contains("holds no sweep"), "{complaint}");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let complaint = etalon.run(&["sweep", "spec.toml", "train.steps=3", "--out", "run"]).complaint();
    assert!(complaint.contains("`steps = 20` where this one has `steps = 3`"), "{complaint}");
    // A sweep's own spec.toml is a spec of the same sweep.
    let report = json(&etalon.run(&["sweep", "run/spec.toml", "--out", "run", "--json"]).printed());
    assert_eq!(report["kept"], 2);
}
