//! Etalon's readers of what others wrote, each with valid files to begin from and a folder of its own.

use etalon::data::{Origin, Source, load};
use etalon::record::{Meta, Record};
use etalon::schedule::RateFile;
use etalon::spec::Spec;
use etalon::sweep::{self, Grid, Store, Table, TrainRow, status};
use etalon::watch::{Columns, Detector, Log, Settings, masked, runs};
use etalon_report::export::{Format, export};
use etalon_report::report;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::{TempDir, tempdir};

/// What a reader says of a file's bytes.
type Read = dyn Fn(&[u8]) -> String;

/// What reads files of one format.
pub(crate) struct Reader {
    /// The format.
    pub(crate) name: &'static str,
    /// Files that it reads.
    pub(crate) seeds: Vec<Vec<u8>>,
    pub(crate) read: Box<Read>,
}

impl Reader {
    fn of_bytes(name: &'static str, seeds: &[&[u8]], read: impl Fn(&[u8]) -> String + 'static) -> Self {
        Self { name, seeds: seeds.iter().map(|seed| seed.to_vec()).collect(), read: Box::new(read) }
    }

    fn of_text(name: &'static str, seeds: &[&[u8]], read: impl Fn(&str) -> String + 'static) -> Self {
        Self::of_bytes(name, seeds, move |bytes| read(&String::from_utf8_lossy(bytes)))
    }

    /// One that is told the file of this name in a folder, and the folder.
    fn of_file(
        name: &'static str,
        seeds: &[&[u8]],
        folder: TempDir,
        file: &str,
        read: impl Fn(&Path, &Path) -> String + 'static,
    ) -> Self {
        let path = folder.path().join(file);
        Self::of_bytes(name, seeds, move |bytes| {
            fs::write(&path, bytes).unwrap();
            read(&path, folder.path())
        })
    }
}

/// What a reader says of its input.
fn said<T>(read: Result<T, impl Display>) -> String {
    read.err().map_or("it is read".into(), |error| error.to_string())
}

fn load_all(path: &Path) -> String {
    said(load(&Source::of(Origin::Path(path.into()))))
}

/// A folder with these files.
fn holding(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (file, bytes) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Folders that are sets of data.
pub(crate) fn folders_of_data() -> Vec<Reader> {
    let words = |words: &[u32], data: &[u8]| {
        [words.iter().flat_map(|word| word.to_be_bytes()).collect(), data.to_vec()].concat()
    };
    let (images, labels) = (words(&[0x803, 2, 2, 2], &[7; 8]), words(&[0x801, 2], &[0, 1]));
    let (inputs, classes) = (npy("<f4", "3, 2", 24), npy("|u1", "3,", 3));
    let (doubles, longs) = (npy("<f8", "3, 1, 2, 1", 48), npy("<i8", "3,", 24));
    let idx = || {
        holding(&[
            ("train-images-idx3-ubyte", &images),
            ("train-labels-idx1-ubyte", &labels),
            ("t10k-images-idx3-ubyte", &images),
            ("t10k-labels-idx1-ubyte", &labels),
        ])
    };
    let arrays = || {
        holding(&[
            ("train-x.npy", &inputs),
            ("train-y.npy", &classes),
            ("test-x.npy", &inputs),
            ("test-y.npy", &classes),
        ])
    };
    let record = [&[3][..], &[9; 3072], &[9], &[20; 3073]].concat();
    let cifar = holding(&[("test.bin", &record[..3073])]);
    let reader = |name, seeds: &[&[u8]], folder, file| {
        Reader::of_file(name, seeds, folder, file, |_, folder| load_all(folder))
    };
    vec![
        reader("train-images-idx3-ubyte", &[&images], idx(), "train-images-idx3-ubyte"),
        reader("train-labels-idx1-ubyte", &[&labels], idx(), "train-labels-idx1-ubyte"),
        reader("train-x.npy", &[&inputs, &doubles, &longs], arrays(), "train-x.npy"),
        reader("test-y.npy", &[&classes, &doubles, &longs], arrays(), "test-y.npy"),
        reader("CIFAR", &[&record[..3073], &record], cifar, "train.bin"),
    ]
}

/// The head of an array of NumPy, and so many zeros.
fn npy(kind: &str, shape: &str, data: usize) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &vec![0; data]].concat()
}

