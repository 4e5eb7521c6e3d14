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

#[test]
fn adamw_is_measured_found_trained_and_watched_with_its_own_limit() {
    let etalon = Etalon::new();
    let adamw = format!("{SMALL} precision=f64 optimizer.kind=adamw");
    let measured = line(&etalon, &format!("measure --json {adamw} --out measured"));
    let lambda = measured["preconditioned"]["value"].as_f64().unwrap();
    assert_eq!(
        (&measured["limit"], &measured["thresholds"][0]["name"]),
        (&"lazy-limit-adamw".into(), &measured["limit"])
    );
    let limit = measured["thresholds"][0]["eta"].as_f64().unwrap();
    assert!((limit * lambda / 38.0 - 1.0).abs() < 1e-12, "{measured}");
    let written = line(&etalon, "report measured --json");
    assert!(written["answer"].as_str().unwrap().starts_with("the loss begins to rise at η"), "{written}");

    let trained =
        format!("train {adamw} train.steps=40 measure.every=1 --out trained --trajectory log.jsonl");
    let trained = etalon.run(&trained.split_whitespace().collect::<Vec<_>>()).printed();
    assert!(trained.contains("preconditioned Hessian "), "{trained}");
    let report = json(&etalon.read("trained/train.json"));
    // Its batch is all samples that are measured: what it starts from is what `measure` says.
    assert!((report["limit"].as_f64().unwrap() / limit - 1.0).abs() < 1e-6, "{report}");
    let log = etalon.read("log.jsonl");
    let records: Vec<serde_json::Value> = log.lines().map(json).collect();
    assert_eq!(records[0]["eta"], 1e-3, "PyTorch's rate where none is given");
    assert!(records.iter().all(|record| record["preconditioned"].is_f64()), "{log}");
    let watched = line(&etalon, "watch --json log.jsonl --adam 0.9");
    let last = records.last().unwrap();
    let share = 1e-3 * last["preconditioned"].as_f64().unwrap() / 38.0;
    assert!((watched["over_limit"].as_f64().unwrap() / share - 1.0).abs() < 1e-9, "{watched}");
    line(&etalon, "report trained --json");
    let page = etalon.read("trained/report.html");
    assert!(page.contains("(2 + 2 b1) / ((1 - b1) λ), which is 38.0/λ"));

    let search =
        "search.seeds=2 search.eta_star=only search.metric=train_loss search.threshold=0.3 train.steps=40";
    let found = line(&etalon, &format!("find --json {adamw} {search}"));
    assert_eq!(found["lambda"]["of"], "preconditioned_hessian");
    let seed = &found["search"]["seeds"][0];
    assert_eq!(found["lambda"]["seeds"][0].as_f64(), Some(lambda));
    let probes = seed["probes"].as_array().unwrap();
    let nearest = probes
        .iter()
        .map(|probe| (probe["eta"].as_f64().unwrap() / limit).ln().abs())
        .fold(f64::MAX, f64::min);
    assert!(nearest < 1e-9, "the search starts at the limit {limit}: {seed}");
    let star = found["eta_star"]["median"].as_f64().unwrap();
    assert!(found["eta_star_over_limit"].as_f64().unwrap() > 0.0 && star > 0.0, "{found}");
    let text = etalon.run(&format!("find {adamw} {search}").split_whitespace().collect::<Vec<_>>()).printed();
    assert!(text.contains("x (2 + 2 b1) / ((1 - b1) lambda), with lambda = "), "{text}");
}

#[test]
fn adamw_has_the_same_bits_on_any_number_of_threads() {
    let etalon = Etalon::new();
    // Wide enough for an update to be shared.
    let job = "train -q network.width=300 data.train=300 data.test=50 train.steps=12 optimizer.kind=adamw \
               optimizer.weight_decay=0.1 measure.samples=50 measure.iterations=10";
    let weights = |threads: &str| {
        let file = format!("{threads}.safetensors");
        let line = format!("{job} --threads {threads} --save-weights {file}");
        etalon.run(&line.split_whitespace().collect::<Vec<_>>());
        std::fs::read(etalon.path().join(file)).unwrap()
    };
    assert_eq!(weights("1"), weights("2"));
}

#[test]
fn what_adamw_has_not_is_refused_by_name() {
    let etalon = Etalon::new();
    for (line, complaint) in [
        ("train optimizer.kind=adamw optimizer.momentum=0.9", "belongs to kind = \"sgd\"; adamw has beta1"),
        ("train optimizer.kind=adamw network.parametrization=mup", "are those of gradient descent"),
        ("train optimizer.beta1=0.8", "belongs to kind = \"adamw\""),
        ("schedule convert optimizer.kind=adamw", "(AdamW, SGDW) is not covered"),
        ("schedule verify optimizer.kind=adamw optimizer.momentum=0", "(AdamW, SGDW) is not covered"),
        ("watch log.csv --adam 0.9 --momentum 0.5", "cannot be used with"),
    ] {
        let run = etalon.run(&line.split_whitespace().collect::<Vec<_>>()).complaint();
        assert!(run.contains(complaint), "{line}: {run}");
    }
    etalon.write("map.toml", "[data]\ntrain = 20\ntest = 10\n[optimizer]\nkind = \"adamw\"\n[train]\nbatch = \"full\"\n[grid]\njob = \"boundaries\"\nseed = [0]\n");
    let sweep = etalon.run(&["sweep", "map.toml", "--out", "map"]);
    let told = format!("{}{}", sweep.stdout, sweep.stderr);
    assert!(told.contains("as gradient descent has them"), "{told}");
}
