//! Every reader is given valid files with something changed. None may panic or hang.
//!
//! Nothing but Rust is needed: `fuzz/run SECONDS` gives each reader so many seconds, and `cargo test` a moment.

mod corpus;
mod guided;
mod random;

use etalon::data::{Origin, Source, load};
use etalon::record::Record;
use etalon::schedule::RateFile;
use etalon::spec::Spec;
use etalon::sweep::{Grid, Store, Table, TrainRow, status};
use etalon::watch::{Columns, Detector, Log, Settings, masked, runs};
use etalon_report::export::{Format, export};
use etalon_report::report;
use guided::fuzz;
use std::fmt::Display;
use std::fs;
use std::path::Path;

/// What a reader says of its input.
fn said<T>(read: Result<T, impl Display>) -> String {
    read.err().map_or("it is read".into(), |error| error.to_string())
}

fn npy(kind: &str, shape: &str, data: usize) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut file =
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
    file.extend(std::iter::repeat_n(0, data));
    file
}

fn load_all(folder: &Path) -> String {
    said(load(&Source::of(Origin::Path(folder.into()))))
}

#[test]
fn data_sets() {
    let root = tempfile::tempdir().unwrap();
    let write = |folder: &str, file: &str, bytes: &[u8]| {
        fs::create_dir_all(root.path().join(folder)).unwrap();
        fs::write(root.path().join(folder).join(file), bytes).unwrap();
    };
    let words = |words: &[u32], data: &[u8]| {
        [words.iter().flat_map(|word| word.to_be_bytes()).collect(), data.to_vec()].concat()
    };
    let (images, labels) = (words(&[0x803, 2, 2, 2], &[7; 8]), words(&[0x801, 2], &[0, 1]));
    for part in ["train", "t10k"] {
        write("idx", &format!("{part}-images-idx3-ubyte"), &images);
        write("idx", &format!("{part}-labels-idx1-ubyte"), &labels);
    }
    let idx = root.path().join("idx");
    for (file, valid) in [("train-images-idx3-ubyte", &images), ("train-labels-idx1-ubyte", &labels)] {
        let read = |bytes: &[u8]| {
            fs::write(idx.join(file), bytes).unwrap();
            load_all(&idx)
        };
        fuzz(file, std::slice::from_ref(valid), read);
        fs::write(idx.join(file), valid).unwrap();
    }
    let (inputs, classes) = (npy("<f4", "3, 2", 24), npy("|u1", "3,", 3));
    for part in ["train", "test"] {
        write("npy", &format!("{part}-x.npy"), &inputs);
        write("npy", &format!("{part}-y.npy"), &classes);
    }
    let folder = root.path().join("npy");
    for (file, valid) in [("train-x.npy", &inputs), ("test-y.npy", &classes)] {
        let read = |bytes: &[u8]| {
            fs::write(folder.join(file), bytes).unwrap();
            load_all(&folder)
        };
        let seeds = [valid.clone(), npy("<f8", "3, 1, 2, 1", 48), npy("<i8", "3,", 24)];
        fuzz(file, &seeds, read);
        fs::write(folder.join(file), valid).unwrap();
    }
    let record = [vec![3], vec![9; 3073], vec![20; 3074]].concat();
    write("cifar", "test.bin", &record[..3074]);
    let folder = root.path().join("cifar");
    fuzz("CIFAR", &[record[..3074].to_vec(), record], |bytes| {
        fs::write(folder.join("train.bin"), bytes).unwrap();
        load_all(&folder)
    });
}

