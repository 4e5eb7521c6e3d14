//! Nothing lost, nothing silently wrong, nobody let in.

use crate::sweep::etalon as sweep_of;
use crate::{Etalon, Outcome};
use std::fs;
use std::process::Stdio;

/// The bytes of a `.npy` file in C order.
fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// Twelve samples of two numbers, in two classes that a line parts.
fn write_data(etalon: &Etalon, scale: f32) {
    let folder = etalon.path().join("own");
    fs::create_dir_all(&folder).unwrap();
    for part in ["train", "test"] {
        let inputs: Vec<u8> =
            (0..24).flat_map(|k| (scale * ((k * 7 % 24) as f32 - 11.5)).to_le_bytes()).collect();
        let labels: Vec<u8> = (0..12).map(|k| (k * 14 % 24 > 11) as u8).collect();
        fs::write(folder.join(format!("{part}-x.npy")), npy("<f4", "12, 2", &inputs)).unwrap();
        fs::write(folder.join(format!("{part}-y.npy")), npy("|u1", "12,", &labels)).unwrap();
    }
}

const OWN: [&str; 8] = [
    "data.name=./own",
    "data.train=all",
    "data.test=all",
    "data.normalize=none",
    "network.width=4",
    "train.batch=full",
    "train.steps=5",
    "grid.seed=[0, 1]",
];

