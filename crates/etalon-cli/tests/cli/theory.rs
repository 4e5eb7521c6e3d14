use crate::{Etalon, json};
use std::time::{Duration, Instant};

/// `etalon theory ...` as JSON.
fn theory(arguments: &str) -> serde_json::Value {
    let arguments: Vec<&str> = ["theory"].into_iter().chain(arguments.split(' ')).chain(["--json"]).collect();
    json(&Etalon::new().run(&arguments).printed())
}

fn numbers(report: &serde_json::Value, name: &str) -> Vec<f64> {
    let runs = report["runs"].as_array().unwrap().iter();
    runs.map(|run| run[name].as_f64().unwrap_or(f64::NAN)).collect()
}

fn phases(report: &serde_json::Value) -> Vec<&str> {
    report["runs"].as_array().unwrap().iter().map(|run| run["phase"].as_str().unwrap()).collect()
}

#[test]
fn the_catapult_has_its_known_numbers() {
    let report = theory("map --width 1024 --lambda0 2 --f0 1 --c 1,1.9,2.5,3,3.5,3.9,4.1");
    assert_eq!(numbers(&report, "c"), [1.0, 1.9, 2.5, 3.0, 3.5, 3.9, 4.1]);
    let [lazy, catapult] = ["lazy", "catapult"];
    assert_eq!(phases(&report), [lazy, lazy, catapult, catapult, catapult, catapult, "divergent"]);
    for (got, expected) in numbers(&report, "peak_loss")[2..6].iter().zip([56.0, 189.3, 344.0, 282.3]) {
        assert!((got - expected).abs() < 0.05, "peak {got}, not {expected}");
    }
    let last = numbers(&report, "final_c");
    for (got, expected) in last.iter().zip([0.999, 1.891, 1.279, 0.185, 1.133, 0.016]) {
        assert!((got - expected).abs() < 6e-4, "final c {got}, not {expected}");
    }
    let run = &report["runs"][2];
    assert_eq!((&run["peak_step"], &run["width"], &run["eta"]), (&7.into(), &1024.0.into(), &1.25.into()));
    assert!(run["why"].as_str().unwrap().contains("112.0") && run["steps"].as_u64().unwrap() > 7);
    assert_eq!(report["edges"][0]["catapult_c"], 4.0);
}

#[test]
fn every_model_runs_without_being_told_anything() {
    for (model, first) in
        [("map", "lazy"), ("logistic", "lazy"), ("exponential", "lazy"), ("uv", "lazy"), ("linear", "lazy")]
    {
        let report = theory(model);
        assert_eq!(phases(&report)[0], first, "{model}");
        let printed = Etalon::new().run(&["theory", model]).printed();
        assert!(printed.contains("final lambda") && printed.contains("catapult"), "{model}: {printed}");
    }
}

#[test]
fn logistic_runs_end_just_below_eight() {
    let report = theory("logistic --width 1e4 --c 9,20,40,570");
    assert_eq!(phases(&report), ["catapult", "catapult", "catapult", "divergent"]);
    for end in &numbers(&report, "final_c")[..3] {
        assert!((7.9..8.0).contains(end), "{end}");
    }
    let edges = &theory("logistic --share 0.9 --c 1")["edges"][0];
    assert!(
        (edges["critical_c"].as_f64().unwrap() - 2.0 / 0.09).abs() < 1e-9 && edges["catapult_c"].is_null()
    );
}

#[test]
fn a_target_off_zero_brings_cycles() {
    let report = theory("uv --c 2.1,2.5,3");
    assert_eq!(phases(&report), ["cycle", "cycle", "chaotic"]);
    assert_eq!((&report["runs"][0]["period"], &report["runs"][1]["period"]), (&2.into(), &4.into()));
    assert!(report["runs"][2].get("period").is_none());
}

#[test]
fn a_trajectory_has_a_line_for_every_state() {
    let etalon = Etalon::new();
    let arguments = ["theory", "map", "--c", "2.5,3", "--trajectory", "files/states.csv", "--json"];
    let report = json(&etalon.run(&arguments).printed());
    let csv = etalon.read("files/states.csv");
    let steps: f64 = numbers(&report, "steps").iter().map(|steps| steps + 1.0).sum();
    assert_eq!(csv.lines().count() as f64, 1.0 + steps);
    assert!(
        csv.starts_with("width,c,step,f,loss,lambda,eta_lambda\n1024.0,2.5,0,1.0,0.5,2.0,2.5\n"),
        "{csv}"
    );
}