#[test]
fn tables_archives_and_images() {
    let root = tempfile::tempdir().unwrap();
    let tables = [b"a,b,label\n1,2,x\n3,4,y\n5,6,x\n".to_vec(), b",y;z\n0;1.5\n1;2\n".to_vec()];
    let (inputs, classes) = (npy("<f4", "3, 2", 24), npy("|u1", "3,", 3));
    let archive = zip(&[
        ("x_train.npy", &inputs),
        ("y_train.npy", &classes),
        ("x_test.npy", &inputs),
        ("y_test.npy", &classes),
    ]);
    for (file, seeds) in [("set.csv", tables.to_vec()), ("set.npz", vec![archive])] {
        let path = root.path().join(file);
        fuzz(file, &seeds, |bytes| {
            fs::write(&path, bytes).unwrap();
            load_all(&path)
        });
    }
    // Without the feature it is refused unread.
    let path = root.path().join("set.parquet");
    fuzz("Parquet", &[include_bytes!("../../../etalon/assets/test/ten.parquet").to_vec()], |bytes| {
        fs::write(&path, bytes).unwrap();
        load_all(&path)
    });
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 4, 4);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&[9; 64]).unwrap();
    let jpeg = include_bytes!("../../../etalon/assets/test/red.jpg").to_vec();
    let folder = root.path().join("images");
    for class in ["a", "b"] {
        fs::create_dir_all(folder.join(class)).unwrap();
        fs::write(folder.join(class).join("1.png"), &png).unwrap();
    }
    fuzz("image", &[png, jpeg], |bytes| {
        fs::write(folder.join("a/1.png"), bytes).unwrap();
        load_all(&folder)
    });
}

/// A zip archive of stored files.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut contents) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let length = (content.len() as u32).to_le_bytes();
        let head = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &length,
            &length,
            &[name.len() as u8, 0, 0, 0],
        ]
        .concat();
        contents.extend(
            [b"PK\x01\x02\x14\0", &head[..], &[0; 10], &(bytes.len() as u32).to_le_bytes(), name.as_bytes()]
                .concat(),
        );
        bytes.extend([b"PK\x03\x04", &head[..], name.as_bytes(), content].concat());
    }
    let ends = [contents.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
    bytes.extend(contents);
    bytes.extend([b"PK\x05\x06", &[0; 8][..], &ends, &[0, 0]].concat());
    bytes
}

#[test]
fn specs_overrides_and_grids() {
    let spec = Spec::default().to_toml().into_bytes();
    let grid = b"network = { width = 8 }\n[grid]\nseed = { linear = [0, 3], points = 4 }\noptimizer.eta = { log = [0.1, 1], points = 3 }\nwhere = [\"seed < 2\"]\njob = \"find\"\n".to_vec();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fuzz("spec", &[spec.clone(), grid.clone()], |bytes| said(Spec::parse(&text(bytes))));
    fuzz("grid", &[grid, spec], |bytes| said(Grid::parse(&text(bytes))));
    let overrides =
        ["network.width=64", "data.classes=[0, 1]", "network.kind=\"mlp\"", "search.range=[1e-3, 10]"];
    let overrides = overrides.map(|text| text.as_bytes().to_vec());
    fuzz("override", &overrides, |bytes| said(Spec::load(None, &[text(bytes)])));
}

#[test]
fn tables_schedules_logs_and_records() {
    let root = tempfile::tempdir().unwrap();
    let table = b"step,eta,loss\n0,0.1,2.5\n1,0.2,\"2.4\"\n5,0.05,nan\n".to_vec();
    fuzz("CSV", std::slice::from_ref(&table), |bytes| said(Table::parse(&String::from_utf8_lossy(bytes))));
    let path = root.path().join("rates.csv");
    fuzz("schedule", std::slice::from_ref(&table), |bytes| {
        fs::write(&path, bytes).unwrap();
        said(RateFile::load(&path))
    });
    let lines =
        b"{\"step\":0,\"loss\":2.5,\"lr\":0.1}\n{\"step\":1,\"loss\":null}\n{\"step\":2,\"loss\":1e3}\n"
            .to_vec();
    let nested =
        b"{\"train\":{\"loss\":2,\"step\":{\"a\":1}},\"step\":0}\n{\"train\":{\"loss\":1}}\n".to_vec();
    let export =
        b"\"Step\",\"a - train/loss\",\"a - train/loss__MIN\",\"b - train/loss\"\n0,2.5,1,4\n1,,,3\n"
            .to_vec();
    let state = b"{\n \"x\": null, \"log_history\": [\n {\"loss\": 2.5, \"epoch\": 0.5, \"step\": 7},\n {\"train_runtime\": 1}]}".to_vec();
    let text = "Epoch 1/3\nstep 0 loss: 2.5, lr 1e-3\r 50/391 [00:01<00:10, loss=2.1]\r{'loss': '2', 'epoch': 0.5}\nval loss 3 loss: tensor(1.5)\n";
    for (name, file, seeds) in [
        ("JSON lines", "log.jsonl", vec![lines, nested]),
        ("CSV log", "log.csv", vec![table, export]),
        ("trainer state", "trainer_state.json", vec![state]),
        ("plain log", "log.txt", vec![text.into()]),
        ("event file", "events.out.tfevents.1", vec![events()]),
    ] {
        let path = root.path().join(file);
        fuzz(name, &seeds, |bytes| {
            fs::write(&path, bytes).unwrap();
            let all = runs(&path, &Columns::default()).unwrap().into_iter().map(Some).chain([None]);
            let watched = |run| match Log::open(&path, Columns { run, ..Columns::default() }) {
                Ok(mut log) => {
                    let mut detector = Detector::new(Settings::default());
                    let read = log.read(true, |point| detector.push(point));
                    format!("{}, {:?}\n", said(read), detector.finding().state)
                }
                Err(error) => error.to_string(),
            };
            all.map(watched).collect()
        });
    }
    let record = br#"{"kind":"train","schema":1,"trial":"abc","phase":"lazy","eta":0.1,"steps":3}"#.to_vec();
    fuzz("record", &[record], |bytes| said(Record::parse(&String::from_utf8_lossy(bytes))));
}

