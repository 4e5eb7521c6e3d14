use crate::{Etalon, json};

#[test]
fn it_holds_what_ran_and_the_facts_of_the_run() {
    let etalon = Etalon::new();
    let printed =
        etalon.run(&["spec", "network.width=64", "--seed=3", "--threads=2", "--out=runs/a"]).printed();
    assert_eq!(etalon.read("runs/a/spec.toml"), printed);
    let meta = json(&etalon.read("runs/a/meta.json"));
    assert_eq!(meta["etalon"], env!("CARGO_PKG_VERSION"));
    assert_eq!(meta["seeds"], json("[3]"));
    assert_eq!(meta["machine"]["threads"], 2);
    assert_eq!(meta["command"][2], "network.width=64");
    let started = meta["started"].as_str().unwrap();
    assert!(started.len() == 20 && started.starts_with("20") && started.ends_with('Z'), "{started}");
}

#[test]
fn another_spec_does_not_get_in() {
    let etalon = Etalon::new();
    let printed = etalon.run(&["spec", "--out", "run"]).printed();
    etalon.write("run/curve.csv", "a result");
    let complaint = etalon.run(&["spec", "seed=1", "--out", "run"]).complaint();
    assert!(
        complaint.contains("run holds the run of another spec") && complaint.contains("or empty"),
        "{complaint}"
    );
    assert_eq!(etalon.read("run/spec.toml"), printed);
    etalon.run(&["spec", "seed=0", "--out", "run"]).printed();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let etalon = Etalon::new();
    etalon.write("file", "");
    for out in ["file", "file/below"] {
        let complaint = etalon.run(&["spec", "--out", out]).complaint();
        assert!(
            complaint.contains(out) && complaint.contains("choose a place that can be written to"),
            "{complaint}"
        );
    }
    assert_eq!(etalon.read("file"), "");
}

#[test]
fn results_of_the_data_verbs_are_kept() {
    let etalon = Etalon::new();
    let printed = etalon.run(&["data", "check", "--json", "--out", "run"]).printed();
    assert_eq!(etalon.read("run/check.json"), printed);
}
