//! Power laws.

use super::content::{Content, Numbers, shown};
use super::other;
use crate::figure::{Figure, Mark, fitted};
use crate::fit::{PowerLaw, Regression};
use serde_json::Value;

/// What the figure shows.
const NOTE: &str =
    "Discs: what the law was fitted to; rings: what was left out. Below, measured over fitted.";

/// What `etalon fit --out` says.
pub fn content(value: &Value) -> Content {
    let Ok(law) = serde_json::from_value::<PowerLaw>(value.clone()) else {
        return other::content("fit.json", value);
    };
    let mut content = Content { kind: "Power law".into(), ..Content::default() };
    let exponent = &law.joint.exponents[0];
    content.answer = format!("{} ∝ ({})^{}", law.y, law.x.join(" × "), shown(Some(exponent.value), 3));
    content.interval = format!(
        "{} % interval of the exponent {} to {}, R² = {}, {} points",
        shown(Some(100.0 * law.level), 2),
        shown(Some(exponent.low), 3),
        shown(Some(exponent.high), 3),
        shown(law.joint.r_squared, 3),
        law.points
    );
    let marks = value.get("marks").cloned().and_then(|marks| serde_json::from_value::<Vec<Mark>>(marks).ok());
    let figure = marks.and_then(|marks| fitted(&law, &marks).ok());
    content.figures.extend(figure.map(|figure| Figure { note: NOTE.into(), ..figure }));
    content.tables.push(regressions(&law, ""));
    if !law.excluded.is_empty() {
        let mut table = Numbers::new("Left out", ["point", "why"]);
        law.excluded.iter().take(100).for_each(|one| table.row([one.label.clone(), one.reason.clone()]));
        if law.excluded.len() > 100 {
            table.note = format!("The first 100 of {}.", law.excluded.len());
        }
        content.tables.push(table);
    }
    content
}

/// The exponents of a law with their uncertainty.
pub fn regressions(law: &PowerLaw, fixed: &str) -> Numbers {
    let interval = format!("{} % interval", shown(Some(100.0 * law.level), 2));
    let columns = ["law", "of", "exponent", "standard error", &interval, "R²", "deviation of ln y"];
    let mut table = Numbers::new(&format!("Fit of {}{fixed}", law.y), columns);
    let mut rows = |name: &str, regression: &Regression| {
        for exponent in &regression.exponents {
            table.row([
                name.into(),
                exponent.name.clone(),
                shown(Some(exponent.value), 4),
                shown(Some(exponent.standard_error), 2),
                format!("{} to {}", shown(Some(exponent.low), 4), shown(Some(exponent.high), 4)),
                shown(regression.r_squared, 4),
                shown(Some(regression.residual_deviation), 3),
            ]);
        }
    };
    rows("joint", &law.joint);
    law.free.iter().for_each(|free| rows("free", free));
    table.note = law
        .no_free
        .clone()
        .filter(|_| law.x.len() > 1)
        .map_or(String::new(), |why| format!("No free exponents: {why}."));
    table
}