#[test]
fn a_picture_of_400_by_400_takes_less_than_five_seconds() {
    let etalon = Etalon::new();
    let begin = Instant::now();
    let line = "theory map --c 0.5..8/400 --width 10..1e6/400 --figure out/phases.svg";
    let printed = etalon.run(&line.split(' ').collect::<Vec<_>>()).printed();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(printed.contains("divergent"), "{printed}");
    let svg = etalon.read("out/phases.svg");
    assert!(svg.starts_with("<svg") && svg.contains("width n") && svg.len() < 1_000_000, "{}", svg.len());
    let csv = etalon.read("out/phases.csv");
    assert_eq!(csv.lines().count(), 1 + 400 * 400);
    assert!(csv.starts_with("width,c,eta,phase,"), "{}", &csv[..100]);
}

#[test]
fn a_grid_and_a_folder_hold_the_same_runs() {
    let etalon = Etalon::new();
    let line = "theory map --c 1,2.5 --width 10,100 --grid runs.csv --out run";
    etalon.run(&line.split(' ').collect::<Vec<_>>()).printed();
    assert_eq!(etalon.read("runs.csv"), etalon.read("run/runs.csv"));
    assert_eq!(etalon.read("runs.csv").lines().count(), 5);
    assert_eq!(json(&etalon.read("run/theory.json"))["runs"].as_array().unwrap().len(), 4);
}

