//! The numbers of a figure as its script reads them: short names, few digits.

use super::axis::{Ruler, Scale};
use super::layout::Layout;
use super::{Axis, Figure, Spread};
use serde_json::{Value, json};

/// Digits of a number that the script shows; of a curve that it draws small.
const DIGITS: (usize, usize) = (7, 4);

impl Figure {
    /// For the script; no tag can end in it.
    pub(super) fn json(&self, layout: &Layout<'_>) -> String {
        let panel = |(panel, y): (&super::Panel, &Ruler<'_>)| {
            let series = panel.series.iter().map(|series| {
                let mut numbers = Vec::with_capacity(4 * series.points.len());
                for point in &series.points {
                    let [low, high] = point.spread.unwrap_or([f64::NAN; 2]);
                    numbers.extend([point.x, point.y, low, high].map(|value| short(value, DIGITS.0)));
                }
                json!({ "n": series.name, "a": (series.spread == Spread::Right) as u8, "d": numbers })
            });
            let cells = panel.cells.iter().map(|cell| {
                let ends =
                    |ends: [f64; 2], ruler: &Ruler<'_>| ends.map(|end| end.clamp(ruler.low, ruler.high));
                let ([x0, x1], [y0, y1]) = (ends(cell.x, &layout.x), ends(cell.y, y));
                let mut numbers: Vec<Value> = [x0, x1, y0, y1].map(|value| short(value, DIGITS.0)).into();
                numbers.extend([json!(cell.text), json!(cell.detail)]);
                Value::Array(numbers)
            });
            json!({
                "y": ruler(y), "s": series.collect::<Vec<_>>(), "c": cells.collect::<Vec<_>>(),
            })
        };
        let panels: Vec<Value> = self.panels.iter().zip(&layout.y).map(panel).collect();
        let mut value = json!({ "x": ruler(&layout.x), "p": panels });
        if let Some(details) = &self.details {
            let curve = |curve: &Vec<(f64, f64)>| -> Vec<Value> {
                curve.iter().flat_map(|&(x, y)| [short(x, DIGITS.1 + 3), short(y, DIGITS.1)]).collect()
            };
            let items: Vec<Vec<Vec<Value>>> =
                details.items.iter().map(|curves| curves.iter().map(curve).collect()).collect();
            value["d"] = json!({ "x": axis(&details.x), "y": axis(&details.y), "i": items });
        }
        value.to_string().replace('<', "\\u003c")
    }
}

fn axis(axis: &Axis) -> Value {
    let scale = match axis.scale {
        Scale::Log => "log",
        Scale::Even => "even",
        Scale::Exponent => "power",
    };
    json!({ "l": axis.label, "u": axis.unit, "s": scale })
}

fn ruler(ruler: &Ruler<'_>) -> Value {
    let mut value = axis(ruler.axis);
    value["e"] = json!([ruler.low, ruler.high]);
    value
}

/// A number with so many digits; null where it is not finite.
fn short(value: f64, digits: usize) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    // What `{:e}` writes reads back.
    let rounded: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
    // A whole number without its fraction, which JSON would keep.
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 { json!(rounded as i64) } else { json!(rounded) }
}
