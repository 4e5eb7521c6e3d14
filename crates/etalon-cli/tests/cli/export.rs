//! `etalon export`.

use crate::sweep::etalon;
use crate::{Etalon, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn swept() -> Etalon {
    let etalon = etalon("optimizer.eta = [0.125, 1e9]\nseed = [0, 1]\n");
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    etalon
}

/// CRC-32C bit by bit, as its definition has it, and TensorFlow's mask.
fn masked_crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field of a protocol buffer: its number, and its content as a number or as bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (number, rest) = bytes.split_at(length);
        *bytes = rest;
        number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let (number, length) = match key & 7 {
            0 => (varint(&mut bytes), 0),
            1 => (0, 8),
            2 => (0, varint(&mut bytes) as usize),
            5 => (0, 4),
            other => panic!("wire type {other}"),
        };
        let (content, rest) = bytes.split_at(length);
        bytes = rest;
        found.push((key >> 3, number, content));
    }
    found
}

/// The scalars of an event file by step and tag.
fn scalars(file: &Path) -> BTreeMap<(u64, String), f32> {
    let bytes = fs::read(file).unwrap();
    let mut rest = &bytes[..];
    let mut found = BTreeMap::new();
    let sum = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(masked_crc(&rest[..8]), sum(&rest[8..12]));
        let data = &rest[12..12 + length];
        assert_eq!(masked_crc(data), sum(&rest[12 + length..16 + length]));
        if rest.len() == bytes.len() {
            assert!(fields(data).contains(&(3, 0, b"brain.Event:2")), "the first record has the version");
        }
        rest = &rest[16 + length..];
        let event = fields(data);
        let step = event.iter().find(|field| field.0 == 2).unwrap().1;
        for (_, _, summary) in event.iter().filter(|field| field.0 == 5) {
            for (_, _, value) in fields(summary) {
                let value = fields(value);
                let of = |number| value.iter().find(|field| field.0 == number).unwrap().2;
                let tag = String::from_utf8(of(1).to_vec()).unwrap();
                found.insert((step, tag), f32::from_le_bytes(of(2).try_into().unwrap()));
            }
        }
    }
    found
}

#[test]
fn tensorboard_gets_every_number_of_every_trial() {
    let etalon = swept();
    let report = json(&etalon.run(&["export", "run", "tensorboard", "--json"]).printed());
    assert_eq!((&report["trials"], &report["unfinished"]), (&4.into(), &0.into()));
    let (mut trials, mut steps) = (0, 0);
    for entry in fs::read_dir(etalon.path().join("run/tensorboard")).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        assert!(name.starts_with("optimizer.eta="), "{name}");
        let [file] =
            &fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..]
        else {
            panic!("one file in {name}")
        };
        assert!(file.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
        let trial = etalon.read(&format!("run/trials/{}.jsonl", name.rsplit(',').next().unwrap()));
        let mut expected = BTreeMap::new();
        for line in trial.lines().map(json).filter(|line| line["step"].is_u64()) {
            let step = line["step"].as_u64().unwrap();
            let numbers = [
                ("learning_rate", &line["eta"]),
                ("loss", &line["loss"]),
                ("train/loss", &line["train"]["loss"]),
                ("test/loss", &line["test"]["loss"]),
            ];
            for (tag, number) in numbers {
                expected.extend(number.as_f64().map(|number| ((step, tag.to_string()), number as f32)));
            }
            steps += 1;
        }
        assert!(!expected.is_empty());
        assert_eq!(scalars(file), expected, "{name}");
        trials += 1;
    }
    assert_eq!((trials, &report["rows"]), (4, &steps.into()));
}

#[test]
fn tables_are_written_beside_the_trials_and_replaced_by_force_alone() {
    let etalon = swept();
    let text = etalon.run(&["export", "run", "csv"]).printed();
    assert!(text.starts_with("run/trajectories.csv: ") && text.ends_with(" of 4 trials\n"), "{text}");
    let heading = "trial,optimizer.eta,seed,step,eta,loss,train_loss,train_accuracy,test_loss,test_accuracy,ntk,hessian,\
                   unpatched_loss,unpatched_accuracy,patched_loss,patched_accuracy,patch_only_loss,patch_only_accuracy,test_mixed_loss,test_mixed_accuracy,test_patch_only_loss,test_patch_only_accuracy";
    assert_eq!(etalon.read("run/trajectories.csv").lines().next(), Some(heading));
    let complaint = etalon.run(&["export", "run", "csv"]).complaint();
    assert!(complaint.contains("--force"), "{complaint}");
    etalon.run(&["export", "run", "csv", "--force"]).printed();
    let parquet = etalon.run(&["export", "run", "parquet", "--to", "tables/all.parquet"]);
    if cfg!(feature = "parquet") {
        parquet.printed();
        let parquet = fs::read(etalon.path().join("tables/all.parquet")).unwrap();
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    } else {
        let complaint = parquet.complaint();
        assert!(complaint.contains("--features parquet"), "{complaint}");
    }
    // A single run has a trajectory too.
    etalon.run(&["train", "spec.toml", "--out", "one", "optimizer.eta=0.1"]).complaint();
    let spec = etalon.read("spec.toml");
    etalon.write("one.toml", spec.split("[grid]").next().unwrap());
    etalon.run(&["train", "one.toml", "--out", "one"]).printed();
    assert!(etalon.run(&["export", "one", "csv"]).printed().ends_with(" of 1 trials\n"));
}

#[test]
fn a_trial_whose_file_has_been_changed_has_no_result_and_is_left_out() {
    let etalon = swept();
    let trials = etalon.path().join("run/trials");
    let file = fs::read_dir(&trials).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    let changed = text.replace("\"constant_loss\"", "\"constant\"");
    assert_ne!(changed, text);
    fs::write(&file, changed).unwrap();
    let outcome = etalon.run(&["export", "run", "csv"]);
    assert!(outcome.stderr.contains("1 trials have no result yet and are left out"), "{}", outcome.stderr);
    assert!(outcome.stdout.ends_with(" of 3 trials\n"), "{}", outcome.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_takes_nothing_is_named_and_left_as_it_was() {
    let etalon = swept();
    let complaint = etalon.run(&["export", "run", "csv", "--to", "/proc/none/a.csv"]).complaint();
    assert!(complaint.contains("/proc/none") && complaint.contains("--to"), "{complaint}");
    let complaint = etalon.run(&["export", "nowhere", "csv"]).complaint();
    assert!(complaint.contains("has no finished trial"), "{complaint}");
    let parquet = cfg!(feature = "parquet").then_some("parquet");
    for format in ["csv", "tensorboard"].into_iter().chain(parquet) {
        // A limit on the size of a file stands in for a full disk.
        let line = format!(
            "trap '' XFSZ; ulimit -f 1; exec '{}' export run {format} --to full/target",
            env!("CARGO_BIN_EXE_etalon")
        );
        let output = etalon.plain_command("sh").args(["-c", &line]).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{format}: {complaint}");
        assert!(complaint.contains("File too large") && complaint.contains("make room"), "{complaint}");
        assert_eq!(
            fs::read_dir(etalon.path().join("full")).unwrap().count(),
            0,
            "nothing is left of {format}"
        );
    }
}
