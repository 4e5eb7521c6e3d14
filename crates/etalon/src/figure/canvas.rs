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

/// Left and right side of every frame.
pub(super) const SIDES: (i32, i32) = (96, 930);

/// A page being drawn.
pub(super) struct Canvas<'a> {
    page: DrawingArea<SVGBackend<'a>, Shift>,
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
        let page = SVGBackend::with_string(svg, (960, height)).into_drawing_area();
        page.fill(&PAPER).map_err(fault)?;
        Ok(Canvas { page })
    }

    /// A plot between two rows of the page.
    pub fn plot<'b>(&'b self, x: &'b Ruler<'b>, y: &'b Ruler<'b>, rows: (i32, i32)) -> Plot<'a, 'b> {
        Plot { canvas: self, x, y, rows }
    }

    /// A sample of a colour in the legend, and its name.
    pub fn legend(&self, (left, top): (i32, i32), colour: RGBColor, name: &str) -> Result<(), FigureError> {
        let sample = Rectangle::new([(left, top), (left + 18, top + 14)], colour.filled());
        self.page.draw(&sample).map_err(fault)?;
        self.text(name, (left + 25, top + 7), 16.0, (HPos::Left, VPos::Center))
    }

    /// A stroke in the legend, as [`Plot::line`] draws it, and its name.
    pub fn legend_line(&self, (left, y): (i32, i32), dashed: bool, name: &str) -> Result<(), FigureError> {
        let style = INK.stroke_width(2);
        let points = vec![(left, y), (left + 36, y)];
        if dashed {
            self.page.draw(&DashedPathElement::new(points, 10, 6, style)).map_err(fault)?;
        } else {
            self.page.draw(&PathElement::new(points, style)).map_err(fault)?;
        }
        self.text(name, (left + 43, y), 15.0, (HPos::Left, VPos::Center))
    }

    /// The title, and the end of the page.
    pub fn finish(self, title: &str) -> Result<(), FigureError> {
        self.text(title, (SIDES.0, 24), 19.0, (HPos::Left, VPos::Center))?;
        self.page.present().map_err(fault)
    }

    fn stroke(&self, points: [(i32, i32); 2]) -> Result<(), FigureError> {
        self.page.draw(&PathElement::new(points.to_vec(), INK.stroke_width(1))).map_err(fault)
    }

    fn text(&self, text: &str, at: (i32, i32), size: f64, (h, v): (HPos, VPos)) -> Result<(), FigureError> {
        let style = (FONT, size).into_font().color(&INK).pos(Pos::new(h, v));
        self.page.draw_text(text, &style, at).map_err(fault)
    }
}

impl Plot<'_, '_> {
    fn place(&self, &(x, y): &(f64, f64)) -> (i32, i32) {
        let (left, right) = SIDES;
        let (top, bottom) = self.rows;
        (
            left + (self.x.share(x) * f64::from(right - left)).round() as i32,
            bottom - (self.y.share(y) * f64::from(bottom - top)).round() as i32,
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
            let style = colour.stroke_width(width);
            if dashed {
                let pieces = DashedPathElement::new(points.iter().copied(), 10, 6, style);
                self.canvas.page.draw(&pieces).map_err(fault)?;
            } else {
                self.canvas.page.draw(&PathElement::new(points.clone(), style)).map_err(fault)?;
            }
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
        let path = PathElement::new(self.places(points), colour.stroke_width(2));
        self.canvas.page.draw(&path).map_err(fault)
    }

    /// A measured value: a disc, or a ring where it is `hollow`.
    pub fn mark(&self, at: (f64, f64), hollow: bool, colour: RGBColor) -> Result<(), FigureError> {
        let style = if hollow { colour.stroke_width(2) } else { colour.filled() };
        self.canvas.page.draw(&Circle::new(self.place(&at), 5, style)).map_err(fault)
    }

    /// The frame with its marks; those of the axis to the right are written where it is the `last` panel.
    pub fn frame(&self, last: bool) -> Result<(), FigureError> {
        let (left, right) = SIDES;
        let (top, bottom) = self.rows;
        let canvas = self.canvas;
        let frame = Rectangle::new([(left, top), (right, bottom)], INK.stroke_width(1));
        canvas.page.draw(&frame).map_err(fault)?;
        for (tick, label) in self.x.ticks() {
            let (x, _) = self.place(&(tick, self.y.low));
            canvas.stroke([(x, bottom), (x, bottom + 6)])?;
            if last {
                canvas.text(&label, (x, bottom + 12), 15.0, (HPos::Center, VPos::Top))?;
            }
        }
        for (tick, label) in self.y.ticks() {
            let (_, y) = self.place(&(self.x.low, tick));
            canvas.stroke([(left - 6, y), (left, y)])?;
            canvas.text(&label, (left - 10, y), 15.0, (HPos::Right, VPos::Center))?;
        }
        if last {
            let at = ((left + right) / 2, bottom + 44);
            canvas.text(&self.x.axis.text(), at, 17.0, (HPos::Center, VPos::Top))?;
        }
        let style = (FONT, 17.0).into_font().transform(FontTransform::Rotate270).color(&INK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        canvas.page.draw_text(&self.y.axis.text(), &style, (24, (top + bottom) / 2)).map_err(fault)
    }
}
