//! `etalon train`.

use crate::{Etalon, json};

const SMALL: [&str; 6] =
    ["train", "network.width=32", "network.depth=1", "data.train=200", "data.test=50", "train.steps=40"];

/// The same without a budget.
const OPEN: &[&str] = SMALL.split_at(5).0;

#[test]
fn a_trial_and_its_trajectory() {
    let etalon = Etalon::new();
    let arguments = ["--json", "--trajectory", "t.jsonl", "measure.every=10", "measure.samples=50"];
    let report = json(&etalon.run(&[&SMALL[..], &arguments].concat()).printed());
    assert_eq!((&report["phase"], &report["steps"]), (&"lazy".into(), &40.into()));
    assert_eq!(report["stop"], serde_json::json!({ "reason": "budget", "steps": 40 }));
    let last = &report["final"];
    assert!(last["train_loss"].as_f64() < report["evidence"]["first_loss"].as_f64());
    let text = etalon.read("t.jsonl");
    let records: Vec<_> = text.lines().map(json).collect();
    assert_eq!(records.len(), 41, "every step, and the state at the end");
    for (step, record) in records.iter().enumerate() {
        assert_eq!((&record["step"], &record["eta"]), (&step.into(), &0.1.into()));
        assert_eq!(record["hessian"].is_f64(), step % 10 == 0, "{record}");
        assert_eq!(record["ntk"].is_f64(), step % 10 == 0, "{record}");
    }
    // The end takes no step: what is looked at there has names of its own.
    assert!(
        records[..40].iter().all(|record| record["loss"].is_f64()) && records[40]["loss"].is_null(),
        "{text}"
    );
    assert_eq!(records[40]["train"]["loss"], last["train_loss"]);
    assert_eq!(records[40]["test"]["accuracy"], last["test_accuracy"]);
    // The same again, byte by byte, on another number of threads.
    etalon.run(&[&SMALL[..], &arguments, &["--threads", "1"]].concat()).printed();
    assert_eq!(etalon.read("t.jsonl"), text);
}

#[test]
fn a_divergence_is_told_with_its_number() {
    let etalon = Etalon::new();
    let report =
        json(&etalon.run(&[&SMALL[..], &["--json", "optimizer.eta=50", "loss=mse"]].concat()).printed());
    assert_eq!((&report["phase"], &report["stop"]["reason"]), (&"divergent".into(), &"diverged".into()));
    assert!(report["stop"]["limit"].as_f64() > Some(1e6) && report["steps"].as_u64() < Some(40), "{report}");
}

#[test]
fn an_infinite_rate_diverges() {
    let schedule = ["schedule.kind=one_cycle", "schedule.divisor=1e-320", "--json"];
    let report = json(&Etalon::new().run(&[&SMALL[..], &schedule].concat()).printed());
    assert_eq!((&report["phase"], &report["steps"]), (&"divergent".into(), &1.into()));
}

#[test]
fn momentum_schedules_and_budgets() {
    let etalon = Etalon::new();
    for arguments in [
        &["train.steps=40", "optimizer.momentum=0.9", "optimizer.nesterov=true", "optimizer.eta=0.01"][..],
        &["train.steps=40", "schedule.kind=cosine", "schedule.warmup=5", "optimizer.weight_decay=1e-3"],
        &["train.epochs=10", "network.activation=gelu", "precision=f64"],
        &[
            "train.physical_time=4",
            "network.activation=tanh",
            "network.parametrization=mup",
            "optimizer.eta=0.1",
        ],
        &["train.steps=40", "train.batch=full", "loss=logistic", "data.classes=[0, 1]", "data.train=100"],
        &["train.steps=40", "data.name=mnist1d", "network.residual=true", "network.depth=3"],
    ] {
        let report = json(&etalon.run(&[OPEN, &["--json"], arguments].concat()).printed());
        let (first, last) = (&report["evidence"]["first_loss"], &report["final"]["train_loss"]);
        assert!(last.as_f64().unwrap() < first.as_f64().unwrap(), "{arguments:?}: {report}");
    }
    let arguments = ["train.physical_time=4", "--json"];
    assert_eq!(json(&etalon.run(&[OPEN, &arguments].concat()).printed())["steps"], 40);
    let complaint = etalon.run(&[&SMALL[..], &["train.epochs=2"]].concat()).complaint();
    assert!(complaint.contains("both say how long to train"), "{complaint}");
}

#[test]
fn a_run_directory_holds_spec_report_and_trial() {
    let etalon = Etalon::new();
    etalon.run(&[&SMALL[..], &["--out", "run", "--save-weights", "w.safetensors"]].concat()).printed();
    let report = json(&etalon.read("run/train.json"));
    let trial = report["trial"].as_str().unwrap();
    assert!(etalon.read(&format!("run/trials/{trial}.jsonl")).lines().count() == 41);
    assert!(etalon.read("run/spec.toml").contains("width = 32"));
    // Going on from the saved parameters starts where the first run ended.
    let on = json(&etalon.run(&[&SMALL[..], &["--json", "--weights", "w.safetensors"]].concat()).printed());
    assert!(on["evidence"]["first_loss"].as_f64() < report["evidence"]["first_loss"].as_f64());
}

#[test]
fn what_cannot_be_written_is_refused_before_training() {
    let etalon = Etalon::new();
    let complaint =
        etalon.run(&[&SMALL[..], &["--trajectory", "/proc/none/t", "train.steps=100000000"]].concat());
    assert!(complaint.complaint().contains("/proc/none"));
    let complaint = etalon.run(&["train", "train.physical_time=1e30"]).complaint();
    assert!(complaint.contains("it must make between 1 and 1e12"), "{complaint}");
}

