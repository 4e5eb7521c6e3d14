//! The page of `etalon find`.

use super::content::{Content, Numbers, count, range, shown};
use super::doubts::doubts;
use super::folder::Folder;
use crate::figure::{Axis, Cell, Colour, Figure, Kind, Panel, Reference, Series, Stroke};
use etalon::search::{
    Answer, Boundary, CurvePoint, Ended, EtaStar, Found, Provisional, Recommendation, Role, SeedResult,
    Stopped,
};

/// What a search says.
pub(super) fn content(found: &Found, folder: &Folder) -> Content {
    let mut content = Content { kind: "Search for the learning rate".into(), ..Content::default() };
    let (choice, star) = (found.recommended.as_ref(), found.eta_star.as_ref());
    let eta = choice.and_then(|choice| choice.eta);
    let median = star.and_then(|star| star.median);
    content.answer = match (eta, median) {
        (Some(eta), _) => format!("use η = {}", shown(Some(eta), 3)),
        (None, Some(star)) if choice.is_none() => format!("η* = {}", shown(Some(star), 3)),
        (None, Some(star)) => format!("no rate to use; η* = {}", shown(Some(star), 3)),
        (None, None) => "no rate was found that trains".into(),
    };
    content.interval = match (choice.filter(|choice| choice.eta.is_some()), star) {
        (Some(choice), _) => as_good(choice),
        (None, Some(star)) => star.reason.clone().unwrap_or_default(),
        (None, None) => choice.map(|choice| choice.why.clone()).unwrap_or_default(),
    };
    content.fact("why this rate", choice.map(|choice| choice.why.clone()));
    if let Some(star) = star {
        let coverage = (100.0 * star.coverage).round();
        let interval = match star.low.zip(star.high) {
            Some((low, high)) if star.seeds > 1 => format!(
                " ({}, {coverage} % interval of the median of {})",
                range(low, high, 3),
                count(star.seeds, "seed")
            ),
            _ => String::new(),
        };
        content.fact("largest rate that trains", Some(format!("η* = {}{interval}", shown(star.median, 3))));
        content.fact(
            "where luck decides",
            star.zone
                .map(|zone| format!("between {}", range(zone.low, zone.high, 3).replace(" to ", " and "))),
        );
    }
    content.fact(
        "phase just below η*",
        found.phase_evidence.as_ref().map(|evidence| format!("{}: {}", evidence.phase, evidence.why)),
    );
    let (ratio, limit) = match &found.limit {
        Some(limit) => (found.eta_star_over_limit, limit.replace("lambda", "λ")),
        None => (found.eta_star_over_2_lambda, "2/λ".into()),
    };
    let lambda = found.lambda.as_ref().and_then(|lambda| Some((lambda.of, lambda.median?)));
    content.fact(
        "against curvature",
        ratio.zip(lambda).map(|(ratio, (of, lambda))| {
            format!(
                "η* = {} × {limit}, with λ = {}, the {of}'s largest eigenvalue at the start",
                shown(Some(ratio), 3),
                shown(Some(lambda), 4),
            )
        }),
    );
    content.fact("trained means", found.criterion.as_ref());
    let Provisional { eta: guess, rule, .. } = &found.provisional;
    content.fact(
        "before any training",
        Some(format!("η = {}: {}", shown(Some(*guess), 3), rule.replace("lambda", "λ"))),
    );
    if found.stopped == Ended::Interrupted {
        content.doubts.push("The search was stopped: this is what was known by then.".into());
    }
    content.doubts.extend(found.warnings.iter().cloned());
    if let Some(star) = star {
        if star.censored > 0 {
            content.doubts.push(format!(
                "{} trained up to the end of the range: their η* is higher.",
                count(star.censored, "seed")
            ));
        }
        if star.undefined > 0 {
            content.doubts.push(format!("{} trained at no rate.", count(star.undefined, "seed")));
        }
        if star.with_islands > 0 {
            content.doubts.push(format!(
                "{} also train somewhere above their η*; such islands do not count.",
                count(star.with_islands, "seed")
            ));
        }
    }
    content.doubts.extend(doubts(folder));
    content.figures.extend(choice.map(|choice| self::choice(choice, found)));
    content.figures.extend(found.search.as_ref().and_then(|search| probes(search, found)));
    content.tables.extend(choice.map(trainings));
    content.tables.extend(found.search.as_ref().map(|search| seed_table(&search.seeds, search.tolerance)));
    content.fact(
        "saved",
        found.saved.as_ref().map(|saved| {
            let steps = count(saved.trainings, "training");
            format!("{steps} ended early, as soon as the answer was in the log: {} steps less", saved.steps)
        }),
    );
    let cost = format!(
        "{} trainings of the full budget, {} gradient steps",
        shown(Some(found.budgets), 3),
        found.gradient_steps
    );
    content.fact(
        "cost",
        Some(match found.seconds {
            Some(seconds) => format!("{cost}, in {} s", shown(Some(seconds), 3)),
            None => cost,
        }),
    );
    content
}

