//! What becomes of a sweep, a search and a training where the disk fails at any step, has no more room from any step on, or
//! loses its power before any step: the same command comes to the same bytes.

use super::disk::faults::{Fault, Loss, with};
use super::disk::{Step, put};
use super::{Meta, RunFolder};
use crate::jobs::{Keep, unheard};
use crate::record::Record;
use crate::spec::{Spec, TrainOptions};
use crate::sweep::{Grid, Options, Store, run};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const TINY: &str = "loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\ndimension = 3\n\
    [network]\ndepth = 1\nwidth = 4\n[measure]\nsamples = 8\n[train]\nbatch = \"full\"\nsteps = 3\n";
const SEARCH: &str = "[search]\nmetric = \"train_loss\"\nthreshold = 5.0\nseeds = 1\neta_star = \"only\"\n";

/// In memory where the system has such a place: the disk of these tests is simulated.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

type Work = fn(&Path) -> Result<(), Box<dyn Error>>;

/// All that writes into folders.
const WORKS: [Work; 3] = [sweep, find, train];

fn sweep(root: &Path) -> Result<(), Box<dyn Error>> {
    let grid = Grid::parse(&format!("{TINY}[grid]\nseed = [0, 1, 2]"))?;
    let store = Store::open(root, &grid, &Meta::default())?;
    run(&store, &grid, &Options { threads: 1, stop: &AtomicBool::new(false) }, &|_| {})?;
    Ok(())
}

fn find(root: &Path) -> Result<(), Box<dyn Error>> {
    let spec = Spec::parse(&format!("{TINY}{SEARCH}"))?;
    let folder = RunFolder::open(root, Some(&spec.to_toml()), &Meta::default())?;
    let journal = root.join("probes.jsonl");
    let found = spec.find(Some(&journal), &unheard)?;
    folder.write_record(&Record::from(found))?;
    fs::remove_file(journal)?;
    Ok(())
}

fn train(root: &Path) -> Result<(), Box<dyn Error>> {
    let spec = Spec::parse(TINY)?;
    let folder = RunFolder::open(root, Some(&spec.to_toml()), &Meta::default())?;
    let [checkpoint, trajectory] = ["checkpoint", "steps.jsonl"].map(|name| Some(root.join(name)));
    let keep = Keep { checkpoint: checkpoint.clone(), trajectory, ..Keep::default() };
    let (report, _) = spec.train(&TrainOptions { keep, ..TrainOptions::default() }, &mut |_, _| {})?;
    folder.write_record(&Record::from(report))?;
    // Where there was no room for it, there is none.
    let _ = checkpoint.map(fs::remove_file);
    Ok(())
}

/// All files below a folder.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            files.extend(
                self::files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

/// What work leaves where nothing goes wrong, and how many steps it takes.
fn undisturbed(work: Work) -> (BTreeMap<String, Vec<u8>>, Vec<Step>) {
    let root = folder();
    let (done, steps) = with(root.path(), None, || work(root.path()));
    done.unwrap();
    (files(root.path()), steps.into_iter().map(|(step, _)| step).collect())
}

#[test]
fn a_step_that_fails_is_told_and_the_same_command_comes_to_the_same_bytes() {
    for work in WORKS {
        let (wanted, steps) = undisturbed(work);
        assert!(steps.len() >= 20, "{} steps", steps.len());
        for (at, step) in steps.iter().enumerate() {
            let root = folder();
            if let (Err(error), _) = with(root.path(), Some(Fault::Once(at)), || work(root.path())) {
                let (text, place) = (error.to_string(), root.path().display().to_string());
                assert!(text.contains("the disk is broken") && text.contains(&place), "{at}: {text}");
            }
            work(root.path()).unwrap();
            assert_eq!(files(root.path()), wanted, "step {at}, {step:?}");
        }
    }
}

#[test]
fn a_disk_that_is_full_from_any_step_on_is_told_and_with_room_again_the_same_bytes_come() {
    let mut moments = 0;
    for work in WORKS {
        let (wanted, steps) = undisturbed(work);
        for (at, step) in steps.iter().enumerate() {
            let root = folder();
            // Only what comes behind the last write has room.
            if let (Err(error), _) = with(root.path(), Some(Fault::Full(at)), || work(root.path())) {
                let text = error.to_string();
                assert!(text.contains("no storage space") && text.contains("make room"), "{at}: {text}");
                moments += 1;
            }
            work(root.path()).unwrap();
            assert_eq!(files(root.path()), wanted, "step {at}, {step:?}");
        }
    }
    assert!(moments >= 50, "{moments} moments");
}

#[test]
fn what_a_loss_of_power_leaves_is_gone_on_from_to_the_same_bytes() {
    for work in WORKS {
        let (wanted, steps) = undisturbed(work);
        for (at, first) in (0..steps.len()).flat_map(|at| [0, 1].map(|first| (at, first))) {
            let root = folder();
            let fault = Fault::Power(at, Loss { first, syncs: true });
            // Where the steps that are lost only save time, it ends.
            let _ = with(root.path(), Some(fault), || work(root.path()));
            work(root.path()).unwrap();
            assert_eq!(files(root.path()), wanted, "{fault:?}, {:?}", steps[at]);
        }
    }
}

/// With `ETALON_SYNC=no`: files may be empty or cut under their names.
#[test]
fn a_loss_of_power_without_syncs_may_end_in_an_error_and_never_in_other_bytes() {
    for work in WORKS {
        let (wanted, _) = undisturbed(work);
        let (mut refused, mut mended) = (0, 0);
        for at in 0.. {
            let mut steps_taken = 0;
            for first in 0..4 {
                let root = folder();
                let fault = Fault::Power(at, Loss { first, syncs: false });
                let (_, steps) = with(root.path(), Some(fault), || work(root.path()));
                steps_taken = steps.len();
                match work(root.path()) {
                    Ok(()) => {
                        assert_eq!(files(root.path()), wanted, "{fault:?}");
                        mended += 1;
                    }
                    Err(error) => {
                        assert!(error.to_string().contains("another folder"), "{fault:?}: {error}");
                        refused += 1;
                    }
                }
            }
            if steps_taken <= at {
                break;
            }
        }
        assert!(refused > 0 && mended > 0, "{refused} refused, {mended} mended");
    }
}

/// The simulated loss takes what is not synced.
#[test]
fn a_name_is_lost_where_its_folder_was_not_synced_and_kept_where_it_was() {
    let root = folder();
    let target = root.path().join("a");
    let put = |text: &str| put(root.path(), [".", ""], &target, text.as_bytes());
    for (at, first, syncs, wanted) in [
        (5, 0, true, "old"),
        (9, 0, true, "new"),
        (9, 1, true, "old"),
        (10, 1, true, "new"),
        (6, 1, false, "before"),
        (6, 2, false, ""),
        (6, 3, false, "n"),
    ] {
        fs::write(&target, "before").unwrap();
        let fault = Fault::Power(at, Loss { first, syncs });
        with(root.path(), Some(fault), || put("old").and_then(|()| put("new"))).0.unwrap_or_default();
        assert_eq!(fs::read_to_string(&target).unwrap(), wanted, "{fault:?}");
    }
}
