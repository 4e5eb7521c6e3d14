//! The pages of `etalon schedule`.

use super::content::{Content, Numbers, list, number, shown, text};
use crate::figure::{Axis, Colour, Figure, Look, Panel, RatePicture, Reference, Series};
use serde_json::Value;
use std::f64::consts::LN_10;

/// Logarithms of rates, one a step; what has none is not finite.
fn rates(value: &Value, place: &str) -> Vec<f64> {
    list(value, place).iter().map(|rate| rate.as_f64().unwrap_or(f64::NEG_INFINITY)).collect()
}

/// A rate by its natural logarithm.
fn power(log_eta: Option<&f64>) -> String {
    match log_eta {
        Some(&log_eta) if log_eta.abs() < 600.0 => shown(Some(log_eta.exp()), 4),
        Some(&log_eta) if log_eta.is_finite() => {
            let power = log_eta / LN_10;
            format!("{}e{}", shown(Some(10f64.powf(power - power.floor())), 3), power.floor())
        }
        _ => "0".into(),
    }
}

/// What a schedule, or a pair of them, says.
pub fn content(value: &Value) -> Content {
    // One alone; with and without weight decay; the way back.
    let places: &[(&str, &str)] = if value.get("plain").is_some() {
        &[("with weight decay", "/plain/log_eta"), ("without, the same functions", "/log_eta")]
    } else if value.get("given").is_some() {
        &[("without weight decay", "/given/log_eta"), ("with, the same functions", "/log_eta")]
    } else {
        &[("learning rate", "/log_eta")]
    };
    let curves: Vec<(&str, Vec<f64>)> =
        places.iter().map(|&(name, place)| (name, rates(value, place))).collect();
    let (first, last) = (&curves[0].1, &curves[curves.len() - 1].1);
    let mut content = Content { kind: "Schedule of learning rates".into(), ..Content::default() };
    content.answer = match curves.len() {
        1 => format!("from η = {} to {}", power(first.first()), power(first.last())),
        _ => format!("without weight decay the rate ends at η = {}", power(last.last())),
    };
    if value.get("given").is_some() {
        content.answer = format!("with weight decay the rate ends at η = {}", power(last.last()));
    }
    content.interval = format!("in {} steps", first.len());
    content.fact("conversion", text(value, "/conversion").map(|how| how.replace('_', " ")));
    for (name, place) in [("momentum", "/momentum"), ("weight decay", "/weight_decay")] {
        let found = number(value, place).or(number(value, &format!("/plain{place}")));
        content.fact(name, found.map(|number| number.to_string()));
    }
    for (name, place) in [("leaves f32 at step", "/leaves_f32"), ("leaves f64 at step", "/leaves_f64")] {
        content.fact(name, number(value, place).map(|step| step.to_string()));
    }
    let picture = RatePicture {
        title: "Learning rates step by step".into(),
        curves: curves.iter().map(|(name, rates)| (*name, &rates[..])).collect(),
    };
    content.figures.extend(
        picture.figure_with_difference().map(|figure| Figure { name: "learning-rates".into(), ..figure }),
    );
    let mut table = Numbers::new("Learning rates", ["step", curves[0].0, curves[curves.len() - 1].0]);
    let stride = first.len().div_ceil(12).max(1);
    for step in (0..first.len()).filter(|step| step % stride == 0 || step + 1 == first.len()) {
        table.row([step.to_string(), power(first.get(step)), power(last.get(step))]);
    }
    if curves.len() == 1 {
        table.columns.pop();
        table.rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    content.tables.push(table);
    content
}

/// Whether two schedules train the same functions.
pub fn equivalence(value: &Value) -> Content {
    let mut content =
        Content { kind: "Do two schedules train the same functions?".into(), ..Content::default() };
    content.answer = match value.get("equivalent") {
        Some(Value::Bool(true)) => "equivalent".into(),
        Some(Value::Bool(false)) => "not equivalent".into(),
        _ => "not decided: rounding alone parts two runs of this training".into(),
    };
    let tolerance = shown(number(value, "/tolerance"), 2);
    content.interval =
        format!("over {} steps, to a relative {tolerance} in f64", shown(number(value, "/steps"), 4));
    content.fact("conversion", text(value, "/conversion").map(|how| how.replace('_', " ")));
    let scaled: Vec<&str> = list(value, "/scaled").iter().filter_map(Value::as_str).collect();
    content.fact("whose scale does not matter", (!scaled.is_empty()).then(|| scaled.join(", ")));
    let mut table = Numbers::new(
        "Agreement",
        ["precision", "loss", "directions", "outputs", "norms", "limit", "parted at step"],
    );
    for one in list(value, "/agreement") {
        let two = |place: &str| shown(number(one, place), 2);
        let parted = number(one, "/parted").map_or("–".into(), |step| step.to_string());
        let precision = text(one, "/precision").unwrap_or("–").to_string();
        table.row([
            precision,
            two("/loss"),
            two("/direction"),
            two("/logits"),
            two("/norm"),
            two("/limit"),
            parted,
        ]);
    }
    table.note = "The largest relative difference over all steps.".into();
    content.tables.push(table);
    let mut table = Numbers::new("Parts whose scale matters", ["part", "why"]);
    for one in list(value, "/others") {
        let word = |place: &str| text(one, place).unwrap_or("–").to_string();
        table.row([word("/segment"), word("/reason")]);
    }
    if !table.rows.is_empty() {
        content.doubts.push(format!(
            "The scale of {} parts matters (listed below): they keep their rate and their weight decay.",
            table.rows.len()
        ));
    }
    content.tables.push(table);
    content.figures.extend(parting(list(value, "/agreement")));
    content
}

/// How the difference of two runs grew, in each precision.
fn parting(agreement: &[Value]) -> Option<Figure> {
    let mut panel = Panel::new(Axis::log("largest difference"));
    let colours = [(Colour::Blue, Colour::Sky), (Colour::Vermilion, Colour::Orange)];
    for (one, (plain, pale)) in agreement.iter().zip(colours) {
        let precision = text(one, "/precision").unwrap_or("–");
        let course = |of: &str| -> Vec<(f64, f64)> {
            let stretches = list(one, "/course").iter();
            stretches.filter_map(|at| Some((number(at, "/step")?, number(at, of)?))).collect()
        };
        let line = |name: &str, colour, of| {
            Series::plain(format!("{precision}, {name}"), colour, Look::Line, course(of))
        };
        panel.series.push(line("the two schedules", plain, "/between"));
        panel.series.push(line("rounding alone", pale, "/rounding"));
        let limit = number(one, "/limit");
        panel.lines.extend(limit.map(|limit| Reference::level("below, it counts as none", limit)));
    }
    let any = panel.series.iter().any(|series| series.points.len() > 1);
    any.then(|| Figure {
        name: "difference".into(),
        title: "How far the two runs are from each other".into(),
        note: "The largest difference of the loss, of the weights' directions and of their norms. Rounding alone: the run with \
               weight decay beside one whose start differs in the last digit, until the two schedules have parted."
            .into(),
        x: Axis::steps(),
        panels: vec![panel],
        details: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_undecided_comparison_is_neither_equal_nor_unequal_and_its_course_is_drawn() {
        let course = json!([
            { "step": 0, "between": 1e-16, "rounding": 2e-16 },
            { "step": 1, "between": 1e-3, "rounding": 4e-4 },
            { "step": 2, "between": 2e-3, "rounding": null },
        ]);
        let value = |equivalent: Value| {
            let agreement = json!([{ "precision": "f64", "limit": 1e-8, "course": course.clone() }]);
            json!({ "equivalent": equivalent, "steps": 3, "tolerance": 1e-8, "agreement": agreement })
        };
        let answer = |equivalent: Value| self::equivalence(&value(equivalent)).answer;
        assert_eq!(answer(json!(true)), "equivalent");
        assert_eq!(answer(json!(false)), "not equivalent");
        let undecided = equivalence(&value(Value::Null));
        assert!(undecided.answer.starts_with("not decided"), "{}", undecided.answer);
        let panel = &undecided.figures[0].panels[0];
        let lengths: Vec<usize> = panel.series.iter().map(|series| series.points.len()).collect();
        assert_eq!((lengths, panel.lines.len()), (vec![3, 2], 1));
    }
}
