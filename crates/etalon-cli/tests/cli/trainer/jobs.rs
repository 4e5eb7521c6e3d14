//! The jobs train and boundaries of trainers, alone and in sweeps.

use super::{QUADRATIC, TRAINER, assert_no_orphans, etalon, orphans};
use crate::{Etalon, Outcome, json};
use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[test]
fn one_training_is_judged_and_streams_its_log() {
    let etalon = etalon();
    let train = |eta: &str, more: &[&str]| {
        let eta = format!("optimizer.eta={eta}");
        etalon.run(&[&["train", "--trainer", TRAINER, "--goal", "val_loss", eta.as_str()], more].concat())
    };
    // (1 - eta lambda)^2 a step, lambda = 4: a tenth, and four times.
    for (eta, phase) in [("0.25", "lazy"), ("0.1", "lazy"), ("0.75", "divergent")] {
        let report = json(&train(eta, &["--json"]).printed());
        assert_eq!(
            (&report["phase"], &report["final"]["test_loss"]),
            (&phase.into(), &().into()),
            "{report}"
        );
    }
    let report = json(&train("0.1", &["--json", "--out", "run"]).printed());
    assert_eq!((&report["steps"], &report["metric"]["name"]), (&60.into(), &"val_loss".into()));
    // The mean over steps 48 to 60 of 2 0.36^step + 0.01.
    let (value, sum) = (report["metric"]["value"].as_f64().unwrap(), 0.01);
    assert!((value / sum - 1.0).abs() < 1e-9, "{value}");
    assert!(etalon.path().join("run/training/0.1-0-whole/log.jsonl").exists());
    etalon.run(&["report", "run"]).printed();
    let page = etalon.read("run/report.html");
    assert!(page.contains("val_loss at the end") && !page.contains("held-out"));
    // One that diverges is ended at the row that shows it.
    let streamed = train("1", &["--stream"]).printed();
    let lines: Vec<serde_json::Value> = streamed.lines().map(json).collect();
    assert_eq!(
        (&lines[1]["news"], &lines[1]["step"], &lines[1]["loss"]),
        (&"row".into(), &1.into(), &18.0.into())
    );
    let last = lines.last().unwrap();
    assert_eq!((&last["news"], &last["stop"]["reason"]), (&"trained".into(), &"shown".into()));
    assert!(last["steps"].as_u64().unwrap() < 20, "{last}");
    let text = train("0.1", &[]).printed();
    assert!(text.starts_with("lazy: the loss is ") && text.contains("val_loss 0.01000"), "{text}");
    let refused = train("0.1", &["--weights", "x"]).complaint();
    assert!(refused.contains("--weights is for what Etalon trains"), "{refused}");
    assert!(etalon.run(&["train", "--stream"]).complaint().contains("a trainer's log"));
    // Who has read enough is told of no error.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut unread = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    let arguments = ["train", "--trainer", TRAINER, "optimizer.eta=0.1", "--stream"];
    let output = unread.args(arguments).stdout(writer).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_phase_diagram_over_rates_and_a_parameter() {
    let etalon = etalon();
    etalon.write("quadratic.sh", &QUADRATIC.replace("4 + seed / 10", "seed"));
    let grid = [
        "sweep",
        "trainer.command='sh quadratic.sh {eta} {sharpness} {log}'",
        "trainer.goal.metric=val_loss",
        "grid.optimizer.eta=[0.25, 0.5, 0.9, 1.9, 2.1, 3]",
        "grid.trainer.parameters.sharpness=[1, 2]",
        "-q",
    ];
    let sweep = |more: &[&str]| etalon.run(&[&grid[..], more].concat()).printed();
    sweep(&["--out", "one"]);
    sweep(&["--out", "four", "trainer.slots=4"]);
    sweep(&["--out", "workers", "--on", "command", "--command", "{worker}"]);
    let summary = etalon.read("one/summary.csv");
    let rows: Vec<Vec<&str>> = summary.lines().map(|line| line.split(',').collect()).collect();
    let place = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
    assert_eq!(rows.len(), 13);
    for row in &rows[1..] {
        let [eta, sharpness] = [1, 2].map(|place| row[place].parse::<f64>().unwrap());
        let metric: f64 = row[place("metric")].parse().unwrap();
        // By 1.1^2 a step the loss has not left every limit after 60.
        let expected = match eta * sharpness {
            c if c < 2.0 => "lazy",
            2.1 => "stuck",
            _ => "divergent",
        };
        assert_eq!(row[place("phase")], expected, "{summary}");
        assert_eq!(metric < 0.1, expected == "lazy", "{summary}");
    }
    // A slot more is another spec, and the same rows.
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_once(',').unwrap().1.to_string()).collect()
    };
    assert_eq!(values(&etalon.read("four/summary.csv")), values(&summary));
    assert_eq!(etalon.read("workers/summary.csv"), summary);
    etalon.run(&["report", "one"]).printed();
    assert!(etalon.read("one/report.html").contains("divergent"));
}

