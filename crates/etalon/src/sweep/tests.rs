use super::*;
use crate::folder::Meta;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

const TINY: &str = "loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\ndimension = 3\n\
    [network]\ndepth = 1\n[train]\nbatch = \"full\"\nsteps = 4\n[grid]\n";

fn grid(axes: &str) -> Grid {
    Grid::parse(&format!("{TINY}{axes}")).unwrap()
}

fn sweep(root: &Path, grid: &Grid, threads: usize) -> Result<Tally, SweepError> {
    let store = Store::open(root, grid, &Meta::default())?;
    run(&store, grid, &Options { threads, stop: &AtomicBool::new(false) }, &|_| {})
}

fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("summary".to_string(), fs::read(root.join("summary.csv")).unwrap())];
    for entry in fs::read_dir(root.join("trials")).unwrap() {
        let entry = entry.unwrap();
        files.push((entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    }
    files.sort();
    files
}

#[test]
fn bytes_depend_on_the_spec_alone_and_running_again_does_nothing() {
    let grid = grid("network.width = [2, 3]\noptimizer.eta = [0.1, 1e9]\nseed = [0, 1, 2]");
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let report = sweep(one.path(), &grid, 1).unwrap();
    assert_eq!((report.cells, report.done, report.kept, report.failed, report.left), (12, 12, 0, 0, 0));
    sweep(two.path(), &grid, 4).unwrap();
    assert_eq!(files(one.path()), files(two.path()));
    let report = sweep(one.path(), &grid, 2).unwrap();
    assert_eq!((report.done, report.kept), (0, 12));
    assert_eq!(files(one.path()), files(two.path()));
    assert_eq!(fs::read_dir(one.path().join("running")).unwrap().count(), 0, "nothing is left aside");
    let summary = Store::read_only(one.path()).unwrap().summary().unwrap();
    assert_eq!(summary.columns[..5], ["trial", "network.width", "optimizer.eta", "seed", "phase"]);
    assert_eq!(summary.rows[3][1..5], ["2", "1000000000.0", "0", "divergent"]);
    assert_eq!(summary.rows[0][0], grid.cells()[0].name);
    assert_eq!(summary.rows.len(), 12);
}

#[test]
fn expensive_trials_come_first() {
    let grid = grid("network.width = [2, 9, 3]\ntrain.steps = [4, 8]");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &grid, &Meta::default()).unwrap();
    let finished = Mutex::new(Vec::new());
    let observe = |_: &Event<'_>| {
        let mut finished = finished.lock().unwrap();
        let done =
            (0..6).find(|place| !finished.contains(place) && store.is_done(&grid.cells()[*place].name));
        finished.push(done.unwrap());
    };
    run(&store, &grid, &Options { threads: 1, stop: &AtomicBool::new(false) }, &observe).unwrap();
    // By width squared times steps: 2 x 4, as a try, then 9 x 8, 9 x 4, 3 x 8, 3 x 4, 2 x 8.
    assert_eq!(*finished.lock().unwrap(), [0, 3, 2, 5, 4, 1]);
}

#[test]
fn a_file_cut_in_half_is_done_again() {
    let grid = grid("seed = [0, 1, 2]");
    let root = tempfile::tempdir().unwrap();
    sweep(root.path(), &grid, 2).unwrap();
    let before = files(root.path());
    let store = Store::read_only(root.path()).unwrap();
    let [cut, empty] = [0, 1].map(|cell: usize| store.trial(&grid.cells()[cell].name));
    fs::write(&cut, &fs::read(&cut).unwrap()[..200]).unwrap();
    fs::write(&empty, "").unwrap();
    let state = status(&store).unwrap();
    assert_eq!((state.done, state.waiting, state.cells), (1, 2, 3));
    let report = sweep(root.path(), &grid, 2).unwrap();
    assert_eq!((report.done, report.kept), (2, 1));
    assert_eq!(files(root.path()), before);
}

#[test]
fn a_failed_trial_keeps_its_error_and_is_tried_again() {
    let grid = grid("train.batch = [4, 100]");
    let root = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let report = sweep(root.path(), &grid, 2).unwrap();
        assert_eq!(report.failed, 1);
        assert!(report.first_failure.unwrap().contains("train.batch is 100"));
    }
    let store = Store::read_only(root.path()).unwrap();
    let state = status(&store).unwrap();
    assert_eq!((state.done, state.failed, state.waiting, state.stuck), (1, 1, 0, 0));
    assert!(state.failures[0].error.contains("train.batch is 100"), "{state:?}");
    assert_eq!(store.summary().unwrap().rows.len(), 1);
}

