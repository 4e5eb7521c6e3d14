//! `etalon worker`, and `etalon sweep --on command`, which starts workers.

use crate::sweep::{FIVE_HUNDRED, etalon, finished, five_hundred, results, wait_for};
use crate::{Etalon, json};
use std::fs;
use std::process::{Child, Stdio};

/// Makes the folder of a sweep, and runs none of its trials.
fn prepare(etalon: &Etalon, out: &str) {
    etalon.run(&["sweep", "spec.toml", "--out", out, "--on", "command", "--command", "true {worker}"]);
}

fn start(etalon: &Etalon, arguments: &[&str]) -> Child {
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn parts_at_once_and_twice_make_the_same_bytes() {
    let etalon = five_hundred();
    etalon.run(&["sweep", "spec.toml", "--out", "alone"]).printed();
    prepare(&etalon, "shared");
    // The second part is done by two workers at a time.
    let parts = ["1/3", "2/3", "2/3", "3/3"];
    let children = parts.map(|part| start(&etalon, &["worker", "shared", "--shard", part, "--threads", "1"]));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let again = json(&etalon.run(&["worker", "shared", "--shard", "2/3", "--json"]).printed());
    assert_eq!((&again["kept"], &again["done"], &again["cells"]), (&167.into(), &0.into(), &167.into()));
    let collected = json(&etalon.run(&["worker", "shared", "--collect", "--json"]).printed());
    assert_eq!((&collected["done"], &collected["left"]), (&500.into(), &0.into()));
    assert!(
        results(&etalon.path().join("alone")) == results(&etalon.path().join("shared")),
        "a byte differs"
    );
}

#[cfg(unix)]
#[test]
fn a_signal_finishes_the_trials_under_way() {
    for signal in ["-TERM", "-USR1"] {
        let etalon = five_hundred();
        prepare(&etalon, "run");
        let root = etalon.path().join("run");
        let mut child = start(&etalon, &["worker", "run", "--threads", "2"]);
        wait_for(&root, 5, &mut child);
        assert!(
            etalon.plain_command("kill").args([signal, &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains("trials left; the same command goes on"), "{complaint}");
        assert_eq!(fs::read_dir(root.join("running")).unwrap().count(), 0, "nothing half-written is left");
        let status = json(&etalon.run(&["status", "run", "--json"]).printed());
        assert_eq!(status["done"], finished(&root), "whole trials only");
    }
}

#[test]
fn what_no_worker_can_do_is_refused() {
    let etalon = etalon("seed = [0, 1]\n");
    let complaint = etalon.run(&["worker", "."]).complaint();
    assert!(complaint.contains("holds no sweep"), "{complaint}");
    prepare(&etalon, "run");
    let complaint = etalon.run(&["worker", "run", "--shard", "3/2"]).complaint();
    assert!(complaint.contains("`3/2` is no part such as 1/8"), "{complaint}");
    let spec = etalon.read("run/spec.toml");
    etalon.write("run/spec.toml", &spec.replace("seed", "sed"));
    let complaint = etalon.run(&["worker", "run"]).complaint();
    assert!(complaint.contains("did you mean `seed`"), "{complaint}");
    etalon.write("run/spec.toml", &spec.replace("steps = 20", "steps = 21"));
    let complaint = etalon.run(&["worker", "run"]).complaint();
    assert!(complaint.contains("which was changed"), "{complaint}");
}

#[cfg(unix)]
#[test]
fn commands_start_workers_and_starting_again_resumes() {
    let etalon = etalon(FIVE_HUNDRED);
    etalon.run(&["sweep", "spec.toml", "--out", "local"]).printed();
    let local = results(&etalon.path().join("local"));
    let sweep = |out: &str, command: &str| {
        let arguments = ["sweep", "spec.toml", "--out", out, "--on", "command", "--json", "--shards", "4"];
        etalon.run(&[&arguments[..], &["--command", command]].concat())
    };
    // One command for all workers.
    let report = json(&sweep("listed", "xargs -P 2 -d '\\n' -n 1 sh -c < {workers}").printed());
    assert_eq!((&report["done"], &report["workers"]), (&500.into(), &4.into()));
    assert!(results(&etalon.path().join("listed")) == local, "a byte differs");

    // One command a worker; that of part 3 is killed before it does anything.
    let outcome = sweep("each", "echo part {shard} of {shards}; [ {shard} = 3 ] && kill -9 $$; {worker}");
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let log = etalon.path().join("each/command/shard-3.log");
    let warning = format!(
        "warning: the command of part 3 failed (signal: 9 (SIGKILL)); the last lines of {}:\n  part 3 of 4\n",
        log.display()
    );
    assert!(outcome.stderr.starts_with(&warning), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("1 commands failed, and 125 of 500 trials are left"),
        "{}",
        outcome.stderr
    );
    let report = json(&sweep("each", "{worker}").printed());
    assert_eq!((&report["kept"], &report["done"], &report["workers"]), (&375.into(), &125.into(), &1.into()));
    assert!(results(&etalon.path().join("each")) == local, "a byte differs");

    // A command that hands the workers on and returns is told what to do next.
    let outcome = sweep("handed on", "true {worker}");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.starts_with("warning: the commands have returned, and 500 of 500"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn engines_take_their_own_options_alone() {
    let etalon = etalon("seed = [0, 1]\n");
    let refused = |arguments: &[&str]| {
        etalon.run(&[&["sweep", "spec.toml", "--out", "run"], arguments].concat()).complaint()
    };
    for (arguments, reason) in [
        (&["--on", "command"][..], "--command 'parallel -a {workers}'"),
        (&["--on", "command", "--command", "qsub {dir}"], "write {worker} where"),
        (&["--command", "{worker}"], "--command belongs to --on command"),
        (&["--slurm", "time=1"], "--slurm belongs to --on slurm"),
        (&["--shards", "2"], "--shards belongs to --on command or --on slurm"),
        (&["--on", "slurm", "--throttle", "2", "--slurm", "array=1"], "Etalon sets it"),
    ] {
        let complaint = refused(arguments);
        assert!(complaint.contains(reason), "{complaint}");
    }
    assert!(!etalon.path().join("run").exists(), "nothing was made");
}

#[test]
fn a_machine_without_slurm_is_told_what_to_do() {
    let etalon = etalon("seed = [0, 1]\n");
    let mut command = etalon.command();
    command.env("PATH", etalon.path()).args(["sweep", "spec.toml", "--out", "run", "--on", "slurm"]);
    let complaint = crate::Outcome::of(&mut command).complaint();
    assert!(complaint.contains("not installed") && complaint.contains("--on local"), "{complaint}");
}

/// Templates of the documentation, with programs that do what the real ones do: hand the words to another shell.
#[cfg(unix)]
#[test]
fn a_folder_is_no_code_however_many_shells_read_its_name() {
    let etalon = etalon("seed = [0, 1, 2]\n");
    let folder = "a b;touch X $(touch Y) 'q\"";
    for (program, script) in [
        ("ssh", "shift; exec sh -c \"$*\""),
        ("qsub", "exec sh"),
        ("hq", "shift; exec sh -c \"$*\""),
        ("ray", "shift 4; exec sh -c \"$*\""),
        (
            "parallel",
            "while [ \"$1\" != -a ]; do shift; done; while read -r line; do sh -c \"$line\"; done < \"$2\"",
        ),
    ] {
        etalon.write(&format!("bin/{program}"), &format!("#!/bin/sh\n{script}\n"));
        let program = etalon.path().join("bin").join(program);
        fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", etalon.path().join("bin").display(), std::env::var("PATH").unwrap());
    for template in [
        "parallel -j 8 -a {workers}",
        "parallel -S node1,node2 -a {workers}",
        "ssh node{shard} {worker}",
        "echo {worker} | qsub -l walltime=1:00:00",
        "hq submit {worker}",
        "ray job submit --no-wait -- {worker}",
        "ssh node 'cat {workers}' | sh",
        "ssh node ls {dir} && {worker}",
    ] {
        let mut command = etalon.command();
        command.env("PATH", &path).env("TMPDIR", etalon.path().join("bin"));
        command.args([
            "sweep",
            "spec.toml",
            "--out",
            folder,
            "--on",
            "command",
            "--json",
            "--command",
            template,
        ]);
        let report = json(&crate::Outcome::of(&mut command).printed());
        assert_eq!((&report["done"], &report["left"]), (&3.into(), &0.into()), "{template}");
        assert!(!etalon.path().join("X").exists() && !etalon.path().join("Y").exists(), "{template}");
        fs::remove_dir_all(etalon.path().join(folder)).unwrap();
    }
}
