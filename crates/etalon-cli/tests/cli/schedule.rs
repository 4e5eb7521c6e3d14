//! `etalon schedule`.

use crate::{Etalon, json};

const STEPS: &str =
    "--lr 0.1 --momentum 0.9 --weight-decay 5e-4 --milestones 300,500 --factor 0.1 --steps 600";

fn arguments(line: &str) -> Vec<&str> {
    ["schedule"].into_iter().chain(line.split(' ')).collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn the_papers_rate_grows_by_1481_thousandths_an_epoch() {
    let line = format!("show {STEPS} --steps-per-epoch 391 --json");
    let report = json(&Etalon::new().run(&arguments(&line)).printed());
    let phases = report["phases"].as_array().unwrap();
    let of = |name: &str| phases.iter().map(|phase| phase[name].as_f64().unwrap()).collect::<Vec<_>>();
    for (growth, expected) in of("growth_per_epoch").iter().zip([1.4812, 1.0399, 1.0039]) {
        assert!((growth - expected).abs() < 5e-5, "{growth}, not {expected}");
    }
    assert_eq!((of("first"), of("steps")), (vec![0.0, 300.0, 500.0], vec![300.0, 200.0, 100.0]));
    let line = format!("show {STEPS} --steps-per-epoch 391");
    let printed = Etalon::new().run(&arguments(&line)).printed();
    assert!(printed.contains("1.001005") && printed.contains("1.481"), "{printed}");
}

#[test]
fn a_conversion_has_a_logarithm_for_every_step() {
    let etalon = Etalon::new();
    let line = format!("convert {STEPS} --format json --figure files/rates.svg");
    let report = json(&etalon.run(&arguments(&line)).printed());
    let (log_eta, log_scale) = (numbers(&report["log_eta"]), numbers(&report["log_scale"]));
    assert_eq!((log_eta.len(), log_scale.len()), (600, 601));
    let plain = numbers(&report["plain"]["log_eta"]);
    for step in 0..600 {
        let expected = plain[step] + log_scale[step] + log_scale[step + 1];
        assert!((log_eta[step] - expected).abs() < 1e-14);
    }
    let svg = etalon.read("files/rates.svg");
    assert!(svg.contains("with weight decay") && svg.contains("learning rate"));
    let flag = etalon.run(&arguments(&format!("convert {STEPS} --json"))).printed();
    assert_eq!(json(&flag), report);
    let text = etalon.run(&arguments(&format!("convert {STEPS} --conversion growth-only"))).printed();
    assert!(text.contains("growth alone") && text.contains("weights longer by"), "{text}");
    let text = etalon.run(&arguments("convert --lr 0.1 --weight-decay 0.01 --steps 200000")).printed();
    assert!(text.contains("the rate leaves f32 at step 45"), "{text}");
}

#[test]
fn there_and_back_through_a_file() {
    let etalon = Etalon::new();
    let csv = etalon.run(&arguments(&format!("convert {STEPS} --format csv"))).printed();
    assert!(csv.starts_with("step,log_eta,eta,plain_eta\n0,"), "{csv}");
    etalon.write("rates.csv", &csv);
    let line = "convert --undo --kind file schedule.file=rates.csv --momentum 0.9 --weight-decay 5e-4 --steps 600 --json";
    let report = json(&etalon.run(&arguments(line)).printed());
    let expected = [(0, 0.1f64), (299, 0.1), (300, 0.01), (599, 0.001)];
    let log_eta = numbers(&report["log_eta"]);
    for (step, eta) in expected {
        assert!((log_eta[step] - eta.ln()).abs() < 1e-11, "{step}: {}", log_eta[step].exp());
    }
    let exported =
        etalon.run(&arguments(&format!("export {STEPS} --format csv --to out/rates.csv --quiet"))).printed();
    assert_eq!((exported, etalon.read("out/rates.csv")), (String::new(), csv));
}

#[test]
fn schedules_of_a_spec_are_shown() {
    let etalon = Etalon::new();
    etalon.write("job.toml", "[schedule]\nkind = \"one_cycle\"\n[train]\nepochs = 2\n");
    let report = json(&etalon.run(&arguments("show job.toml --json --out run")).printed());
    assert_eq!((&report["steps"], &report["steps_per_epoch"]), (&62.into(), &31.0.into()));
    assert_eq!(json(&etalon.read("run/schedule.json")), report);
    let text = etalon.run(&arguments("show --lr 0.1 --growth 1.0010053 --momentum 0.9")).printed();
    assert!(text.contains("a constant rate with eta x weight_decay = 5.000e-5"), "{text}");
}

#[test]
fn rates_beyond_the_numbers_have_a_page() {
    let etalon = Etalon::new();
    etalon.run(&arguments("show --lr 1e300 --weight-decay 1e300 --steps 5 --out s")).printed();
    let outcome = etalon.run(&["report", "s"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("from η = ") && outcome.stdout.contains("e299"), "{}", outcome.stdout);
}

#[test]
fn what_has_no_equivalent_is_refused_and_told_why() {
    let etalon = Etalon::new();
    for (line, expected) in [
        (
            "convert --lr 1 --momentum 0.9 --weight-decay 0.01",
            "should stay below (1 - sqrt(momentum))^2 = 0.002633",
        ),
        (
            "convert --lr 1 --momentum 0.9 --weight-decay 0.01 --conversion phases",
            "step 0: eta x weight_decay = 0.01000 is above (1 - sqrt(momentum))^2 = 0.002633",
        ),
        ("convert --optimizer adamw", "decoupled weight decay (AdamW, SGDW) is not covered"),
        ("export --optimizer adam", "adaptive optimisers (Adam)"),
        ("convert --optimizer nesterov", "Nesterov momentum is not covered"),
        ("convert optimizer.nesterov=true --momentum 0.9", "Nesterov momentum is not covered"),
        ("convert --undo optimizer.nesterov=true --momentum 0.9", "Nesterov momentum is not covered"),
        ("show --kind zigzag", "takes constant, step, cosine"),
        ("show --lr 0", "`optimizer.eta` is 0"),
        ("show --lr NaN", "`optimizer.eta`"),
        ("show --steps 20000000", "too long to be listed"),
        ("show train.epochs=1 data.train=all", "or --steps-per-epoch"),
        ("show --steps-per-epoch 0", "--steps-per-epoch is 0; it must be at least 1"),
        ("show --kind file schedule.file=none.csv", "cannot read the schedule none.csv"),
    ] {
        let complaint = etalon.run(&arguments(line)).complaint();
        assert!(complaint.contains(expected), "{line}: {complaint}");
    }
}

#[test]
fn both_schedules_train_the_same_network() {
    let etalon = Etalon::new();
    let small = "verify --steps 60 data.train=200 data.test=50 network.width=16 train.check_samples=50";
    let report = json(&etalon.run(&arguments(&format!("{small} --json --out run"))).printed());
    assert_eq!((&report["equivalent"], &report["steps"]), (&true.into(), &60.into()));
    assert_eq!(report["scaled"].as_array().unwrap().len(), 4, "weights and biases before a normalisation");
    let double = &report["agreement"][0];
    assert!(double["direction"].as_f64().unwrap() < 1e-11 && double["parted"].is_null(), "{double}");
    assert!(report["agreement"][1]["direction"].as_f64().unwrap() < 1e-3);
    assert_eq!(json(&etalon.read("run/equivalence.json")), report);
    let other = etalon.run(&arguments(&format!("{small} --conversion growth-only --milestones 20")));
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    assert!(other.stdout.starts_with("not equivalent: 60 steps"), "{}", other.stdout);
    for (more, expected) in [
        ("network.normalizer=none", "needs weights whose scale does not matter"),
        ("network.normalizer_epsilon=1e-5", "exactly with 0"),
        ("--tolerance 0", "--tolerance is 0; it must be above 0"),
    ] {
        let complaint = etalon.run(&arguments(&format!("{small} {more}"))).complaint();
        assert!(complaint.contains(expected), "{more}: {complaint}");
    }
}

#[test]
fn an_export_says_what_it_covers() {
    let etalon = Etalon::new();
    // What it trains is compared in PyTorch by `oracles/check_schedule_export.py`.
    let exported = etalon.run(&arguments(&format!("export {STEPS} --conversion phases")));
    let snippet = &exported.stdout;
    for expected in [
        "LOG_SCALE = [\n    0.0, ",
        "\nCORRECTIONS = {\n    0: ",
        "norm.running_mean.mul_(math.exp(power * growth))",
        "Not covered, and refused: other optimisers (Adam, decoupled weight decay as in AdamW), Nesterov",
        "Not covered, and not noticed: clipped gradients",
        "take eps=1e-30",
    ] {
        assert!(snippet.contains(expected), "{expected} is not in {snippet}");
    }
    for (more, expected) in [
        ("--format pytorch", "set eps=1e-30"),
        ("--format pytorch", "not covered: Nesterov momentum, decoupled weight decay, clipped gradients"),
        ("--conversion growth-only", "growth-only is not equivalent"),
        ("--format csv", "running statistics of batch normalisation lag behind"),
        ("--format json", "running statistics of batch normalisation lag behind"),
    ] {
        let advice = etalon.run(&arguments(&format!("export {STEPS} {more}"))).stderr;
        let lines = advice.lines().all(|line| line.starts_with("advice: "));
        assert!(lines && advice.contains(expected), "{more}: {advice}");
    }
    let quiet = etalon.run(&arguments(&format!("export {STEPS} --conversion phases --quiet")));
    assert_eq!(&quiet.printed(), snippet);
}

#[test]
fn a_schedule_shows_every_milestone_and_warns_of_those_behind_its_end() {
    let line = "show --lr 0.1 --milestones 300,600,900 --factor 0.1";
    let printed = Etalon::new().run(&arguments(line)).printed();
    assert!(printed.starts_with("1800 steps"), "{printed}");
    assert!(["\n300 ", "\n600 ", "\n900 "].iter().all(|row| printed.contains(row)), "{printed}");
    // A rate that falls for another optimiser is shown where it falls.
    let printed = Etalon::new().run(&arguments(&format!("{line} --optimizer adamw"))).printed();
    assert!(["\n300 ", "\n600 ", "\n900 "].iter().all(|row| printed.contains(row)), "{printed}");
    for arguments in [format!("{line} --steps 700"), format!("{line} train.steps=700")] {
        let outcome = Etalon::new().run(&self::arguments(&arguments));
        assert!(outcome.stdout.starts_with("700 steps"), "{}", outcome.stdout);
        assert!(
            outcome.stderr.contains("the milestone 900 lies behind the last of 700 steps"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn growth_is_shown_for_plain_sgd_alone() {
    let line = "show --lr 1e-3 --weight-decay 0.01";
    assert!(Etalon::new().run(&arguments(line)).printed().contains("growth a step"));
    for flags in ["--optimizer adamw", "--optimizer nesterov --momentum 0.5", "optimizer.kind=adamw"] {
        let printed = Etalon::new().run(&arguments(&format!("{line} {flags}"))).printed();
        assert!(!printed.contains("growth") && printed.contains("known of plain SGD alone"), "{printed}");
    }
}

#[test]
fn a_long_schedule_is_exported_in_pieces() {
    let line = "export --lr 0.1 --momentum 0.9 --weight-decay 5e-4 --milestones 100000,200000 --factor 0.1 --steps 300000";
    let outcome = Etalon::new().run(&arguments(line));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("LOG_ETA = _through([") && outcome.stdout.len() < 200_000,
        "{}",
        outcome.stdout.len()
    );
}

#[test]
fn what_a_schedule_does_to_the_effective_rate_is_shown() {
    let show = |flags: &str| Etalon::new().run(&arguments(&format!("show --steps 101 {flags}"))).printed();
    // B of a constant rate is (1 - eta x decay)^-2, and (1 - eta x decay)^-1 of Adam.
    let told = show("--kind cosine --lr 0.1 --weight-decay 0.1");
    assert!(told.contains("10    0.09760   1.014545") && told.contains("(1 + Phi^2 |g|^2)"), "{told}");
    let first =
        json(&show("--kind constant --lr 0.1 --weight-decay 0.1 --json"))["drive"][7].as_f64().unwrap();
    assert!((first - 0.99f64.powi(-2)).abs() < 1e-12, "{first}");
    let adam = show("--kind cosine --lr 0.1 --weight-decay 0.1 --optimizer adamw");
    assert!(adam.contains("eta / (a |w|)"), "{adam}");
    let step = show("--lr 0.1 --milestones 50 --weight-decay 0.1");
    assert!(
        step.contains("B into it") && step.contains("0.1011112") && step.contains("at 1 of 100 steps"),
        "{step}"
    );
    let none = show("--kind cosine --lr 0.1 --momentum 0.9 --weight-decay 0.1 --optimizer nesterov");
    assert!(!none.contains("B is at most"), "{none}");
}
