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