/// The rates that are as good, in words.
fn as_good(choice: &Recommendation) -> String {
    let metric = &choice.metric;
    let set = match (choice.low, choice.high) {
        (Some(low), Some(high)) => format!("rates from {} cannot be told from the best", range(low, high, 3)),
        (Some(low), None) => {
            format!("rates from {} on cannot be told from the best (open above)", shown(Some(low), 3))
        }
        (None, Some(high)) => {
            format!("rates up to {} cannot be told from the best (open below)", shown(Some(high), 3))
        }
        (None, None) if choice.validation.is_none() => {
            return format!("by short trainings alone; {metric} was not measured");
        }
        (None, None) => "which rates cannot be told from the best is open below and above".into(),
    };
    match choice.test {
        Some(_) => format!("{metric} {} on the test part; {set}", shown(choice.test, 4)),
        None => format!("{metric} {}; {set}", shown(choice.validation, 4)),
    }
}

/// Every probe of every seed.
fn probes(search: &EtaStar, found: &Found) -> Option<Figure> {
    let seeds = &search.seeds;
    let verdicts = [("trained", Colour::Blue), ("too slow", Colour::Orange), ("too fast", Colour::Vermilion)];
    let mut points = [const { Vec::new() }; 3];
    let mut marks = Vec::new();
    for (row, seed) in seeds.iter().enumerate() {
        marks.push((row as f64, seed.seed.to_string()));
        for probe in &seed.probes {
            let kind = match probe.verdict {
                Answer::Trained => 0,
                Answer::TooSlow => 1,
                Answer::TooFast(_) => 2,
            };
            points[kind].push((probe.eta, row as f64));
        }
    }
    let mut panel = Panel::new(Axis { marks, ..Axis::even("seed") });
    panel.weight = (0.35 + 0.09 * seeds.len() as f64).min(1.2);
    if let Some((low, high)) = search.low.zip(search.high) {
        panel.kinds.push(Kind { name: "interval of η*".into(), colour: Colour::Green });
        let y = [-0.5, seeds.len() as f64 - 0.5];
        panel.cells.push(Cell { x: [low, high], y, kind: 0, text: "interval of η*".into(), detail: None });
        panel.pale = true;
    }
    panel.lines = marks_of(found);
    panel.series = verdicts
        .into_iter()
        .zip(points)
        .map(|((name, colour), points)| {
            let mut series = Series::plain(name, colour, Stroke::Marks, points);
            // The shape tells it too.
            series.points.iter_mut().for_each(|point| point.hollow = name != "trained");
            series
        })
        .collect();
    Some(Figure {
        name: "probes".into(),
        title: "Where each seed trains".into(),
        note: "One mark a trial: discs trained, rings did not.".into(),
        x: Axis::log("learning rate η"),
        panels: vec![panel],
        details: None,
    })
    .filter(|_| !seeds.is_empty())
}

/// The rates that a figure marks.
fn marks_of(found: &Found) -> Vec<Reference> {
    let star = found.eta_star.as_ref().and_then(|star| star.median);
    let eta = found.recommended.as_ref().and_then(|choice| choice.eta);
    let guess = found.provisional.lambda.map(|_| Reference::at("from curvature", found.provisional.eta));
    let star = star.map(|star| Reference { dashed: false, ..Reference::at("η*", star) });
    guess.into_iter().chain(eta.map(|eta| Reference::at("use this", eta))).chain(star).collect()
}

