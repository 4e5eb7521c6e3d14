//! `etalon fit`.

use crate::{Etalon, json};

/// A sweep in which the number of steps done is an exact power of the budget, whatever the width.
const SPEC: &str = "\
loss = \"mse\"
[data]
name = \"teacher\"
train = 8
test = 4
dimension = 3
[network]
depth = 1
width = 4
[train]
batch = \"full\"
[grid]
train.steps = [2, 4, 8, 16, 32]
network.width = [4, 8]
seed = [0, 1, 2]
";

fn swept() -> Etalon {
    let etalon = Etalon::new();
    etalon.write("spec.toml", SPEC);
    etalon.run(&["sweep", "spec.toml", "--out", "run"]).printed();
    etalon
}

#[test]
fn an_exact_law_has_its_exponents() {
    let etalon = swept();
    let arguments = ["fit", "run", "--y", "steps", "--x", "train.steps,network.width", "--robust", "--json"];
    let law = json(&etalon.run(&[&arguments[..], &["--out", "fitted"]].concat()).printed());
    assert_eq!((&law["points"], &law["excluded"]), (&10.into(), &serde_json::json!([])));
    let free = law["free"]["exponents"].as_array().unwrap();
    assert!((free[0]["value"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{law}");
    assert!(free[1]["value"].as_f64().unwrap().abs() < 1e-9, "{law}");
    assert_eq!(law["robust"]["method"], "theil-sen");
    assert_eq!(json(&etalon.read("fitted/fit.json")), law);
    let text = etalon.run(&["fit", "run", "--y", "steps", "--x", "train.steps"]).printed();
    assert!(text.contains("joint: steps = 1.000 (train.steps)^1.000"), "{text}");
}

#[test]
fn what_is_left_out_is_told_and_too_little_is_refused() {
    let etalon = swept();
    let arguments =
        ["fit", "run", "--y", "steps", "--x", "train.steps", "--only", "train.steps > 2", "--json"];
    let law = json(&etalon.run(&arguments).printed());
    assert_eq!((&law["points"], law["excluded"].as_array().unwrap().len()), (&8.into(), 6));
    assert_eq!(law["excluded"][0]["reason"], "does not meet train.steps > 2");
    let complaint = etalon.run(&["fit", "run", "--y", "steps", "--x", "network.width"]).complaint();
    assert!(complaint.contains("2 distinct sizes") && complaint.contains("needs 4"), "{complaint}");
    let complaint = etalon.run(&["fit", "run", "--x", "train.steps"]).complaint();
    assert!(complaint.contains("no column `eta_star`; there are trial, "), "{complaint}");
    let complaint = etalon.run(&["fit", "run", "--y", "steps", "--x", "width"]).complaint();
    assert!(complaint.contains("did you mean `network.width`?"), "{complaint}");
    let complaint =
        etalon.run(&["fit", "run", "--y", "steps", "--x", "train.steps", "--only", "2"]).complaint();
    assert!(complaint.contains("has no comparison"), "{complaint}");
}

#[test]
fn a_figure_shows_what_was_fitted_and_what_was_left_out() {
    let etalon = swept();
    let arguments = ["fit", "run", "--y", "steps", "--x", "train.steps", "--only", "train.steps > 2"];
    etalon.run(&[&arguments[..], &["--figure", "figures/steps.svg"]].concat()).printed();
    let svg = etalon.read("figures/steps.svg");
    // Two widths at each of five budgets, and how far each lies from the law.
    assert_eq!(svg.matches("class=\"disc\"").count(), 20);
    for expected in ["steps = 1.00 (steps)^1.00, R² = 1.00, 8 points", "steps 32", "steps: median and range"]
    {
        assert!(svg.contains(expected), "{expected}");
    }
    let csv = etalon.read("figures/steps.csv");
    assert!(csv.starts_with("group,train.steps,steps,least,most,fitted\n"), "{csv}");
    assert_eq!((csv.matches(",true\n").count(), csv.matches(",false\n").count()), (8, 2));
    let complaint = etalon.run(&[&arguments[..], &["--figure", "."]].concat()).complaint();
    assert!(complaint.contains("ends in .svg, .png or .pdf"), "{complaint}");
    std::fs::create_dir(etalon.path().join("folder.svg")).unwrap();
    let complaint = etalon.run(&[&arguments[..], &["--figure", "folder.svg"]].concat()).complaint();
    assert!(complaint.contains("it is a folder"), "{complaint}");
}
