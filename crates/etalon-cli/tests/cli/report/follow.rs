//! A page that is written again while its run goes on.

use crate::sweep::etalon;
use crate::{Etalon, Running, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn following_what_has_not_begun_waits_for_its_result() {
    let etalon = Etalon::new();
    etalon.write("runs/meta.json", "{}");
    let complaint = etalon.run(&["report", "rns/a", "--follow"]).complaint();
    assert!(complaint.contains("nothing can appear in rns/a: rns: "), "{complaint}");
    let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
    command.args(["report", "run", "--follow"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut follow = command.spawn().unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(follow.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    assert_eq!(
        line,
        "note: waiting for the first result in run, which does not exist yet; beside it are runs\n"
    );
    // A folder as a run begins it, then its result, whole at once.
    etalon.write("run/meta.json", "{}");
    etalon.write("odd.json", "{\"a\": 1}");
    assert!(follow.try_wait().unwrap().is_none());
    fs::rename(etalon.path().join("odd.json"), etalon.path().join("run/odd.json")).unwrap();
    assert!(follow.wait().unwrap().success());
    assert!(etalon.read("run/report.html").contains("odd"));
}

#[cfg(unix)]
#[test]
fn a_page_follows_a_sweep_until_it_is_done() {
    let etalon = etalon("seed = [0, 1, 2, 3, 4, 5]\n");
    let spec = etalon.read("spec.toml").replace("steps = 20", "steps = 80000");
    etalon.write("spec.toml", &spec);
    let start = |arguments: &[&str]| {
        let mut command = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
        Running(command.args(arguments).spawn().unwrap())
    };
    let wait_until = |is_so: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !is_so() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let mut sweep = start(&["sweep", "spec.toml", "--out", "run", "--threads", "1", "-q"]);
    let id = sweep.0.id().to_string();
    let signal = |signal: &str| {
        assert!(etalon.plain_command("kill").args([signal, &id]).status().unwrap().success());
    };
    // Stopped within a trial, which is then under way for as long as a page takes to be written.
    wait_until(&|| etalon.path().join("run/cells.csv").exists());
    wait_until(&|| {
        signal("-STOP");
        let is_within = json(&etalon.run(&["status", "run", "--json"]).printed())["running"] == 1;
        if !is_within {
            signal("-CONT");
        }
        is_within
    });
    let mut follow = start(&["report", "run", "--follow", "1", "-q"]);
    let page = etalon.path().join("run/report.html");
    wait_until(&|| page.exists());
    let live = fs::read_to_string(&page).unwrap();
    assert!(
        live.contains("<head><meta http-equiv=\"refresh\" content=\"1\">") && live.contains(" of 6 done"),
        "{live}"
    );
    signal("-CONT");
    assert!(sweep.0.wait().unwrap().success() && follow.0.wait().unwrap().success());
    let done = fs::read_to_string(&page).unwrap();
    assert!(done.contains("6 of 6 done") && !done.contains("http-equiv=\"refresh\""));
}
