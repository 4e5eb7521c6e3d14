//! Power laws.

use super::content::{Content, Numbers, shown};
use crate::figure::{Figure, fitted, symbol};
use etalon::fit::{Fitted, PowerLaw, Regression};

/// What the figure shows.
const NOTE: &str = "Discs: what the law was fitted to; rings: what was left out; the grey band: where the law lies. Below, measured over \
     fitted.";

/// What `etalon fit --out` says.
pub(super) fn content(Fitted { law, marks }: &Fitted) -> Content {
    let mut content = Content { kind: "Power law".into(), ..Content::default() };
    // A file that something has changed may have a law without an exponent.
    if let Some(exponent) = law.joint.exponents.first() {
        let (y, x) = (symbol(&law.y), law.x.iter().map(|x| symbol(x)).collect::<Vec<_>>().join(" × "));
        let value = shown(Some(exponent.value), 3);
        content.answer = match exponent.low <= 0.0 && exponent.high >= 0.0 {
            true => format!("No law: {y} ∝ ({x})^{value} is not told from a constant"),
            false => format!("{y} ∝ ({x})^{value}"),
        };
        content.interval = format!(
            "{} % interval of the exponent {} to {}, R² = {}, {} points",
            shown(Some(100.0 * law.level), 2),
            shown(Some(exponent.low), 3),
            shown(Some(exponent.high), 3),
            shown(law.joint.r_squared, 3),
            law.points
        );
        // A mark with a number that is none has no place in the figure.
        let figure = fitted(law, marks);
        content.figures.extend(figure.map(|figure| Figure { note: NOTE.into(), ..figure }));
    }
    content.tables.push(regressions(law, ""));
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
pub(super) fn regressions(law: &PowerLaw, fixed: &str) -> Numbers {
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
    use etalon::fit::{Mark, Options, Point, power_law};
    use etalon::record::Record;

    #[test]
    fn a_damaged_law_and_marks_without_numbers_are_no_panic() {
        let point = |x: f64| Point { label: x.to_string(), x: vec![x], y: 3.0 / x };
        let points: Vec<Point> = [1.0, 2.0, 4.0, 8.0].map(point).into();
        let law = power_law("y", &["x".into()], &points, Vec::new(), &Options::default()).unwrap();
        let mark = |y: f64| Mark { group: "g".into(), x: 1.0, y, spread: [1.0, 4.0], used: true };
        let written = Record::from(Fitted { law, marks: vec![mark(3.0), mark(f64::NAN)] }).to_json().unwrap();
        let Record::Fit(mut read) = Record::parse(&written).unwrap() else { panic!("{written}") };
        let content = self::content(&read);
        assert_eq!((content.figures.len(), content.figures[0].panels[0].series[0].points.len()), (1, 1));
        read.law.joint.exponents.clear();
        assert_eq!(self::content(&read).figures.len(), 0);
    }
}
