//! The page of `etalon theory pq`.

use super::content::{Content, Numbers, shown};
use crate::figure::{Axis, Colour, Figure, Panel, Point, Series, Spread, Stroke};
use etalon::models::pq::{Algorithm, Moment, Patterns, PqRun};
use etalon::statistics::median;

/// The kinds of samples, in the order of a moment's lists, and all in the shares of the training set.
const KINDS: [&str; 4] = ["P alone", "Q alone", "both", "all"];

/// What each training has learnt of the two patterns.
pub(super) fn content(patterns: &Patterns) -> Content {
    let mut content = Content {
        kind: "Theory: two patterns in one sample".into(),
        trials: Some(patterns.runs.len()),
        ..Content::default()
    };
    let groups = groups(&patterns.runs);
    let ends = groups.iter().map(|(name, runs)| {
        let error = median(runs.iter().map(|run| run.end.test_error));
        (error, format!("{} with {name}", shown(Some(error), 2)))
    });
    let mut ends: Vec<(f64, String)> = ends.collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ends: Vec<String> = ends.into_iter().map(|(_, text)| text).collect();
    content.answer = format!("Test error {}", ends.join(", "));
    content.interval = "at the end, the median over seeds".into();
    content.fact(
        "P",
        Some("a linear pattern with noise: easy to fit, and hard to generalise from without many samples"),
    );
    content.fact("Q", Some("clusters that no line parts: hard to fit, and easy to generalise from"));
    for (name, runs) in &groups {
        let first = median(runs.iter().map(|run| run.boundary.test_errors[0]));
        let second = median(runs.iter().map(|run| run.boundary.test_errors[1]));
        let text = format!("test error {} on P, {} on Q", shown(Some(first), 2), shown(Some(second), 2));
        content.fact(&format!("{name}, after its first phase"), Some(text));
    }
    content.figures.push(figure(&groups));
    content.tables.push(table(&patterns.runs));
    content
}

/// The runs of each training.
fn groups(runs: &[PqRun]) -> Vec<(&'static str, Vec<&PqRun>)> {
    let mut groups: Vec<(&str, Vec<&PqRun>)> = Vec::new();
    for run in runs {
        match groups.iter_mut().find(|(name, _)| *name == self::name(run.algorithm)) {
            Some((_, group)) => group.push(run),
            None => groups.push((name(run.algorithm), vec![run])),
        }
    }
    groups
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::LargeSmall => "a large rate, then a small one",
        Algorithm::Small => "a small rate",
        Algorithm::SmallNoise => "a small rate, first with noise",
    }
}

/// The test errors of a moment, by kind.
fn errors(moment: &Moment) -> [f64; 4] {
    let [p, q, both] = moment.test_errors;
    [p, q, both, moment.test_error]
}

/// The errors on each kind of samples, after the first phase and at the end.
fn figure(groups: &[(&str, Vec<&PqRun>)]) -> Figure {
    let panel = |title: &str, of: fn(&PqRun) -> &Moment| {
        let mut panel = Panel::new(Axis::even(format!("test error {title}")));
        panel.series = groups
            .iter()
            .enumerate()
            .map(|(index, (name, runs))| {
                let point = |kind: usize| {
                    let values = || runs.iter().map(|run| errors(of(run))[kind]);
                    let ends = values()
                        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
                    // Side by side, so that equal errors do not cover each other.
                    let aside = 0.12 * (index as f64 - (groups.len() - 1) as f64 / 2.0);
                    Point {
                        x: kind as f64 + aside,
                        y: median(values()),
                        spread: Some([ends.0, ends.1]),
                        hollow: false,
                    }
                };
                Series {
                    name: (*name).into(),
                    colour: Colour::of(index),
                    stroke: Stroke::Marks,
                    spread: Spread::Up,
                    points: (0..KINDS.len()).map(point).collect(),
                }
            })
            .collect();
        panel
    };
    let marks = KINDS.iter().enumerate().map(|(kind, name)| (kind as f64, (*name).to_string())).collect();
    Figure {
        name: "patterns".into(),
        title: "What each training has learnt of P and Q".into(),
        note: "Median and range over seeds. As Li, Wei and Ma have it, a large rate cannot settle on Q and learns P from all samples; a small one fits Q \
               first, and memorises P from the few samples that have nothing else."
            .into(),
        x: Axis { marks, ..Axis::even("samples with") },
        panels: vec![panel("after the first phase", |run| &run.boundary), panel("at the end", |run| &run.end)],
        details: None,
    }
}

fn table(runs: &[PqRun]) -> Numbers {
    let columns =
        ["training", "seed", "at", "step", "train loss", "test P", "test Q", "test both", "test all"];
    let mut table = Numbers::new("Errors", columns);
    for run in runs {
        for (when, moment) in [("the first phase's end", &run.boundary), ("the end", &run.end)] {
            let [p, q, both, all] = errors(moment).map(|error| shown(Some(error), 3));
            let loss = shown(Some(moment.train_loss), 3);
            table.row([
                name(run.algorithm).into(),
                run.seed.to_string(),
                when.into(),
                moment.step.to_string(),
                loss,
                p,
                q,
                both,
                all,
            ]);
        }
    }
    table.note = "Test errors on samples with P alone, Q alone and both, and on all in the shares of the training set.".into();
    table
}
