//! `etalon find`.

use crate::{Etalon, json};
use std::time::Duration;

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
    "search.samples=100",
];

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["find"], &SMALL[..], more].concat()
}

#[test]
fn threads_do_not_change_a_byte() {
    let etalon = Etalon::new();
    let found = |threads: &str| {
        let text = etalon.run(&arguments(&["--json", "--threads", threads])).printed();
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
    assert_eq!((number(&star["threshold"]["value"]), &star["threshold"]["from"]), (0.6, &"given".into()));
    assert!(number(&found["eta_star_over_2_lambda"]) > 0.5);
    assert_eq!(recommended["metric"], "accuracy");
    assert!(recommended["why"].as_str().unwrap().contains("accuracy"));
    let eta = number(&recommended["eta"]);
    assert!(recommended["low"].as_f64().is_none_or(|low| low <= eta));
    assert!(recommended["high"].as_f64().is_none_or(|high| high >= eta));
    assert!((0.0..=1.0).contains(&number(&recommended["validation"])));
    assert!((0.0..=1.0).contains(&number(&recommended["test"])) && number(&recommended["seeds"]) >= 1.0);
    assert!(number(&found["provisional"]["eta"]) > 0.0 && found["provisional"]["rule"].is_string());
    let phases = ["lazy", "catapult", "stuck", "divergent"];
    assert!(phases.contains(&found["phase"].as_str().unwrap()));
    let parts = number(&recommended["budgets"]) + number(&star["budgets"]);
    assert!((number(&found["budgets"]) - parts).abs() < 1e-9);
    assert_eq!(found["stopped"], "done");
    assert!(number(&found["gradient_steps"]) > 100.0 && number(&found["seconds"]) > 0.0);
}

#[test]
fn without_a_threshold_eta_star_follows_from_what_training_came_to() {
    let etalon = Etalon::new();
    let plain: Vec<&str> =
        arguments(&["--json"]).into_iter().filter(|key| !key.contains("threshold")).collect();
    let found = json(&etalon.run(&plain).printed());
    let threshold = &found["eta_star"]["threshold"];
    assert!(threshold["from"].as_str().unwrap().starts_with("80 % of the way from chance"), "{threshold}");
    assert!((0.3..1.0).contains(&threshold["value"].as_f64().unwrap()), "{threshold}");
    // Alone it is found too, by a climb that is not shown.
    let only = json(&etalon.run(&[&plain[..], &["--eta-star", "only"]].concat()).printed());
    assert!(only["recommended"].is_null() && only["eta_star"]["median"].is_f64(), "{only}");
}

#[test]
fn each_answer_comes_as_a_line_as_soon_as_it_is_known() {
    let etalon = Etalon::new();
    let text = etalon.run(&arguments(&["--stream"])).printed();
    let lines: Vec<serde_json::Value> = text.lines().map(json).collect();
    let news: Vec<&str> = lines.iter().map(|line| line["news"].as_str().unwrap()).collect();
    assert_eq!(news, ["provisional", "recommended", "found"]);
    assert_eq!(lines[1]["eta"], lines[2]["recommended"]["eta"]);
    assert_eq!(lines[2]["kind"], "find");
}

#[test]
fn a_quick_search_costs_half_a_training() {
    let etalon = Etalon::new();
    let found = json(&etalon.run(&arguments(&["--quick", "--json"])).printed());
    assert!(found["budgets"].as_f64().unwrap() <= 0.5, "{found}");
    assert!(found["recommended"]["eta"].is_f64() && found["eta_star"].is_null(), "{found}");
    let complaint = etalon.run(&arguments(&["--quick", "--thorough"])).complaint();
    assert!(complaint.contains("cannot be used with"), "{complaint}");
}

#[test]
fn the_number_comes_last_and_alone_when_quiet() {
    let etalon = Etalon::new();
    let text = etalon.run(&arguments(&[])).printed();
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("use eta = "), "{text}");
    assert!(text.starts_with("to begin with: eta = "), "{text}");
    let quiet = etalon.run(&arguments(&["-q"])).printed();
    let eta: f64 = quiet.trim().parse().unwrap();
    let rounded: f64 = last["use eta = ".len()..].parse().unwrap();
    assert!((eta / rounded - 1.0).abs() < 5e-3, "{last} against {eta}");
}

