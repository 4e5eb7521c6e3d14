//! Sweeps, searches and trainings that are killed at any time, over and over, come to the bytes of one that never was.

use crate::Etalon;
use crate::sweep::{FIVE_HUNDRED, etalon, results};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

type Files = Vec<(String, Vec<u8>)>;

/// How often each is killed: `ETALON_KILLS`, or a few times.
fn kills() -> usize {
    std::env::var("ETALON_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Runs a command again and again, each time killed within the time that a whole run takes unless it ends before, as it may
/// where it goes on from the one before; that begins a folder anew. Then lets it end.
fn killed_over_and_over(etalon: &Etalon, command: &[&str], files: impl Fn(&Path) -> Files) {
    let out = |name: &str| etalon.path().join(name);
    let run = |name: &str| {
        let mut run = etalon.plain_command(env!("CARGO_BIN_EXE_etalon"));
        // The power stays on.
        run.env("ETALON_SYNC", "no").args(command).args(["--out", name]);
        run.stdout(Stdio::null()).stderr(Stdio::null());
        run
    };
    let began = Instant::now();
    assert!(run("whole").status().unwrap().success());
    // What is judged depends on no time; how many of the runs come to their end does.
    let whole = began.elapsed();
    let wanted = files(&out("whole"));
    let (mut killed, mut ended) = (0, 0);
    while killed < kills() {
        let mut child = run("run").spawn().unwrap();
        // The golden ratio's multiples are spread evenly.
        let share = ((killed + ended) as f64 * 0.618_033_988_749_894_9).fract();
        sleep(whole.mul_f64(share));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if status.signal() == Some(9) {
            killed += 1;
            continue;
        }
        assert!(status.success(), "{status}");
        assert!(files(&out("run")) == wanted, "a byte differs after {killed} kills");
        fs::remove_dir_all(out("run")).unwrap();
        ended += 1;
    }
    assert!(run("run").status().unwrap().success());
    assert!(files(&out("run")) == wanted, "a byte differs after {killed} kills");
    println!("{} killed {killed} times, the same bytes each of the {} times it ended", command[0], ended + 1);
}

#[test]
#[ignore = "takes a while; ./check runs it"]
fn a_sweep_that_is_killed_over_and_over_comes_to_the_same_bytes() {
    killed_over_and_over(&etalon(FIVE_HUNDRED), &["sweep", "spec.toml", "--threads", "2"], results);
}

#[test]
#[ignore = "takes a while; ./check runs it"]
fn a_search_that_is_killed_over_and_over_comes_to_the_same_bytes() {
    let keys = "find data.train=300 data.test=100 network.width=32 network.depth=1 train.steps=60 search.seeds=3 \
                train.check_every=10 search.threshold=0.6 search.samples=100";
    killed_over_and_over(&Etalon::new(), &keys.split_whitespace().collect::<Vec<_>>(), |out| {
        // The same but for the time.
        let text = fs::read_to_string(out.join("find.json")).unwrap();
        let timeless: Vec<&str> = text.lines().filter(|line| !line.contains("\"seconds\"")).collect();
        vec![("find.json".into(), timeless.join("\n").into())]
    });
}

#[test]
#[ignore = "takes a while; ./check runs it"]
fn a_training_that_is_killed_over_and_over_comes_to_the_same_bytes() {
    let keys =
        "train train.steps=100 data.train=100 network.width=16 optimizer.momentum=0.9 --checkpoint-every=0";
    killed_over_and_over(&Etalon::new(), &keys.split_whitespace().collect::<Vec<_>>(), |out| {
        let trial = fs::read_dir(out.join("trials")).unwrap().next().unwrap().unwrap().path();
        vec![
            ("trial".into(), fs::read(trial).unwrap()),
            ("train".into(), fs::read(out.join("train.json")).unwrap()),
        ]
    });
}
