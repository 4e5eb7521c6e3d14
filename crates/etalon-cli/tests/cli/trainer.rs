//! `etalon find --trainer`: searches on a program that is not Etalon's.

mod jobs;

use crate::{Etalon, Outcome, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Gradient descent on `lambda x^2 / 2` from x = 1, whose loss falls by (1 - eta lambda)^2 a step: below eta = 2 / lambda it
/// trains. With `CURVED` its log has lambda. Lambda is 4 + seed / 10.
const QUADRATIC: &str = r#"
[ -z "$PAUSE" ] || sleep "$PAUSE"
exec awk -v eta="$1" -v seed="$2" -v curved="$CURVED" 'BEGIN {
    lambda = 4 + seed / 10; x = 1
    for (step = 0; step <= 60; step++) {
        printf "{\"step\": %d, \"loss\": %.17g, \"val_loss\": %.17g", step, lambda * x * x / 2, lambda * x * x / 2 + 0.01
        if (curved) printf ", \"sharpness\": %.17g", lambda
        print "}"
        x -= eta * lambda * x
    }
}' > "$3"
"#;

const TRAINER: &str = "sh quadratic.sh {eta} {seed} {log}";

fn etalon() -> Etalon {
    let etalon = Etalon::new();
    etalon.write("quadratic.sh", QUADRATIC);
    etalon
}

/// The lines that do not depend on the clock.
fn timeless(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("\"seconds\""));
    lines.map(|line| format!("{line}\n").replace(",\n", "\n")).collect()
}

fn find<'a>(trainer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["find", "--trainer", trainer], more].concat()
}

/// Processes that carry the mark of a search in this folder, as its tests do alone.
fn orphans(etalon: &Etalon) -> Vec<String> {
    let folder = etalon.path().canonicalize().unwrap();
    let of = |pid: &str| {
        let process = Path::new("/proc").join(pid);
        let is_here = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder);
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        let is_marked = String::from_utf8_lossy(&environment).contains("ETALON_PROBE=");
        (is_here && is_marked).then(|| pid.to_string())
    };
    let pids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    pids.filter_map(|pid| of(&pid)).collect()
}

/// Waits until there are none, as the guard of a killed search sees to.
fn assert_no_orphans(etalon: &Etalon) {
    let start = Instant::now();
    while !orphans(etalon).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} still run", orphans(etalon));
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn eta_star_is_the_closed_form_and_does_not_depend_on_slots() {
    let etalon = etalon();
    let found = |slots: &str| {
        let more = ["--goal", "val_loss < 0.02", "--json", "--slots", slots];
        etalon.run(&find(TRAINER, &more)).printed()
    };
    let one = found("1");
    let value = json(&one);
    let star = &value["eta_star"];
    // Of five seeds the median has lambda = 4.2. 60 steps of (1 - eta lambda)^2 come from 2.1 to 0.01 up to 0.956.
    let edge = (1.0 + (0.01f64 / 2.1).powf(1.0 / 120.0)) / 4.2;
    let [low, high] = ["low", "high"].map(|end| star[end].as_f64().unwrap());
    let median = star["median"].as_f64().unwrap();
    assert!((median / edge - 1.0).abs() < 0.05 && low < edge && edge < high, "{median} against {edge}");
    let eta = value["recommended"]["eta"].as_f64().unwrap();
    assert!((0.02..edge).contains(&eta), "{eta}");
    assert_eq!((&value["phase"], &value["recommended"]["metric"]), (&"lazy".into(), &"val_loss".into()));
    assert!(value["saved"]["steps"].as_u64().unwrap() > 500, "{}", value["saved"]);
    assert_eq!(timeless(&one), timeless(&found("4")));
}

#[test]
fn a_log_with_curvature_brackets_by_it() {
    let etalon = etalon();
    let mut command = etalon.command();
    command.env("CURVED", "1").args(find(TRAINER, &["--eta-star", "only", "--json"]));
    let found = json(&Outcome::of(&mut command).printed());
    assert_eq!((&found["provisional"]["eta"], &found["provisional"]["lambda"]), (&0.5.into(), &4.0.into()));
    let plain = json(&etalon.run(&find(TRAINER, &["--eta-star", "only", "--json"])).printed());
    let probes = |found: &serde_json::Value| found["search"]["probes"].as_u64().unwrap();
    // Two of the five seeds go all the way; the others begin where these ended.
    assert!(probes(&found) + 10 < probes(&plain), "{} {}", probes(&found), probes(&plain));
    // Without a goal, trained is what ends lower: up to 2 / lambda.
    let star = found["eta_star"]["median"].as_f64().unwrap();
    assert!((star * 4.2 / 2.0 - 1.0).abs() < 0.05, "{star}");
}

