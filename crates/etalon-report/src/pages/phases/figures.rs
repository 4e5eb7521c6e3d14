//! The figures of a slice of a sweep.

use super::best::Metric;
use super::slice::Slice;
use super::trained::{Done, Number, PHASES, c, c_h, final_c, final_c_h, first_loss, folded, majority, of};
use super::trained::{peak_loss, phase, test_accuracy, train_loss};
use crate::figure::{
    Axis, Cell, Colour, Details, Figure, Group, Kind, LossKind, Panel, Place, Point, Reference, Series,
    Spread, Stroke, bands, symbol,
};
use crate::pages::content::{range, shown};
use crate::pages::folder::Folder;
use crate::pages::trials::{file, taken};
use etalon::phase::Phase;
use etalon::sweep::{TrainRow, read};
use etalon::train::Record;

/// Rates whose losses are drawn together.
const RATES: usize = 7;
/// A loss above so many times its start is not drawn beside others: they would all lie at the bottom.
const LIMIT: f64 = 1e4;

fn kinds() -> Vec<Kind> {
    let kind = |phase: Phase| Kind {
        name: phase.name().into(),
        colour: Colour::of_phase(phase.name()).unwrap_or(Colour::Grey),
    };
    PHASES.map(kind).into()
}

/// The phase of every cell, with the losses of its seeds as a detail.
pub(super) fn diagram(slice: &Slice<'_>, folder: &Folder) -> Figure {
    let y_axis = Axis::log("loss").in_unit(folder.loss_unit());
    let mut details = Details { x: Axis::steps(), y: y_axis, items: Vec::new() };
    let (x, y) = (slice.x.borders(), slice.y.borders());
    let mut panel = Panel::new(slice.y.axis());
    panel.weight = (0.25 + 0.08 * slice.y.values.len() as f64).min(1.0);
    panel.kinds = kinds();
    for (&(column, row), trials) in &slice.cells {
        let kind = majority(trials.iter());
        let same = trials.iter().filter(|trial| phase(trial) == PHASES[kind]).count();
        let seeds =
            if trials.len() > 1 { format!(" ({same} of {} seeds)", trials.len()) } else { String::new() };
        let mut text =
            format!("{}{seeds}\n{} = {}", PHASES[kind].name(), symbol(&slice.x.name), slice.x.short(column));
        if !slice.y.name.is_empty() {
            text += &format!(", {} = {}", symbol(&slice.y.name), slice.y.short(row));
        }
        let numbers: [(Number, &str); 4] = [
            (c, "c"),
            (peak_loss, "peak loss"),
            (train_loss, "loss at the end"),
            (test_accuracy, "test accuracy"),
        ];
        for (number, label) in numbers {
            if let Some((median, ends)) = folded(trials, number) {
                let spread = if ends[0] < ends[1] {
                    format!(" ({})", range(ends[0], ends[1], 3))
                } else {
                    String::new()
                };
                text += &format!("\n{label} {}{spread}", shown(Some(median), 3));
            }
        }
        let curves: Vec<_> =
            trials.iter().map(|trial| trial.found.curve.clone()).filter(|curve| !curve.is_empty()).collect();
        let detail = (!curves.is_empty()).then_some(details.items.len());
        details.items.extend(detail.map(|_| curves));
        panel.cells.push(Cell { x: [x[column], x[column + 1]], y: [y[row], y[row + 1]], kind, text, detail });
    }
    Figure {
        name: "phases".into(),
        title: slice.title("Phase diagram"),
        note: String::new(),
        x: slice.x.axis(),
        panels: vec![panel],
        details: (!details.items.is_empty()).then_some(details),
    }
}

/// What lies to the right of a figure, and for a cell's trials where: c where it was measured and is the rate in units of
/// curvature, else x.
fn across<'a>(slice: &'a Slice<'_>, loss: LossKind) -> (Axis, impl Fn(usize, &[&Done]) -> f64 + 'a) {
    let is_squared = loss == LossKind::Squared;
    let measured = is_squared && slice.cells.values().flatten().any(|trial| of(trial, c).is_some());
    let axis = match measured {
        true => Axis::log("c = η λ₀").tight(),
        false => slice.x.axis(),
    };
    let place = move |column: usize, trials: &[&Done]| match measured {
        true => folded(trials, c).map_or(f64::NAN, |(c, _)| c),
        false => slice.x.values[column],
    };
    (axis, place)
}