/// How the rate to use was chosen: the held-out metric of full trainings, and the training loss of the short ones.
fn choice(choice: &Recommendation, found: &Found) -> Figure {
    let whole = |point: &&CurvePoint| point.role != Role::Short;
    // A trainer that is not Etalon's has one metric and no parts.
    let has_parts = choice.curve.iter().any(|point| point.test.is_finite());
    let series = |name: &str, colour, of: fn(&CurvePoint) -> f64| {
        let points = choice.curve.iter().filter(whole).filter(|point| point.failure.is_none());
        Series::plain(
            name,
            colour,
            Stroke::Marks,
            points.map(|point| (point.eta, of(point))).collect::<Vec<_>>(),
        )
    };
    let mut panels = Vec::new();
    if choice.curve.iter().any(|point| whole(&point)) {
        let mut panel = Panel::new(Axis::even(&choice.metric));
        let name = if has_parts { "validation part" } else { &choice.metric };
        panel.series.push(series(name, Colour::Blue, |point| point.validation));
        if has_parts {
            panel.series.push(series("test part", Colour::Orange, |point| point.test));
        }
        let values = choice.curve.iter().filter(whole).flat_map(|point| [point.validation, point.test]);
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let worst = values.iter().copied().fold(f64::INFINITY, f64::min);
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What came to nothing has no value; it stands at the edge.
        let failed =
            choice.curve.iter().filter(whole).filter(|point| point.failure.is_some() && worst.is_finite());
        let failed: Vec<(f64, f64)> = failed.map(|point| (point.eta, worst)).collect();
        let mut failed = Series::plain("came to nothing", Colour::Vermilion, Stroke::Marks, failed);
        failed.points.iter_mut().for_each(|point| point.hollow = true);
        panel.series.push(failed);
        panel.lines = marks_of(found);
        // An open end is drawn as far as trainings have survived.
        let survived = |point: &&CurvePoint| point.failure.is_none();
        let rates = || choice.curve.iter().filter(whole).filter(survived).map(|point| point.eta);
        let ends = [rates().reduce(f64::min), rates().reduce(f64::max)];
        if let ([Some(first), Some(last)], Some(_)) = (ends, choice.eta) {
            panel.kinds.push(Kind { name: "as good as the best".into(), colour: Colour::Green });
            panel.cells.push(Cell {
                x: [choice.low.unwrap_or(first), choice.high.unwrap_or(last)],
                y: [worst, best],
                kind: 0,
                text: as_good(choice),
                detail: None,
            });
            panel.pale = true;
        }
        panels.push(panel);
    }
    let short = choice.curve.iter().filter(|point| point.role == Role::Short);
    let mut panel = Panel::new(Axis::log("training loss"));
    panel.weight = 0.6;
    let survived = |wanted: bool| {
        let points = short.clone().filter(move |point| point.failure.is_none() == wanted);
        points.map(|point| (point.eta, point.train_loss)).collect::<Vec<_>>()
    };
    panel.series.push(Series::plain("short trainings", Colour::Purple, Stroke::Both, survived(true)));
    let mut failed =
        Series::plain("short, came to nothing", Colour::Vermilion, Stroke::Marks, survived(false));
    failed.points.iter_mut().for_each(|point| point.hollow = true);
    panel.series.push(failed);
    panels.push(panel);
    Figure {
        name: "choice".into(),
        title: "How the rate to use was chosen".into(),
        note: "One mark a training, each averaged over the last fifth of its steps.".into(),
        x: Axis::log("learning rate η"),
        panels,
        details: None,
    }
}

/// Every training of a choice.
fn trainings(choice: &Recommendation) -> Numbers {
    let columns =
        ["η", "seed", "training", "training loss", "validation", "test", "steps", "came to nothing"];
    let mut table = Numbers::new("The choice, training by training", columns);
    for point in &choice.curve {
        let number = |value: f64| shown(Some(value).filter(|value| value.is_finite()), 4);
        table.row([
            shown(Some(point.eta), 4),
            point.seed.to_string(),
            point.role.name().into(),
            number(point.train_loss),
            number(point.validation),
            number(point.test),
            point.steps.to_string(),
            point.failure.clone().unwrap_or_else(|| "–".into()),
        ]);
    }
    let noise = choice.noise.map(|noise| {
        format!(
            " One training's {} varies by {} % of the way from chance to the best.",
            choice.metric,
            shown(Some(noise), 2)
        )
    });
    let parts =
        choice.test.map(|_| "The test part, a fifth of the held-out samples, took no part in choosing.");
    table.note = format!("{}{}", parts.unwrap_or_default(), noise.unwrap_or_default());
    table
}

fn seed_table(seeds: &[SeedResult], tolerance: f64) -> Numbers {
    let columns = ["seed", "η* is between", "and", "to within", "trials", "why not above"];
    let mut table = Numbers::new("The search, seed by seed", columns);
    for seed in seeds {
        let ends = match seed.boundary {
            Boundary::Found { low, high } => [Some(low), Some(high)],
            Boundary::CensoredAbove(_) | Boundary::Undefined { .. } => [None; 2],
        };
        let within = match seed.stopped {
            Stopped::Converged { ratio } => format!("{} %", shown(Some(100.0 * (ratio - 1.0)), 2)),
            stopped => format!("not converged: {stopped}"),
        };
        table.row([
            seed.seed.to_string(),
            shown(ends[0], 4),
            shown(ends[1], 4),
            within,
            seed.probes.len().to_string(),
            seed.failure.clone().unwrap_or_else(|| "–".into()),
        ]);
    }
    table.note = format!("Searched to {} % of the rate.", shown(Some(100.0 * tolerance), 2));
    table
}
