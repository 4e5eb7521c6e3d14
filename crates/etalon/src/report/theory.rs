//! The pages of `etalon theory`.

use super::content::{Content, Numbers, list, number, shown, size, text};
use crate::figure::{
    Axis, Band, BandPicture, Cell, Colour, Curve, Details, Figure, Kind, Look, Panel, Place, Point,
    Reference, Series, borders, thin,
};
use crate::theory::{Map, ScalarLoss, State};
use serde_json::Value;
use std::collections::BTreeMap;

/// The phases of a solvable model, in the order of the legend.
const PHASES: [&str; 6] = ["lazy", "catapult", "divergent", "cycle", "chaotic", "unfinished"];
/// Runs at most that a table lists, and cells that a diagram shows one by one.
const LISTED: (usize, usize) = (60, 20_000);
/// Runs at most that have a curve, steps of one at most, and points of it.
const CURVES: (usize, usize, usize) = (1500, 2000, 60);

/// What the runs of a solvable model say.
pub fn content(value: &Value) -> Content {
    let runs = list(value, "/runs");
    let model =
        text(value, "/model").map_or("two-layer linear network".into(), |model| format!("{model} model"));
    let mut content =
        Content { kind: format!("Theory: the {model}"), trials: Some(runs.len()), ..Content::default() };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        *counts.entry(text(run, "/phase").unwrap_or("unknown")).or_default() += 1;
    }
    let mut parts: Vec<(&str, usize)> = counts.into_iter().collect();
    parts.sort_by_key(|(name, _)| PHASES.iter().position(|phase| phase == name));
    content.answer =
        parts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ");
    content.interval = format!("of {} runs over c = η λ₀, λ₀ the NTK's at the start, and width", runs.len());
    let largest = |phase: &str| {
        let of =
            runs.iter().filter(|run| text(run, "/phase") == Some(phase)).filter_map(|run| number(run, "/c"));
        of.reduce(f64::max)
    };
    content.fact("largest c of a lazy run", largest("lazy").map(|c| shown(Some(c), 4)));
    content.fact("largest c of a catapult", largest("catapult").map(|c| shown(Some(c), 4)));
    let edge = |edges: &Value| {
        let of = |place: &str| {
            number(edges, place).map_or("no closed form".into(), |c| format!("c = {}", shown(Some(c), 4)))
        };
        let [critical, catapult] = ["/critical_c", "/catapult_c"].map(of);
        format!("the minimum is unstable above {critical}, training diverges above {catapult}")
    };
    let edges = list(value, "/edges");
    match edges.first().map(edge) {
        Some(first) if edges.iter().all(|one| edge(one) == first) => {
            content.fact("closed forms", Some(first))
        }
        _ => edges.iter().take(4).for_each(|one| {
            let width = size(number(one, "/width"));
            content.fact(&format!("closed forms, width {width}"), Some(edge(one)));
        }),
    }
    content.figures.extend(diagram(runs, edges, value));
    content.figures.extend(final_curvature(runs));
    content.tables.push(table(runs));
    if runs.len() > LISTED.1 {
        content.notes.push(format!(
            "{} runs are too many for a diagram on a page; `etalon theory --figure` draws them.",
            runs.len()
        ));
    }
    content
}

