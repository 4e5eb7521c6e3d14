//! A page with framed plots, one below the other.

use super::FigureError;
use super::axis::Ruler;
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const PAPER: RGBColor = RGBColor(0xfa, 0xfa, 0xf7);
const FONT: &str = "sans-serif";

/// Places on the page are whole numbers; the drawing is this many times finer, so that a slow slope is no staircase.
const FINE: i32 = 8;
/// Width of the page.
const WIDTH: u32 = 960;

/// Left and right side of every frame.
pub(super) const SIDES: (i32, i32) = (96, 930);

/// The drawing as it stands on the page: of the page's size, whose places are those of the drawing.
pub(super) fn on_page(drawing: &str, height: u32) -> String {
    let head = |width: u32, height: u32| format!("<svg width=\"{width}\" height=\"{height}\" ");
    drawing.replacen(&head(WIDTH * FINE as u32, height * FINE as u32), &head(WIDTH, height), 1)
}

/// A page being drawn.
pub(super) struct Canvas<'a> {
    page: DrawingArea<SVGBackend<'a>, Shift>,
}

fn fine((x, y): (i32, i32)) -> (i32, i32) {
    (FINE * x, FINE * y)
}

/// A stroke of a width on the page.
fn stroke(colour: impl Into<RGBAColor>, width: u32) -> ShapeStyle {
    colour.into().stroke_width(width * FINE as u32)
}

/// A framed plot on it.
pub(super) struct Plot<'a, 'b> {
    canvas: &'b Canvas<'a>,
    x: &'b Ruler<'b>,
    y: &'b Ruler<'b>,
    /// Upper and lower side.
    rows: (i32, i32),
}

fn fault(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}

impl<'a> Canvas<'a> {
    /// An empty page.
    pub fn new(svg: &'a mut String, height: u32) -> Result<Self, FigureError> {
        let size = (WIDTH * FINE as u32, height * FINE as u32);
        let page = SVGBackend::with_string(svg, size).into_drawing_area();
        page.fill(&PAPER).map_err(fault)?;
        Ok(Canvas { page })
    }

    /// A plot between two rows of the page.
    pub fn plot<'b>(&'b self, x: &'b Ruler<'b>, y: &'b Ruler<'b>, rows: (i32, i32)) -> Plot<'a, 'b> {
        Plot { canvas: self, x, y, rows }
    }

    /// A sample of a colour in the legend, and its name.
    pub fn legend(&self, (left, top): (i32, i32), colour: RGBColor, name: &str) -> Result<(), FigureError> {
        let sample = Rectangle::new([(left, top), (left + 18, top + 14)].map(fine), colour.filled());
        self.page.draw(&sample).map_err(fault)?;
        self.text(name, (left + 25, top + 7), 16.0, (HPos::Left, VPos::Center))
    }

    /// A stroke in the legend, as [`Plot::line`] draws it, and its name.
    pub fn legend_line(&self, (left, y): (i32, i32), dashed: bool, name: &str) -> Result<(), FigureError> {
        self.path(&[(left, y), (left + 36, y)].map(fine), dashed, stroke(INK, 2))?;
        self.text(name, (left + 43, y), 15.0, (HPos::Left, VPos::Center))
    }

    /// The title, and the end of the page.
    pub fn finish(self, title: &str) -> Result<(), FigureError> {
        self.text(title, (SIDES.0, 24), 19.0, (HPos::Left, VPos::Center))?;
        self.page.present().map_err(fault)
    }

    /// A line through places of the drawing.
    fn path(&self, points: &[(i32, i32)], dashed: bool, style: ShapeStyle) -> Result<(), FigureError> {
        if dashed {
            let pieces = DashedPathElement::new(points.iter().copied(), 10 * FINE, 6 * FINE, style);
            return self.page.draw(&pieces).map_err(fault);
        }
        self.page.draw(&PathElement::new(points, style)).map_err(fault)
    }

    /// A mark of an axis, between places of the page.
    fn tick(&self, ends: [(i32, i32); 2]) -> Result<(), FigureError> {
        self.path(&ends.map(fine), false, stroke(INK, 1))
    }

    fn text(&self, text: &str, at: (i32, i32), size: f64, (h, v): (HPos, VPos)) -> Result<(), FigureError> {
        let style = (FONT, size * f64::from(FINE)).into_font().color(&INK).pos(Pos::new(h, v));
        self.page.draw_text(text, &style, fine(at)).map_err(fault)
    }
}