#[test]
fn other_logs_are_read_too() {
    let etalon = etalon();
    let star = |outcome: Outcome| json(&outcome.printed())["eta_star"]["median"].as_f64().unwrap();
    let keys = ["--eta-star", "only", "--json", "--start", "0.4", "search.seeds=1"];
    let usual = star(etalon.run(&find(TRAINER, &keys)));
    // Lines among others on stdout.
    let printed = "sh -c 'echo loading; sh quadratic.sh {eta} {seed} /dev/stdout; echo bye'";
    assert_eq!(star(etalon.run(&find(printed, &keys))), usual);
    // For people: `step: 3 loss: 0.31`, and what is no row.
    let plain = "sh -c \"sh quadratic.sh {eta} {seed} /dev/stdout | tr -d '{}\\\",' | sed 's/$/ of run 7/'; echo final loss 9\"";
    assert_eq!(star(etalon.run(&find(plain, &keys))), usual);
    // A column that has to be named is asked for by its key.
    let unnamed = "sh -c \"sh quadratic.sh {eta} {seed} /dev/stdout | sed s/loss/nll/g\"";
    let complaint = etalon.run(&find(unnamed, &keys)).complaint();
    assert!(complaint.contains("name one with 'trainer.columns={loss=\"NAME\"}'"), "{complaint}");
    assert_eq!(
        star(etalon.run(&find(unnamed, &[&keys[..], &["trainer.columns={loss=\"nll\"}"]].concat()))),
        usual
    );
    // CSV with names of its own, by a shell, with a parameter, in a variable.
    etalon.write("csv.sh", "sh quadratic.sh $RATE 0 log.$$; echo 'n,nll'; tr -d '{\"}' < log.$$ | sed 's/[a-z_]*: //g' | cut -d, -f1,2; rm log.$$");
    let csv = [
        "trainer.shell=true",
        "trainer.env={RATE = \"{eta}\"}",
        "trainer.parameters={file = \"some log.csv\"}",
        "trainer.log='{out}/some log.csv'",
        "trainer.columns={step = \"n\", loss = \"nll\"}",
    ];
    assert_eq!(star(etalon.run(&find("sh csv.sh > {out}/{file}", &[&keys[..], &csv].concat()))), usual);
}

#[test]
fn the_folder_has_the_record_the_logs_and_a_page() {
    let etalon = etalon();
    etalon.run(&find(TRAINER, &["--goal", "val_loss<0.02", "--out", "run", "-q"])).printed();
    etalon.run(&["report", "run"]).printed();
    let page = etalon.read("run/report.html");
    assert!(page.contains("val_loss") && page.contains("ended early") && !page.contains("test part"));
    let spec = etalon.read("run/spec.toml");
    assert!(spec.contains("sh quadratic.sh") && !spec.contains("[network]"), "{spec}");
    let mut entries = fs::read_dir(etalon.path().join("run")).unwrap().map(|entry| entry.unwrap().path());
    let is_theirs = |path: &PathBuf| path.is_dir() && path.to_str().unwrap().contains("probes-");
    let trainings = entries.find(is_theirs).unwrap();
    assert!(fs::read_dir(&trainings).unwrap().count() > 20);
    assert!(trainings.join("0.001-0-whole/log.jsonl").exists());
    // A spec file says the same.
    assert_eq!(etalon.run(&["find", "run/spec.toml", "--out", "run", "-q"]).code, Some(0));
}

#[test]
fn a_sweep_over_parameters_is_a_power_law_here_and_by_workers() {
    let etalon = etalon();
    // Lambda is the parameter.
    etalon.write("quadratic.sh", &QUADRATIC.replace("4 + seed / 10", "seed"));
    let grid = [
        "sweep",
        "grid.job=find",
        "grid.trainer.parameters.sharpness=[1, 2, 4, 8]",
        "trainer.command='sh quadratic.sh {eta} {sharpness} {log} {seed}'",
        "trainer.start=0.1",
        "search.eta_star=only",
        "search.seeds=1",
    ];
    etalon.run(&[&grid[..], &["--out", "here", "-q"]].concat()).printed();
    let summary = etalon.read("here/summary.csv");
    let rows: Vec<Vec<&str>> = summary.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..3], ["trial", "trainer.parameters.sharpness", "eta_star"]);
    for row in &rows[1..] {
        let [sharpness, star] = [1, 2].map(|place| row[place].parse::<f64>().unwrap());
        assert!((star * sharpness / 2.0 - 1.0).abs() < 0.05, "{summary}");
    }
    let fit = ["fit", "here", "--x", "trainer.parameters.sharpness", "--y", "eta_star", "--json"];
    let law = json(&etalon.run(&fit).printed());
    let exponent = law["joint"]["exponents"][0]["value"].as_f64().unwrap_or_else(|| panic!("{law}"));
    assert!((exponent + 1.0).abs() < 0.05, "{exponent}");
    etalon.run(&["report", "here"]).printed();
    etalon
        .run(&[&grid[..], &["--out", "there", "-q", "--on", "command", "--command", "{worker}"]].concat())
        .printed();
    assert_eq!(etalon.read("there/summary.csv"), summary);
}

