//! The page of `etalon find`.

use super::content::{Content, Numbers, count, range, shown};
use super::doubts::doubts;
use super::folder::Folder;
use crate::figure::{Axis, Cell, Colour, Figure, Kind, Look, Panel, Point, Reference, Series, Spread};
use crate::search::{Boundary, Found, Recommendation, SeedResult, Stopped, Verdict};

/// What a search says.
pub fn content(found: &Found, folder: &Folder) -> Content {
    let mut content = Content { kind: "Search for the maximal learning rate".into(), ..Content::default() };
    let star = &found.eta_star;
    let coverage = (100.0 * star.coverage).round();
    let interval = match star.low.zip(star.high) {
        Some((low, high)) if star.seeds > 1 => format!(
            " ({}, {coverage} % interval of the median of {})",
            range(low, high, 3),
            count(star.seeds, "seed")
        ),
        _ => String::new(),
    };
    content.answer = match (&found.recommended, star.median) {
        (Some(recommended), _) => format!("use η = {}", shown(Some(recommended.eta), 3)),
        (None, Some(star)) => format!("no rate to use; η* = {}", shown(Some(star), 3)),
        (None, None) => "no rate was found that trains".into(),
    };
    content.interval = match star.median {
        Some(median) => format!("the largest rate that trains is η* = {}{interval}", shown(Some(median), 3)),
        None => star.reason.clone().unwrap_or_else(|| "η* was not found".into()),
    };
    let why = found.recommended.as_ref().map(|recommended| &recommended.why);
    content.fact("why this rate", why.or(found.no_recommendation.as_ref()));
    content.fact(
        "phase just below η*",
        found.phase_evidence.as_ref().map(|evidence| format!("{}: {}", evidence.phase, evidence.why)),
    );
    let (ratio, limit) = match &found.limit {
        Some(limit) => (found.eta_star_over_limit, limit.replace("lambda", "λ")),
        None => (found.eta_star_over_2_lambda, "2/λ".into()),
    };
    content.fact(
        "against curvature",
        ratio.zip(found.lambda.median).map(|(ratio, lambda)| {
            format!(
                "η* = {} × {limit}, with λ = {}, the {}'s largest eigenvalue at the start",
                shown(Some(ratio), 3),
                shown(Some(lambda), 4),
                found.lambda.of
            )
        }),
    );
    content.fact("trained means", Some(&found.criterion));
    content.doubts.extend(found.warnings.iter().cloned());
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
    content.doubts.extend(doubts(folder));
    content.figures.extend(probes(found));
    content.figures.extend(found.choice.as_ref().map(|choice| self::choice(choice, star.median)));
    content.tables.push(seed_table(&found.search.seeds, found.search.tolerance));
    let steps = found.gradient_steps;
    content.fact(
        "cost",
        Some(match found.seconds {
            Some(seconds) => format!("{steps} gradient steps in {} s", shown(Some(seconds), 3)),
            None => format!("{steps} gradient steps"),
        }),
    );
    content
}

/// Every probe of every seed.
fn probes(found: &Found) -> Option<Figure> {
    let seeds = &found.search.seeds;
    let verdicts = [("trained", Colour::Blue), ("too slow", Colour::Orange), ("too fast", Colour::Vermilion)];
    let mut points = [const { Vec::new() }; 3];
    let mut marks = Vec::new();
    for (row, seed) in seeds.iter().enumerate() {
        marks.push((row as f64, seed.seed.to_string()));
        for probe in &seed.probes {
            let kind = match probe.verdict {
                Verdict::Trained => 0,
                Verdict::TooSlow => 1,
                Verdict::TooFast(_) => 2,
            };
            points[kind].push((probe.eta, row as f64));
        }
    }
    let mut panel = Panel::new(Axis { marks, ..Axis::even("seed") });
    panel.weight = (0.35 + 0.09 * seeds.len() as f64).min(1.2);
    let star = &found.eta_star;
    if let Some((low, high)) = star.low.zip(star.high) {
        panel.kinds.push(Kind { name: "interval of η*".into(), colour: Colour::Green });
        let y = [-0.5, seeds.len() as f64 - 0.5];
        panel.cells.push(Cell { x: [low, high], y, kind: 0, text: "interval of η*".into(), detail: None });
        panel.pale = true;
    }
    if let Some(star) = star.median {
        panel.lines.push(Reference { dashed: false, ..Reference::at("η*", star) });
    }
    if let Some(recommended) = &found.recommended {
        panel.lines.push(Reference::at("use this", recommended.eta));
    }
    panel.series = verdicts
        .into_iter()
        .zip(points)
        .map(|((name, colour), points)| {
            let mut series = Series::plain(name, colour, Look::Marks, points);
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

/// The metric by which the rate to use was chosen.
fn choice(choice: &Recommendation, star: Option<f64>) -> Figure {
    let metric = choice.metric.replace('_', " ");
    let points = choice.curve.iter().filter_map(|point| {
        let spread = point.low.zip(point.high).map(|(low, high)| [low, high]);
        Some(Point { x: point.eta, y: point.median?, spread, hollow: point.excluded.is_some() })
    });
    let series = Series {
        name: "median and interval over seeds".into(),
        colour: Colour::Blue,
        look: Look::Both,
        spread: Spread::Up,
        points: points.collect(),
    };
    let mut panel = Panel::new(Axis::even(&metric));
    panel.series.push(series);
    if let Some(eta) = choice.eta {
        panel.lines.push(Reference::at("use this", eta));
    }
    if let Some(star) = star {
        panel.lines.push(Reference { dashed: false, ..Reference::at("η*", star) });
    }
    Figure {
        name: "choice".into(),
        title: format!("Below η*: {metric}"),
        note: "By this the rate to use was chosen.".into(),
        x: Axis::log("learning rate η"),
        panels: vec![panel],
        details: None,
    }
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