impl Plot<'_, '_> {
    /// Where a point lies in the drawing.
    fn place(&self, &(x, y): &(f64, f64)) -> (i32, i32) {
        let (left, right) = SIDES;
        let (top, bottom) = self.rows;
        let along = |length: i32, share: f64| (share * f64::from(FINE * length)).round() as i32;
        (
            FINE * left + along(right - left, self.x.share(x)),
            FINE * bottom - along(bottom - top, self.y.share(y)),
        )
    }

    fn places(&self, points: &[(f64, f64)]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.place(point)).collect()
    }

    /// A filled rectangle between two corners, the lower left one first.
    pub fn fill(&self, low: (f64, f64), high: (f64, f64), colour: RGBAColor) -> Result<(), FigureError> {
        let (low, high) = (self.place(&low), self.place(&high));
        let corners = [(low.0, high.1), (high.0, low.1)];
        self.canvas.page.draw(&Rectangle::new(corners, colour.filled())).map_err(fault)
    }

    /// A line through the plot, dark on a light edge so that it shows on every colour.
    pub fn line(&self, points: &[(f64, f64)], dashed: bool) -> Result<(), FigureError> {
        let points = self.places(points);
        for (colour, width) in [(WHITE, 4), (INK, 2)] {
            self.canvas.path(&points, dashed, stroke(colour, width))?;
        }
        Ok(())
    }

    /// The area inside a line that returns to where it began, so light that others show through.
    pub fn area(&self, points: &[(f64, f64)], colour: RGBColor) -> Result<(), FigureError> {
        let area = Polygon::new(self.places(points), colour.mix(0.25).filled());
        self.canvas.page.draw(&area).map_err(fault)
    }

    /// A line in a colour.
    pub fn curve(&self, points: &[(f64, f64)], colour: RGBColor) -> Result<(), FigureError> {
        self.canvas.path(&self.places(points), false, stroke(colour, 2))
    }

    /// A measured value: a disc, or a ring where it is `hollow`.
    pub fn mark(&self, at: (f64, f64), hollow: bool, colour: RGBColor) -> Result<(), FigureError> {
        let style = if hollow { stroke(colour, 2) } else { colour.filled() };
        self.canvas.page.draw(&Circle::new(self.place(&at), 5 * FINE, style)).map_err(fault)
    }

    /// The frame with its marks; those of the axis to the right are written where it is the `last` panel.
    pub fn frame(&self, last: bool) -> Result<(), FigureError> {
        let (left, right) = SIDES;
        let (top, bottom) = self.rows;
        let canvas = self.canvas;
        // A path: the drawing library gives rectangles no width of stroke.
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        canvas.path(&corners.map(fine), false, stroke(INK, 1))?;
        for (tick, label) in self.x.ticks() {
            let x = self.place(&(tick, self.y.low)).0 / FINE;
            canvas.tick([(x, bottom), (x, bottom + 6)])?;
            if last {
                canvas.text(&label, (x, bottom + 12), 15.0, (HPos::Center, VPos::Top))?;
            }
        }
        for (tick, label) in self.y.ticks() {
            let y = self.place(&(self.x.low, tick)).1 / FINE;
            canvas.tick([(left - 6, y), (left, y)])?;
            canvas.text(&label, (left - 10, y), 15.0, (HPos::Right, VPos::Center))?;
        }
        if last {
            let at = ((left + right) / 2, bottom + 44);
            canvas.text(&self.x.axis.text(), at, 17.0, (HPos::Center, VPos::Top))?;
        }
        let style =
            (FONT, 17.0 * f64::from(FINE)).into_font().transform(FontTransform::Rotate270).color(&INK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        let middle = fine((24, (top + bottom) / 2));
        canvas.page.draw_text(&self.y.axis.text(), &style, middle).map_err(fault)
    }
}
