//! The page of `etalon theory scale-invariant`.

use super::content::{Content, Numbers, list, number, shown, text};
use crate::figure::{Axis, Colour, Figure, Look, Panel, Series};
use serde_json::Value;

/// What normalisation and weight decay did in a toy.
pub fn content(value: &Value) -> Content {
    let runs = list(value, "/runs");
    let is_ratio = text(value, "/problem") != Some("classifier");
    let (quantity, toy) = if is_ratio {
        ("loss", "x² / (x² + y²), against x²")
    } else {
        ("error", "a classifier behind a normalisation, against one without")
    };
    let mut content = Content { kind: format!("Theory: {toy}"), ..Content::default() };
    let both =
        |run: &&Value| is_normalized(run) && number(run, "/weight_decay").is_some_and(|decay| decay > 0.0);
    let worst = |of: &dyn Fn(&&Value) -> bool| {
        runs.iter().filter(of).filter_map(|run| number(run, "/largest")).reduce(f64::max)
    };
    let with = worst(&|run| both(run));
    let without = worst(&|run| !both(run));
    content.answer = match (with, without) {
        (Some(with), Some(without)) => format!(
            "largest {quantity} at the end: {} with normalisation and weight decay, {} with one of them or none",
            shown(Some(with), 3),
            shown(Some(without), 3)
        ),
        (one, other) => format!("largest {quantity} at the end: {}", shown(one.or(other), 3)),
    };
    content.interval =
        format!("over the last sixth of {} steps, one seed", shown(number(value, "/steps"), 6));
    content.figures.extend(figure(value, quantity));
    content.tables.push(table(runs, quantity));
    content
}

fn is_normalized(run: &Value) -> bool {
    run.get("normalized") == Some(&Value::Bool(true))
}

/// What is lower is drawn here, or the axis would be as long as the exponents of numbers.
const FLOOR: f64 = 1e-12;

/// Loss or error, and the effective rate of what is normalised, step by step.
fn figure(value: &Value, quantity: &str) -> Option<Figure> {
    let mut panels = [Panel::new(Axis::log(quantity)), Panel::new(Axis::log("η / |w|²"))];
    for (index, (run, curve)) in list(value, "/runs").iter().zip(list(value, "/curves")).enumerate() {
        let eta = number(run, "/eta")?;
        let scale = if is_normalized(run) { "normalised" } else { "plain" };
        let name = format!("{scale}, η {eta}, decay {}", number(run, "/weight_decay")?);
        let states: Vec<[f64; 3]> = curve
            .as_array()?
            .iter()
            .filter_map(|state| Some([number(state, "/0")?, number(state, "/1")?, number(state, "/2")?]))
            .collect();
        let line = |of: fn(&[f64; 3], f64) -> f64| {
            let points = states.iter().map(|state| (state[0], of(state, eta)));
            Series::plain(name.clone(), Colour::of(index), Look::Line, points)
        };
        panels[0].series.push(line(|state, _| state[1].max(FLOOR)));
        if is_normalized(run) {
            panels[1].series.push(line(|state, eta| eta / state[2]));
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

fn table(runs: &[Value], quantity: &str) -> Numbers {
    let (mean, largest) = (format!("mean {quantity}"), format!("largest {quantity}"));
    let columns = ["normalised", "η", "weight decay", &mean, &largest, "bursts", "|w|²", "η / |w|²"];
    let mut table = Numbers::new("Runs", columns);
    for run in runs {
        let four = |place: &str| shown(number(run, place), 4);
        table.row([
            if is_normalized(run) { "yes" } else { "no" }.into(),
            four("/eta"),
            four("/weight_decay"),
            four("/mean"),
            four("/largest"),
            number(run, "/bursts").map_or("–".into(), |count| count.to_string()),
            four("/square"),
            four("/effective_rate"),
        ]);
    }
    table
}
