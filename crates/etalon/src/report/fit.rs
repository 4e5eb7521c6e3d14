//! Power laws.

use super::content::{Content, Numbers, list, shown};
use super::other;
use crate::figure::{Figure, Mark, fitted};
use crate::fit::{PowerLaw, Regression};
use serde_json::Value;

/// What the figure shows.
const NOTE: &str =
    "Discs: what the law was fitted to; rings: what was left out. Below, measured over fitted.";

/// What `etalon fit --out` says.
pub fn content(value: &Value) -> Content {
    let law = serde_json::from_value::<PowerLaw>(value.clone()).ok();
    // A file that something has changed may have a law without an exponent.
    let Some(law) = law.filter(|law| !law.joint.exponents.is_empty()) else {
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
    // A mark with a number that is none has no place in the figure.
    let marks = list(value, "/marks").iter().filter_map(|mark| serde_json::from_value(mark.clone()).ok());
    let figure = fitted(&law, &marks.collect::<Vec<Mark>>());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::{Options, Point, power_law};
    use serde_json::json;

    #[test]
    fn a_damaged_law_and_marks_without_numbers_are_no_panic() {
        let point = |x: f64| Point { label: x.to_string(), x: vec![x], y: 3.0 / x };
        let points: Vec<Point> = [1.0, 2.0, 4.0, 8.0].map(point).into();
        let law = power_law("y", &["x".into()], &points, Vec::new(), &Options::default()).unwrap();
        let mut value = serde_json::to_value(&law).unwrap();
        let mark = |y: Value| json!({ "group": "g", "x": 1.0, "y": y, "spread": [1.0, 4.0], "used": true });
        value["marks"] = json!([mark(json!(3.0)), mark(Value::Null)]);
        let content = self::content(&value);
        assert_eq!((content.figures.len(), content.figures[0].panels[0].series[0].points.len()), (1, 1));
        value["joint"]["exponents"] = json!([]);
        assert_eq!(self::content(&value).kind, "Result");
    }
}