/// The metric against the rate, on the ground of the phases.
pub(super) fn score(slice: &Slice<'_>, metric: &Metric, loss: LossKind) -> Option<Figure> {
    let name = metric.name;
    let (x, place) = across(slice, loss);
    let mut panel = Panel::new(if metric.is_loss { Axis::log(name) } else { Axis::even(name) });
    for (index, row) in slice.rows().enumerate() {
        let point = |(column, trials): (usize, &Vec<&Done>)| {
            // A loss that has left its limit would press all others to the bottom.
            let settled = |trial: &&&Done| !metric.is_loss || phase(trial) != Phase::Divergent;
            let settled: Vec<&Done> = trials.iter().filter(settled).copied().collect();
            let (y, ends) = folded(&settled, metric.of)?;
            Some(Point {
                x: place(column, trials),
                y,
                spread: (trials.len() > 1).then_some(ends),
                hollow: false,
            })
        };
        panel.series.push(Series {
            name: slice.name(row),
            colour: [Colour::Blue, Colour::Vermilion, Colour::Green, Colour::Purple, Colour::Ink][index % 5],
            stroke: Stroke::Both,
            spread: Spread::Up,
            points: slice.row(row).filter_map(point).collect(),
        });
    }
    ground(slice, &place, &mut panel);
    (panel.series.iter().any(|series| series.points.len() > 1)).then(|| Figure {
        name: "score".into(),
        title: slice.title(&format!("With the phases behind: {name} at the end")),
        note: "Medians over seeds and their ranges; the ground is the phase that most trials there had."
            .into(),
        x,
        panels: vec![panel],
        details: None,
    })
}

/// The phases behind a panel: along its axis in as many parts as there are rates, each of the phase that most trials in
/// it have.
fn ground(slice: &Slice<'_>, place: &impl Fn(usize, &[&Done]) -> f64, panel: &mut Panel) {
    let mut trials: Vec<(f64, &Done)> = Vec::new();
    for (&(column, _), cell) in &slice.cells {
        let at = place(column, cell);
        trials.extend(cell.iter().filter(|_| at > 0.0).map(|trial| (at, *trial)));
    }
    let ends = trials.iter().fold((f64::INFINITY, 0.0f64), |(l, h), (at, _)| (l.min(*at), h.max(*at)));
    if ends.0 >= ends.1 {
        return;
    }
    panel.kinds = kinds();
    panel.pale = true;
    let parts = slice.x.values.len().clamp(2, 48);
    let width = (ends.1 / ends.0).ln() / (parts - 1) as f64;
    let left = ends.0.ln() - 0.5 * width;
    let part = |at: f64| (((at.ln() - left) / width) as usize).min(parts - 1);
    let mut cells: Vec<Cell> = Vec::new();
    for index in 0..parts {
        let inside: Vec<&Done> =
            trials.iter().filter(|(at, _)| part(*at) == index).map(|(_, trial)| *trial).collect();
        if inside.is_empty() {
            continue;
        }
        let kind = majority(inside.iter());
        let [from, to] = [index, index + 1].map(|step| (left + step as f64 * width).exp());
        match cells.last_mut() {
            Some(last) if last.kind == kind => last.x[1] = to,
            last => {
                let from = last.map_or(from, |last| last.x[1]);
                let text = format!("mostly {}", PHASES[kind].name());
                cells.push(Cell {
                    x: [from, to],
                    y: [f64::NEG_INFINITY, f64::INFINITY],
                    kind,
                    text,
                    detail: None,
                });
            }
        }
    }
    panel.cells = cells;
}