/// Distinct values, ascending.
fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| *value > 0.0 && value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn diagram(runs: &[Value], edges: &[Value], value: &Value) -> Option<Figure> {
    let columns = distinct(runs.iter().filter_map(|run| number(run, "/c")));
    let rows = distinct(runs.iter().filter_map(|run| number(run, "/width")));
    if columns.len() < 2 || runs.len() > LISTED.1 {
        return None;
    }
    let (x, y) = (borders(&columns), borders(&rows));
    let mut details = Details { x: Axis::steps(), y: Axis::log("loss"), items: Vec::new() };
    let marks = if rows.len() <= 8 {
        rows.iter().map(|&width| (width, size(Some(width)))).collect()
    } else {
        Vec::new()
    };
    let mut panel = Panel::new(Axis { marks, ..Axis::log("width n").tight() });
    panel.weight = (0.3 + 0.06 * rows.len() as f64).min(1.0);
    panel.kinds = PHASES
        .map(|name| Kind { name: name.into(), colour: Colour::of_phase(name).unwrap_or(Colour::Yellow) })
        .into();
    for run in runs {
        let (Some(c), Some(width)) = (number(run, "/c"), number(run, "/width")) else { continue };
        let place = |values: &[f64], value: f64| values.iter().position(|&one| one == value);
        let (Some(column), Some(row)) = (place(&columns, c), place(&rows, width)) else { continue };
        let phase = text(run, "/phase").unwrap_or("unfinished");
        panel.cells.push(Cell {
            x: [x[column], x[column + 1]],
            y: [y[row], y[row + 1]],
            kind: PHASES.iter().position(|&name| name == phase).unwrap_or(PHASES.len() - 1),
            text: format!(
                "{phase}\nc = {}, width {}, η = {}\n{}",
                shown(Some(c), 4),
                size(Some(width)),
                shown(number(run, "/eta"), 4),
                text(run, "/why").unwrap_or_default()
            ),
            detail: curve(value, run).map(|curve| {
                details.items.push(vec![curve]);
                details.items.len() - 1
            }),
        });
    }
    for (name, key, dashed) in [
        ("the minimum is unstable to the right", "/critical_c", true),
        ("divergence to the right, by closed form", "/catapult_c", false),
    ] {
        let inside = |c: &f64| (x[0]..=x[x.len() - 1]).contains(c);
        let point = |edge: &Value| Some((number(edge, key).filter(inside)?, number(edge, "/width")?));
        let mut points: Vec<(f64, f64)> = edges.iter().filter_map(point).collect();
        if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
            points.insert(0, (first.0, first.1.min(y[0])));
            points.push((last.0, last.1.max(y[y.len() - 1])));
            panel.lines.push(Reference { name: name.into(), place: Place::Through(points), dashed });
        }
    }
    Some(Figure {
        name: "phases".into(),
        title: "Phases over c and width".into(),
        note:
            "Each cell is a run; point at one, or go there with the arrow keys, for its numbers and its loss."
                .into(),
        x: Axis::log("c = η λ₀, λ₀ the NTK's at the start").tight(),
        panels: vec![panel],
        details: (!details.items.is_empty()).then_some(details),
    })
}

/// The loss of a run of a scalar model, step by step, made anew: the result has its end alone.
fn curve(value: &Value, run: &Value) -> Option<Vec<(f64, f64)>> {
    if list(value, "/runs").len() > CURVES.0 {
        return None;
    }
    let loss = match value.get("loss")?.as_object()?.iter().next()? {
        (name, of) if name == "mse" => ScalarLoss::Mse { target: number(of, "/target")? },
        (name, of) if name == "logistic" => ScalarLoss::Logistic { positive: number(of, "/positive")? },
        (name, of) if name == "exponential" => ScalarLoss::Exponential { positive: number(of, "/positive")? },
        _ => return None,
    };
    let start = State { f: number(value, "/start/f")?, lambda: number(value, "/start/lambda")? };
    let map = Map::new(loss, number(run, "/eta")?, number(run, "/width")?).ok()?;
    let steps = (number(run, "/steps")? as usize).min(CURVES.1);
    let losses = map.states(start).take(steps + 1).enumerate();
    let point = |(step, state): (usize, State)| Point {
        x: step as f64,
        y: loss.value(state.f),
        spread: None,
        hollow: false,
    };
    let points: Vec<Point> = losses.map(point).collect();
    Some(thin(&points, CURVES.2).into_iter().map(|point| (point.x, point.y)).collect())
}

