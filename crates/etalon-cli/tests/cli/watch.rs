//! `etalon watch`.

use crate::{Etalon, Running, json};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// A two-layer linear network of 256 units on a noisy teacher, whose catapult lies between c = 2 and 4.
const TRAIN: &str = "train loss=mse data.name=teacher data.train=50 data.test=50 network.depth=1 network.width=256 \
                     network.activation=identity network.init=lecun network.parametrization=ntk network.bias=false \
                     train.batch=full train.steps=200 measure.samples=50";

/// The trajectory that `etalon train` writes at `c`.
fn trained(etalon: &Etalon, lambda: f64, c: f64) -> String {
    let file = format!("{c}.jsonl");
    let eta = format!("optimizer.eta={}", c / lambda);
    let mut arguments: Vec<&str> = TRAIN.split_whitespace().collect();
    arguments.extend([eta.as_str(), "--trajectory", &file]);
    etalon.run(&arguments);
    file
}

fn state(etalon: &Etalon, arguments: &[&str]) -> String {
    let run = etalon.run(&[&["watch", "--json"], arguments].concat());
    json(&run.printed())["state"].as_str().unwrap().into()
}

#[test]
fn real_runs_are_told_apart() {
    let etalon = Etalon::new();
    let measure = TRAIN.replace("train loss", "measure --json loss");
    let report = json(&etalon.run(&measure.split_whitespace().collect::<Vec<_>>()).printed());
    let lambda = report["ntk"]["value"].as_f64().unwrap();
    let lazy = trained(&etalon, lambda, 1.0);
    assert_eq!(state(&etalon, &[&lazy]), "lazy");
    let catapult = trained(&etalon, lambda, 3.0);
    assert_eq!(state(&etalon, &[&catapult]), "catapult");
    let divergent = trained(&etalon, lambda, 8.0);
    assert_eq!(state(&etalon, &[&divergent]), "diverging");
    // Cut off near its peak, the catapult's log does not stop a run; that of divergence does.
    let report = json(&etalon.run(&["watch", "--json", &catapult]).printed());
    let peak = report["greatest_rise"]["peak_step"].as_u64().unwrap();
    let whole = etalon.read(&catapult);
    let head: Vec<&str> = whole.lines().take(peak as usize + 1).collect();
    etalon.write("half.jsonl", &head.join("\n"));
    assert_eq!(state(&etalon, &["half.jsonl"]), "catapult_in_progress");
    assert_eq!(etalon.run(&["watch", "--stop", "half.jsonl"]).code, Some(0));
    assert_eq!(etalon.run(&["watch", "--stop=catapult", "half.jsonl"]).code, Some(3));
    assert_eq!(etalon.run(&["watch", "--stop", &divergent]).code, Some(3));
}

#[test]
fn a_trial_and_its_own_log_are_judged_alike() {
    let etalon = Etalon::new();
    let name = |word: &str| if word == "divergent" { "diverging".into() } else { word.to_string() };
    for (eta, phase) in
        [("1e-5", "lazy"), ("0.02", "lazy"), ("0.3", "catapult"), ("3", "divergent"), ("1e8", "divergent")]
    {
        let eta = format!("optimizer.eta={eta}");
        let trained = etalon.run(&["train", "--json", &eta, "--trajectory", "t.jsonl"]).printed();
        assert_eq!(json(&trained)["phase"], phase, "{eta}");
        assert_eq!(state(&etalon, &["t.jsonl"]), name(phase), "{eta}");
    }
}

#[test]
fn a_log_is_followed_until_it_diverges() {
    let etalon = Etalon::new();
    etalon.write("log.csv", "step,loss\n0,1.0\n1,0.9\n2,0.8\n");
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(["watch", "--follow", "--stop", "--interval", "0.02", "log.csv"]);
    let mut watcher = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(watcher.0.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().starts_with("step 0: undecided"));
    assert!(next().starts_with("step 2: lazy"));
    let mut log = OpenOptions::new().append(true).open(etalon.path().join("log.csv")).unwrap();
    log.write_all(b"3,16.0\n4,9.0\n").unwrap();
    assert!(next().starts_with("step 3: catapult in progress: the loss rose 17.8-fold"));
    log.write_all(b"5,nan\n").unwrap();
    assert_eq!(next(), "step 5: diverging: the loss is no finite number at step 5");
    assert_eq!(watcher.0.wait().unwrap().code(), Some(3));
}

#[test]
fn a_rate_that_no_column_has_is_given_by_its_value() {
    let etalon = Etalon::new();
    let rows = |rate: &str| -> String {
        let row = |step: i32| {
            let loss = 0.99_f64.powi(step);
            format!("{{\"step\": {step}, \"loss\": {loss}, {rate}\"sharpness\": 19.8}}\n")
        };
        (0..200).map(row).collect()
    };
    etalon.write("with.jsonl", &rows("\"lr\": 0.1, "));
    etalon.write("without.jsonl", &rows(""));
    let told = |arguments: &[&str]| etalon.run(&[&["watch", "--json"], arguments].concat()).printed();
    let known = told(&["with.jsonl"]);
    assert_ne!(told(&["without.jsonl"]), known);
    assert_eq!(told(&["without.jsonl", "--lr", "0.1"]), known);
    // What the log says itself is believed.
    assert_eq!(told(&["with.jsonl", "--rate", "7"]), known);
    let complaint = etalon.run(&["watch", "with.jsonl", "--lr=-1"]).complaint();
    assert!(complaint.contains("must be a positive number"), "{complaint}");
}

