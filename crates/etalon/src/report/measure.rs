//! The page of `etalon measure`.

use super::content::{Content, Numbers, list, number, shown, text};
use super::folder::Folder;
use crate::figure::{Axis, Cell, Colour, Figure, Kind, Panel, Reference};
use serde_json::Value;

/// What a measurement says.
pub fn content(value: &Value, folder: &Folder) -> Content {
    let samples = number(value, "/samples").unwrap_or(f64::NAN);
    let thresholds = list(value, "/thresholds");
    let eta = |name: &str| thresholds.iter().find(|one| text(one, "/name") == Some(name));
    let mut content = Content { kind: "Curvature at a point".into(), ..Content::default() };
    let first = eta("lazy-limit").or(thresholds.first());
    content.answer = match first.and_then(|one| number(one, "/eta")) {
        Some(limit) => format!("the loss begins to rise at η = {}", shown(Some(limit), 3)),
        None => format!("largest Hessian eigenvalue {}", shown(number(value, "/hessian/max/value"), 4)),
    };
    content.interval = first.and_then(|one| text(one, "/formula")).map_or(String::new(), |formula| {
        format!("{formula}, from {samples} training samples at this point; it bounds the start of training, not its lifetime")
    });
    content.fact("NTK, largest eigenvalue", eigenvalue(value.get("ntk")));
    content.fact("Hessian, largest", eigenvalue(value.pointer("/hessian/max")));
    content.fact("Hessian, smallest", eigenvalue(value.pointer("/hessian/min")));
    content.fact("loss there", number(value, "/loss").map(|loss| loss_text(loss, folder)));
    content.fact("parameters", number(value, "/parameters").map(|count| count.to_string()));
    content.doubts.extend(list(value, "/warnings").iter().filter_map(Value::as_str).map(String::from));
    for omitted in list(value, "/omitted") {
        let (name, reason) = (text(omitted, "/name").unwrap_or(""), text(omitted, "/reason").unwrap_or(""));
        content.doubts.push(format!("No {name}: {reason}."));
    }
    let mut named: Vec<(String, &Value)> = Vec::new();
    let parts = [
        ("NTK, largest", "/ntk"),
        ("Hessian, largest", "/hessian/max"),
        ("Hessian, smallest", "/hessian/min"),
        ("Gauss-Newton, largest", "/gauss_newton"),
        ("with factors and weight decay", "/decayed"),
    ];
    named.extend(parts.iter().filter_map(|(name, place)| Some((name.to_string(), value.pointer(place)?))));
    let others = list(value, "/hessian/top").iter().enumerate().skip(1);
    named.extend(others.map(|(index, estimate)| (format!("Hessian, number {}", index + 1), estimate)));
    for layer in list(value, "/layers") {
        if let (Some(name), Some(estimate)) = (text(layer, "/layer"), layer.get("hessian")) {
            named.push((format!("Hessian of {name}"), estimate));
        }
    }
    content.tables.push(estimates(&named));
    for (name, estimate) in &named {
        if estimate.get("converged") == Some(&Value::Bool(false)) {
            content
                .doubts
                .push(format!("{name}: the eigenvalue has not converged (see its residual below)."));
        }
    }
    let mut table = Numbers::new("Thresholds", ["threshold", "η", "is", "assumes"]);
    for one in thresholds {
        let word = |place: &str| text(one, place).unwrap_or("–").to_string();
        table.row([word("/name"), shown(number(one, "/eta"), 4), word("/formula"), word("/assumes")]);
    }
    content.tables.push(table);
    content.figures.extend(ladder(thresholds));
    content
}

fn loss_text(loss: f64, folder: &Folder) -> String {
    format!("{} {}", shown(Some(loss), 4), folder.loss_unit()).trim_end().into()
}

/// A value with its residual.
fn eigenvalue(estimate: Option<&Value>) -> Option<String> {
    let estimate = estimate?;
    let value = number(estimate, "/value")?;
    let residual = shown(number(estimate, "/residual"), 2);
    let converged = estimate.get("converged") != Some(&Value::Bool(false));
    let note = if converged { "" } else { ", not converged" };
    Some(format!("{} (relative residual {residual}{note})", shown(Some(value), 5)))
}

fn estimates(named: &[(String, &Value)]) -> Numbers {
    let mut table = Numbers::new(
        "Eigenvalues",
        ["eigenvalue", "value", "relative residual", "Lanczos iterations", "converged"],
    );
    for (name, estimate) in named {
        table.row([
            name.clone(),
            shown(number(estimate, "/value"), 5),
            shown(number(estimate, "/residual"), 2),
            number(estimate, "/iterations").map_or("–".into(), |count| count.to_string()),
            if estimate.get("converged") == Some(&Value::Bool(true)) { "yes".into() } else { "no".into() },
        ]);
    }
    table.note = "A residual is relative to the largest eigenvalue in magnitude.".into();
    table
}

/// What lies between the thresholds, along the axis of learning rates.
fn ladder(thresholds: &[Value]) -> Option<Figure> {
    let mut places: Vec<(f64, &str)> = thresholds
        .iter()
        .filter_map(|one| Some((number(one, "/eta").filter(|eta| *eta > 0.0)?, text(one, "/name")?)))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (places.first()?.0 / 10.0, places.last()?.0 * 10.0);
    let mut panel = Panel::new(Axis { marks: vec![(0.5, String::new())], ..Axis::even("").tight() });
    panel.weight = 0.35;
    let kinds = [
        ("no rise of the loss expected", Colour::Sky),
        ("beyond 2/λ", Colour::Orange),
        ("beyond 4/λ", Colour::Grey),
    ];
    panel.kinds = kinds.map(|(name, colour)| Kind { name: name.into(), colour }).into();
    let eta = |wanted: &str| places.iter().find(|(_, name)| *name == wanted).map(|(eta, _)| *eta);
    let (lazy, catapult) = (eta("lazy-limit")?, eta("catapult-limit"));
    let borders = [Some(low), Some(lazy), catapult.filter(|eta| *eta > lazy), Some(high)];
    let borders: Vec<f64> = borders.into_iter().flatten().collect();
    for (kind, ends) in borders.windows(2).enumerate() {
        let text = panel.kinds[kind].name.clone();
        panel.cells.push(Cell { x: [ends[0], ends[1]], y: [0.0, 1.0], kind, text, detail: None });
    }
    panel.lines = places.iter().map(|(eta, name)| Reference::at(*name, *eta)).collect();
    for (index, line) in panel.lines.iter_mut().enumerate() {
        line.dashed = index % 2 == 0;
    }
    Some(Figure {
        name: "thresholds".into(),
        title: "What the thresholds say of each learning rate".into(),
        note: "They hold at this point, at the start of training from it; curvature moves.".into(),
        x: Axis::log("learning rate η").tight(),
        panels: vec![panel],
        details: None,
    })
}
