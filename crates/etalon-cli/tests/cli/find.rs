//! `etalon find`.

use crate::{Etalon, json};

/// A search of a second: a small network on a few images.
const SMALL: [&str; 9] = [
    "data.train=300",
    "data.test=100",
    "network.width=32",
    "network.depth=1",
    "train.steps=60",
    "train.check_every=10",
    "search.threshold=0.6",
    "search.seeds=3",
    "measure.samples=100",
];

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["find"], &SMALL[..], more].concat()
}

#[test]
fn threads_do_not_change_a_byte() {
    let etalon = Etalon::new();
    let found = |threads: &str| {
        let text = etalon.run(&arguments(&["search.rates=3", "--json", "--threads", threads])).printed();
        let is_time = |line: &&str| line.trim_start().starts_with("\"seconds\"");
        let times = text.lines().filter(is_time).count();
        (
            times,
            text.lines().filter(|line| !is_time(line)).map(|line| format!("{line}\n")).collect::<String>(),
        )
    };
    let one = found("1");
    assert_eq!(one.0, 1);
    assert_eq!(one, found("2"));
    assert_eq!(one, found("2"));
}

#[test]
fn the_keys_that_scripts_rely_on() {
    let etalon = Etalon::new();
    let found = json(&etalon.run(&arguments(&["--json"])).printed());
    let (star, recommended) = (&found["eta_star"], &found["recommended"]);
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{value} in {found}"));
    assert!(
        number(&star["low"]) <= number(&star["median"]) && number(&star["median"]) <= number(&star["high"])
    );
    assert_eq!((&star["seeds"], &star["censored"]), (&3.into(), &0.into()));
    assert!(number(&found["eta_star_over_2_lambda"]) > 0.5);
    assert!(number(&recommended["eta"]) < number(&star["median"]), "the rate to use lies below eta*");
    assert_eq!(recommended["metric"], "test_accuracy");
    assert!(recommended["why"].as_str().unwrap().contains("test_accuracy"));
    let phases = ["lazy", "catapult", "stuck", "divergent"];
    assert!(phases.contains(&found["phase"].as_str().unwrap()));
    assert!(number(&found["gradient_steps"]) > 100.0 && number(&found["seconds"]) > 0.0);
}

#[test]
fn the_number_comes_last_and_alone_when_quiet() {
    let etalon = Etalon::new();
    let text = etalon.run(&arguments(&["search.rates=3"])).printed();
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("use eta = "), "{text}");
    let quiet = etalon.run(&arguments(&["search.rates=3", "-q"])).printed();
    let eta: f64 = quiet.trim().parse().unwrap();
    let rounded: f64 = last["use eta = ".len()..].parse().unwrap();
    assert!((eta / rounded - 1.0).abs() < 5e-3, "{last} against {eta}");
}

#[test]
fn no_stable_rate_in_the_range_is_a_negative_verdict() {
    let etalon = Etalon::new();
    let outcome = etalon.run(&arguments(&["search.range=[1e6, 1e7]"]));
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("eta* was not found"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("3 of 3 seeds trained at no rate"), "{}", outcome.stderr);
    let found = json(&etalon.run(&arguments(&["search.range=[1e6, 1e7]", "--json", "-q"])).stdout);
    assert_eq!(
        (&found["eta_star"]["median"], &found["eta_star"]["undefined"]),
        (&serde_json::Value::Null, &3.into())
    );
}

#[test]
fn a_range_that_ends_too_low_is_said_to() {
    let etalon = Etalon::new();
    let outcome = etalon.run(&arguments(&["search.range=[0.01, 0.1]", "search.rates=2"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("raise the upper end of search.range"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("3 seeds trained up to the end of the range"), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().last().unwrap().starts_with("use eta = "), "{}", outcome.stdout);
}

#[test]
fn what_cannot_be_searched_is_refused_before_it_starts() {
    let etalon = Etalon::new();
    for (argument, expected) in [
        ("search.threshold=1.01", "no accuracy reaches"),
        ("search.tolerance=0", "`search.tolerance` is 0"),
        ("search.seeds=0", "must lie between 1 and 10000"),
        ("network.width=0", "must be at least 1"),
        ("network.width=2000000000", "are free; use fewer --threads"),
        ("network.width=99999999999999", "takes more parameters than can be counted"),
        ("data.train=1000000", "2000 samples here"),
        ("train.batch=4000", "there are 300 training samples"),
        ("loss=logistic", "signs encode two"),
        ("data.name=fashion-minni", "did you mean `fashion-mini`"),
        ("optimizer.factors={\"layers.9.bias\" = 1}", "the network's segments are layers.0.weight"),
    ] {
        let complaint = etalon.run(&arguments(&[argument])).complaint();
        assert!(complaint.contains(expected), "{argument}: {complaint}");
    }
    let complaint = etalon.run(&["find", "data.name=teacher", "loss=mse"]).complaint();
    assert!(complaint.contains("use \"train_loss\" or \"test_loss\""), "{complaint}");
}
