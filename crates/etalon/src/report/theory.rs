//! The page of the boundaries of a solvable model.

use super::content::{Content, Numbers, list, number, shown, size, text};
use crate::figure::{Band, BandPicture, Curve, Figure};
use serde_json::Value;

/// What the boundaries of a solvable model say.
pub fn boundaries(value: &Value) -> Content {
    let found = list(value, "/boundaries");
    let mut content = Content { kind: "Theory: boundaries of early training".into(), ..Content::default() };
    let names =
        [("c_loss", "the loss rises"), ("c_sharp", "sharpness rises"), ("c_max", "training diverges")];
    let ends = |one: &Value, name: &str| {
        number(one, &format!("/{name}/accepted")).zip(number(one, &format!("/{name}/refused")))
    };
    let middle = |one: &Value, name: &str| ends(one, name).map(|(low, high)| (low * high).sqrt());
    let widest = found.last();
    content.answer = match widest.and_then(|one| middle(one, "c_max")) {
        Some(c) => format!("training diverges at c = {}", shown(Some(c), 4)),
        None => "no divergence in the range".into(),
    };
    content.interval = widest.map_or(String::new(), |one| {
        format!("at width {}, c = η × sharpness at the start", size(number(one, "/width")))
    });
    let mut table = Numbers::new("Boundaries", ["width", "sharpness", "c_loss", "c_sharp", "c_max"]);
    for one in found {
        table.row([
            size(number(one, "/width")),
            shown(number(one, "/sharpness"), 5),
            shown(middle(one, "c_loss"), 6),
            shown(middle(one, "c_sharp"), 6),
            shown(middle(one, "c_max"), 6),
        ]);
    }
    table.note = "A dash: no such change in the range.".into();
    content.tables.push(table);
    for (name, _) in names {
        content.fact(name, text(value, &format!("/definition/{name}")));
    }
    let curve = |(name, meaning): (&str, &str)| {
        let band = |one: &Value| {
            let ((low, high), median) = (ends(one, name)?, middle(one, name)?);
            Some(Band { size: number(one, "/width")?, low, median, high })
        };
        Curve { name: format!("{name}: {meaning}"), bands: found.iter().filter_map(band).collect() }
    };
    let curves = names.map(curve);
    let picture = BandPicture {
        title: "Boundaries of early training".into(),
        right: "c = learning rate × sharpness at the start",
        up: "width n",
        curves: &curves,
    };
    content
        .figures
        .extend(picture.figure().map(|figure| Figure { name: "early-boundaries".into(), ..figure }));
    content
}
