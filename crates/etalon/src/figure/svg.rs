//! A figure as a picture that stands by itself.

use super::canvas::{Canvas, Plot, SIDES, on_page};
use super::layout::Layout;
use super::{Figure, FigureError, Look, Panel, Point, Series};
use plotters::style::{Color, RGBColor};

/// Where the frames begin and end on a page with the usual legend.
const ROWS: (i32, i32) = (92, 560);
/// Between two panels.
const GAP: i32 = 20;

/// A legend's entries in rows, each with its left edge.
struct Legend<T> {
    rows: Vec<Vec<(i32, T, String)>>,
}

impl<T> Legend<T> {
    /// `sample` is the width of what stands before a name, `letter` about that of a letter.
    fn new(entries: impl Iterator<Item = (T, String)>, sample: i32, letter: i32) -> Self {
        let (mut rows, mut left): (Vec<Vec<_>>, i32) = (Vec::new(), i32::MAX);
        for (entry, name) in entries {
            let width = sample + letter * name.chars().count() as i32 + 18;
            if left.saturating_add(width) > SIDES.1 {
                rows.push(Vec::new());
                left = SIDES.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((left, entry, name));
            }
            left += width;
        }
        Legend { rows }
    }

    /// Rows beyond the first, for which the page has room.
    fn more(&self) -> i32 {
        (self.rows.len() as i32 - 1).max(0)
    }
}

impl Figure {
    /// The picture as SVG, on a light ground of its own.
    ///
    /// # Errors
    /// Where there is nothing to draw.
    pub fn svg(&self) -> Result<String, FigureError> {
        let layout = Layout::of(self)?;
        let colours = Legend::new(self.legend().into_iter(), 25, 9);
        let lines = Legend::new(self.legend_lines().into_iter(), 43, 8);
        let more = 22 * (colours.more() + lines.more());
        let top = ROWS.0 + more;
        // Panels below the first make the page longer.
        let inner = (ROWS.1 - ROWS.0) + 200 * (self.panels.len() as i32 - 1);
        let weights: f64 = self.panels.iter().map(|panel| panel.weight).sum();
        let free = f64::from(inner - GAP * (self.panels.len() as i32 - 1));
        let (mut drawing, height) = (String::new(), (top + inner + 80) as u32);
        let canvas = Canvas::new(&mut drawing, height)?;
        let mut at = f64::from(top);
        for (index, (panel, y)) in self.panels.iter().zip(&layout.y).enumerate() {
            let height = free * panel.weight / weights;
            let plot = canvas.plot(&layout.x, y, (at.round() as i32, (at + height).round() as i32));
            draw(panel, &plot, &layout, index)?;
            plot.frame(index + 1 == self.panels.len())?;
            at += height + f64::from(GAP);
        }
        for (row, entries) in colours.rows.iter().enumerate() {
            for (left, colour, name) in entries {
                canvas.legend((*left, 50 + 22 * row as i32), colour.light(), name)?;
            }
        }
        for (row, entries) in lines.rows.iter().enumerate() {
            let y = 80 + 22 * (row as i32 + colours.more());
            for (left, dashed, name) in entries {
                canvas.legend_line((*left, y), *dashed, name)?;
            }
        }
        canvas.finish(&self.title)?;
        Ok(on_page(&drawing, height))
    }
}

fn draw(panel: &Panel, plot: &Plot<'_, '_>, layout: &Layout<'_>, index: usize) -> Result<(), FigureError> {
    for cell in &panel.cells {
        let colour = panel.kinds[cell.kind].colour.light();
        let colour = if panel.pale { colour.mix(0.3) } else { colour.mix(1.0) };
        plot.fill((cell.x[0], cell.y[0]), (cell.x[1], cell.y[1]), colour)?;
    }
    for line in &panel.lines {
        let points = layout.through(index, &line.place);
        if points.len() > 1 {
            plot.line(&points, line.dashed)?;
        }
    }
    for series in &panel.series {
        let colour = series.colour.light();
        for run in layout.runs(index, &series.points) {
            match series.look {
                Look::Line => {
                    area(plot, series, run, colour)?;
                    plot.curve(&places(run), colour)?;
                }
                Look::Both => {
                    area(plot, series, run, colour)?;
                    plot.curve(&places(run), colour)?;
                    run.iter().try_for_each(|point| plot.mark((point.x, point.y), point.hollow, colour))?;
                }
                Look::Marks => {
                    for point in run {
                        if let Some(ends) = series.spread.ends(point) {
                            plot.curve(&ends, colour)?;
                        }
                        plot.mark((point.x, point.y), point.hollow, colour)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn places(run: &[Point]) -> Vec<(f64, f64)> {
    run.iter().map(|point| (point.x, point.y)).collect()
}

/// The area from the least to the most of a run, where it has any.
fn area(plot: &Plot<'_, '_>, series: &Series, run: &[Point], colour: RGBColor) -> Result<(), FigureError> {
    let ends: Option<Vec<_>> = run.iter().map(|point| series.spread.ends(point)).collect();
    let Some(ends) = ends.filter(|ends| ends.len() > 1) else { return Ok(()) };
    let there = ends.iter().map(|ends| ends[0]);
    let back = ends.iter().rev().map(|ends| ends[1]);
    plot.area(&there.chain(back).collect::<Vec<_>>(), colour)
}
