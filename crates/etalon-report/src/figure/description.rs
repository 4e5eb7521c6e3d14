//! What a figure shows, whoever draws it.

use super::Colour;
use super::axis::Axis;

/// A figure: panels one below the other over one axis, or facets side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What its files are called, without an ending: letters, digits, dots and hyphens.
    pub name: String,
    /// The heading.
    pub title: String,
    /// What a reader must know to read it; may be empty.
    pub note: String,
    /// The axis to the right, which all panels share.
    pub x: Axis,
    /// From the top to the bottom.
    pub panels: Vec<Panel>,
    /// Small plots that cells lead to.
    pub details: Option<Details>,
}

/// A framed plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What it alone shows, such as `width 64`, where its neighbours show the same of something else: such panels lie side
    /// by side and share both axes. Empty where panels lie one below the other.
    pub facet: String,
    /// The axis upwards.
    pub y: Axis,
    /// Its height among the panels: twice the weight is twice the height.
    pub weight: f64,
    /// Areas with a meaning, under everything else.
    pub cells: Vec<Cell>,
    /// What the cells can be, as the legend has it.
    pub kinds: Vec<Kind>,
    /// Whether the cells are a pale ground for the series.
    pub pale: bool,
    /// Lines that say where something is expected.
    pub lines: Vec<Reference>,
    /// What was measured.
    pub series: Vec<Series>,
}

/// A meaning of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// What it is called.
    pub name: String,
    /// How it looks.
    pub colour: Colour,
}

/// A rectangle with a meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// From left to right.
    pub x: [f64; 2],
    /// From the bottom to the top; what is infinite is the end of the axis.
    pub y: [f64; 2],
    /// Which of the panel's kinds it is.
    pub kind: usize,
    /// What is to be said of it.
    pub text: String,
    /// Which of the figure's details belongs to it.
    pub detail: Option<usize>,
}

/// A line that says where something is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What it is called; one without a name is not in the legend.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// Whether it is broken, to tell it from another.
    pub dashed: bool,
}

/// Where a reference lies.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// From side to side at a height.
    Level(f64),
    /// From top to bottom at a place to the right.
    At(f64),
    /// Through points.
    Through(Vec<(f64, f64)>),
}

/// Measurements that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called in the legend.
    pub name: String,
    /// How it looks.
    pub colour: Colour,
    /// Whether its points are joined, marked, or both.
    pub stroke: Stroke,
    /// Which way the spread of its points lies.
    pub spread: Spread,
    /// In order. A coordinate that is not finite breaks the line.
    pub points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A line, with its spread as an area.
    Line,
    /// Marks, with their spreads as bars.
    Marks,
    /// A line and marks, with the spread as an area.
    Both,
}

/// Which way a spread lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Along the axis upwards.
    Up,
    /// Along the axis to the right.
    Right,
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its place to the right, in the unit of the figure's axis.
    pub x: f64,
    /// Its place upwards, in the unit of the panel's axis.
    pub y: f64,
    /// The least and the most over seeds, or the ends of an interval.
    pub spread: Option<[f64; 2]>,
    /// Whether its mark is a ring: a value that was left out.
    pub hollow: bool,
}

/// Small plots of one kind, such as the loss of each trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// The axis to the right.
    pub x: Axis,
    /// The axis upwards.
    pub y: Axis,
    /// For each, its curves.
    pub items: Vec<Vec<Vec<(f64, f64)>>>,
}

impl Figure {
    /// Whether its panels lie side by side and share both axes.
    pub(super) fn is_faceted(&self) -> bool {
        !self.panels.is_empty() && self.panels.iter().all(|panel| !panel.facet.is_empty())
    }
}

impl Panel {
    /// A panel with nothing in it.
    pub fn new(y: Axis) -> Panel {
        Panel {
            facet: String::new(),
            y,
            weight: 1.0,
            cells: Vec::new(),
            kinds: Vec::new(),
            pale: false,
            lines: Vec::new(),
            series: Vec::new(),
        }
    }
}

impl Series {
    /// Points without a spread.
    pub fn plain(
        name: impl Into<String>,
        colour: Colour,
        stroke: Stroke,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Series {
        let point = |(x, y)| Point { x, y, spread: None, hollow: false };
        Series {
            name: name.into(),
            colour,
            stroke,
            spread: Spread::Up,
            points: points.into_iter().map(point).collect(),
        }
    }
}

impl Reference {
    /// A broken line from side to side.
    pub fn level(name: impl Into<String>, y: f64) -> Reference {
        Reference { name: name.into(), place: Place::Level(y), dashed: true }
    }

    /// A broken line from top to bottom.
    pub fn at(name: impl Into<String>, x: f64) -> Reference {
        Reference { name: name.into(), place: Place::At(x), dashed: true }
    }
}

impl Spread {
    /// The two ends of a point's spread as places of the plot.
    pub(super) fn ends(self, point: &Point) -> Option<[(f64, f64); 2]> {
        let ends = point.spread?;
        Some(ends.map(|end| match self {
            Spread::Up => (point.x, end),
            Spread::Right => (end, point.y),
        }))
    }
}