#[test]
fn keys_without_a_part_in_it_are_told_even_when_quiet() {
    let etalon = Etalon::new();
    let told = |more: &[&str]| etalon.run(&[&arguments(&["-q", "--quick"])[..], more].concat()).stderr;
    assert!(told(&["optimizer.eta=0.3"]).contains("optimizer.eta = 0.3 has no part in this"));
    assert_eq!(told(&[]), "");
    let both = etalon.run(&arguments(&["-q", "schedule.kind=cosine"])).stderr;
    assert!(both.contains("eta* is a constant rate: its search leaves the schedule out"), "{both}");
}

/// The same bytes but for the time, whatever was kept of an earlier run that was killed.
#[test]
fn a_search_that_was_killed_goes_on() {
    let etalon = Etalon::new();
    let timeless = |folder: &str| {
        let text = etalon.read(&format!("{folder}/find.json"));
        text.lines().filter(|line| !line.contains("\"seconds\"")).collect::<Vec<_>>().join("\n")
    };
    etalon.run(&arguments(&["-q", "--out", "whole"])).printed();
    let left = std::fs::read_dir(etalon.path().join("whole")).unwrap();
    let names: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("probes-")), "{names:?}");
    // Killed after ever longer, each time a little further.
    let program = env!("CARGO_BIN_EXE_etalon");
    for attempt in 0..10 {
        let mut command = etalon.plain_command(program);
        let mut child = command.args(arguments(&["-q", "--out", "killed"])).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + 20 * attempt));
        // One that has ended already cannot be killed.
        let _ = child.kill();
        child.wait().unwrap();
    }
    etalon.run(&arguments(&["-q", "--out", "killed"])).printed();
    assert_eq!(timeless("killed"), timeless("whole"));
}

#[test]
fn labels_at_random_have_no_rate_to_use() {
    let etalon = Etalon::new();
    // Noise that no input explains.
    let keys = "find data.name=degenerate data.train=200 data.test=100 loss=logistic network.width=16 network.depth=1 \
                train.steps=60 train.batch=20 search.samples=50 search.seeds=2 data.positive=0.5";
    let outcome = etalon.run(&keys.split_whitespace().collect::<Vec<_>>());
    assert_eq!(outcome.code, Some(1), "{} {}", outcome.stdout, outcome.stderr);
    assert!(
        outcome.stdout.contains("nothing was learnt that holds on held-out samples"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.ends_with("no rate to use\n"), "{}", outcome.stdout);
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
    assert!(found["recommended"]["eta"].is_null());
}

#[test]
fn a_range_that_ends_too_low_is_said_to() {
    let etalon = Etalon::new();
    let outcome = etalon.run(&arguments(&["search.range=[0.01, 0.1]"]));
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
        ("network.width=2000000000", "helps most; else use fewer --threads"),
        ("network.width=99999999999999", "takes more parameters than can be counted"),
        ("train.batch=4000", "there are 300 training samples"),
        ("loss=logistic", "signs encode two"),
        ("data.name=fashion-minni", "did you mean `fashion-mini`"),
        ("optimizer.factors={\"layers.9.bias\" = 1}", "the network's segments are layers.0.weight"),
    ] {
        let complaint = etalon.run(&arguments(&[argument])).complaint();
        assert!(complaint.contains(expected), "{argument}: {complaint}");
    }
    let complaint =
        etalon.run(&["find", "data.name=teacher", "loss=mse", "search.metric=test_accuracy"]).complaint();
    assert!(complaint.contains("use \"train_loss\" or \"test_loss\""), "{complaint}");
}