/// Single files that are sets of data.
pub(crate) fn files_of_data() -> Vec<Reader> {
    let (inputs, classes) = (npy("<f4", "3, 2", 24), npy("|u1", "3,", 3));
    let archive = zip(&[
        ("x_train.npy", &inputs),
        ("y_train.npy", &classes),
        ("x_test.npy", &inputs),
        ("y_test.npy", &classes),
    ]);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 4, 4);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&[9; 64]).unwrap();
    let images = holding(&[("a/1.png", &png), ("b/1.png", &png)]);
    let of_file = |name, seeds: &[&[u8]], file| {
        Reader::of_file(name, seeds, holding(&[]), file, |path, _| load_all(path))
    };
    vec![
        of_file("set.csv", &[b"a,b,label\n1,2,x\n3,4,y\n5,6,x\n", b",y;z\n0;1.5\n1;2\n"], "set.csv"),
        of_file("set.npz", &[&archive], "set.npz"),
        // Without the feature it is refused unread.
        of_file("Parquet", &[include_bytes!("../../../etalon/assets/test/ten.parquet")], "set.parquet"),
        Reader::of_file(
            "image",
            &[&png, include_bytes!("../../../etalon/assets/test/red.jpg")],
            images,
            "a/1.png",
            |_, folder| load_all(folder),
        ),
    ]
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

/// What describes runs and sweeps.
pub(crate) fn specs() -> Vec<Reader> {
    let spec = Spec::default().to_toml();
    let grid = b"network = { width = 8 }\n[grid]\nseed = { linear = [0, 3], points = 4 }\noptimizer.eta = { log = [0.1, 1], points = 3 }\nwhere = [\"seed < 2\"]\njob = \"find\"\n";
    let overrides: [&[u8]; 4] =
        [b"network.width=64", b"data.classes=[0, 1]", b"network.kind=\"mlp\"", b"search.range=[1e-3, 10]"];
    vec![
        Reader::of_text("spec", &[spec.as_bytes(), grid], |text| said(Spec::parse(text))),
        Reader::of_text("grid", &[grid, spec.as_bytes()], |text| said(Grid::parse(text))),
        Reader::of_text("override", &overrides, |text| said(Spec::load(None, &[text.to_string()]))),
    ]
}

/// Tables, schedules, records, and logs of other programs.
pub(crate) fn tables_and_logs() -> Vec<Reader> {
    let table = b"step,eta,loss\n0,0.1,2.5\n1,0.2,\"2.4\"\n5,0.05,nan\n";
    let lines =
        b"{\"step\":0,\"loss\":2.5,\"lr\":0.1}\n{\"step\":1,\"loss\":null}\n{\"step\":2,\"loss\":1e3}\n";
    let nested = b"{\"train\":{\"loss\":2,\"step\":{\"a\":1}},\"step\":0}\n{\"train\":{\"loss\":1}}\n";
    let export =
        b"\"Step\",\"a - train/loss\",\"a - train/loss__MIN\",\"b - train/loss\"\n0,2.5,1,4\n1,,,3\n";
    let state = b"{\n \"x\": null, \"log_history\": [\n {\"loss\": 2.5, \"epoch\": 0.5, \"step\": 7},\n {\"train_runtime\": 1}]}";
    let text = b"Epoch 1/3\nstep 0 loss: 2.5, lr 1e-3\r 50/391 [00:01<00:10, loss=2.1]\r{'loss': '2', 'epoch': 0.5}\nval loss 3 loss: tensor(1.5)\n";
    let record = br#"{"kind":"train","schema":1,"trial":"abc","phase":"lazy","eta":0.1,"steps":3}"#;
    let log = |name, seeds: &[&[u8]], file| {
        Reader::of_file(name, seeds, holding(&[]), file, |path, _| watched(path))
    };
    vec![
        Reader::of_text("CSV", &[table], |text| said(Table::parse(text))),
        Reader::of_file("schedule", &[table], holding(&[]), "rates.csv", |path, _| {
            said(RateFile::load(path))
        }),
        log("JSON lines", &[lines, nested], "log.jsonl"),
        log("CSV log", &[table, export], "log.csv"),
        log("trainer state", &[state], "trainer_state.json"),
        log("plain log", &[text], "log.txt"),
        log("event file", &[&events()], "events.out.tfevents.1"),
        Reader::of_text("record", &[record], |text| said(Record::parse(text))),
    ]
}

