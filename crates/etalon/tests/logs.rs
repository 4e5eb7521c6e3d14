//! The judge of logs on real ones: trained in PyTorch by `oracles/logs/make.py`, which labels each by what its log does not
//! show. Those in `set` have set the judge's rules; those in `fresh`, of other seeds, were made and labelled after that, and those
//! in `held-out` before, when the judge had older rules.
//!
//! `ETALON_GOLDEN=write cargo test -p etalon --test logs` renews `docs/judge.md`.

use etalon::nn::optim::{AdamW, Rule, Sgd};
use etalon::watch::{Columns, Detector, Log, Settings};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const LABELS: [&str; 5] = ["lazy", "edge of stability", "catapult", "stuck", "diverging"];

/// Folders of logs, with what they are.
const HALVES: [(&str, &str); 3] = [
    ("fresh", "Held out: made and labelled after the rules were set, and looked at once"),
    ("held-out", "Held out before: no rule was set by them, but what older rules told of them was known"),
    ("set", "Used to set the rules, with 73 more that are not kept (`make.py` with the seeds 1000 and 2000)"),
];

/// A log with its label and what the judge says.
struct Judged {
    log: String,
    half: &'static str,
    optimizer: String,
    network: String,
    label: String,
    state: String,
    why: String,
}

fn judged(half: &'static str) -> Vec<Judged> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(half);
    let text = std::fs::read_to_string(folder.join("labels.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(String::from).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let judge = |row: Vec<String>| {
        let row: BTreeMap<_, _> = names.iter().map(String::as_str).zip(row).collect();
        let sgd = |momentum, nesterov| Rule::Sgd(Sgd { momentum, nesterov });
        let optimizer = match row["optimizer"].as_str() {
            "sgd" => sgd(0.0, false),
            "heavy" => sgd(0.9, false),
            "nesterov" => sgd(0.9, true),
            _ => Rule::AdamW(AdamW::default()),
        };
        let mut detector = Detector::new(Settings { optimizer });
        let mut log = Log::open(&folder.join(&row["log"]), Columns::default()).unwrap();
        log.read(true, |point| detector.push(point)).unwrap();
        let found = detector.finding();
        let [log, optimizer, network] = ["log", "optimizer", "network"].map(|name| row[name].clone());
        let label = if row["label"] == "edge" { LABELS[1].into() } else { row["label"].clone() };
        Judged { log, half, optimizer, network, label, state: found.state.to_string(), why: found.why }
    };
    lines.map(judge).collect()
}

/// Rows are labels, columns what the judge says.
fn matrix(logs: &[&Judged]) -> String {
    let count = |label: &str, state: &str| {
        logs.iter().filter(|log| log.label == label && (log.state == state || state.is_empty())).count()
    };
    let mut states = LABELS.to_vec();
    states.extend(["catapult in progress", "undecided"]);
    states.retain(|state| LABELS.contains(state) || logs.iter().any(|log| log.state == *state));
    let mut text =
        format!("| what happened | {} |\n|---|{}\n", states.join(" | "), "--:|".repeat(states.len()));
    for label in LABELS.into_iter().filter(|label| count(label, "") > 0) {
        let counts: Vec<String> = states.iter().map(|state| count(label, state).to_string()).collect();
        writeln!(text, "| {label} | {} |", counts.join(" | ")).unwrap();
    }
    text
}

fn page(logs: &[Judged]) -> String {
    let count = |of: &dyn Fn(&Judged) -> &str| {
        let mut counts = BTreeMap::new();
        logs.iter().for_each(|log| *counts.entry(of(log)).or_insert(0) += 1);
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!(
        "# How well logs are judged\n\n\
         {} logs of small networks that PyTorch has trained. Their labels come from what a log does not show: the loss on \
         the whole training set at every step, the loss of the best constant prediction, and the sharpness \
         (`oracles/logs/make.py` says the rules). `etalon watch` sees the batch losses, the rate and, of a few, some \
         curvatures. Networks: {}. Optimisers: {}. \
         The aim is 95 % of the logs that took no part in setting the rules. Two things flatter what is reached: runs whose loss \
         rose by 1 to 25 % are left out, as neither label fits them, and lazy runs, which are easy, are many. What is told wrongly \
         is mostly what a log does not hold: that a loss of half the first is no better than the best constant, or that the loss \
         of the whole set rose by a half where single batches differ by as much.\n\n\
         Renewed by `ETALON_GOLDEN=write cargo test -p etalon --test logs`.\n",
        logs.len(),
        count(&|log| &log.network),
        count(&|log| &log.optimizer)
    );
    for (half, title) in HALVES {
        let of: Vec<&Judged> = logs.iter().filter(|log| log.half == half).collect();
        let right = of.iter().filter(|log| log.label == log.state).count();
        let share = 100.0 * right as f64 / of.len() as f64;
        write!(text, "\n## {title}\n\n{right} of {} right, {share:.0} %.\n\n{}", of.len(), matrix(&of))
            .unwrap();
        for log in of.iter().filter(|log| log.label != log.state) {
            write!(text, "\n- `{}` is {}, called {}: {}", log.log, log.label, log.state, log.why).unwrap();
        }
        text += if right < of.len() { "\n" } else { "" };
    }
    text
}

#[test]
fn no_catapult_of_a_real_log_is_called_divergence_and_the_page_has_all_verdicts() {
    let logs: Vec<Judged> = HALVES.into_iter().flat_map(|(half, _)| judged(half)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/judge.md");
    let page = page(&logs);
    if std::env::var_os("ETALON_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(logs.len() >= 60);
    for log in &logs {
        assert!(log.label != "catapult" || log.state != "diverging", "{}: {}", log.log, log.why);
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        page,
        "renew docs/judge.md as the head of this file says"
    );
}