/// Curvature at the end against that at the start, in units of one over the rate: the NTK's eigenvalue under the squared
/// loss, the Hessian's under every other.
pub(super) fn final_curvature(slice: &Slice<'_>, loss: LossKind) -> Option<Figure> {
    let (start, end, of_start, of_end): (Number, Number, &str, &str) = match loss {
        LossKind::Squared => (c, final_c, "c at the start = η λ₀", "c at the end = η λ"),
        _ => (c_h, final_c_h, "c_h at the start = η λ of the Hessian", "c_h at the end = η λ of the Hessian"),
    };
    let mut panel = Panel::new(Axis::log(of_end));
    for (index, row) in slice.rows().enumerate() {
        let point = |(_, trials): (usize, &Vec<&Done>)| {
            let settled: Vec<f64> = trials
                .iter()
                .filter(|trial| phase(trial) != Phase::Divergent)
                .filter_map(|trial| of(trial, end))
                .filter(|c| *c > 0.0)
                .collect();
            let (low, high) = settled.iter().fold((f64::INFINITY, 0.0f64), |(l, h), &c| (l.min(c), h.max(c)));
            let x = folded(trials, start)?.0;
            let y = (settled.iter().map(|c| c.ln()).sum::<f64>() / settled.len() as f64).exp();
            (!settled.is_empty()).then_some(Point { x, y, spread: Some([low, high]), hollow: false })
        };
        panel.series.push(Series {
            name: slice.name(row),
            colour: Colour::of(index),
            stroke: Stroke::Both,
            spread: Spread::Up,
            points: slice.row(row).filter_map(point).collect(),
        });
    }
    let at = || panel.series.iter().flat_map(|series| &series.points).map(|point| point.x);
    let ends = (at().fold(f64::INFINITY, f64::min), at().fold(0.0, f64::max));
    if ends.0 >= ends.1 {
        return None;
    }
    let unchanged = Place::Through(vec![(ends.0, ends.0), (ends.1, ends.1)]);
    panel.lines.push(Reference { name: "unchanged".into(), place: unchanged, dashed: false });
    panel.lines.push(Reference::level("2: limit of stability", 2.0));
    if loss == LossKind::Squared {
        panel.lines.push(Reference::at("c = 2", 2.0));
        panel.lines.push(Reference::at("c = 4", 4.0));
    }
    Some(Figure {
        name: "final-curvature".into(),
        title: slice.title("Curvature at the end against that at the start"),
        note: "Geometric means and ranges over the seeds that did not diverge.".into(),
        x: Axis::log(of_start),
        panels: vec![panel],
        details: None,
    })
}

/// The loss at some of the rates, with bands over seeds; a facet for each row.
pub(super) fn losses(slice: &Slice<'_>, folder: &Folder) -> Option<Figure> {
    let columns = slice.x.values.len();
    let most = RATES.min(columns);
    let chosen: Vec<usize> = (0..most).map(|index| index * (columns - 1) / (most - 1).max(1)).collect();
    let group = |row: usize, column: usize| {
        let steps = |trial: &&Done| {
            let limit = of(trial, first_loss).map_or(f64::INFINITY, |first| LIMIT * first);
            let inside = |loss: f64| if loss <= limit { loss } else { f64::NAN };
            // None where the file has changed since.
            let read = read::<TrainRow>(&file(&folder.root, &trial.name), &trial.name);
            let steps = read.map(|trial| trial.records).unwrap_or_default();
            let loss = |step: &Record| (step.step, inside(step.loss.unwrap_or(f64::NAN)));
            taken(&steps).iter().map(loss).collect()
        };
        let value = shown(Some(slice.x.values[column]), 3);
        let trials = slice.cells.get(&(column, row));
        let curves = trials.map(|trials| trials.iter().map(steps).collect()).unwrap_or_default();
        Group { name: format!("{} = {value}", symbol(&slice.x.name)), curves }
    };
    let panel = |row: usize| {
        let groups: Vec<Group> = chosen.iter().map(|&column| group(row, column)).collect();
        let axis = Axis::log("loss").in_unit(folder.loss_unit());
        Panel { facet: slice.name(row), series: bands(&groups), ..Panel::new(axis) }
    };
    let panels: Vec<Panel> = slice.rows().map(panel).collect();
    let is_drawn = panels.iter().flat_map(|panel| &panel.series).any(|series| series.points.len() > 1);
    is_drawn.then(|| Figure {
        name: "losses".into(),
        title: slice.title("Loss by rate"),
        note: format!("Medians and ranges over seeds. A line ends where most seeds have passed {LIMIT} times their first loss."),
        x: Axis::steps(),
        panels,
        details: None,
    })
}