/// Curvature at the end against that at the start, in units of one over the rate.
fn final_curvature(runs: &[Value]) -> Option<Figure> {
    let ended = |run: &&Value| ["lazy", "catapult"].contains(&text(run, "/phase").unwrap_or(""));
    let widths = distinct(runs.iter().filter_map(|run| number(run, "/width")));
    let stride = widths.len().div_ceil(6).max(1);
    let series = widths.iter().step_by(stride).enumerate().map(|(index, width)| {
        let of = runs.iter().filter(ended).filter(|run| number(run, "/width") == Some(*width));
        let points = of.filter_map(|run| Some((number(run, "/c")?, number(run, "/final_c")?)));
        Series::plain(format!("width {}", size(Some(*width))), Colour::of(index), Look::Both, points)
    });
    let mut panel = Panel::new(Axis::log("c at the end = η λ"));
    panel.series = series.filter(|series| !series.points.is_empty()).collect();
    let at = panel.series.iter().flat_map(|series| &series.points).map(|point| point.x);
    let (low, high) = at.fold((f64::INFINITY, 0.0f64), |(low, high), x| (low.min(x), high.max(x)));
    if panel.series.is_empty() || low >= high {
        return None;
    }
    panel.lines.push(Reference::level("2: limit of stability", 2.0));
    let unchanged = Place::Through(vec![(low, low), (high, high)]);
    panel.lines.push(Reference { name: "unchanged".into(), place: unchanged, dashed: false });
    Some(Figure {
        name: "final-curvature".into(),
        title: "Curvature at the end against c".into(),
        note: "A catapult ends below 2, wherever it started between 2 and 4. Runs that ended settled.".into(),
        x: Axis::log("c at the start = η λ₀"),
        panels: vec![panel],
        details: None,
    })
}

fn table(runs: &[Value]) -> Numbers {
    let columns =
        ["width", "c", "phase", "peak loss", "at step", "λ at the end", "c at the end", "steps", "why"];
    let mut table = Numbers::new("Runs", columns);
    for run in runs.iter().take(LISTED.0) {
        let four = |place: &str| shown(number(run, place), 4);
        let whole = |place: &str| number(run, place).map_or("–".into(), |count| count.to_string());
        let word = |place: &str| text(run, place).unwrap_or("–").to_string();
        table.row([
            size(number(run, "/width")),
            four("/c"),
            word("/phase"),
            four("/peak_loss"),
            whole("/peak_step"),
            four("/final_lambda"),
            four("/final_c"),
            whole("/steps"),
            word("/why"),
        ]);
    }
    if runs.len() > LISTED.0 {
        table.note = format!("The first {} of {} runs; runs.csv has all.", LISTED.0, runs.len());
    }
    table
}

