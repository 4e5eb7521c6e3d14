//! What depends on the optimiser: each has its own limit of stability, and every verb says the same one.

use crate::{Etalon, json};

const SMALL: &str =
    "loss=mse train.batch=full data.train=60 data.test=20 network.width=16 measure.samples=60";

fn line(etalon: &Etalon, line: &str) -> serde_json::Value {
    json(&etalon.run(&line.split_whitespace().collect::<Vec<_>>()).printed())
}

#[test]
fn the_page_of_a_measurement_says_the_limit_that_measure_prints() {
    let etalon = Etalon::new();
    for (folder, more, expected) in [
        ("plain", "", "0.00784"),
        ("heavy", "optimizer.momentum=0.9", "0.0149"),
        ("nesterov", "optimizer.momentum=0.9 optimizer.nesterov=true", "0.00532"),
    ] {
        let measured = line(&etalon, &format!("measure --json {SMALL} {more} --out {folder}"));
        let limit = measured["thresholds"].as_array().unwrap().iter();
        let limit = limit.clone().find(|one| one["name"] == measured["limit"]).unwrap();
        let written = line(&etalon, &format!("report {folder} --json"));
        let answer = written["answer"].as_str().unwrap();
        assert_eq!(answer, format!("the loss begins to rise at η = {expected}"), "{folder}");
        let eta = limit["eta"].as_f64().unwrap();
        assert!((eta / expected.parse::<f64>().unwrap() - 1.0).abs() < 0.005, "{folder}: {measured}");
    }
}

#[test]
fn doubts_and_logs_know_the_limit_of_the_optimiser() {
    let etalon = Etalon::new();
    for (folder, more, limit) in [
        ("heavy", "optimizer.momentum=0.9", "(2 + 2b) / λ, which is 3.80/λ"),
        (
            "nesterov",
            "optimizer.momentum=0.9 optimizer.nesterov=true",
            "(2 + 2b) / ((1 + 2b) λ), which is 1.36/λ",
        ),
    ] {
        line(
            &etalon,
            &format!("train --json {SMALL} {more} train.steps=5 optimizer.eta=1e-3 --out {folder}"),
        );
        line(&etalon, &format!("report {folder} --json"));
        let page = etalon.read(&format!("{folder}/report.html"));
        assert!(page.contains(limit), "{folder}");
    }
    // Rate times curvature is 1.3571 at all steps: Nesterov's edge at momentum 0.9, and far below the heavy ball's.
    let rows = (0..60).map(|step| format!("{step},{},0.1,13.571\n", 1.0 / f64::from(step + 1)));
    etalon.write("log.csv", &("step,loss,lr,sharpness\n".to_string() + &rows.collect::<String>()));
    assert_eq!(line(&etalon, "watch --json log.csv --momentum 0.9")["state"], "lazy");
    let edge = line(&etalon, "watch --json log.csv --momentum 0.9 --nesterov");
    assert_eq!(edge["state"], "edge_of_stability");
    let complaint = etalon.run(&["watch", "log.csv", "--nesterov"]).complaint();
    assert!(complaint.contains("--momentum"), "{complaint}");
}
