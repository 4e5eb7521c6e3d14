//! Sweeps of the boundaries of early training.

use super::content::{Content, Numbers, count, range, shown};
use crate::figure::{self, Figure, symbol};
use etalon::phase::boundaries::EVENTS;
use etalon::sweep::{BoundariesRow, Diagram, Rows, Scale, diagrams};

/// What a sweep of boundaries says.
pub(super) fn content(rows: &Rows<BoundariesRow>) -> Content {
    let mut content = Content::default();
    let ends = |values: &[f64]| {
        values.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &value| (low.min(value), high.max(value)))
    };
    let (scale, columns) = (Scale::of(rows), Scale::of(rows).columns());
    let symbol = scale.symbol();
    for (index, (name, meaning)) in columns.into_iter().zip(EVENTS).enumerate() {
        let values: Vec<f64> =
            rows.trials.iter().filter_map(|trial| scale.values(&trial.found)[index]).collect();
        let (low, high) = ends(&values);
        let text = match values.len() {
            0 => "in no trial within the range".into(),
            found => {
                format!(
                    "{symbol} = {} in {} of {}",
                    range(low, high, 3),
                    found,
                    count(rows.trials.len(), "trial")
                )
            }
        };
        if index + 1 == columns.len() {
            content.answer = match values.len() {
                0 => "no divergence in the range".into(),
                _ => format!("training diverges at {symbol} = {}", range(low, high, 3)),
            };
            content.interval = format!("over all sizes and seeds; {}", scale.meaning());
        }
        content.fact(&format!("{name}: {meaning}"), Some(text));
    }
    match diagrams(rows) {
        Ok(diagrams) => {
            for diagram in &diagrams {
                content.figures.extend(picture(diagram));
                content.tables.push(table(diagram));
            }
        }
        Err(reason) => content.notes.push(format!("No diagram: {reason}.")),
    }
    content
}

fn picture(diagram: &Diagram) -> Option<Figure> {
    let figure = figure::boundaries(diagram, "Early training").ok()?;
    let note = "Medians and ranges over seeds.".into();
    Some(Figure { name: "early-boundaries".into(), note, ..figure })
}

fn table(diagram: &Diagram) -> Numbers {
    let title =
        if diagram.fixed.is_empty() { "Boundaries".into() } else { format!("Boundaries, {}", diagram.fixed) };
    let mut table = Numbers::new(
        &title,
        [
            &symbol(&diagram.size),
            "boundary",
            &format!("median {}", diagram.scale.symbol()),
            "over seeds",
            "seeds without",
        ],
    );
    for place in &diagram.places {
        let band = place.band();
        table.row([
            place.size.to_string(),
            place.boundary.into(),
            shown(band.map(|[_, median, _]| median), 4),
            band.map_or("–".into(), |[low, _, high]| range(low, high, 4)),
            place.missing.to_string(),
        ]);
    }
    table.note = "A dash: half of the seeds or more have no such change in the range.".into();
    table
}