#[test]
fn what_is_no_log_is_refused() {
    let etalon = Etalon::new();
    etalon.write("accuracy.csv", "step,accuracy\n1,0.5\n");
    etalon.write("prose.txt", "it went well\n");
    let complaint = |arguments: &[&str]| etalon.run(&[&["watch"], arguments].concat()).complaint();
    assert!(complaint(&["accuracy.csv"]).contains("no column for the loss: it has accuracy, step"));
    assert!(complaint(&["prose.txt"]).contains("no number stands behind a name"));
    assert!(complaint(&["--run", "a", "accuracy.csv"]).contains("has no run a: it has a single one"));
    assert!(complaint(&["--follow", "prose.txt", "accuracy.csv"]).contains("one run of one log"));
    assert!(complaint(&["--follow", "prose.txt", "--out", "x"]).contains("leaves no folder"));
    assert!(complaint(&["none.csv"]).contains("give the file or folder that a training logs to"));
    etalon.write("run/meta.json", "{}");
    assert!(complaint(&["run"]).contains("let `etalon report` show"));
    assert!(complaint(&["--momentum", "1", "accuracy.csv"]).contains("from 0 up to"));
    // Rows that are none are passed over, and counted.
    etalon.write("mixed.jsonl", "{\"loss\": 1}\noops\n{\"loss\": \"much\"}\n{\"loss\": 0.5}\n{\"lo");
    let run = etalon.run(&["watch", "mixed.jsonl"]);
    assert!(
        run.stderr.contains("2 lines are no rows") && run.stdout.starts_with("undecided: 2 of 3"),
        "{}",
        run.stderr
    );
}

/// A catapult, and a run that never rises.
const TEXT: &str = "epoch 0\nstep 0 loss: 1.0 lr 0.1\nstep 1 loss: 3.0 lr 0.1\nstep 2 loss: 5.0 lr 0.1\n\
                    step 3 loss: 2.0 lr 0.1\nstep 4 loss: 0.3 lr 0.1\nstep 5 loss: 0.2 lr 0.1\nstep 6 loss: 0.1 lr 0.1\n";
const EXPORT: &str = "\"Step\",\"a - train/loss\",\"a - train/loss__MIN\",\"b - train/loss\"\n\
                      0,1.0,9,2\n1,0.9,9,\n2,0.8,9,1\n3,,,0.5\n4,,,1e30\n";

#[test]
fn several_logs_and_runs_are_told_side_by_side_and_drawn() {
    let etalon = Etalon::new();
    etalon.write("log.txt", TEXT);
    etalon.write("export.csv", EXPORT);
    let told = etalon.run(&["watch", "log.txt", "export.csv"]).printed();
    let starts = ["log.txt: ", "export.csv: a: lazy: ", "export.csv: b: diverging: "];
    assert!(starts.iter().all(|start| told.lines().any(|line| line.starts_with(start))), "{told}");
    assert_eq!(state(&etalon, &["export.csv", "--run", "a"]), "lazy");
    assert_eq!(etalon.run(&["watch", "--stop", "log.txt", "export.csv"]).code, Some(3));
    let several = json(&etalon.run(&["watch", "--json", "export.csv", "--out", "both"]).printed());
    assert_eq!(
        (several[1]["log"].as_str(), &several[1]["state"]),
        (Some("export.csv: b"), &"diverging".into())
    );
    let page = json(&etalon.run(&["report", "--json", "both"]).printed());
    assert_eq!(page["answer"], "2 logs: 1 diverging, 1 lazy");
    let drawn = etalon.read("both/figures/logs.csv");
    assert!(drawn.contains("export.csv: a,2,0.8") && drawn.contains("export.csv: b,4,1000000000"), "{drawn}");

    // A log alone, whose losses were no numbers in between, is read back as it was written.
    etalon.write(
        "gap.jsonl",
        &format!("{}{{\"loss\": NaN, \"hessian\": 3, \"lr\": 0.1}}\n", "{\"loss\": 1}\n".repeat(5)),
    );
    etalon.run(&["watch", "gap.jsonl", "--out", "one"]).printed();
    let page = json(&etalon.run(&["report", "--json", "one"]).printed());
    assert_eq!(page["answer"], "diverging – gap.jsonl");
    assert!(etalon.read("one/report.html").contains("limit of stability"));
}

#[test]
fn bursts_of_weights_whose_scale_does_not_matter_are_told_by_their_norm() {
    let etalon = Etalon::new();
    let toys = "theory scale-invariant --weight-decay 0.1 --steps 2000 --trajectory toys.csv";
    etalon.run(&toys.split_whitespace().collect::<Vec<_>>()).printed();
    let normalised: String = etalon
        .read("toys.csv")
        .lines()
        .filter(|line| !line.starts_with("false"))
        .map(|line| format!("{line}\n"))
        .collect();
    etalon.write("log.csv", &normalised);
    let log = ["watch", "log.csv", "--loss", "value"];
    let told = etalon.run(&[&log[..], &["--norm", "square"]].concat()).printed();
    assert!(told.starts_with("norm-driven instability: ") && told.contains("rate x weight decay"), "{told}");
    let found = json(&etalon.run(&[&log[..], &["--norm", "square", "--json"]].concat()).printed());
    assert_eq!(found["state"], "norm_driven");
    assert!(found["norm_driven"].as_u64() > Some(10), "{found}");
    // Without that column, or under one that is not there, it is not known.
    assert!(!etalon.run(&log).printed().contains("norm"));
    let complaint = etalon.run(&[&log[..], &["--norm", "length"]].concat()).complaint();
    assert!(complaint.contains("no column `length` for the norm"), "{complaint}");
}