#[test]
fn what_means_nothing_is_refused() {
    let etalon = Etalon::new();
    for (arguments, expected) in [
        ("map --width 0", "`0` is not positive and finite"),
        ("map --c 0", "`0` is not positive and finite"),
        ("map --c=-1", "`-1` is not positive and finite"),
        ("map --c 1,NaN", "`NaN` is not positive and finite"),
        ("map --c 1..2", "`1..2` does not say how many points"),
        ("logistic --share 0", "--share is 0; it must lie between 0 and 1"),
        ("logistic --share 1", "--share is 1; it must lie between 0 and 1"),
        ("exponential --share -0.5", "--share is -0.5; it must lie between 0 and 1"),
        ("map --f0 NaN", "f = NaN: it must be finite"),
        ("map --lambda0 -2", "lambda0 = -2: it must be positive and finite"),
        ("map --width 10 --f0 100", "no network of width 10 has output 100"),
        ("uv --target inf", "target = inf: it must be finite"),
        ("map --c 1 --figure a.svg", "at least two values on each axis, here 1 of c and 1 of the width"),
        ("map --grid ..", ".. names no file"),
        ("linear data.name=fashion-mini", "has one output, and this task has 10"),
        ("separable data.name=teacher", "the labels of teacher are values"),
        ("separable data.name=fashion-mini", "choose two with data.classes"),
        ("scale-invariant --eta 0", "eta = 0: it must be positive and finite"),
        (
            "scale-invariant --weight-decay=-1",
            "the weight decay = -1: it must be 0 or above, and below 1 / eta",
        ),
        ("scale-invariant --noise=-1", "the noise = -1: it must be finite, 0 or above"),
        ("pq --p-only 0.9", "the two shares together = 1.1: it must be below 1"),
        ("pq --large 0", "the large rate = 0: it must be finite, above 0"),
        (
            "scale-invariant --problem classifier --batch 0",
            "batch and dimension = 0: it must be at least 1 and 2",
        ),
        ("boundaries --width 0", "`0` is not positive and finite"),
        ("boundaries --low 5 --high 1", "high = 1: it must be finite and above the lower end"),
    ] {
        let arguments: Vec<&str> = ["theory"].into_iter().chain(arguments.split(' ')).collect();
        let complaint = etalon.run(&arguments).complaint();
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
    }
    assert_eq!(std::fs::read_dir(etalon.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn more_points_than_memory_are_refused_before_they_are_made() {
    let line = "theory map --c 1..4/1000000 --width 1..1e6/1000000";
    let complaint = Etalon::new().run(&line.split(' ').collect::<Vec<_>>()).complaint();
    assert!(
        complaint.contains("this scan needs about") && complaint.contains("are free; take fewer points"),
        "{complaint}"
    );
}

#[test]
fn at_the_minimum_it_says_that_nothing_happens() {
    let outcome = Etalon::new().run(&["theory", "map", "--f0", "0", "--c", "3", "--json"]);
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stderr.starts_with("warning: the start f = 0 is the minimum"), "{}", outcome.stderr);
    let run = &json(&outcome.stdout)["runs"][0];
    assert_eq!((&run["phase"], &run["steps"]), (&"lazy".into(), &0.into()));
    assert!(run["why"].as_str().unwrap().contains("nothing can happen"));
}

#[test]
fn two_classes_are_separated_or_proved_not_to_be() {
    let yes = json(&Etalon::new().run(&["theory", "separable", "data.margin=1", "--json"]).printed());
    assert_eq!(
        (&yes["separable"], &yes["samples"], &yes["parts"]["inseparable"]),
        (&true.into(), &200.into(), &0.into())
    );
    let (margin, norm) = (yes["margin"].as_f64().unwrap(), yes["direction_norm"].as_f64().unwrap());
    assert!(margin > 0.0 && (margin * norm - 1.0).abs() < 1e-12 && yes["certificate"].is_null());
    let no = json(&Etalon::new().run(&["theory", "separable", "data.margin=-1", "--json"]).printed());
    assert_eq!((&no["separable"], &no["parts"]["inseparable"]), (&false.into(), &200.into()));
    assert!(no["certificate"]["residual"].as_f64().unwrap() < 1e-10 && no["margin"].is_null());
    let etalon = Etalon::new();
    let degenerate = ["theory", "separable", "data.name=degenerate", "network.bias=false", "--out", "run"];
    assert!(
        etalon
            .run(&degenerate)
            .printed()
            .contains("not separable: a convex combination of 2 samples is zero")
    );
    assert!(etalon.read("run/combination.csv").starts_with("sample,weight\n"));
    assert_eq!(etalon.read("run/inseparable.csv").lines().count(), 201);
}

#[test]
fn boundaries_come_with_their_definition() {
    let report = theory("boundaries --width 100,1e4 --f0 0.001");
    assert_eq!(report["definition"]["version"], 2);
    for found in report["boundaries"].as_array().unwrap() {
        let middle = |name: &str| {
            (found[name]["accepted"].as_f64().unwrap() * found[name]["refused"].as_f64().unwrap()).sqrt()
        };
        assert!((middle("c_h_loss") - 2.0).abs() < 1e-4 && (middle("c_h_max") - 4.0).abs() < 1e-4, "{found}");
        assert!(middle("c_h_sharp") > 2.0 && middle("c_h_sharp") < 4.0, "{found}");
    }
    let printed = Etalon::new().run(&["theory", "boundaries", "--width", "100"]).printed();
    assert!(printed.contains("Definition 2:") && printed.contains("c_h_sharp"), "{printed}");
}

#[test]
fn a_boundary_outside_the_range_is_told_with_its_side_and_reason() {
    let line = "boundaries --loss logistic --width 10 --high 5";
    let found = &theory(line)["boundaries"][0];
    assert_eq!(
        found["c_h_sharp"],
        serde_json::json!({
            "side": "below", "reason": "sharpness rises already at c_h = 0.1, the lower end of the range"
        })
    );
    assert_eq!(found["c_h_max"]["side"], "above");
    assert!(found["c_h_loss"]["accepted"].as_f64() < found["c_h_loss"]["refused"].as_f64(), "{found}");
    let words: Vec<&str> = std::iter::once("theory").chain(line.split(' ')).collect();
    let printed = Etalon::new().run(&words).printed();
    assert!(printed.contains("<0.1") && printed.contains(">5"), "{printed}");
    assert!(printed.contains("width 10.00, c_h_sharp: sharpness rises already"), "{printed}");
    assert!(
        printed.contains("width 10.00, c_h_max: training diverges at none of the 201 values"),
        "{printed}"
    );
}

#[test]
fn windows_of_survival_above_the_edge_of_divergence_are_listed() {
    let report = theory("boundaries --loss logistic --width 10");
    let found = &report["boundaries"][0];
    assert!(found["c_h_max"]["refused"].as_f64().unwrap() < 5.537, "{found}");
    assert!(found["divergence"]["islands"].as_array().unwrap().len() > 3, "{found}");
    let printed =
        Etalon::new().run(&["theory", "boundaries", "--loss", "logistic", "--width", "10"]).printed();
    assert!(printed.contains("windows of survival above it, from 5.5"), "{printed}");
    assert!(printed.contains("0.005 % apart"), "{printed}");
}

#[test]
fn the_rate_in_units_of_the_hessian_is_never_called_as_that_in_units_of_the_kernel() {
    let help = |verb: &str| {
        let lines = Etalon::new().run(&["theory", verb, "--help"]).printed();
        lines.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(help("map").contains("c = eta x lambda0 (the NTK's, not the sharpness)"));
    assert!(help("boundaries").contains("c_h = eta x sharpness"));
    let report = theory("boundaries --loss logistic --width 100");
    let found = report["boundaries"][0].as_object().unwrap();
    assert!(found.keys().all(|name| !name.starts_with("c_") || name.starts_with("c_h_")), "{found:?}");
    // The one from the other: the minimum is unstable above 8 in units of the kernel, 2 in those of the Hessian.
    let scan = theory("logistic --width 100 --f0 0.1 --lambda0 2");
    let critical = scan["edges"][0]["critical_c"].as_f64().unwrap();
    let in_hessian = critical * found["sharpness"].as_f64().unwrap() / 2.0;
    assert!((critical - 8.0).abs() < 1e-12 && (in_hessian - 2.0).abs() < 0.01, "{in_hessian}");
}

#[test]
fn normalisation_and_weight_decay_never_settle_together() {
    let report = theory("scale-invariant");
    assert_eq!((&report["problem"], &report["steps"]), (&"ratio".into(), &100_000.into()));
    let bursts = numbers(&report, "bursts");
    assert!(
        bursts[0] == 0.0 && bursts[1] > 250.0 && bursts[2] > 900.0 && bursts[3..] == [0.0; 3],
        "{bursts:?}"
    );
    let report = theory("scale-invariant --problem classifier --steps 20000 --weight-decay 0,0.1");
    let errors = numbers(&report, "mean");
    assert!(errors[1] > 3.0 * errors[0] && errors[2] < errors[0], "{errors:?}");
    let etalon = Etalon::new();
    let line = "theory scale-invariant --noise 1e-3 --steps 1000 --every 100 --trajectory t.csv";
    let printed = etalon.run(&line.split(' ').collect::<Vec<_>>()).printed();
    assert!(printed.contains("normalised") && printed.contains("bursts"), "{printed}");
    let csv = etalon.read("t.csv");
    assert_eq!(csv.lines().count(), 1 + 6 * 10);
    assert!(csv.starts_with("normalized,eta,weight_decay,step,value,square\ntrue,0.1,0.0,0,0.97"), "{csv}");
}

#[test]
fn toys_that_leave_the_numbers_have_a_page() {
    let etalon = Etalon::new();
    let line = "theory scale-invariant --eta 3 --steps 2000 --out toys";
    etalon.run(&line.split(' ').collect::<Vec<_>>()).printed();
    let outcome = etalon.run(&["report", "toys"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(etalon.read("toys/report.html").contains("largest loss at the end"));
}

#[test]
fn two_patterns_are_learnt_in_the_order_that_the_rate_makes() {
    let line = "pq --algorithms large-small --seeds 1";
    let report = theory(line);
    let run = &report["runs"][0];
    let error = |moment: &str, kind: usize| run[moment]["test_errors"][kind].as_f64().unwrap();
    assert!(error("boundary", 0) < 0.05 && error("boundary", 1) > 0.25, "{run}");
    assert!(error("end", 0) < 0.05 && error("end", 1) < 0.01 && run["end"]["reached"] == true, "{run}");
    let etalon = Etalon::new();
    let line = "theory pq --algorithms small,small-noise --seeds 1 --dimension 20 --train 200 --test 50 --small-steps 40 \
                --last-steps 20 --inject --every 20 --trajectory t.csv";
    let outcome = etalon.run(&line.split_whitespace().collect::<Vec<_>>());
    assert!(outcome.stderr.contains("2 of 2 runs spent the most steps of a phase"), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("Q fitted") && outcome.stdout.contains("noise ends"),
        "{}",
        outcome.stdout
    );
    let csv = etalon.read("t.csv");
    assert!(csv.starts_with("algorithm,seed,step,eta,test_error_p,"), "{csv}");
    // Steps 0, 20 and 40; with noise also 60.
    assert_eq!(csv.lines().count(), 1 + 3 + 4, "{csv}");
}
