//! Where everything of a figure lies, whoever draws it.

use super::axis::{Axis, Ruler};
use super::{Colour, Figure, FigureError, Panel, Place, Point};

/// The ends of all axes.
pub(super) struct Layout<'a> {
    pub x: Ruler<'a>,
    /// One a panel.
    pub y: Vec<Ruler<'a>>,
}

impl<'a> Layout<'a> {
    /// The layout of a figure.
    ///
    /// # Errors
    /// Where there is no value on an axis.
    pub(super) fn of(figure: &'a Figure) -> Result<Layout<'a>, FigureError> {
        let empty = || FigureError::Empty("no value of it has a place on its axes");
        let x = figure.x.around(figure.panels.iter().flat_map(|panel| values(panel, figure).0));
        let up = |panel| values(panel, figure).1.into_iter();
        let y: Option<Vec<Ruler<'_>>> = if figure.is_faceted() {
            let shared = figure.panels[0].y.around(figure.panels.iter().flat_map(up));
            shared.map(|ruler| vec![ruler; figure.panels.len()])
        } else {
            figure.panels.iter().map(|panel| panel.y.around(up(panel))).collect()
        };
        match (x, y) {
            (Some(x), Some(y)) if !y.is_empty() => Ok(Layout { x, y }),
            _ => Err(empty()),
        }
    }

    /// The points of a reference in a panel.
    pub(super) fn through(&self, panel: usize, place: &Place) -> Vec<(f64, f64)> {
        let y = &self.y[panel];
        match place {
            Place::Level(height) if y.axis.takes(*height) => {
                vec![(self.x.low, *height), (self.x.high, *height)]
            }
            Place::At(x) if self.x.axis.takes(*x) => vec![(*x, y.low), (*x, y.high)],
            Place::Through(points) => {
                points.iter().copied().filter(|&point| self.takes(panel, point)).collect()
            }
            Place::Level(_) | Place::At(_) => Vec::new(),
        }
    }

    /// The stretches of points between those that have no place.
    pub(super) fn runs<'b>(&self, panel: usize, points: &'b [Point]) -> impl Iterator<Item = &'b [Point]> {
        points.split(move |point| !self.takes(panel, (point.x, point.y))).filter(|run| !run.is_empty())
    }

    fn takes(&self, panel: usize, (x, y): (f64, f64)) -> bool {
        self.x.axis.takes(x) && self.y[panel].axis.takes(y)
    }
}

/// All that a panel shows, to the right and upwards. What has no place on one axis does not stretch the other.
fn values(panel: &Panel, figure: &Figure) -> (Vec<f64>, Vec<f64>) {
    let takes = |axis: &Axis, value: f64| axis.takes(value);
    let (mut right, mut up) = (Vec::new(), Vec::new());
    let mut push = |(x, y): (f64, f64)| {
        if takes(&figure.x, x) && takes(&panel.y, y) {
            right.push(x);
            up.push(y);
        }
    };
    for series in &panel.series {
        for point in &series.points {
            push((point.x, point.y));
            series.spread.ends(point).into_iter().flatten().for_each(&mut push);
        }
    }
    for cell in &panel.cells {
        right.extend(cell.x);
        up.extend(cell.y);
    }
    for line in &panel.lines {
        match &line.place {
            Place::Level(y) => up.push(*y),
            Place::At(x) => right.push(*x),
            // It is known where it does not matter, too.
            Place::Through(_) => {}
        }
    }
    (right, up)
}

impl Figure {
    /// The colours that need a name, each once.
    pub(super) fn legend(&self) -> Vec<(Colour, String)> {
        let kinds = self.panels.iter().flat_map(|panel| {
            let used = |index: usize| panel.cells.iter().any(|cell| cell.kind == index);
            let kinds = panel.kinds.iter().enumerate().filter(move |(index, _)| used(*index));
            kinds.map(|(_, kind)| (kind.colour, kind.name.clone()))
        });
        let series = self.panels.iter().flat_map(|panel| &panel.series);
        let series = series.filter(|series| !series.points.is_empty());
        let series = series.map(|series| (series.colour, series.name.clone()));
        let mut entries: Vec<(Colour, String)> = Vec::new();
        for entry in kinds.chain(series) {
            if !entry.1.is_empty() && !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        entries
    }

    /// The lines that need a name, each once, and whether they are broken; those from top to bottom have theirs beside them.
    pub(super) fn legend_lines(&self) -> Vec<(bool, String)> {
        let mut entries: Vec<(bool, String)> = Vec::new();
        for line in self.panels.iter().flat_map(|panel| &panel.lines) {
            let entry = (line.dashed, line.name.clone());
            let stands = matches!(line.place, Place::At(_));
            if !line.name.is_empty() && !stands && !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        entries
    }
}