#[test]
fn boundaries_are_those_of_the_closed_form() {
    let etalon = etalon();
    etalon.write("quadratic.sh", &QUADRATIC.replace("4 + seed / 10", "seed"));
    let grid = [
        "sweep",
        "grid.job=boundaries",
        "trainer.command='sh quadratic.sh {eta} {sharpness} {log}'",
        "trainer.start=0.1",
        "grid.trainer.parameters.sharpness=[1, 2, 4, 8]",
        "-q",
        "--out",
    ];
    let sweep = |curved: &str, out: &str| {
        let mut command = etalon.command();
        Outcome::of(command.env("CURVED", curved).args([&grid[..], &[out]].concat())).printed();
        let summary = etalon.read(&format!("{out}/summary.csv"));
        summary.lines().map(|line| line.split(',').map(String::from).collect()).collect::<Vec<Vec<String>>>()
    };
    // The loss rises, and in the end leaves every limit, from eta = 2 / lambda on.
    let (plain, curved) = (sweep("", "plain"), sweep("1", "curved"));
    assert_eq!(
        plain[0][2..],
        ["sharpness", "c_h_loss", "c_h_sharp", "c_h_max", "eta_loss", "eta_sharp", "eta_max"]
    );
    for (row, curved) in plain[1..].iter().zip(&curved[1..]) {
        let edge = 2.0 / row[1].parse::<f64>().unwrap();
        let number = |text: &String| text.parse::<f64>().unwrap();
        assert!(row[2..6].iter().all(String::is_empty) && row[7].is_empty(), "{row:?}");
        for eta in [&row[6], &row[8], &curved[6], &curved[8]] {
            assert!((number(eta) / edge - 1.0).abs() < 0.2, "{row:?} {curved:?}");
        }
        assert!((number(&row[6]) / edge - 1.0).abs() < 0.026, "{row:?}");
        assert_eq!((number(&curved[2]), &curved[1]), (2.0 / edge, &row[1]));
        assert!((number(&curved[3]) - 2.0).abs() < 0.05, "{curved:?}");
        // Its sharpness never rises, until there is none: the loss leaves every limit in ten steps.
        assert!(number(&curved[4]) > 4.0, "{curved:?}");
    }
    for out in ["plain", "curved"] {
        etalon.run(&["report", out]).printed();
    }
    assert!(etalon.read("plain/report.html").contains("training diverges at η"));
    assert!(etalon.read("curved/report.html").contains("training diverges at c_h"));
    let fit = ["fit", "plain", "--x", "trainer.parameters.sharpness", "--y", "eta_loss", "--json"];
    let law = json(&etalon.run(&fit).printed());
    assert!((law["joint"]["exponents"][0]["value"].as_f64().unwrap() + 1.0).abs() < 0.05, "{law}");
}

/// A sweep of a job, whose trainings take a while.
fn slow_sweep(etalon: &Etalon, job: &str, out: &str) -> Child {
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.env("PAUSE", "0.02").stdout(Stdio::null()).stderr(Stdio::null());
    let job = format!("grid.job={job}");
    let keys =
        ["trainer.start=0.1", "grid.seed=[0, 1]", "grid.optimizer.eta=[0.1, 0.3, 0.9]", "trainer.slots=2"];
    let keys = &keys[..if job.ends_with("train") { 4 } else { 2 }];
    command.args(["sweep", &job, &format!("trainer.command='{TRAINER}'"), "-q", "--out", out]).args(keys);
    command.spawn().unwrap()
}