/// Two scalars as TensorBoard's writer keeps them: length, its checksum, the event, its checksum.
fn events() -> Vec<u8> {
    let scalar = |step: u8| {
        let value = [&[0x0a, 4][..], b"loss", &[0x15, 0, 0, 0x20, 0x40]].concat();
        let summary = [&[0x0a, value.len() as u8][..], &value].concat();
        [&[0x10, step, 0x2a, summary.len() as u8][..], &summary].concat()
    };
    let masked = |bytes: &[u8]| masked(bytes).to_le_bytes();
    let framed = |event: Vec<u8>| {
        let length = (event.len() as u64).to_le_bytes();
        [&length[..], &masked(&length), &event, &masked(&event)].concat()
    };
    [framed(scalar(1)), framed(scalar(2))].concat()
}

#[test]
fn weights() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("weights.safetensors");
    let spec =
        Spec::parse("data = { name = \"teacher\" }\nloss = \"mse\"\nnetwork = { width = 3, depth = 1 }")
            .unwrap();
    let task = spec.task::<f32>().unwrap();
    let (layout, state) = (task.network.layout(), task.network.state_layout());
    let (parameters, running) = (layout.initialise::<f32>(0), state.initialise::<f32>(0));
    etalon_nn::parameters::save(&path, [(layout, &parameters), (state, &running)]).unwrap();
    let valid = fs::read(&path).unwrap();
    fuzz("safetensors", &[valid], |bytes| {
        fs::write(&path, bytes).unwrap();
        said(etalon_nn::parameters::load::<f32, 2>(&path, [layout, state]))
    });
}

#[test]
fn folders_of_runs_and_sweeps() {
    let root = tempfile::tempdir().unwrap();
    let grid = Grid::parse("loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\n[network]\ndepth = 1\nwidth = 2\n[train]\nsteps = 3\nbatch = \"full\"\n[grid]\nseed = [0, 1]\n").unwrap();
    let store = Store::open(root.path(), &grid, &etalon::record::Meta::default()).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let options = etalon::sweep::Options { threads: 1, stop: &stop };
    etalon::sweep::run(&store, &grid, &options, &|_| {}).unwrap();
    let trial = format!("trials/{}.jsonl", grid.cells()[0].name);
    let out = tempfile::tempdir().unwrap();
    for (name, file) in [
        ("trial", &trial[..]),
        ("cells", "cells.csv"),
        ("summary", "summary.csv"),
        ("spec of a sweep", "spec.toml"),
        ("facts", "meta.json"),
    ] {
        let path = root.path().join(file);
        let valid = fs::read(&path).unwrap();
        fuzz(name, std::slice::from_ref(&valid), |bytes| {
            fs::write(&path, bytes).unwrap();
            let store = Store::read_only(root.path());
            let kept = store.as_ref().map_or_else(ToString::to_string, |store| {
                [said(status(store)), said(store.summary()), said(store.rows::<TrainRow>())].join("\n")
            });
            let steps = export(root.path(), Format::Csv, Some(&out.path().join("steps.csv")), true);
            [kept, said(report(root.path(), "report")), said(steps)].join("\n")
        });
        fs::write(&path, valid).unwrap();
    }
}
