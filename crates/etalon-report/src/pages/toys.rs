//! The page of `etalon theory scale-invariant`.

use super::content::{Content, Numbers, shown};
use crate::figure::{Axis, Colour, Figure, Panel, Series, Stroke};
use etalon::models::{Toy, ToyRun, ToyState, Toys};

/// What normalisation and weight decay did in a toy.
pub(super) fn content(toys: &Toys) -> Content {
    let (quantity, toy) = match toys.toy {
        Toy::Ratio { .. } => ("loss", "x² / (x² + y²), against x²"),
        Toy::Classifier { .. } => ("error", "a classifier behind a normalisation, against one without"),
    };
    let mut content = Content { kind: format!("Theory: {toy}"), ..Content::default() };
    let has_both = |run: &ToyRun| run.normalized && run.weight_decay > 0.0;
    let worst = |both: bool| {
        let runs = toys.runs.iter().filter(|run| has_both(run) == both);
        runs.filter_map(|run| run.largest).reduce(f64::max)
    };
    let (with, without) = (worst(true), worst(false));
    content.answer = match (with, without) {
        (Some(with), Some(without)) => format!(
            "largest {quantity} at the end: {} with normalisation and weight decay, {} with one of them or none",
            shown(Some(with), 3),
            shown(Some(without), 3)
        ),
        (one, other) => format!("largest {quantity} at the end: {}", shown(one.or(other), 3)),
    };
    content.interval = format!("over the last sixth of {} steps, one seed", toys.steps);
    content.figures.extend(figure(toys, quantity));
    content.tables.push(table(&toys.runs, quantity));
    content
}

/// What is lower is drawn here, or the axis would be as long as the exponents of numbers.
const FLOOR: f64 = 1e-12;

/// Loss or error, and the effective rate of what is normalised, step by step.
fn figure(toys: &Toys, quantity: &str) -> Option<Figure> {
    let mut panels = [Panel::new(Axis::log(quantity)), Panel::new(Axis::log("η / |w|²"))];
    for (index, (run, states)) in toys.runs.iter().zip(&toys.curves).enumerate() {
        let ToyRun { normalized, eta, weight_decay, .. } = *run;
        let scale = if normalized { "normalised" } else { "plain" };
        let name = format!("{scale}, η {eta}, decay {weight_decay}");
        let line = |of: fn(&ToyState, f64) -> f64| {
            let points = states.iter().map(|state| (state.0 as f64, of(state, eta)));
            Series::plain(name.clone(), Colour::of(index), Stroke::Line, points)
        };
        panels[0].series.push(line(|state, _| state.1.max(FLOOR)));
        if normalized {
            panels[1].series.push(line(|state, eta| eta / state.2));
        }
    }
    let any = panels[0].series.iter().any(|series| series.points.len() > 1);
    any.then(|| Figure {
        name: "toys".into(),
        title: format!("The {quantity}, and the rate that directions feel"),
        note: format!(
            "With normalisation and weight decay the effective rate η / |w|² grows until the {quantity} bursts. Below {FLOOR:e} a \
             {quantity} is drawn there."
        ),
        x: Axis::steps(),
        panels: panels.into(),
        details: None,
    })
}

fn table(runs: &[ToyRun], quantity: &str) -> Numbers {
    let (mean, largest) = (format!("mean {quantity}"), format!("largest {quantity}"));
    let columns = ["normalised", "η", "weight decay", &mean, &largest, "bursts", "|w|²", "η / |w|²"];
    let mut table = Numbers::new("Runs", columns);
    for run in runs {
        let four = |number: Option<f64>| shown(number, 4);
        table.row([
            if run.normalized { "yes" } else { "no" }.into(),
            four(Some(run.eta)),
            four(Some(run.weight_decay)),
            four(run.mean),
            four(run.largest),
            run.bursts.to_string(),
            four(run.square),
            four(run.effective_rate),
        ]);
    }
    table
}
