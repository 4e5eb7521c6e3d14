//! libFuzzer for the reader whose file in fuzz/corpus `ETALON_FUZZ_READER` names; fuzz/cover runs it.
//!
//! Without a name, every reader's inputs are laid out under `ETALON_FUZZ_INPUTS`, a folder for each reader and a file for
//! each input; with `ETALON_FUZZ_KEEP=1` those found there go into fuzz/corpus.
#![no_main]

#[allow(dead_code)]
#[path = "../crates/etalon-report/tests/fuzz/corpus.rs"]
mod corpus;
#[path = "../crates/etalon-report/tests/fuzz/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;
use readers::Reader;
use std::path::PathBuf;
use std::{env, fs, process};

/// Every reader.
fn all() -> impl Iterator<Item = Reader> {
    let groups = [
        readers::folders_of_data,
        readers::files_of_data,
        readers::specs,
        readers::tables_and_logs,
        readers::weights,
        readers::sweeps,
    ];
    groups.into_iter().flat_map(|readers| readers())
}

thread_local! {
    static READER: Reader = {
        let name = env::var("ETALON_FUZZ_READER").expect("`setup` has seen it");
        let named = all().find(|reader| corpus::file_name(reader.name) == name);
        named.unwrap_or_else(|| panic!("no reader has a file `{name}` in fuzz/corpus"))
    };
}

fn setup() {
    if env::var_os("ETALON_FUZZ_READER").is_some() {
        return;
    }
    let inputs = PathBuf::from(env::var_os("ETALON_FUZZ_INPUTS").expect("ETALON_FUZZ_INPUTS names a folder"));
    for Reader { name, seeds, .. } in all() {
        let folder = inputs.join(corpus::file_name(name));
        if env::var_os("ETALON_FUZZ_KEEP").is_some() {
            let files = fs::read_dir(&folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
            corpus::keep(name, files.filter(|input| !seeds.contains(input)).collect());
        } else {
            fs::create_dir_all(&folder).unwrap();
            for (number, input) in seeds.into_iter().chain(corpus::kept(name)).enumerate() {
                fs::write(folder.join(number.to_string()), input).unwrap();
            }
        }
    }
    process::exit(0);
}

fuzz_target!(
    init: setup(),
    |input: &[u8]| {
        READER.with(|reader| (reader.read)(input));
    }
);