/// The name of a boundary, what happens there, and what results written before call it.
type Named = [&'static str; 3];

/// The boundaries of a solvable model.
const BOUNDARIES: [Named; 3] = [
    ["c_h_loss", "the loss rises", "c_loss"],
    ["c_h_sharp", "sharpness rises", "c_sharp"],
    ["c_h_max", "training diverges", "c_max"],
];

/// What the boundaries of a solvable model say.
pub fn boundaries(value: &Value) -> Content {
    let found = list(value, "/boundaries");
    let mut content = Content { kind: "Theory: boundaries of early training".into(), ..Content::default() };
    let of = |one: &Value, [name, _, former]: Named, place: &str| {
        let at = |name: &str| one.pointer(&format!("/{name}{place}")).cloned();
        at(name).or_else(|| at(former))
    };
    let ends = |one: &Value, boundary: Named| {
        let end = |place: &str| of(one, boundary, place)?.as_f64();
        // Results written before may have ends exchanged, which bound nothing.
        end("/accepted").zip(end("/refused")).filter(|(accepted, refused)| accepted <= refused)
    };
    let middle = |one: &Value, boundary: Named| ends(one, boundary).map(|(low, high)| (low * high).sqrt());
    let outside = |one: &Value, boundary: Named, key: &str| {
        of(one, boundary, key).and_then(|reason| reason.as_str().map(str::to_string))
    };
    let widest = found.last();
    content.answer =
        match widest.map(|one| (middle(one, BOUNDARIES[2]), outside(one, BOUNDARIES[2], "/reason"))) {
            Some((Some(c_h), _)) => format!("training diverges at c_h = {}", shown(Some(c_h), 4)),
            Some((None, Some(reason))) => reason,
            _ => "no divergence in the range".into(),
        };
    content.interval = widest.map_or(String::new(), |one| {
        format!("at width {}, c_h = η × sharpness at the start", size(number(one, "/width")))
    });
    let mut table = Numbers::new(
        "Boundaries",
        ["width", "sharpness", "c_h_loss", "c_h_sharp", "c_h_max", "islands above", "up to"],
    );
    for one in found {
        let islands = one.pointer("/divergence/islands").and_then(Value::as_array);
        let cell = |boundary: Named| match outside(one, boundary, "/side").as_deref() {
            Some("below") => "below".into(),
            Some("above") => "above".into(),
            _ => shown(middle(one, boundary), 6),
        };
        let [loss, sharp, most] = BOUNDARIES.map(cell);
        table.row([
            size(number(one, "/width")),
            shown(number(one, "/sharpness"), 5),
            loss,
            sharp,
            most,
            islands.map_or("–".into(), |islands| islands.len().to_string()),
            shown(islands.and_then(|islands| islands.last()?.get(1)?.as_f64()), 6),
        ]);
    }
    table.note = "Below and above: outside the range, on that side. Islands are windows of survival above c_h_max, as far \
                  as a scan has seen them. A dash: none, or not known."
        .into();
    content.tables.push(table);
    for [name, _, former] in BOUNDARIES {
        let meaning = text(value, &format!("/definition/{name}"));
        content.fact(name, meaning.or_else(|| text(value, &format!("/definition/{former}"))));
    }
    let curve = |boundary: Named| {
        let band = |one: &Value| {
            let ((low, high), median) = (ends(one, boundary)?, middle(one, boundary)?);
            Some(Band { size: number(one, "/width")?, low, median, high })
        };
        let [name, meaning, _] = boundary;
        Curve { name: format!("{name}: {meaning}"), bands: found.iter().filter_map(band).collect() }
    };
    let curves = BOUNDARIES.map(curve);
    let picture = BandPicture {
        title: "Boundaries of early training".into(),
        right: "c_h = learning rate × sharpness at the start",
        up: "width n",
        curves: &curves,
    };
    content
        .figures
        .extend(picture.figure().map(|figure| Figure { name: "early-boundaries".into(), ..figure }));
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boundaries_of_before_and_those_outside_the_range_are_shown() {
        let ends = json!({ "accepted": 4.0, "refused": 4.0 });
        let before = json!({ "boundaries": [
            { "width": 10.0, "sharpness": 2.0, "c_loss": null, "c_sharp": { "accepted": 2.0, "refused": 1.9 }, "c_max": ends }
        ] });
        let page = boundaries(&before);
        assert_eq!(page.answer, "training diverges at c_h = 4.000");
        assert_eq!(page.tables[0].rows[0], ["10", "2.0000", "–", "–", "4.00000", "–", "–"]);
        let outside = |side: &str| json!({ "side": side, "reason": "why" });
        let now = json!({ "boundaries": [{
            "width": 10.0, "sharpness": 2.0, "c_h_loss": ends, "c_h_sharp": outside("below"), "c_h_max": outside("above")
        }, {
            "width": 20.0, "sharpness": 2.0, "c_h_loss": ends, "c_h_sharp": ends, "c_h_max": ends,
            "divergence": { "islands": [[4.5, 4.6], [5.0, 6.0]] }
        }] });
        let page = boundaries(&now);
        assert_eq!(page.tables[0].rows[0][2..], ["4.00000", "below", "above", "–", "–"]);
        assert_eq!(page.tables[0].rows[1][4..], ["4.00000", "2", "6.00000"]);
        let first = json!({ "boundaries": [now["boundaries"][0]] });
        assert_eq!(boundaries(&first).answer, "why");
    }
}