#[test]
fn a_sweep_whose_first_trials_all_fail_gives_up_and_goes_on_when_that_is_mended() {
    let spec =
        |batches: &str| grid(&format!("seed = {{ linear = [0, 19], points = 20 }}\ntrain.batch = {batches}"));
    let root = tempfile::tempdir().unwrap();
    let hopeless = spec("[100]");
    for _ in 0..2 {
        // On one thread: of two, one may be held up by its disk while the other fails on.
        let report = sweep(root.path(), &hopeless, 1).unwrap();
        assert_eq!((report.gave_up, report.failed, report.left), (true, 3, 17));
        let why = report.unfinished().unwrap();
        assert!(
            why.contains("train.batch is 100") && why.contains("trials failed, and the other 1"),
            "{why}"
        );
    }
    // The last one of the grid tells that it is not hopeless.
    let root = tempfile::tempdir().unwrap();
    let report = sweep(root.path(), &spec("[100, 4]"), 1).unwrap();
    assert_eq!((report.gave_up, report.failed, report.done, report.left), (false, 20, 20, 0));
    assert_eq!(report.unfinished(), None);
}

#[test]
fn claims_keep_others_away_and_end_with_their_process() {
    let grid = grid("seed = [0, 1, 2]");
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), &grid, &Meta::default()).unwrap();
    let claim = store.claim(&grid.cells()[1]).unwrap().unwrap();
    // Left by a process that died: a file without a lock, and a half-written result.
    fs::write(store.lock(&grid.cells()[2].name), "").unwrap();
    fs::write(root.path().join(format!("running/{}.77.part", grid.cells()[2].name)), "half").unwrap();
    let state = status(&store).unwrap();
    assert_eq!((state.running, state.stuck, state.waiting), (1, 1, 1));
    assert_eq!(state.working[0].trial, grid.cells()[1].name);
    let report = sweep(root.path(), &grid, 2).unwrap();
    assert_eq!((report.done, report.elsewhere), (2, 1));
    drop(claim);
    let report = sweep(root.path(), &grid, 2).unwrap();
    assert_eq!((report.done, report.kept, report.elsewhere), (1, 2, 0));
    assert_eq!(fs::read_dir(root.path().join("running")).unwrap().count(), 0);
}

#[test]
fn a_stop_leaves_whole_trials_only() {
    let grid = grid("seed = { linear = [0, 49], points = 50 }");
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), &grid, &Meta::default()).unwrap();
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(0));
    let report = run(&store, &grid, &Options { threads: 2, stop: &stop }, &|_| {
        let mut seen = seen.lock().unwrap();
        *seen += 1;
        stop.store(*seen >= 5, std::sync::atomic::Ordering::Relaxed);
    });
    let report = report.unwrap();
    assert!((5..=6).contains(&report.done) && report.left == 50 - report.done, "{report:?}");
    assert_eq!(store.summary().unwrap().rows.len(), report.done);
    assert_eq!(sweep(root.path(), &grid, 2).unwrap().kept, report.done);
}

#[test]
fn another_spec_or_version_is_refused_with_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    sweep(root.path(), &grid("seed = [0, 1]"), 1).unwrap();
    let error = sweep(root.path(), &grid("seed = [0, 1, 2]"), 1).unwrap_err().to_string();
    assert!(error.contains("`\"seed\" = [0, 1]`") && error.contains("another folder"), "{error}");
    let meta = root.path().join("meta.json");
    fs::write(&meta, "{ \"etalon\": \"0.0.0\" }").unwrap();
    let error = sweep(root.path(), &grid("seed = [0, 1]"), 1).unwrap_err().to_string();
    assert!(error.contains("made by Etalon 0.0.0"), "{error}");
    let error = Store::read_only(&root.path().join("trials")).unwrap_err().to_string();
    assert!(error.contains("holds no sweep"), "{error}");
}

/// A search of two cells, and what makes its trials quick.
const SEARCH: &str = "loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\ndimension = 3\n[network]\n\
    depth = 1\n[train]\nbatch = \"full\"\nsteps = 20\n[measure]\nsamples = 8\n[search]\nmetric = \"train_loss\"\n\
    threshold = 5.0\nseeds = 2\neta_star = \"only\"\n[grid]\njob = \"find\"\nnetwork.width = [4, 8]\n";

