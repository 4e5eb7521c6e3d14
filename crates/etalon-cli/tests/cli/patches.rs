//! Patches on images, noise before activations, and a rate that is lowered when the training loss is low enough.

use crate::{Etalon, json};
use serde_json::Value;

const SMALL: [&str; 9] = [
    "train",
    "--json",
    "data.train=200",
    "data.test=100",
    "network.width=16",
    "network.depth=1",
    "train.steps=60",
    "train.check_every=10",
    "measure.samples=20",
];

#[test]
fn groups_are_followed_and_an_easy_patch_is_learnt_first() {
    let etalon = Etalon::new();
    let patched = ["data.patch.size=6", "data.patch.offset=4", "data.shrink=2", "measure.learnt=0.4"];
    let run = |more: &[&str]| etalon.run(&[&SMALL[..], &patched, more].concat()).printed();
    let printed = run(&["--out", "run"]);
    assert_eq!(printed, run(&["--threads", "1"]));
    let groups = json(&printed)["groups"].clone();
    let at = |group: &str| groups["learnt_at"][group].as_u64();
    assert!(at("patched") < Some(60) && at("patched").is_some(), "{groups}");
    assert!(groups["final"]["test_patch_only"]["accuracy"].as_f64() > Some(0.4), "{groups}");
    // Every look is in the trajectory.
    let trials = etalon.path().join("run/trials");
    let trial = std::fs::read_dir(trials).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(trial).unwrap();
    let looks: Vec<Value> =
        text.lines().map(|line| json(line)["groups"].clone()).filter(|groups| !groups.is_null()).collect();
    assert_eq!((looks.len(), &looks[5]), (6, &groups["final"]));
    let text = etalon.run(&[&["train"], &SMALL[2..], &patched].concat()).printed();
    for expected in ["training, patch only", "held-out, in these shares", "learnt at step (accuracy 0.4)"] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn patches_and_noise_change_training_and_nothing_else_does() {
    let etalon = Etalon::new();
    let loss = |more: &[&str]| {
        let report = json(&etalon.run(&[&SMALL[..], &["network.normalizer=batch"], more].concat()).printed());
        report["final"]["test_loss"].as_f64().unwrap()
    };
    let plain = loss(&[]);
    assert_eq!(loss(&["noise.factor=0.5", "data.patch.offset=0.2"]), plain);
    assert_ne!(loss(&["noise.level=0.5"]), plain);
    assert_ne!(loss(&["noise.level=0.5"]), loss(&["noise.level=0.5", "noise.until=30"]));
    assert_ne!(loss(&["data.patch.size=6"]), plain);
}

#[test]
fn a_sweep_has_the_groups_in_its_summary() {
    let etalon = Etalon::new();
    let grid = ["grid.seed=[0,1]", "data.patch.size=6", "schedule.anneal_below=2"];
    etalon.run(&[&["sweep", "--out", "runs"], &SMALL[2..], &grid].concat()).printed();
    let summary = etalon.read("runs/summary.csv");
    let heading = summary.lines().next().unwrap();
    assert!(heading.ends_with("patched_learnt_at,patch_only_learnt_at,annealed_at"), "{heading}");
    assert!(heading.contains("unpatched_accuracy,patched_accuracy,patch_only_accuracy"), "{heading}");
    assert!(summary.lines().nth(1).unwrap().split(',').filter(|field| field.starts_with("0.")).count() > 4);
}

#[test]
fn a_rate_is_lowered_when_the_loss_is_low_enough_and_else_the_run_says_so() {
    let etalon = Etalon::new();
    let run = |below: &str| {
        let below = format!("schedule.anneal_below={below}");
        etalon.run(&[&SMALL[..], &[&below, "schedule.factor=0.25"]].concat())
    };
    let reached = json(&run("1.5").printed())["annealed"].clone();
    assert!(reached["step"].as_u64() > Some(0) && reached["lowest"].as_f64() <= Some(1.5), "{reached}");
    let never = run("1e-9");
    assert!(never.stderr.contains("never reached schedule.anneal_below"), "{}", never.stderr);
    let report = json(&never.stdout);
    assert_eq!((&report["annealed"]["step"], &report["stop"]["reason"]), (&Value::Null, &"budget".into()));
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let etalon = Etalon::new();
    for (arguments, reason) in [
        (&["data.patch.shares=[0.2,0.64,0.2]"][..], "add up to 1.04000; they must add up to 1"),
        (&["data.patch.shares=[0.2,0.8]"], "must be three numbers"),
        (&["data.patch.shares=[-0.2,0.6,0.6]"], "a share lies between 0 and 1"),
        (&["data.patch.size=29"], "larger than the images of 28 x 28: take at most 28"),
        (&["data.patch.size=15", "data.shrink=2"], "larger than the images of 14 x 14"),
        (&["data.patch.size=4", "data.patch.place=[3,25]"], "take at most [24, 24]"),
        (&["data.patch.size=4", "data.name=mnist1d"], "samples are vectors"),
        (&["data.shrink=3"], "does not divide images of 28 x 28"),
        (&["noise.level=0.4"], "no normalisation behind which noise is added"),
        (&["noise.level=-1", "network.normalizer=batch"], "0 or above"),
        (&["schedule.anneal_below=0.1", "schedule.kind=cosine"], "lowers a rate that is constant until then"),
        (&["schedule.anneal_below=0"], "a finite number above 0"),
    ] {
        let complaint = etalon.run(&[&SMALL[..], arguments].concat()).complaint();
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
    }
    let complaint = etalon.run(&["schedule", "show", "schedule.anneal_below=0.1"]).complaint();
    assert!(complaint.contains("not known before training"), "{complaint}");
}
