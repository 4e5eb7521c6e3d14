//! The page of `etalon find`.

use super::content::{Content, Numbers, count, list, number, range, shown, text};
use super::doubts::doubts;
use super::folder::Folder;
use crate::figure::{Axis, Cell, Colour, Figure, Kind, Look, Panel, Point, Reference, Series, Spread};
use serde_json::Value;

/// What a search says.
pub fn content(value: &Value, folder: &Folder) -> Content {
    let mut content = Content { kind: "Search for the maximal learning rate".into(), ..Content::default() };
    let star = number(value, "/eta_star/median");
    let recommended = number(value, "/recommended/eta");
    let ends = number(value, "/eta_star/low").zip(number(value, "/eta_star/high"));
    let seeds = number(value, "/eta_star/seeds").unwrap_or(0.0) as usize;
    let coverage = number(value, "/eta_star/coverage").map(|coverage| (100.0 * coverage).round());
    let interval = match (ends, coverage) {
        (Some((low, high)), Some(coverage)) if seeds > 1 => format!(
            " ({}, {coverage} % interval of the median of {})",
            range(low, high, 3),
            count(seeds, "seed")
        ),
        _ => String::new(),
    };
    content.answer = match (recommended, star) {
        (Some(eta), _) => format!("use η = {}", shown(Some(eta), 3)),
        (None, Some(star)) => format!("no rate to use; η* = {}", shown(Some(star), 3)),
        (None, None) => "no rate was found that trains".into(),
    };
    content.interval = match star {
        Some(star) => format!("the largest rate that trains is η* = {}{interval}", shown(Some(star), 3)),
        None => text(value, "/eta_star/reason").unwrap_or("η* was not found").into(),
    };
    content.fact("why this rate", text(value, "/recommended/why").or(text(value, "/no_recommendation")));
    content.fact(
        "phase just below η*",
        text(value, "/phase_evidence/why")
            .map(|why| format!("{}: {why}", text(value, "/phase").unwrap_or("undecided"))),
    );
    let limit = text(value, "/limit");
    let units = if limit.is_some() { "/eta_star_over_limit" } else { "/eta_star_over_2_lambda" };
    let ratio = number(value, units).zip(number(value, "/lambda/median"));
    content.fact(
        "against curvature",
        ratio.map(|(ratio, lambda)| {
            let of = match text(value, "/lambda/of") {
                Some("ntk") => "NTK",
                Some("preconditioned_hessian") => "preconditioned Hessian",
                _ => "Hessian",
            };
            format!(
                "η* = {} × {}, with λ = {}, the {of}'s largest eigenvalue at the start",
                shown(Some(ratio), 3),
                limit.map_or("2/λ".into(), |limit| limit.replace("lambda", "λ")),
                shown(Some(lambda), 4)
            )
        }),
    );
    content.fact("trained means", text(value, "/criterion"));
    content.doubts.extend(list(value, "/warnings").iter().filter_map(Value::as_str).map(String::from));
    let [censored, undefined, islands] = ["censored", "undefined", "with_islands"]
        .map(|name| number(value, &format!("/eta_star/{name}")).unwrap_or(0.0) as usize);
    if censored > 0 {
        content.doubts.push(format!(
            "{} trained up to the end of the range: their η* is higher.",
            count(censored, "seed")
        ));
    }
    if undefined > 0 {
        content.doubts.push(format!("{} trained at no rate.", count(undefined, "seed")));
    }
    if islands > 0 {
        content.doubts.push(format!(
            "{} also train somewhere above their η*; such islands do not count.",
            count(islands, "seed")
        ));
    }
    content.doubts.extend(doubts(folder));
    content.figures.extend(probes(value));
    content.figures.extend(choice(value));
    content.tables.push(seed_table(value));
    content.fact(
        "cost",
        number(value, "/gradient_steps").map(|steps| match number(value, "/seconds") {
            Some(seconds) => format!("{steps} gradient steps in {} s", shown(Some(seconds), 3)),
            None => format!("{steps} gradient steps"),
        }),
    );
    content
}

