//! A page that is written again while its run goes on.

use crate::Etalon;
use crate::sweep::etalon;
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

#[test]
fn a_page_follows_a_sweep_until_it_is_done() {
    let etalon = etalon("seed = [0, 1, 2, 3, 4, 5]\n");
    let spec = etalon.read("spec.toml").replace("steps = 20", "steps = 20000");
    etalon.write("spec.toml", &spec);
    let binary = env!("CARGO_BIN_EXE_etalon");
    let start = |arguments: &[&str]| etalon.plain_command(binary).args(arguments).spawn().unwrap();
    let mut sweep = start(&["sweep", "spec.toml", "--out", "run", "--threads", "1", "-q"]);
    let page = etalon.path().join("run/report.html");
    let is_there = |what: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !what() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let running = etalon.path().join("run/running");
    is_there(&|| {
        etalon.path().join("run/cells.csv").exists()
            && running.read_dir().is_ok_and(|mut locks| locks.next().is_some())
    });
    let mut follow = start(&["report", "run", "--follow", "1", "-q"]);
    is_there(&|| page.exists());
    let live = fs::read_to_string(&page).unwrap();
    assert!(
        live.contains("<head><meta http-equiv=\"refresh\" content=\"1\">") && live.contains(" of 6 done"),
        "{live}"
    );
    assert!(sweep.wait().unwrap().success() && follow.wait().unwrap().success());
    let done = fs::read_to_string(&page).unwrap();
    assert!(done.contains("6 of 6 done") && !done.contains("http-equiv=\"refresh\""));
}
