//! Names of lines from top to bottom, each beside its line.

use super::layout::Layout;
use super::{Figure, Place};

/// So many are named in a panel at most, each in a row of its own from the top.
const MOST: usize = 6;
/// From this share of the frame on a name stands to the left of its line.
const RIGHT: f64 = 0.5;

/// A name beside its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing<'a> {
    pub name: &'a str,
    /// The line's place, as a share of the frame's width.
    pub right: f64,
    /// Which row from the top it is in, so that no name meets another.
    pub row: usize,
    /// Whether it stands to the left of its line.
    pub before: bool,
}

impl Figure {
    /// The names that stand in a panel: of its lines that no panel above it has named.
    pub(super) fn standing(&self, layout: &Layout<'_>, panel: usize) -> Vec<Standing<'_>> {
        let of = |panel: usize| {
            self.panels[panel].lines.iter().filter_map(|line| match line.place {
                Place::At(x) if layout.x.axis.takes(x) && !line.name.is_empty() => Some((x, &*line.name)),
                _ => None,
            })
        };
        let is_new =
            |(_, name): &(f64, &str)| !(0..panel).any(|above| of(above).any(|(_, other)| other == *name));
        let mut found: Vec<(f64, &str)> = of(panel).filter(is_new).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let standing = |(row, (x, name))| {
            let right = layout.x.share(x);
            Standing { name, right, row, before: right > RIGHT }
        };
        found.into_iter().take(MOST).enumerate().map(standing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Colour, Panel, Reference, Series, Stroke};

    #[test]
    fn lines_that_stand_are_named_once_each_in_a_row_of_its_own() {
        let points = [(0.0, 0.0), (10.0, 1.0)];
        let panel = |lines: &[(&str, f64)]| Panel {
            lines: lines.iter().map(|(name, x)| Reference::at(*name, *x)).collect(),
            series: vec![Series::plain("", Colour::Blue, Stroke::Line, points)],
            ..Panel::new(Axis::even("loss"))
        };
        let panels = vec![panel(&[("late", 9.0), ("early", 1.0)]), panel(&[("early", 1.0), ("middle", 5.0)])];
        let (title, note) = (String::new(), String::new());
        let figure = Figure { name: "one".into(), title, note, x: Axis::steps(), panels, details: None };
        let layout = Layout::of(&figure).unwrap();
        let first = figure.standing(&layout, 0);
        let told: Vec<_> = first.iter().map(|one| (one.name, one.row, one.before)).collect();
        assert_eq!(told, [("early", 0, false), ("late", 1, true)]);
        let names: Vec<&str> = figure.standing(&layout, 1).iter().map(|one| one.name).collect();
        assert_eq!(names, ["middle"]);
        let svg = figure.svg().unwrap();
        for name in ["early", "late", "middle"] {
            assert_eq!(svg.matches(&format!(">{name}<")).count(), 1, "{name}: not in a legend as well");
        }
    }
}