/// Every probe of every seed.
fn probes(value: &Value) -> Option<Figure> {
    let seeds = list(value, "/search/seeds");
    let verdicts = [("trained", Colour::Blue), ("too slow", Colour::Orange), ("too fast", Colour::Vermilion)];
    let mut points = [const { Vec::new() }; 3];
    let mut marks = Vec::new();
    for (row, seed) in seeds.iter().enumerate() {
        marks.push((row as f64, seed["seed"].to_string()));
        for probe in list(seed, "/probes") {
            let kind = match &probe["verdict"] {
                Value::String(verdict) if verdict == "trained" => 0,
                Value::String(_) => 1,
                _ => 2,
            };
            points[kind].extend(number(probe, "/eta").map(|eta| (eta, row as f64)));
        }
    }
    let mut panel = Panel::new(Axis { marks, ..Axis::even("seed") });
    panel.weight = (0.35 + 0.09 * seeds.len() as f64).min(1.2);
    let ends = number(value, "/eta_star/low").zip(number(value, "/eta_star/high"));
    if let Some((low, high)) = ends {
        panel.kinds.push(Kind { name: "interval of η*".into(), colour: Colour::Green });
        let y = [-0.5, seeds.len() as f64 - 0.5];
        panel.cells.push(Cell { x: [low, high], y, kind: 0, text: "interval of η*".into(), detail: None });
        panel.pale = true;
    }
    if let Some(star) = number(value, "/eta_star/median") {
        panel.lines.push(Reference { dashed: false, ..Reference::at("η*", star) });
    }
    if let Some(eta) = number(value, "/recommended/eta") {
        panel.lines.push(Reference::at("use this", eta));
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
fn choice(value: &Value) -> Option<Figure> {
    let metric = text(value, "/choice/metric")?.replace('_', " ");
    let points = list(value, "/choice/curve").iter().filter_map(|point| {
        let spread = number(point, "/low").zip(number(point, "/high")).map(|(low, high)| [low, high]);
        let hollow = point.get("excluded").is_some_and(|excluded| !excluded.is_null());
        Some(Point { x: number(point, "/eta")?, y: number(point, "/median")?, spread, hollow })
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
    if let Some(eta) = number(value, "/choice/eta") {
        panel.lines.push(Reference::at("use this", eta));
    }
    if let Some(star) = number(value, "/eta_star/median") {
        panel.lines.push(Reference { dashed: false, ..Reference::at("η*", star) });
    }
    Some(Figure {
        name: "choice".into(),
        title: format!("Below η*: {metric}"),
        note: "By this the rate to use was chosen.".into(),
        x: Axis::log("learning rate η"),
        panels: vec![panel],
        details: None,
    })
}

fn seed_table(value: &Value) -> Numbers {
    let columns = ["seed", "η* is between", "and", "to within", "trials", "why not above"];
    let mut table = Numbers::new("The search, seed by seed", columns);
    for seed in list(value, "/search/seeds") {
        let [low, high] = ["/boundary/found/low", "/boundary/found/high"].map(|place| number(seed, place));
        let stopped = seed.pointer("/stopped/converged/ratio").and_then(Value::as_f64);
        let within = stopped.map_or_else(
            || format!("not converged: {}", seed["stopped"]),
            |ratio| format!("{} %", shown(Some(100.0 * (ratio - 1.0)), 2)),
        );
        table.row([
            seed["seed"].to_string(),
            shown(low, 4),
            shown(high, 4),
            within,
            list(seed, "/probes").len().to_string(),
            text(seed, "/failure").unwrap_or("–").into(),
        ]);
    }
    table.note = number(value, "/search/tolerance").map_or(String::new(), |tolerance| {
        format!("Searched to {} % of the rate.", shown(Some(100.0 * tolerance), 2))
    });
    table
}
