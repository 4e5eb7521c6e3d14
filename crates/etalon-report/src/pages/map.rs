//! The page of a solvable model at many rates and widths.

use super::content::{Content, Numbers, shown, size};
use crate::figure::{
    Axis, Cell, Colour, Details, Figure, Kind, LossKind, Panel, Place, Point, Reference, Series, Stroke,
    borders, thin,
};
use etalon::models::{LinearRun, LinearRuns};
use etalon::theory::{Edges, Map, MapRuns, Phase, ScalarLoss, State, Summary};
use std::collections::BTreeMap;

/// Runs at most that a table lists, and cells that a diagram shows one by one.
const LISTED: (usize, usize) = (60, 20_000);
/// Runs at most that have a curve, steps of one at most, and points of it.
const CURVES: (usize, usize, usize) = (1500, 2000, 60);

/// What the runs of a scalar model say.
pub(super) fn content(found: &MapRuns) -> Content {
    let curve =
        |run: &Summary| (found.runs.len() <= CURVES.0).then(|| curve(found.loss, found.start, run)).flatten();
    let loss = match found.loss {
        ScalarLoss::Mse { .. } => LossKind::Squared,
        ScalarLoss::Logistic { .. } | ScalarLoss::Exponential { .. } => LossKind::Other,
    };
    page(&format!("{} model", found.model), loss, &found.runs, &found.edges, &curve)
}

/// What the runs of the two-layer linear network on many samples say.
pub(super) fn linear(found: &LinearRuns) -> Content {
    let summary = |run: &LinearRun| Summary {
        c: run.c,
        width: run.width as f64,
        eta: run.eta,
        phase: run.phase,
        peak_loss: run.peak_loss,
        peak_step: run.peak_step,
        final_lambda: run.final_lambda,
        final_c: run.final_c,
        final_loss: run.final_loss,
        final_f: None,
        initial_loss: run.initial_loss,
        steps: run.steps,
        why: run.why.clone(),
    };
    let runs: Vec<Summary> = found.runs.iter().map(summary).collect();
    page("two-layer linear network", LossKind::Squared, &runs, &[], &|_| None)
}

/// The loss of a run by step, where it can be told.
type Curve<'a> = &'a dyn Fn(&Summary) -> Option<Vec<(f64, f64)>>;

