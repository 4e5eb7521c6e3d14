use crate::{Etalon, json};

#[test]
fn the_list_needs_no_network() {
    let etalon = Etalon::new();
    let table = etalon.run(&["data", "list"]).printed();
    assert!(
        table.lines().any(|line| line.starts_with("fashion-mini ") && line.contains(" embedded ")),
        "{table}"
    );
    assert!(table.lines().any(|line| line.starts_with("mnist ") && line.contains(" missing ")), "{table}");
    let list = json(&etalon.run(&["data", "list", "--json"]).printed());
    assert_eq!(list["directory"], etalon.path().join("data").to_str().unwrap());
    let mini = list["sets"].as_array().unwrap().iter().find(|set| set["name"] == "fashion-mini").unwrap();
    assert_eq!(
        (&mini["train"], &mini["test"], &mini["kind"]),
        (&2000.into(), &500.into(), &"embedded".into())
    );
}

#[test]
fn a_broken_file_is_named_and_the_verdict_is_negative() {
    let etalon = Etalon::new();
    etalon.write("data/mnist/train-labels-idx1-ubyte", "half");
    for arguments in [["data", "check"].as_slice(), &["data", "check", "mnist"]] {
        let outcome = etalon.run(arguments);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("train-labels-idx1-ubyte has 4 bytes"), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("t10k-images-idx3-ubyte is missing"), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "advice: `etalon data fetch mnist` installs mnist anew\n");
    }
    let outcome = etalon.run(&["data", "check", "mnist", "--json", "-q"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    let mnist = &json(&outcome.stdout)[0];
    assert_eq!((&mnist["name"], &mnist["state"]), (&"mnist".into(), &"broken".into()));
    assert_eq!(mnist["faults"].as_array().unwrap().len(), 4);
}

#[test]
fn what_was_never_fetched_is_only_wrong_when_asked_about() {
    let etalon = Etalon::new();
    assert!(etalon.run(&["data", "check"]).printed().contains("missing"));
    assert_eq!(etalon.run(&["data", "check", "cifar10"]).code, Some(1));
}

#[test]
fn an_unknown_set_shows_the_known_ones() {
    let complaint = Etalon::new().run(&["data", "fetch", "mnits"]).complaint();
    assert!(
        complaint.contains("fashion-mnist, mnist, cifar10") && complaint.contains("'mnist'"),
        "{complaint}"
    );
}

#[test]
fn an_import_without_its_files_leaves_nothing() {
    let etalon = Etalon::new();
    let complaint = etalon.run(&["data", "import", "mnist", "."]).complaint();
    assert!(complaint.contains("train-images-idx3-ubyte"), "{complaint}");
    assert_eq!(std::fs::read_dir(etalon.path().join("data")).unwrap().count(), 0);
}

#[test]
fn a_path_is_told_before_it_is_trained_on() {
    let etalon = Etalon::new();
    let rows: String =
        (0..50).map(|row| format!("{row},{}.5,{}\n", 50 - row, ["no", "yes"][row % 2])).collect();
    etalon.write("set.csv", &format!("a,b,class\n{rows}"));
    let told = etalon.run(&["data", "inspect", "set.csv"]).printed();
    for part in [
        "set.csv: a table of comma-separated values",
        "train: 40 samples of 2 features, 0.000 to 50.50",
        "2 classes, samples of each: ",
        "column `class` of set.csv is taken as the label",
        "no = 0, yes = 1",
        "of its 50 samples, 10 drawn by data.seed = 0 are held out",
        "data.name=set.csv",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let found = json(&etalon.run(&["data", "inspect", "--json", "fashion-mini"]).printed());
    assert_eq!((&found["train"]["samples"], &found["test"]["classes"][9]), (&2000.into(), &50.into()));
    assert_eq!(found["train"]["inputs"][2], 1.0);
    etalon.write("values.csv", "a,b,class\n1,0.5,3\n2,1.5,4\n3,2.5,5\n");
    let told = etalon.run(&["data", "inspect", "values.csv", "--label", "b"]).printed();
    assert!(told.contains("labels are values, 1 a sample") && told.contains("loss=mse"), "{told}");
    let refused = etalon.run(&["data", "inspect", "none.csv"]).complaint();
    assert!(
        refused.contains("none.csv: expected data of your own, found neither a file nor a folder"),
        "{refused}"
    );
    // Trained on as it stands, with less than the usual number of samples.
    let run =
        etalon.run(&["train", "data.name=set.csv", "train.steps=3", "train.batch=20", "network.width=4"]);
    assert!(
        run.stderr.contains("drawn by data.seed = 0") && !run.stderr.contains("more than there is"),
        "what nobody asked for is no shortage: {}",
        run.stderr
    );
    assert_eq!(run.code, Some(0));
    let run = etalon.run(&["train", "data.name=set.csv", "data.train=60", "train.steps=3", "train.batch=20"]);
    assert!(run.stderr.contains("data.train = 60 is more than there is"), "{}", run.stderr);
    etalon.write("one.csv", "a,b,class\n1,2,x\n");
    let refused = etalon.run(&["data", "inspect", "one.csv"]).complaint();
    assert!(refused.contains("it holds 1 sample of 2 features"), "{refused}");
    std::fs::create_dir_all(etalon.path().join("pictures/a")).unwrap();
    std::fs::write(etalon.path().join("pictures/a/1.png"), b"\x89PNG\r\n").unwrap();
    let refused = etalon.run(&["data", "inspect", "pictures"]).complaint();
    assert!(refused.contains("; replace or remove it") && !refused.contains(".; "), "{refused}");
}

#[test]
fn a_parquet_file_of_the_hub_is_told_or_refused_with_what_to_do() {
    let etalon = Etalon::new();
    // Written by pyarrow 26: images as PNG in a group of `bytes` and `path`, in three groups of rows, packed by Snappy.
    let file = include_bytes!("../../../etalon/assets/test/ten.parquet");
    std::fs::write(etalon.path().join("train-00000-of-00001.parquet"), file).unwrap();
    let outcome = etalon.run(&["data", "inspect", "."]);
    if cfg!(feature = "parquet") {
        let told = outcome.printed();
        for part in ["Parquet files", "train: 8 samples of 2 x 3 x 1 (height", "column `label`", "held out"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        // A byte at which an assertion of the library fails: what is told is the file's fault and no panic of the program.
        let mut damaged = file.to_vec();
        damaged[2756] ^= 0x80;
        std::fs::write(etalon.path().join("train-00000-of-00001.parquet"), damaged).unwrap();
        let told = etalon.run(&["data", "inspect", "."]).complaint();
        assert!(told.contains("found one that is damaged") && !told.contains("panicked"), "{told}");
    } else {
        assert!(outcome.complaint().contains("install it with `--features parquet`"));
    }
}

#[test]
fn an_order_of_axes_that_is_asked_about_can_be_answered_at_once() {
    let etalon = Etalon::new();
    let array = |shape: &str, bytes: usize| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(118u16.to_le_bytes());
        file.extend(format!("{header:<117}\n").bytes());
        file.extend((0..bytes).map(|byte| (byte % 2) as u8));
        file
    };
    // Either axis could be the channels.
    std::fs::write(etalon.path().join("set-x.npy"), array("(10, 4, 2, 3)", 240)).unwrap();
    std::fs::write(etalon.path().join("set-y.npy"), array("(10,)", 10)).unwrap();
    let complaint = etalon.run(&["data", "inspect", "./set"]).complaint();
    assert!(complaint.contains("data.layout = \"nchw\""), "{complaint}");
    for (layout, shape) in [("nhwc", "4 x 2 x 3"), ("nchw", "2 x 3 x 4")] {
        let told = etalon.run(&["data", "inspect", "./set", "--layout", layout]).printed();
        assert!(told.contains(&format!("8 samples of {shape} (height x width x channels)")), "{told}");
    }
}
