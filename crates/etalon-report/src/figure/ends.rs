//! Names at the ends of lines, in the place of a legend: where each has room beside its line.

use super::layout::Layout;
use super::{Colour, Figure, Panel, Stroke};

/// Lines of a panel that are named so at most.
const MOST: usize = 8;
/// Letters of a name at most.
const LETTERS: usize = 24;
/// A line must go on to this share of its frame: a name further off is not at its end.
const FAR: f64 = 0.93;
/// How far a name may lie from its line's end, in rows of text: farther, and it is taken for its neighbour's.
const ASIDE: f64 = 1.2;

/// A name at the end of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    pub name: String,
    pub colour: Colour,
    /// Its middle, as a share of the frame's height from the top.
    pub down: f64,
}

impl Figure {
    /// For each panel the names at its lines' ends; none where they have no room, so that a legend serves better. `rows`
    /// is how many rows of text a panel is high.
    pub(super) fn ends(&self, layout: &Layout<'_>, rows: impl Fn(usize) -> f64) -> Option<Vec<Vec<End>>> {
        let series = || self.panels.iter().flat_map(|panel| &panel.series);
        let named = series().filter(|series| !series.name.is_empty() && !series.points.is_empty());
        let mut names: Vec<&str> = named.map(|series| series.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let is_short = names.iter().all(|name| name.chars().count() <= LETTERS);
        if self.is_faceted() || names.len() < 2 || !is_short {
            return None;
        }
        let panels = self.panels.iter().enumerate();
        panels.map(|(index, panel)| ends(panel, layout, index, 1.0 / rows(index))).collect()
    }
}

/// The names of a panel whose rows are each `row` of its height.
fn ends(panel: &Panel, layout: &Layout<'_>, index: usize, row: f64) -> Option<Vec<End>> {
    let mut ends = Vec::new();
    let named = panel.series.iter().filter(|series| !series.name.is_empty() && !series.points.is_empty());
    for series in named {
        let last = layout.runs(index, &series.points).last()?.last()?;
        if series.stroke == Stroke::Marks || layout.x.share(last.x) < FAR {
            return None;
        }
        let (name, colour) = (series.name.clone(), series.colour);
        ends.push(End { name, colour, down: 1.0 - layout.y[index].share(last.y) });
    }
    ends.sort_by(|a, b| a.down.total_cmp(&b.down));
    let wished: Vec<f64> = ends.iter().map(|end| end.down).collect();
    let places = apart(&wished, row);
    let is_near = wished.iter().zip(&places).all(|(wished, place)| (wished - place).abs() <= ASIDE * row);
    if ends.len() > MOST || !is_near {
        return None;
    }
    ends.iter_mut().zip(places).for_each(|(end, place)| end.down = place);
    Some(ends)
}

/// Places at least `row` from each other, in the order of those that are wished, and as near to them as can be in squares:
/// what would overlap lies around its common mean.
fn apart(wished: &[f64], row: f64) -> Vec<f64> {
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (index, place) in wished.iter().enumerate() {
        groups.push((place - row * index as f64, 1));
        while let [.., (above, many), (below, more)] = groups[..]
            && above > below
        {
            let all = many + more;
            let mean = (above * many as f64 + below * more as f64) / all as f64;
            groups.truncate(groups.len() - 2);
            groups.push((mean, all));
        }
    }
    let places = groups.into_iter().flat_map(|(place, many)| std::iter::repeat_n(place, many));
    places.enumerate().map(|(index, place)| place + row * index as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Series};

    fn figure(lines: &[(&str, f64, f64)]) -> Figure {
        let line = |&(name, x, y): &(&str, f64, f64)| {
            Series::plain(name, Colour::Blue, Stroke::Line, [(0.0, 0.5), (x, y)])
        };
        let panel = Panel { series: lines.iter().map(line).collect(), ..Panel::new(Axis::log("loss")) };
        let (title, note) = (String::new(), String::new());
        Figure { name: "one".into(), title, note, x: Axis::steps(), panels: vec![panel], details: None }
    }

    fn names(lines: &[(&str, f64, f64)], rows: f64) -> Option<Vec<String>> {
        let figure = figure(lines);
        let layout = Layout::of(&figure).unwrap();
        let ends = figure.ends(&layout, |_| rows)?.remove(0);
        Some(ends.into_iter().map(|end| end.name).collect())
    }

    #[test]
    fn lines_are_named_at_their_ends_where_the_names_have_room() {
        let lines = [("low", 9.0, 0.1), ("high", 9.0, 0.9), ("middle", 9.0, 0.5)];
        assert_eq!(names(&lines, 20.0).unwrap(), ["high", "middle", "low"]);
        // A line that ends early, names that crowd, and one line alone.
        assert_eq!(names(&[("a", 9.0, 0.1), ("b", 5.0, 0.9)], 20.0), None);
        let crowd =
            [("a", 9.0, 0.5), ("b", 9.0, 0.51), ("c", 9.0, 0.52), ("d", 9.0, 0.53), ("far", 9.0, 90.0)];
        assert_eq!(names(&crowd, 20.0), None);
        assert_eq!(names(&crowd, 1e4).unwrap().len(), 5, "a high panel has room for them");
        assert_eq!(names(&[("a", 9.0, 0.1)], 20.0), None);
    }

    #[test]
    fn names_keep_their_distance_and_stay_near() {
        let places = apart(&[0.1, 0.5, 0.52, 0.9], 0.05);
        assert_eq!((places[0], places[3]), (0.1, 0.9));
        assert!((places[1] - 0.485).abs() < 1e-12 && (places[2] - 0.535).abs() < 1e-12, "{places:?}");
        let crowd = apart(&[0.3; 5], 0.1);
        assert!((crowd.iter().sum::<f64>() / 5.0 - 0.3).abs() < 1e-12, "{crowd:?}");
        assert!(crowd.windows(2).all(|pair| (pair[1] - pair[0] - 0.1).abs() < 1e-12), "{crowd:?}");
    }
}