#[test]
fn data_that_has_changed_makes_other_trials() {
    let etalon = Etalon::new();
    write_data(&etalon, 1.0);
    let sweep = |out: &str| etalon.run(&[&["sweep", "--out", out], &OWN[..]].concat());
    sweep("run").printed();
    sweep("run").printed();
    write_data(&etalon, 2.0);
    let complaint = sweep("run").complaint();
    assert!(complaint.contains("sha256") && complaint.contains("another folder"), "{complaint}");
    assert!(etalon.run(&["worker", "run"]).printed().contains("2 before"), "what is done is read");
    let before = etalon.read("run/summary.csv");
    sweep("new").printed();
    assert_ne!(before, etalon.read("new/summary.csv"));
    // A trial that is still to be done would be of the new data under the old name.
    let trial = fs::read_dir(etalon.path().join("run/trials")).unwrap().next().unwrap().unwrap();
    fs::remove_file(trial.path()).unwrap();
    let outcome = etalon.run(&["worker", "run"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("the data has changed: its sha256 is"), "{}", outcome.stderr);
}

#[test]
fn the_data_of_a_spec_that_was_kept_is_that_of_its_checksum() {
    let etalon = Etalon::new();
    write_data(&etalon, 1.0);
    let spec = etalon.run(&[&["spec"], &OWN[..7]].concat()).printed();
    assert!(spec.contains("\nsha256 = \""), "{spec}");
    etalon.write("kept.toml", &spec);
    etalon.run(&["train", "kept.toml"]).printed();
    write_data(&etalon, 2.0);
    let complaint = etalon.run(&["train", "kept.toml"]).complaint();
    assert!(complaint.contains("the data has changed") && complaint.contains("bring the old"), "{complaint}");
    let built_in = etalon.run(&["spec"]).printed();
    assert!(!built_in.contains("name = \"fashion-mini\"\nsha256"), "data of the program has its name");
}

#[test]
fn a_folder_takes_one_run_at_a_time() {
    let etalon = Etalon::new();
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(["find", "--out", "run", "search.trainings=9", "train.steps=100000", "--threads=1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !etalon.path().join("run/meta.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    for verb in [&["train", "train.steps=1"][..], &["find", "train.steps=100000"], &["measure"]] {
        let complaint = etalon.run(&[verb, &["--out", "run"]].concat()).complaint();
        assert!(complaint.contains("run is in use by another run; wait until it has ended"), "{complaint}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    etalon.run(&["spec", "search.trainings=9", "train.steps=100000", "--out", "run"]).printed();
}

#[test]
fn trials_of_other_kernels_are_not_mixed_in() {
    let etalon = sweep_of("seed = [0, 1]\n");
    let run = |kernels: &str, arguments: &[&str]| {
        Outcome::of(etalon.command().env("ETALON_CPU", kernels).args(arguments))
    };
    run("portable", &["sweep", "spec.toml", "--out", "run"]).printed();
    let meta = etalon.read("run/meta.json").replace("\"portable\"", "\"avx9\"");
    etalon.write("run/meta.json", &meta);
    for arguments in [&["sweep", "spec.toml", "--out", "run"][..], &["worker", "run"]] {
        let complaint = run("portable", arguments).complaint();
        assert!(
            complaint.contains("trials of the avx9 kernels") && complaint.contains("set ETALON_CPU=avx9"),
            "{complaint}"
        );
    }
    run("portable", &["status", "run"]).printed();
}

#[test]
fn a_digit_that_changes_is_seen_and_mended_by_the_same_command() {
    let etalon = sweep_of("seed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    let summary = etalon.read("run/summary.csv");
    let trial = fs::read_dir(etalon.path().join("run/trials")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&trial).unwrap();
    let place = text.rfind("\"train_loss\":").map_or_else(|| text.rfind("0.").unwrap() + 2, |at| at + 16);
    let digit = if &text[place..=place] == "7" { "3" } else { "7" };
    fs::write(&trial, [&text[..place], digit, &text[place + 1..]].concat()).unwrap();
    let complaint = etalon.run(&["worker", "run", "--collect"]).complaint();
    assert!(complaint.contains("it has changed since it was written"), "{complaint}");
    assert!(etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed().contains("1 done now, 1 before"));
    assert_eq!((fs::read_to_string(&trial).unwrap(), etalon.read("run/summary.csv")), (text, summary));
}

#[test]
fn the_key_that_saves_most_memory_is_named_with_its_value() {
    let etalon = Etalon::new();
    // A vector takes 30 GB, and Lanczos keeps a hundred.
    let complaint = etalon.run(&["measure", "network.width=60000"]).complaint();
    let advice = complaint.split("are free; ").nth(1).unwrap();
    let helps = advice.contains(" brings it to ") && advice.contains(", which helps most; else take fewer");
    assert!(advice.starts_with("measure.iterations=") && helps, "{complaint}");
}

#[test]
fn a_foreign_folder_is_exported_nowhere_else() {
    let etalon = sweep_of("seed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "grid.job=train", "--out", "run"]).printed();
    let cells = etalon.read("run/cells.csv");
    let name = cells.lines().nth(1).unwrap().split(',').next().unwrap().to_string();
    let foreign = "../../outside";
    etalon.write("run/cells.csv", &cells.replace(&name, foreign));
    let file = etalon.read(&format!("run/trials/{name}.jsonl")).replace(&name, foreign);
    etalon.write("outside.jsonl", &file);
    for format in ["csv", "tensorboard"] {
        let complaint = etalon.run(&["export", "run", format]).complaint();
        assert!(complaint.contains("`../../outside` is no trial's name"), "{complaint}");
    }
}

#[test]
fn what_others_wrote_does_not_control_the_terminal() {
    let etalon = Etalon::new();
    let escape = "\u{1b}]0;owned\u{7}\u{9b}2J";
    etalon.write("table.csv", &format!("a{escape},b\n1,2\n"));
    for arguments in [
        &["spec", &format!("x{escape}=1")][..],
        &["spec", &format!("network.kind=\"{escape}\"")],
        &["spec", &format!("--{escape}")],
        &[escape],
        &["train", &format!("data.name=./{escape}")],
        &["status", &format!("no/{escape}")],
        &["plot", "table.csv", "--x", "no", "--y", "b"],
        &["fit", "table.csv", "--x", "no", "--y", "b"],
    ] {
        let Outcome { code, stdout, stderr } = etalon.run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        let acts = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!stdout.contains(acts) && !stderr.contains(acts), "{arguments:?}: {stderr:?}");
    }
}

#[test]
fn whole_numbers_stay_whole_up_to_the_largest() {
    let etalon = Etalon::new();
    for number in ["9007199254740993", "9223372036854775807"] {
        let spec = etalon.run(&["spec", &format!("seed={number}")]).printed();
        assert!(spec.contains(&format!("seed = {number}\n")), "{spec}");
        let outcome = etalon.run(&["spec", &format!("train.steps={number}")]);
        assert!((outcome.stdout + &outcome.stderr).contains(number), "neither rounded nor negative");
    }
}

/// What a page of a foreign folder could run is what this program wrote into it.
#[test]
fn the_policy_of_a_page_names_its_script_by_hash() {
    let etalon = Etalon::new();
    etalon.run(&["train", "train.steps=2", "--out", "run"]).printed();
    etalon.run(&["report", "run"]).printed();
    let page = etalon.read("run/report.html");
    let policy = page.split("Content-Security-Policy").nth(1).unwrap().split('>').next().unwrap();
    assert!(
        policy.contains("script-src 'sha256-") && !policy.contains("script-src 'unsafe-inline'"),
        "{policy}"
    );
}

const LONG: [&str; 6] = [
    "train",
    "train.steps=4000",
    "data.train=100",
    "network.width=16",
    "optimizer.momentum=0.9",
    "--checkpoint-every=0",
];

/// Starts a long training, and waits until it has been kept once more.
#[cfg(unix)]
fn train_until_kept(etalon: &Etalon) -> std::process::Child {
    let checkpoint = etalon.path().join("run/checkpoint");
    let length = || fs::metadata(&checkpoint).and_then(|facts| facts.modified()).ok();
    let before = length();
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(LONG).args(["--out", "run", "--trajectory", "steps.jsonl"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while length() == before {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was kept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child
}

#[cfg(unix)]
#[test]
fn a_training_that_is_killed_goes_on_to_the_same_bytes() {
    let etalon = Etalon::new();
    for _ in 0..5 {
        let mut child = train_until_kept(&etalon);
        child.kill().unwrap();
        child.wait().unwrap();
        // Where it was killed before the first were written, there are none.
        let steps = fs::read_to_string(etalon.path().join("steps.jsonl")).unwrap_or_default();
        assert!(steps.is_empty() || steps.ends_with("}\n"), "what was recorded is there, in whole lines");
    }
    let child = train_until_kept(&etalon);
    etalon.plain_command("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stdout.contains("it was interrupted after ") && stdout.contains("held-out"), "{stdout}");
    assert!(stderr.contains("of 4000 steps, which are kept: the same command goes on"), "{stderr}");
    let resumed = etalon.run(&[&LONG[..5], &["--out", "run", "--checkpoint-every", "60"]].concat()).printed();
    let whole = etalon.run(&[&LONG[..5], &["--out", "whole"]].concat()).printed();
    assert_eq!(resumed, whole);
    assert_eq!(etalon.read("run/train.json"), etalon.read("whole/train.json"));
    let name = fs::read_dir(etalon.path().join("whole/trials")).unwrap().next().unwrap().unwrap().file_name();
    let trial = |out: &str| fs::read(etalon.path().join(out).join("trials").join(&name)).unwrap();
    assert_eq!(trial("run"), trial("whole"));
    assert!(!etalon.path().join("run/checkpoint").exists());
}

#[test]
fn where_nothing_moves_or_can_be_learnt_that_is_the_verdict() {
    let etalon = Etalon::new();
    let printed = etalon.run(&["train", "optimizer.eta=1e-300", "train.steps=5", "data.train=100"]).printed();
    assert!(printed.starts_with("stuck: nothing moved: the loss is "), "{printed}");
    for verb in ["train", "find"] {
        let complaint = etalon.run(&[verb, "data.classes=[3]", "data.train=100", "data.test=20"]).complaint();
        assert!(complaint.contains("has one class here, of which nothing can be learnt"), "{complaint}");
    }
}

/// Files of at most four blocks of 512 bytes, which a spec fits into and a result does not.
#[cfg(unix)]
#[test]
fn a_full_disk_costs_no_answer() {
    let etalon = Etalon::new();
    let keys = "data.train=100 data.test=50 network.width=8 train.steps=60 measure.samples=20 search.seeds=3";
    for (verb, answer) in [("find", "use eta = "), ("train", "ended after 60 steps")] {
        let program = env!("CARGO_BIN_EXE_etalon");
        let line = format!("trap '' XFSZ; ulimit -f 4; exec '{program}' {verb} {keys} --out {verb}");
        let output = etalon.plain_command("sh").args(["-c", &line]).output().unwrap();
        let outcome = Outcome::from(output);
        assert!(outcome.stdout.contains(answer), "{verb}: {} {}", outcome.stdout, outcome.stderr);
        assert!(
            outcome.code == Some(2) && outcome.stderr.contains("make room"),
            "{verb}: {}",
            outcome.stderr
        );
        let line = format!("{verb} {keys} --out {verb}");
        let again = etalon.run(&line.split_whitespace().collect::<Vec<_>>());
        assert!(again.code == Some(0) && again.stdout.contains(answer), "{verb}: {}", again.stderr);
    }
}

/// A file of at most so many blocks of 512 bytes, as on a disk that is full by then, at fifty sizes.
#[cfg(unix)]
#[test]
fn a_full_disk_at_fifty_moments_ends_in_an_error_that_the_same_command_mends() {
    let etalon = sweep_of("seed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "whole"]).printed();
    let wanted = crate::sweep::results(&etalon.path().join("whole"));
    let mut full = 0;
    for moment in 0..50 {
        let line = format!(
            "trap '' XFSZ; ulimit -f {}; exec '{}' sweep spec.toml --out run --threads 1",
            moment / 5,
            env!("CARGO_BIN_EXE_etalon")
        );
        let output = etalon.plain_command("sh").args(["-c", &line]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        if output.status.code() != Some(0) {
            full += 1;
            assert!(output.status.code() == Some(2) && stderr.contains("make room"), "{stderr}");
        }
        if moment % 5 == 4 {
            etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
            assert!(crate::sweep::results(&etalon.path().join("run")) == wanted, "a byte differs");
            fs::remove_dir_all(etalon.path().join("run")).unwrap();
        }
    }
    assert!(full >= 20, "{full} of 50 had no room");
}

#[test]
fn files_from_before_1970_are_read_as_others_are() {
    let etalon = Etalon::new();
    write_data(&etalon, 1.0);
    etalon.run(&[&["sweep", "--out", "run"], &OWN[..]].concat()).printed();
    let before = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(300_000_000);
    for folder in ["own", "run", "run/trials"] {
        for entry in fs::read_dir(etalon.path().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::File::options().append(true).open(path).unwrap().set_modified(before).unwrap();
            }
        }
    }
    assert!(etalon.run(&["worker", "run"]).printed().contains("2 before"));
    etalon.run(&["status", "run"]).printed();
    etalon.run(&["report", "run"]).printed();
    etalon.run(&["export", "run", "tensorboard", "--to", "events"]).printed();
}