/// What is found in each run of a log, and in none by name.
fn watched(path: &Path) -> String {
    let named = runs(path, &Columns::default()).unwrap().into_iter().map(Some);
    let watched = |run| match Log::open(path, Columns { run, ..Columns::default() }) {
        Ok(mut log) => {
            let mut detector = Detector::new(Settings::default());
            let read = log.read(true, |point| detector.push(point));
            format!("{}, {:?}\n", said(read), detector.finding().state)
        }
        Err(error) => error.to_string(),
    };
    named.chain([None]).map(watched).collect()
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

/// Files of a network's numbers.
pub(crate) fn weights() -> Vec<Reader> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let spec =
        Spec::parse("data = { name = \"teacher\" }\nloss = \"mse\"\nnetwork = { width = 3, depth = 1 }")
            .unwrap();
    let network = spec.task::<f32>().unwrap().network;
    let (layout, state) = (network.layout(), network.state_layout());
    let (parameters, running) = (layout.initialise::<f32>(0), state.initialise::<f32>(0));
    etalon_nn::parameters::save(&path, [(layout, &parameters), (state, &running)]).unwrap();
    let valid = fs::read(&path).unwrap();
    let read = move |path: &Path, _: &Path| {
        let layouts = [network.layout(), network.state_layout()];
        said(etalon_nn::parameters::load::<f32, 2>(path, layouts))
    };
    vec![Reader::of_file("safetensors", &[&valid], folder, "weights.safetensors", read)]
}

/// The files of a sweep's folder.
pub(crate) fn sweeps() -> Vec<Reader> {
    let grid = Grid::parse("loss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = 8\ntest = 4\n[network]\ndepth = 1\nwidth = 2\n[train]\nsteps = 3\nbatch = \"full\"\n[grid]\nseed = [0, 1]\n").unwrap();
    let trial = format!("trials/{}.jsonl", grid.cells()[0].name);
    let reader = |name, file: &str| {
        let folder = tempdir().unwrap();
        let store = Store::open(folder.path(), &grid, &Meta::default()).unwrap();
        let options = sweep::Options { threads: 1, stop: &AtomicBool::new(false) };
        sweep::run(&store, &grid, &options, &|_| {}).unwrap();
        let valid = fs::read(folder.path().join(file)).unwrap();
        let exported = tempdir().unwrap();
        Reader::of_file(name, &[&valid], folder, file, move |_, folder| {
            let store = Store::read_only(folder);
            let kept = store.as_ref().map_or_else(ToString::to_string, |store| {
                [said(status(store)), said(store.summary()), said(store.rows::<TrainRow>())].join("\n")
            });
            let steps = export(folder, Format::Csv, Some(&exported.path().join("steps.csv")), true);
            [kept, said(report(folder, "report")), said(steps)].join("\n")
        })
    };
    vec![
        reader("trial", &trial),
        reader("cells", "cells.csv"),
        reader("summary", "summary.csv"),
        reader("spec of a sweep", "spec.toml"),
        reader("facts", "meta.json"),
    ]
}
