//! What a panel shows as shapes within its frame, the same for a file and for a page.

use super::layout::Layout;
use super::part::Part;
use super::{Colour, Panel, Series, Stroke};
use std::fmt::Write;

/// Where a panel's frame lies in the coordinates of its SVG.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// Lines, areas or marks that look alike.
#[derive(Debug)]
pub(super) struct Shape {
    pub part: Part,
    pub colour: Colour,
    pub outline: Outline,
}

/// Where a shape lies.
#[derive(Debug)]
pub(super) enum Outline {
    /// What SVG calls the data of a path.
    Path(String),
    /// The middles of marks.
    Marks(Vec<(f64, f64)>),
}

/// A panel in a frame.
pub(super) struct Plot<'a> {
    pub panel: &'a Panel,
    pub layout: &'a Layout<'a>,
    /// Which of the figure's panels it is.
    pub index: usize,
    pub frame: Frame,
}

/// A tenth of a unit is finer than a pixel.
fn rounded(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

impl Plot<'_> {
    /// Its shapes, from the ground to what lies on top.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        let mut shapes = vec![self.grid()];
        self.cells(&mut shapes);
        self.lines(&mut shapes);
        self.panel.series.iter().for_each(|series| self.series(series, &mut shapes));
        shapes.retain(|shape| !shape.outline.is_empty());
        shapes
    }

    /// How far to the right a value lies.
    pub(super) fn right(&self, x: f64) -> f64 {
        rounded(self.frame.left + self.frame.width * self.layout.x.share(x))
    }

    /// How far down a value lies.
    pub(super) fn down(&self, y: f64) -> f64 {
        rounded(self.frame.top + self.frame.height * (1.0 - self.layout.y[self.index].share(y)))
    }

    fn grid(&self) -> Shape {
        let Frame { left, top, width, height } = self.frame;
        let columns = self.layout.x.ticks().into_iter();
        let rows = self.layout.y[self.index].ticks().into_iter();
        let mut path: String = columns.map(|(x, _)| format!("M{} {top}v{height}", self.right(x))).collect();
        path.extend(rows.map(|(y, _)| format!("M{left} {}h{width}", self.down(y))));
        Shape { part: Part::Grid, colour: Colour::Ink, outline: Outline::Path(path) }
    }

    fn cells(&self, shapes: &mut Vec<Shape>) {
        for (index, kind) in self.panel.kinds.iter().enumerate() {
            let mut path = String::new();
            for cell in self.panel.cells.iter().filter(|cell| cell.kind == index) {
                let [left, right] = cell.x.map(|x| self.right(x));
                let [bottom, top] = cell.y.map(|y| self.down(y));
                let _ = write!(path, "M{left} {top}H{right}V{bottom}H{left}z");
            }
            let part = if self.panel.pale { Part::PaleCell } else { Part::Cell };
            shapes.push(Shape { part, colour: kind.colour, outline: Outline::Path(path) });
        }
    }

    /// Lines where something is expected, each on a light edge so that it shows on every colour.
    fn lines(&self, shapes: &mut Vec<Shape>) {
        for line in &self.panel.lines {
            let points = self.layout.through(self.index, &line.place);
            if points.len() > 1 {
                let path = self.path(points);
                for part in [Part::Halo, if line.dashed { Part::Dashed } else { Part::Expected }] {
                    shapes.push(Shape { part, colour: Colour::Ink, outline: Outline::Path(path.clone()) });
                }
            }
        }
    }

    fn series(&self, series: &Series, shapes: &mut Vec<Shape>) {
        let [mut area, mut line, mut bars] = [const { String::new() }; 3];
        let (mut discs, mut holes) = (Vec::new(), Vec::new());
        for run in self.layout.runs(self.index, &series.points) {
            if series.stroke == Stroke::Marks {
                let spreads = run.iter().filter_map(|point| series.spread.ends(point));
                bars.extend(spreads.map(|ends| self.path(ends)));
            } else {
                line += &self.path(run.iter().map(|point| (point.x, point.y)));
                let ends: Option<Vec<_>> = run.iter().map(|point| series.spread.ends(point)).collect();
                if let Some(ends) = ends.filter(|ends| ends.len() > 1) {
                    let there = ends.iter().map(|ends| ends[0]);
                    let back = ends.iter().rev().map(|ends| ends[1]);
                    area += &self.path(there.chain(back));
                    area.push('z');
                }
            }
            // A line of one point would not be seen.
            if series.stroke != Stroke::Line || run.len() == 1 {
                for point in run {
                    let at = (self.right(point.x), self.down(point.y));
                    discs.push(at);
                    holes.extend(point.hollow.then_some(at));
                }
            }
        }
        let paths = [(Part::Area, area), (Part::Line, line), (Part::Bar, bars)];
        let marks = [(Part::Disc, discs), (Part::Hole, holes)];
        let outlines = paths.into_iter().map(|(part, path)| (part, Outline::Path(path)));
        let outlines = outlines.chain(marks.into_iter().map(|(part, marks)| (part, Outline::Marks(marks))));
        shapes.extend(outlines.map(|(part, outline)| Shape { part, colour: series.colour, outline }));
    }

    /// A line through points.
    fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{} {}", self.right(x), self.down(y));
        }
        path
    }
}

impl Outline {
    fn is_empty(&self) -> bool {
        match self {
            Outline::Path(path) => path.is_empty(),
            Outline::Marks(marks) => marks.is_empty(),
        }
    }
}
