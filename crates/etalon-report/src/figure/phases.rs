//! The phase at every learning rate and width.

use super::{Axis, Cell, Colour, Figure, FigureError, Kind, Panel, Place, Reference};
use etalon::theory::{Edges, Phase, Scan, ScanRun};

/// A scan as a picture: `c` to the right, the width upwards, both logarithmic; a colour for each phase, and the
/// closed forms as lines.
#[derive(Debug)]
pub struct PhasePicture<'a> {
    title: String,
    columns: Vec<f64>,
    rows: Vec<f64>,
    runs: &'a [ScanRun],
    edges: Vec<Edges>,
}

/// Which of a width's edges a line shows.
type EdgeOf = fn(&Edges) -> Option<f64>;

impl<'a> PhasePicture<'a> {
    /// The picture of a scan and of its runs in their order.
    ///
    /// # Errors
    /// With fewer than two values on an axis, and where an axis does not rise.
    pub fn new(title: impl Into<String>, scan: &Scan, runs: &'a [ScanRun]) -> Result<Self, FigureError> {
        let (columns, rows): (Vec<f64>, Vec<f64>) =
            (scan.c.values().collect(), scan.widths.values().collect());
        if columns.len() < 2 || rows.len() < 2 {
            return Err(FigureError::TooSmall { columns: columns.len(), rows: rows.len() });
        }
        for (axis, values) in [("values of c", &columns), ("widths", &rows)] {
            if !values.is_sorted_by(|a, b| a < b) {
                return Err(FigureError::NotRising { axis });
            }
        }
        let edges = rows.iter().map(|&width| scan.edges(width)).collect();
        Ok(PhasePicture { title: title.into(), columns, rows, runs, edges })
    }

    /// What it shows.
    pub fn figure(&self) -> Figure {
        let (x, y) = (borders(&self.columns), borders(&self.rows));
        let ends = |borders: &[f64]| (borders[0], borders[borders.len() - 1]);
        let ((left, right), (low, high)) = (ends(&x), ends(&y));
        let mut panel = Panel::new(Axis::log("width n").tight());
        panel.kinds = Phase::NAMES.map(|name| Kind { name: name.into(), colour: colour(name) }).into();
        for (row, runs) in self.runs.chunks_exact(self.columns.len()).enumerate() {
            // Neighbours of one phase are one rectangle: most pictures have few of them.
            let mut first = 0;
            for run in runs.chunk_by(|a, b| a.run.phase.name() == b.run.phase.name()) {
                let last = first + run.len();
                let name = run[0].run.phase.name();
                panel.cells.push(Cell {
                    x: [x[first], x[last]],
                    y: [y[row], y[row + 1]],
                    // Every phase is listed, as a test sees to.
                    kind: Phase::NAMES
                        .iter()
                        .position(|&phase| phase == name)
                        .unwrap_or(Phase::NAMES.len() - 1),
                    text: name.into(),
                    detail: None,
                });
                first = last;
            }
        }
        let lines: [(&str, bool, EdgeOf); 2] = [
            ("the minimum is unstable to the right", true, |edges| edges.critical_c),
            ("divergence to the right, by closed form", false, |edges| edges.catapult_c),
        ];
        for (name, dashed, of) in lines {
            let points = self.edges.iter().filter_map(|edges| Some((of(edges)?, edges.width)));
            let mut points: Vec<(f64, f64)> = points.filter(|(c, _)| (left..=right).contains(c)).collect();
            // To the frame, where the line is upright.
            if let Some(&(c, width)) = points.first().filter(|point| point.1 == self.rows[0]) {
                points.insert(0, (c, low.min(width)));
            }
            if let Some(&(c, width)) = points.last().filter(|point| point.1 == self.rows[self.rows.len() - 1])
            {
                points.push((c, high.max(width)));
            }
            if points.len() > 1 {
                panel.lines.push(Reference { name: name.into(), place: Place::Through(points), dashed });
            }
        }
        Figure {
            name: "phases".into(),
            title: self.title.clone(),
            note: String::new(),
            x: Axis::log("c = η λ₀, λ₀ the NTK's at the start").tight(),
            panels: vec![panel],
            details: None,
        }
    }
}

fn colour(phase: &str) -> Colour {
    Colour::of_phase(phase).unwrap_or(Colour::Yellow)
}

/// The borders between values on a logarithmic axis: geometric means, and half a step beyond the ends. A single value
/// is given an octave.
pub fn borders(values: &[f64]) -> Vec<f64> {
    if let &[value] = values {
        return vec![value / 2f64.sqrt(), value * 2f64.sqrt()];
    }
    let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
    let mut borders = vec![values[0] * (values[0] / values[1]).sqrt()];
    borders.extend(values.windows(2).map(|pair| (pair[0] * pair[1]).sqrt()));
    borders.push(values[last] * (values[last] / values[last - 1]).sqrt());
    borders
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon::theory::{RunSettings, ScalarLoss, State};

    fn scan(c: &str, widths: &str) -> Scan {
        Scan {
            loss: ScalarLoss::Mse { target: 0.0 },
            start: State { f: 1.0, lambda: 2.0 },
            c: c.parse().unwrap(),
            widths: widths.parse().unwrap(),
            settings: RunSettings::default(),
        }
    }

    #[test]
    fn a_picture_has_its_phases_lines_and_labels() {
        let scan = scan("1..6/12", "10..1000/3");
        let runs = scan.runs().unwrap();
        let svg = PhasePicture::new("A map", &scan, &runs).unwrap().figure().svg().unwrap();
        for expected in
            ["A map", "lazy", "catapult", "divergent", "width n", "c = η λ₀, λ₀ the NTK", "#56B4E9", "1000"]
        {
            assert!(svg.contains(expected), "{expected}");
        }
        assert!(!svg.contains("chaotic") && svg.trim_end().ends_with("</svg>"));
        // Three phases in three rows, merged: a path a phase.
        let cells = svg.split("<path ").filter(|path| path.contains("class=\"cell\"")).collect::<Vec<_>>();
        assert_eq!(cells.len(), 3);
        assert!(cells.iter().all(|cells| cells.matches('z').count() == 3), "{cells:?}");
    }

    #[test]
    fn every_phase_has_a_colour() {
        for phase in [
            Phase::Lazy,
            Phase::Catapult,
            Phase::Divergent,
            Phase::Cycle(2),
            Phase::Chaotic,
            Phase::Unfinished,
        ] {
            assert!(
                Phase::NAMES.contains(&phase.name()) && Colour::of_phase(phase.name()).is_some(),
                "{phase}"
            );
        }
    }

    #[test]
    fn what_makes_no_picture_is_refused() {
        for (c, widths, text) in [
            ("1,2", "10", "at least two values on each axis, here 2 of c and 1 of the width"),
            ("2,1", "10,20", "the values of c of a phase picture must rise"),
            ("1,2", "10,10", "the widths of a phase picture must rise"),
        ] {
            let error = PhasePicture::new("", &scan(c, widths), &[]).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