fn page(model: &str, loss: LossKind, runs: &[Summary], edges: &[Edges], curve: Curve<'_>) -> Content {
    let mut content = Content {
        kind: format!("Theory: the {model}"),
        trials: Some(runs.len()),
        loss,
        ..Content::default()
    };
    let is_squared = loss == LossKind::Squared;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    runs.iter().for_each(|run| *counts.entry(run.phase.name()).or_default() += 1);
    let parts = Phase::NAMES.iter().filter_map(|phase| Some(format!("{} {phase}", counts.get(phase)?)));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let of = |phase: Phase| runs.iter().filter(move |run| run.phase == phase).map(|run| run.c);
    let found = [
        of(Phase::Lazy).reduce(f64::max).map(|c| format!("lazy up to c = {}", shown(Some(c), 3))),
        of(Phase::Catapult).reduce(f64::max).map(|c| format!("catapult up to {}", shown(Some(c), 3))),
        of(Phase::Divergent).reduce(f64::min).map(|c| format!("divergent from {}", shown(Some(c), 3))),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    content.answer = if found.is_empty() { parts.clone() } else { found.join(", ") };
    let lambda = match is_squared {
        true => "the curvature at the start, the NTK's largest eigenvalue",
        false => "the NTK's largest eigenvalue at the start",
    };
    content.interval = format!("{parts}, of {} runs over c = η λ₀ and width; λ₀ is {lambda}", runs.len());
    content.fact(
        "c = 2",
        is_squared.then_some(
            "above, a step overshoots the valley that it begins in: the loss rises before it falls, and training settles where it \
             is flatter (a catapult); below, the loss falls at once (lazy)",
        ),
    );
    content
        .fact("c = 4", is_squared.then_some("above, a squared loss does not come back: training diverges"));
    content.fact(
        "c",
        (!is_squared).then_some(
            "no curvature under this loss, which multiplies λ₀ by its second derivative: 2 and 4 are no thresholds of it",
        ),
    );
    let edge = |edges: &Edges| {
        let of = |c: Option<f64>| c.map_or("no closed form".into(), |c| format!("c = {}", shown(Some(c), 4)));
        let [critical, catapult] = [edges.critical_c, edges.catapult_c].map(of);
        format!("the minimum is unstable above {critical}, training diverges above {catapult}")
    };
    match edges.first().map(edge) {
        Some(first) if edges.iter().all(|one| edge(one) == first) => {
            content.fact("closed forms", Some(first))
        }
        _ => edges.iter().take(4).for_each(|one| {
            content.fact(&format!("closed forms, width {}", size(Some(one.width))), Some(edge(one)));
        }),
    }
    content.figures.extend(diagram(runs, edges, curve));
    content.figures.extend(final_curvature(runs, is_squared));
    content.tables.push(table(runs));
    if runs.len() > LISTED.1 {
        content.notes.push(format!(
            "{} runs are too many for a diagram on a page; `etalon theory --figure` draws them.",
            runs.len()
        ));
    }
    content
}

/// Distinct values, ascending.
fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| *value > 0.0 && value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn diagram(runs: &[Summary], edges: &[Edges], curve: Curve<'_>) -> Option<Figure> {
    let columns = distinct(runs.iter().map(|run| run.c));
    let rows = distinct(runs.iter().map(|run| run.width));
    if columns.len() < 2 || rows.is_empty() || runs.len() > LISTED.1 {
        return None;
    }
    let (x, y) = (borders(&columns), borders(&rows));
    let mut details = Details { x: Axis::steps(), y: Axis::log("loss"), items: Vec::new() };
    let marks = if rows.len() <= 8 {
        rows.iter().map(|&width| (width, size(Some(width)))).collect()
    } else {
        Vec::new()
    };
    let mut panel = Panel::new(Axis { marks, ..Axis::log("width n").tight() });
    panel.weight = (0.3 + 0.06 * rows.len() as f64).min(1.0);
    panel.kinds = Phase::NAMES
        .map(|name| Kind { name: name.into(), colour: Colour::of_phase(name).unwrap_or(Colour::Yellow) })
        .into();
    for run in runs {
        let place = |values: &[f64], value: f64| values.iter().position(|&one| one == value);
        let (Some(column), Some(row)) = (place(&columns, run.c), place(&rows, run.width)) else { continue };
        let phase = run.phase.name();
        panel.cells.push(Cell {
            x: [x[column], x[column + 1]],
            y: [y[row], y[row + 1]],
            kind: Phase::NAMES.iter().position(|&name| name == phase).unwrap_or(Phase::NAMES.len() - 1),
            text: format!(
                "{phase}\nc = {}, width {}, η = {}\n{}",
                shown(Some(run.c), 4),
                size(Some(run.width)),
                shown(Some(run.eta), 4),
                run.why
            ),
            detail: curve(run).map(|curve| {
                details.items.push(vec![curve]);
                details.items.len() - 1
            }),
        });
    }
    let critical: Vec<_> = edges.iter().map(|edges| (edges.critical_c, edges.width)).collect();
    let catapult: Vec<_> = edges.iter().map(|edges| (edges.catapult_c, edges.width)).collect();
    for (name, edge, dashed) in [
        ("the minimum is unstable to the right", critical, true),
        ("divergence to the right, by closed form", catapult, false),
    ] {
        let inside = |c: &f64| (x[0]..=x[x.len() - 1]).contains(c);
        let point = |(c, width): (Option<f64>, f64)| Some((c.filter(inside)?, width));
        let mut points: Vec<(f64, f64)> = edge.into_iter().filter_map(point).collect();
        let row = |width: f64| rows.iter().position(|&one| one == width);
        if let (Some(&first), Some(&last)) = (points.first(), points.last()) {
            // To the borders of their own rows: in another the edge may lie beyond the diagram.
            points.insert(0, (first.0, row(first.1).map_or(first.1, |row| y[row])));
            points.push((last.0, row(last.1).map_or(last.1, |row| y[row + 1])));
            panel.lines.push(Reference { name: name.into(), place: Place::Through(points), dashed });
        }
    }
    Some(Figure {
        name: "phases".into(),
        title: "Phases over c and width".into(),
        note: "Each cell is a run.".into(),
        x: Axis::log("c = η λ₀, λ₀ the NTK's at the start").tight(),
        panels: vec![panel],
        details: (!details.items.is_empty()).then_some(details),
    })
}

/// The loss of a run of a scalar model, step by step, made anew: the result has its end alone.
fn curve(loss: ScalarLoss, start: State, run: &Summary) -> Option<Vec<(f64, f64)>> {
    let map = Map::new(loss, run.eta, run.width).ok()?;
    let losses = map.states(start).take(run.steps.min(CURVES.1) + 1).enumerate();
    let point = |(step, state): (usize, State)| Point {
        x: step as f64,
        y: loss.value(state.f),
        spread: None,
        hollow: false,
    };
    let points: Vec<Point> = losses.map(point).collect();
    Some(thin(&points, CURVES.2).into_iter().map(|point| (point.x, point.y)).collect())
}

/// The NTK's eigenvalue at the end against that at the start, in units of one over the rate: curvature of a squared loss.
fn final_curvature(runs: &[Summary], is_squared: bool) -> Option<Figure> {
    let ended = |run: &&Summary| matches!(run.phase, Phase::Lazy | Phase::Catapult);
    let widths = distinct(runs.iter().map(|run| run.width));
    let stride = widths.len().div_ceil(6).max(1);
    let series = widths.iter().step_by(stride).enumerate().map(|(index, width)| {
        let of = runs.iter().filter(ended).filter(|run| run.width == *width);
        let points = of.filter_map(|run| Some((run.c, run.final_c?)));
        Series::plain(format!("width {}", size(Some(*width))), Colour::of(index), Stroke::Marks, points)
    });
    let mut panel = Panel::new(Axis::log("c at the end = η λ"));
    panel.series = series.filter(|series| !series.points.is_empty()).collect();
    let at = panel.series.iter().flat_map(|series| &series.points).map(|point| point.x);
    let (low, high) = at.fold((f64::INFINITY, 0.0f64), |(low, high), x| (low.min(x), high.max(x)));
    if panel.series.is_empty() || low >= high {
        return None;
    }
    if is_squared {
        panel.lines.push(Reference::level("2: limit of stability", 2.0));
    }
    let unchanged = Place::Through(vec![(low, low), (high, high)]);
    panel.lines.push(Reference { name: "unchanged".into(), place: unchanged, dashed: false });
    Some(Figure {
        name: "final-curvature".into(),
        title: if is_squared { "Curvature at the end against c" } else { "The kernel at the end against c" }
            .into(),
        note: match is_squared {
            true => "A catapult ends below 2, wherever it started between 2 and 4. Runs that ended settled.",
            false => "Below the line the kernel has shrunk, above it has grown. Runs that ended settled.",
        }
        .into(),
        x: Axis::log("c at the start = η λ₀"),
        panels: vec![panel],
        details: None,
    })
}

fn table(runs: &[Summary]) -> Numbers {
    let columns =
        ["width", "c", "phase", "peak loss", "at step", "λ at the end", "c at the end", "steps", "why"];
    let mut table = Numbers::new("Runs", columns);
    for run in runs.iter().take(LISTED.0) {
        table.row([
            size(Some(run.width)),
            shown(Some(run.c), 4),
            run.phase.name().into(),
            shown(Some(run.peak_loss).filter(|loss| loss.is_finite()), 4),
            run.peak_step.to_string(),
            shown(run.final_lambda, 4),
            shown(run.final_c, 4),
            run.steps.to_string(),
            run.why.clone(),
        ]);
    }
    if runs.len() > LISTED.0 {
        table.note = format!("The first {} of {} runs; runs.csv has all.", LISTED.0, runs.len());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon::theory::{RunSettings, Scan, ScanRun};

    #[test]
    fn a_width_of_0_has_no_place_in_the_diagram_and_makes_no_panic() {
        let scan = Scan {
            loss: ScalarLoss::Mse { target: 0.0 },
            start: State { f: 1.0, lambda: 2.0 },
            c: "1..6/12".parse().unwrap(),
            widths: "10..1000/3".parse().unwrap(),
            settings: RunSettings::default(),
        };
        let mut found = MapRuns {
            model: "map".into(),
            loss: scan.loss,
            start: scan.start,
            max_steps: scan.settings.max_steps,
            edges: scan.widths.values().map(|width| scan.edges(width)).collect(),
            runs: scan.runs().unwrap().iter().map(ScanRun::summary).collect(),
        };
        let cells = |found: &MapRuns| {
            let figures = content(found).figures;
            figures.iter().find(|figure| figure.name == "phases").map(|figure| figure.panels[0].cells.len())
        };
        assert_eq!(cells(&found), Some(36));
        (found.runs[0].width, found.edges[0].width) = (0.0, 0.0);
        assert_eq!(cells(&found), Some(35));
        found.runs.iter_mut().for_each(|run| run.width = 0.0);
        assert_eq!(cells(&found), None);
    }
}