#[test]
fn a_program_that_fails_is_no_divergence() {
    let etalon = etalon();
    for (trainer, expected) in [
        ("etalon-no-such-program {eta} {seed}", "`etalon-no-such-program {eta} {seed}` cannot be started"),
        ("sh -c 'echo CUDA out of memory >&2; exit 3' {eta} {seed}", "exit status: 3: CUDA out of memory"),
        ("cat no-such-file {eta} {seed}", "No such file or directory"),
        ("true {eta} {seed}", "left no row with a loss"),
        ("true {eta} {seed} {log}", "log.jsonl is not there"),
        (
            "sh -c 'echo garbage > {log}' {eta} {seed}",
            "is no log that can be read (no number stands behind a name)",
        ),
        ("sh -c 'head -c 3000000 /dev/zero > {log}' {eta} {seed}", "a line of more than"),
        (
            "sh -c 'echo \"{\\\"loss\\\": 1}\" > {log}; echo \"{\\\"lo\" >> {log}; kill -9 $$' {eta} {seed}",
            "signal: 9",
        ),
        ("sh -c 'sleep 300 & sleep 300' {eta} {seed}", "no answer after 0.3 s"),
        ("sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' {eta} {seed}", "no answer after 0.3 s"),
        ("sh -c 'cat quadratic.sh > /dev/full' {eta} {seed}", "No space left on device"),
    ] {
        let hangs = expected.contains("0.3 s");
        let limit = if hangs { "trainer.seconds=0.3" } else { "trainer.seconds=60" };
        let start = Instant::now();
        let complaint = etalon.run(&find(trainer, &[limit])).complaint();
        assert!(complaint.contains(expected), "{trainer}: {complaint}");
        assert!(complaint.contains("rate 0.001 with seed 0"), "{trainer}: {complaint}");
        assert!(hangs || start.elapsed() < Duration::from_secs(30));
        assert!(orphans(&etalon).is_empty());
    }
}

#[test]
fn what_makes_no_search_is_refused_before_anything_runs() {
    let etalon = etalon();
    for (trainer, more, expected) in [
        ("touch ran", &[][..], "has {eta}"),
        ("touch ran {eta}", &[], "has {seed}"),
        ("touch ran {eta} {seed} {lr}", &[], "`{lr}` in the trainer's command stands for nothing"),
        ("touch ran {eta} {seed} {steps}", &[], "(trainer.steps)"),
        ("touch ran '{eta} {seed}", &[], "a quote that is not closed"),
        ("touch ran {eta} {seed}", &["--eta-star", "no"], "(trainer.goal.metric)"),
        ("touch ran {eta} {seed}", &["trainer.goal.above=1"], "a bound of no metric"),
        (
            "touch ran {eta} {seed}",
            &["trainer.columns={los = \"x\"}"],
            "it may have step, loss, rate, curvature",
        ),
        ("touch ran {eta} {seed}", &["--start", "0"], "must be a finite number above 0"),
        ("touch ran {eta} {seed}", &["trainer.seconds=1e20"], "must lie between 0 and 1e9"),
        ("touch ran {eta} {seed}", &["--goal", "loss = 3"], "write < or >"),
        (
            "touch ran {eta} {seed}",
            &["trainer.parameters={width = 3}"],
            "the parameter `width` stands neither",
        ),
        (" ", &[], "is empty; give what trains"),
    ] {
        let complaint = etalon.run(&find(trainer, more)).complaint();
        assert!(complaint.contains(expected), "{trainer} {more:?}: {complaint}");
        assert!(!etalon.path().join("ran").exists());
    }
    // A command that is missing, or not in quotes.
    for words in [&["train", "--trainer"][..], &find("python", &["train.py", "--lr", "{eta}"])] {
        let complaint = etalon.run(words).complaint();
        assert!(
            complaint.contains("--trainer 'python train.py --lr {eta} --seed {seed} --log {log}'"),
            "{complaint}"
        );
    }
    assert!(etalon.run(&find(TRAINER, &["--slot", "3"])).complaint().contains("'--slots'"));
    let only = ["network.width=8", "--eta-star", "only", "search.seeds=1", "--goal", "val_loss < 3"];
    let told = etalon.run(&find(TRAINER, &only)).stderr;
    assert!(told.contains("network.width has no part in this"), "{told}");
    assert!(told.contains("is met by the first row of the log already, which has 2.010"), "{told}");
}