#[test]
fn a_search_can_be_the_job_of_a_cell() {
    let grid = Grid::parse(SEARCH).unwrap();
    let root = tempfile::tempdir().unwrap();
    let report = sweep(root.path(), &grid, 2).unwrap();
    assert_eq!((report.done, report.failed), (2, 0), "{report:?}");
    let summary = Store::read_only(root.path()).unwrap().summary().unwrap();
    let eta_star = summary.column("eta_star").unwrap();
    for row in &summary.rows {
        assert!(row[eta_star].parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
    assert_eq!(fs::read_dir(root.path().join("probes")).unwrap().count(), 0);
}

#[test]
fn a_search_goes_on_from_the_probes_it_has_kept() {
    use crate::jobs::Memory;
    use crate::search::{Answer, Outcome};
    let grid = Grid::parse(SEARCH).unwrap();
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sweep(whole.path(), &grid, 1).unwrap();
    // As if every probe but the last had been made before.
    let store = Store::open(cut.path(), &grid, &Meta::default()).unwrap();
    for cell in grid.cells() {
        let text = fs::read_to_string(whole.path().join(format!("trials/{}.jsonl", cell.name))).unwrap();
        let found: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let journal = crate::jobs::Journal::open(&store.probes(&cell.name));
        for seed in found["search"]["seeds"].as_array().unwrap() {
            let probes = seed["probes"].as_array().unwrap();
            for probe in &probes[..probes.len() - 1] {
                let mut outcome: Outcome = serde_json::from_value(probe.clone()).unwrap();
                // A mark by which to see that it was not made again.
                outcome.steps += 1000;
                journal.keep(probe["eta"].as_f64().unwrap(), seed["seed"].as_u64().unwrap(), &outcome);
                assert!(matches!(outcome.verdict, Answer::Trained | Answer::TooFast(_) | Answer::TooSlow));
            }
        }
    }
    assert_eq!(pending(&store, &grid).without_result().len(), 2);
    sweep(cut.path(), &grid, 1).unwrap();
    assert_eq!(pending(&store, &grid).without_result().len(), 0);
    let read = |root: &Path| Store::read_only(root).unwrap().summary().unwrap();
    let (whole, cut) = (read(whole.path()), read(cut.path()));
    let [star, steps] = ["eta_star", "gradient_steps"].map(|name| whole.column(name).unwrap());
    for (whole, cut) in whole.rows.iter().zip(&cut.rows) {
        assert_eq!(whole[star], cut[star]);
        let [whole, cut] = [whole, cut].map(|row| row[steps].parse::<u64>().unwrap());
        assert!(cut > whole + 10_000, "{cut} after {whole}");
    }
}

#[test]
fn curvature_is_measured_where_the_grid_asks_for_it() {
    let text = "measure.samples = 8\n".to_string() + TINY;
    let with = |line: &str| {
        let grid = Grid::parse(&format!("{text}{line}\nseed = [0, 1]")).unwrap();
        let root = tempfile::tempdir().unwrap();
        sweep(root.path(), &grid, 2).unwrap();
        Store::read_only(root.path()).unwrap().summary().unwrap()
    };
    assert_eq!(with("").column("ntk"), None);
    let summary = with("curvature = true");
    let number = |row: &Vec<String>, name: &str| row[summary.column(name).unwrap()].parse::<f64>().unwrap();
    for row in &summary.rows {
        // The default rate is 0.1.
        assert!((number(row, "c") / (0.1 * number(row, "ntk")) - 1.0).abs() < 1e-12);
        assert!(number(row, "hessian") > 0.0 && number(row, "hessian_end") > 0.0);
    }
}

#[test]
fn boundaries_can_be_the_job_of_a_cell() {
    let text = TINY.replace("steps = 4", "steps = 40");
    let text =
        format!("measure.samples = 8\n{text}job = \"boundaries\"\nnetwork.width = [64, 128]\nseed = [0, 1]");
    let root = tempfile::tempdir().unwrap();
    let report = sweep(root.path(), &Grid::parse(&text).unwrap(), 2).unwrap();
    assert_eq!((report.done, report.failed), (4, 0), "{report:?}");
    let summary = Store::read_only(root.path()).unwrap().summary().unwrap();
    for row in &summary.rows {
        let [loss, most] =
            ["c_h_loss", "c_h_max"].map(|name| row[summary.column(name).unwrap()].parse::<f64>().unwrap());
        assert!(1.5 < loss && loss < most && most < 64.0, "{row:?}");
    }
}

#[test]
fn a_worker_does_its_part_alone_and_in_the_end_what_others_are_slow_at() {
    let grid = grid("seed = { linear = [0, 19], points = 20 }");
    let (whole, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sweep(whole.path(), &grid, 2).unwrap();
    Store::open(root.path(), &grid, &Meta::default()).unwrap();
    let (store, read) = Store::existing(root.path()).unwrap();
    let work = |shard: &str| {
        let options = Options { threads: 2, stop: &AtomicBool::new(false) };
        run_shard(&store, &read, shard.parse().unwrap(), &options, &|_| {}).unwrap()
    };
    let report = work("1/4");
    assert_eq!((report.cells, report.done, report.left), (5, 5, 0));
    let left = pending(&store, &read);
    assert_eq!((left.done, left.untried.len(), left.failed.len()), (5, 15, 0));
    // Somebody has a trial of the second part, and keeps it.
    let cell = "2/4".parse::<Shard>().unwrap().cells(&read)[3];
    let claim = store.claim(cell).unwrap().unwrap();
    let report = work("2/4");
    assert_eq!((report.done, report.elsewhere), (5, 0));
    assert!(store.lock(&cell.name).exists(), "the claim is still theirs");
    drop(claim);
    assert_eq!(work("2/4").kept, 5);
    work("3/4");
    work("4/4");
    assert_eq!(collect(&store, &read, None).unwrap().done, 20);
    assert_eq!(files(root.path()), files(whole.path()));
}