#[test]
fn a_network_larger_than_memory_is_refused_before_it_is_made() {
    let complaint = Etalon::new().run(&["train", "network.depth=2", "network.width=600000"]).complaint();
    assert!(complaint.contains("needs about") && complaint.contains("are free"), "{complaint}");
}

#[test]
fn batch_normalisation_trains_with_its_batch_and_is_judged_with_running_statistics() {
    let etalon = Etalon::new();
    let normalised = ["--json", "network.normalizer=batch", "--save-weights", "w.safetensors"];
    let report = json(&etalon.run(&[&SMALL[..], &normalised].concat()).printed());
    assert_eq!((&report["statistics"], &report["phase"]), (&"running".into(), &"lazy".into()));
    assert!(report["final"]["test_accuracy"].as_f64() > Some(0.5), "{report}");
    let bytes = std::fs::read(etalon.path().join("w.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = json(std::str::from_utf8(&bytes[8..8 + length]).unwrap());
    for name in ["weight", "bias", "running_mean", "running_var"] {
        assert_eq!(header[format!("layers.1.{name}")]["shape"], serde_json::json!([32]), "{header}");
    }
    // Going on from there begins with the same evaluation, on another number of threads too.
    let on = ["--json", "network.normalizer=batch", "--weights", "w.safetensors", "--trajectory", "t.jsonl"];
    let again = json(&etalon.run(&[&SMALL[..], &on, &["--threads", "1"]].concat()).printed());
    assert_eq!(again["evidence"]["start_loss"], report["final"]["train_loss"]);
    // A reader of the losses meets those of steps alone.
    let watched = json(&etalon.run(&["watch", "t.jsonl", "--json"]).stdout);
    assert_eq!((&watched["rows"], &watched["step"]), (&40.into(), &39.into()), "{watched}");
    assert!(again["evidence"]["first_loss"].as_f64() < report["evidence"]["first_loss"].as_f64(), "{again}");
    let text = etalon.run(&[&SMALL[..], &["network.normalizer=batch"]].concat()).printed();
    assert!(text.contains("with the running statistics of batch normalisation"), "{text}");
    // A normaliser within each sample has one mode only.
    let layer = json(&etalon.run(&[&SMALL[..], &["--json", "network.normalizer=layer"]].concat()).printed());
    assert!(layer["statistics"].is_null() && layer["final"]["test_accuracy"].as_f64() > Some(0.5), "{layer}");
}

#[test]
fn a_normaliser_that_would_leave_nothing_is_refused_with_the_reason() {
    for (arguments, reason) in [
        (&["network.normalizer=instance"][..], "instance takes the mean over the positions of a channel"),
        (&["network.normalizer=batch", "train.batch=1"], "train.batch is 1"),
        (&["network.normalizer=group", "network.groups=5"], "does not divide network.width = 32"),
        (&["network.normalizer=group", "network.groups=32"], "a group of one number minus its mean is 0"),
        (&["network.normalizer=group", "network.groups=0"], "must be at least 1"),
        (&["network.normalizer_epsilon=-1"], "0 or above"),
        (&["network.normalizer=bacth"], "batch"),
    ] {
        let complaint = Etalon::new().run(&[&SMALL[..], arguments].concat()).complaint();
        assert!(complaint.contains(reason), "{arguments:?}: {complaint}");
    }
}

#[test]
fn a_converted_schedule_trains_what_the_plain_one_does_and_tells_how_weights_move() {
    let etalon = Etalon::new();
    let job = [
        "precision=f64",
        "network.normalizer=batch",
        "network.normalizer_epsilon=0",
        "optimizer.weight_decay=1e-2",
        "optimizer.momentum=0.5",
        "measure.weights=true",
        "measure.samples=50",
        "--trajectory",
        "t.jsonl",
    ];
    let run = |conversion: &str| {
        etalon.run(&[&SMALL[..], &job, &[conversion]].concat()).printed();
        etalon.read("t.jsonl").lines().map(json).collect::<Vec<_>>()
    };
    let (plain, grown) = (run("schedule.conversion=none"), run("schedule.conversion=exact"));
    let weights = |record: &serde_json::Value, name: &str| record["weights"][0][name].as_f64().unwrap();
    for (one, other) in plain[..40].iter().zip(&grown) {
        let (a, b) = (one["loss"].as_f64().unwrap(), other["loss"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-11, "{a} {b}");
        let (a, b) = (weights(one, "angle"), weights(other, "angle"));
        assert!((a - b).abs() < 1e-11 && a > 0.0, "{a} {b}");
    }
    assert_eq!(plain[0]["weights"][0]["segment"], "layers.0.weight");
    assert!(weights(&grown[39], "norm") > 1.01 * weights(&plain[39], "norm"));
    let effective = weights(&plain[0], "effective_rate") * weights(&plain[0], "norm").powi(2);
    assert!((effective - 0.1).abs() < 1e-12, "{effective}");
    assert!(grown[40]["weights"].is_null(), "no step follows the last record");
    let plain = etalon.run(&[&SMALL[..], &["--trajectory", "t.jsonl"]].concat());
    assert_eq!(plain.code, Some(0));
    assert!(!etalon.read("t.jsonl").contains("weights"), "off by default");
}