#[test]
fn divergence_with_a_failing_exit_is_divergence() {
    let etalon = etalon();
    // It prints NaN and exits with 1 where it diverges, as many trainers do, and leaves a child.
    let script = "sh quadratic.sh $1 $2 $3.all; head -n 5 $3.all > $3; \
                  if awk -v eta=$1 'BEGIN { exit eta < 0.5 }'; then echo '{\"step\": 9, \"loss\": NaN}' >> $3; sleep 300 & exit 1; fi; \
                  cat $3.all > $3";
    etalon.write("failing.sh", script);
    let keys = ["--json", "--start", "0.3", "search.seeds=1", "--eta-star", "only"];
    let found = json(&etalon.run(&find("sh failing.sh {eta} {seed} {log}", &keys)).printed());
    let star = found["eta_star"]["median"].as_f64().unwrap();
    assert!((star / 0.5 - 1.0).abs() < 0.05, "{star}");
    let failure = found["search"]["seeds"][0]["failure"].as_str().unwrap();
    assert!(failure.contains("no finite number at step 9"), "{failure}");
    assert_no_orphans(&etalon);
}

#[test]
fn a_training_that_fails_once_is_tried_again() {
    let etalon = etalon();
    // Every training but the first fails the first time.
    etalon.write("flaky.sh", "f=tried-$1-$2; [ -e one ] && [ ! -e $f ] && { touch $f; echo a node was lost >&2; exit 9; }\ntouch one; . ./quadratic.sh");
    let keys = ["--json", "--start", "0.4", "search.seeds=1", "--eta-star", "only"];
    let flaky = etalon.run(&find("sh flaky.sh {eta} {seed} {log}", &keys)).printed();
    assert_eq!(timeless(&flaky), timeless(&etalon.run(&find(TRAINER, &keys)).printed()));
    let never = [&keys[..], &["trainer.retries=0"]].concat();
    fs::remove_file(etalon.path().join("one")).unwrap();
    for entry in fs::read_dir(etalon.path()).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with("tried-") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let complaint = etalon.run(&find("sh flaky.sh {eta} {seed} {log}", &never)).complaint();
    assert!(
        complaint.contains("gave no answer: it ended with exit status: 9: a node was lost"),
        "{complaint}"
    );
}

/// Starts a search whose trainings take a while.
fn slow(etalon: &Etalon, pause: &str, out: &str) -> Child {
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.env("PAUSE", pause).stdout(Stdio::null()).stderr(Stdio::null());
    command.args(find(
        TRAINER,
        &["--goal", "val_loss<0.02", "--start", "0.1", "-q", "--slots", "3", "--out", out],
    ));
    command.spawn().unwrap()
}

#[test]
fn ctrl_c_ends_all_within_two_seconds() {
    let etalon = etalon();
    let mut child = slow(&etalon, "300", "run");
    let start = Instant::now();
    while orphans(&etalon).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    let pid = child.id().to_string();
    assert!(etalon.plain_command("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(orphans(&etalon).is_empty());
}

/// Kills a search at ever later moments, then lets it end: no process outlives it, nothing is lost or done twice, and what is
/// found is the same.
fn killed(times: u64) {
    let etalon = etalon();
    etalon.write("quadratic.sh", &format!("echo $1 $2 $3 >> started\n{QUADRATIC}"));
    assert!(slow(&etalon, "0.02", "whole").wait().unwrap().success());
    let started = || etalon.read("started").lines().count();
    let whole = started();
    fs::remove_file(etalon.path().join("started")).unwrap();
    let mut ended = false;
    for time in 0..times {
        let mut child = slow(&etalon, "0.02", "killed");
        sleep(Duration::from_millis(1 + (time * 37) % 211));
        let _ = child.kill();
        // One that has ended already was not killed, and its folder is done.
        ended = child.wait().unwrap().success();
        assert_no_orphans(&etalon);
        if ended {
            break;
        }
    }
    assert!(ended || slow(&etalon, "0.02", "killed").wait().unwrap().success());
    let read = |folder: &str| timeless(&etalon.read(&format!("{folder}/find.json")));
    assert_eq!(read("killed"), read("whole"));
    // Besides those under way when it was killed, at most one a slot and the look at the phase, none was made twice.
    let most = whole + 4 * times as usize;
    assert!((whole..=most).contains(&started()), "{} against {whole}", started());
}

#[test]
fn a_search_that_is_killed_leaves_no_process_and_goes_on() {
    killed(12);
}

#[test]
#[ignore = "takes a minute"]
fn a_search_that_is_killed_a_hundred_times_leaves_no_process_and_goes_on() {
    killed(100);
}
