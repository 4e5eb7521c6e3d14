//! The page of `etalon measure`.

use super::content::{Content, Numbers, shown};
use super::folder::Folder;
use crate::figure::{Axis, Cell, Colour, Figure, Kind, Panel, Reference};
use etalon::curvature::{Estimate, Measurement};
use etalon::theory::Threshold;

/// What a measurement says.
pub(super) fn content(measured: &Measurement, folder: &Folder) -> Content {
    let Measurement { thresholds, hessian, samples, .. } = measured;
    let limit = measured.limit.as_deref();
    let mut content = Content { kind: "Curvature at a point".into(), ..Content::default() };
    let first = thresholds.iter().find(|one| Some(one.name.as_str()) == limit).or(thresholds.first());
    content.answer = match first {
        Some(first) => format!("the loss begins to rise at η = {}", shown(Some(first.eta), 3)),
        None => format!("largest Hessian eigenvalue {}", shown(measured.sharpness(), 4)),
    };
    content.interval = first.map_or(String::new(), |first| {
        let formula = &first.formula;
        format!("{formula}, from {samples} training samples at this point; it bounds the start of training, not its lifetime")
    });
    let facts = [
        ("NTK, largest eigenvalue", measured.ntk),
        ("Hessian, largest", hessian.max),
        ("Hessian, smallest", hessian.min),
        ("preconditioned Hessian, largest", measured.preconditioned),
    ];
    facts.into_iter().for_each(|(name, found)| content.fact(name, found.and_then(eigenvalue)));
    content.fact("loss there", Some(loss_text(measured.loss, folder)));
    content.fact("parameters", Some(measured.parameters.to_string()));
    content.doubts.extend(measured.warnings.iter().cloned());
    let omitted = measured.omitted.iter().map(|omitted| format!("No {}: {}.", omitted.name, omitted.reason));
    content.doubts.extend(omitted);
    let named = measured.estimates();
    content.tables.push(estimates(&named));
    let unsure = named.iter().filter(|(_, estimate)| !estimate.converged);
    content.doubts.extend(
        unsure.map(|(name, _)| format!("{name}: the eigenvalue has not converged (see its residual below).")),
    );
    let mut table = Numbers::new("Thresholds", ["threshold", "η", "is", "assumes"]);
    for one in thresholds {
        table.row([one.name.clone(), shown(Some(one.eta), 4), one.formula.clone(), one.assumes.clone()]);
    }
    content.tables.push(table);
    content.figures.extend(ladder(thresholds, limit));
    content
}

fn loss_text(loss: f64, folder: &Folder) -> String {
    format!("{} {}", shown(Some(loss), 4), folder.loss_unit()).trim_end().into()
}

/// A value with its residual.
fn eigenvalue(estimate: Estimate) -> Option<String> {
    let note = if estimate.converged { "" } else { ", not converged" };
    let (value, residual) = (shown(Some(estimate.value?), 5), shown(estimate.residual, 2));
    Some(format!("{value} (relative residual {residual}{note})"))
}

fn estimates(named: &[(String, &Estimate)]) -> Numbers {
    let mut table = Numbers::new(
        "Eigenvalues",
        ["eigenvalue", "value", "relative residual", "Lanczos iterations", "converged"],
    );
    for (name, estimate) in named {
        table.row([
            name.clone(),
            shown(estimate.value, 5),
            shown(estimate.residual, 2),
            estimate.iterations.to_string(),
            if estimate.converged { "yes" } else { "no" }.into(),
        ]);
    }
    table.note = "A residual is relative to the largest eigenvalue in magnitude.".into();
    table
}

/// What lies between the thresholds, along the axis of learning rates; `limit` is the one at which the optimiser becomes
/// unstable.
fn ladder(thresholds: &[Threshold], limit: Option<&str>) -> Option<Figure> {
    let mut places: Vec<(f64, &str)> =
        thresholds.iter().map(|one| (one.eta, one.name.as_str())).filter(|(eta, _)| *eta > 0.0).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (places.first()?.0 / 10.0, places.last()?.0 * 10.0);
    let mut panel = Panel::new(Axis { marks: vec![(0.5, String::new())], ..Axis::even("").tight() });
    panel.weight = 0.35;
    let is_plain = limit == Some("lazy-limit");
    let beyond = if is_plain { "beyond 2/λ" } else { "beyond the optimiser's limit" };
    let kinds = [
        ("no rise of the loss expected", Colour::Sky),
        (beyond, Colour::Orange),
        ("beyond 4/λ", Colour::Grey),
    ];
    panel.kinds = kinds.map(|(name, colour)| Kind { name: name.into(), colour }).into();
    let eta = |wanted: &str| places.iter().find(|(_, name)| *name == wanted).map(|(eta, _)| *eta);
    // The catapult's upper end is that of plain gradient descent.
    let (lazy, catapult) = (eta(limit?)?, eta("catapult-limit").filter(|_| is_plain));
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