#[test]
fn sweeps_of_other_jobs_that_are_killed_leave_no_process_and_go_on() {
    let etalon = etalon();
    for job in ["train", "boundaries"] {
        let [whole, killed] = ["whole", "killed"].map(|name| format!("{job}-{name}"));
        assert!(slow_sweep(&etalon, job, &whole).wait().unwrap().success());
        for time in 0..6 {
            let mut child = slow_sweep(&etalon, job, &killed);
            sleep(Duration::from_millis(20 + time * 61));
            let _ = child.kill();
            let _ = child.wait();
            assert_no_orphans(&etalon);
        }
        assert!(slow_sweep(&etalon, job, &killed).wait().unwrap().success());
        let read = |folder: &str| etalon.read(&format!("{folder}/summary.csv"));
        assert_eq!(read(&killed), read(&whole));
    }
}

#[test]
fn what_fails_in_other_jobs_is_no_divergence_either() {
    let etalon = etalon();
    for (trainer, expected) in [
        ("etalon-no-such-program {eta}", "cannot be started"),
        ("sh -c 'echo CUDA out of memory >&2; exit 3' {eta}", "exit status: 3: CUDA out of memory"),
        ("true {eta} {log}", "log.jsonl is not there"),
        ("sh -c 'echo garbage > {log}' {eta}", "is no log that can be read (no number stands behind a name)"),
        (
            "sh -c 'trap \"\" TERM; (setsid sleep 300 &); while :; do sleep 0.05; done' {eta}",
            "no answer after 0.3 s",
        ),
        ("true", "has {eta}"),
    ] {
        let keys = [if expected.contains("0.3 s") { "trainer.seconds=0.3" } else { "trainer.seconds=60" }];
        let once = [&["train", "--trainer", trainer][..], &keys].concat();
        let command = format!("trainer.command=\"{}\"", trainer.replace('\\', "").replace('"', "\\\""));
        let sweep = |job| [&["sweep", job, &command, "grid.seed=[0]", "--out", job][..], &keys].concat();
        for arguments in [once, sweep("grid.job=train"), sweep("grid.job=boundaries")] {
            let Outcome { code, stderr, .. } = etalon.run(&arguments);
            assert!(code != Some(0) && stderr.contains(expected), "{arguments:?}: {stderr}");
            assert!(orphans(&etalon).is_empty());
            let _ = fs::remove_dir_all(etalon.path().join(arguments[1]));
        }
    }
    // Its last word decides, not its exit code.
    let ends = "sh -c 'echo \"{\\\"loss\\\": 1}\" > {log}; echo \"{\\\"loss\\\": NaN}\" >> {log}; sleep 300 & exit 1' {eta}";
    let report = json(&etalon.run(&["train", "--trainer", ends, "--json"]).printed());
    assert_eq!((&report["phase"], &report["stop"]["reason"]), (&"divergent".into(), &"shown".into()));
    assert_no_orphans(&etalon);
}

#[test]
fn a_sweep_whose_first_trainings_all_crash_ends_with_their_last_words() {
    let etalon = etalon();
    etalon.write(
        "quadratic.sh",
        &format!("echo $1 >> started; [ -e data ] || {{ echo no data at all >&2; exit 4; }}\n{QUADRATIC}"),
    );
    let command = format!("trainer.command='{TRAINER}'");
    for (job, keys) in [
        ("train", "grid.optimizer.eta={ log = [0.01, 0.4], points = 40 }"),
        ("find", "grid.search.share={ linear = [0.1, 0.5], points = 40 }"),
    ] {
        let job = format!("grid.job={job}");
        let out = job.replace("grid.job=", "");
        let more = ["trainer.slots=2", "search.seeds=1", "search.eta_star=only", "trainer.retries=0"];
        let sweep =
            || etalon.run(&[&["sweep", &command, &job, keys, "-q", "--out", &out][..], &more].concat());
        let Outcome { code, stderr, .. } = sweep();
        assert!(code == Some(2) && stderr.contains("exit status: 4: no data at all"), "{stderr}");
        assert!(
            stderr.contains("were not started") && stderr.contains("the same command goes on"),
            "{stderr}"
        );
        let started = etalon.read("started").lines().count();
        assert!(started < 10, "{started}");
        etalon.write("data", "");
        sweep().printed();
        assert_eq!(etalon.read(&format!("{out}/summary.csv")).lines().count(), 41);
        ["data", "started"].iter().for_each(|name| fs::remove_file(etalon.path().join(name)).unwrap());
    }
}
