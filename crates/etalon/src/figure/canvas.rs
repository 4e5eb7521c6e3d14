//! A page with one framed plot.

use super::FigureError;
use super::ticks::{even_ticks, text, ticks};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const PAPER: RGBColor = RGBColor(0xfa, 0xfa, 0xf7);
const FONT: &str = "sans-serif";

/// The page in pixels.
pub(super) const SIZE: (u32, u32) = (960, 640);
/// The frame: left, top, right, bottom.
const FRAME: (i32, i32, i32, i32) = (96, 92, 930, 560);

/// An axis of the plot: its ends, and what it shows.
pub(super) struct Axis<'a> {
    pub low: f64,
    pub high: f64,
    pub label: &'a str,
    pub scale: Scale,
}

/// How values are spread over an axis.
pub(super) enum Scale {
    /// By their logarithm.
    Log,
    /// Evenly.
    Even,
    /// Evenly, and the values are powers of ten: marks say `1e3` at 3. For numbers that no float holds.
    Exponent,
}

impl Axis<'_> {
    /// An axis around values, which need not be in order, with some room at both ends.
    pub fn around(values: impl Iterator<Item = f64>, label: &str) -> Axis<'_> {
        let fold = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = values.fold((f64::INFINITY, 0.0), fold);
        let room = (high / low).powf(0.06).max(1.05);
        Axis { low: low / room, high: high * room, label, scale: Scale::Log }
    }

    /// The share of the axis that lies below a value; what lies beyond an end is at the end.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
            Scale::Even | Scale::Exponent => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }

    /// Marks and their texts.
    fn ticks(&self) -> Vec<(f64, String)> {
        let even = || even_ticks(self.low, self.high).into_iter();
        match self.scale {
            Scale::Log => ticks(self.low, self.high).into_iter().map(|tick| (tick, text(tick))).collect(),
            Scale::Even => even().map(|tick| (tick, tick.to_string())).collect(),
            // Ends that are numbers have the marks of a logarithmic axis.
            Scale::Exponent if self.low > -300.0 && self.high < 300.0 => {
                let marks = ticks(10f64.powf(self.low), 10f64.powf(self.high)).into_iter();
                marks.map(|tick| (tick.log10(), text(tick))).collect()
            }
            Scale::Exponent => even().map(|tick| (tick, format!("1e{tick}"))).collect(),
        }
    }
}

/// A page being drawn.
pub(super) struct Canvas<'a, 'b> {
    page: DrawingArea<SVGBackend<'a>, Shift>,
    x: Axis<'b>,
    y: Axis<'b>,
}

fn fault(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}

impl<'a, 'b> Canvas<'a, 'b> {
    /// An empty page.
    pub fn new(svg: &'a mut String, x: Axis<'b>, y: Axis<'b>) -> Result<Self, FigureError> {
        let page = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        page.fill(&PAPER).map_err(fault)?;
        Ok(Canvas { page, x, y })
    }

    fn column(&self, x: f64) -> i32 {
        FRAME.0 + (self.x.share(x) * f64::from(FRAME.2 - FRAME.0)).round() as i32
    }

    fn row(&self, y: f64) -> i32 {
        FRAME.3 - (self.y.share(y) * f64::from(FRAME.3 - FRAME.1)).round() as i32
    }

    /// A filled rectangle between two corners of the plot.
    pub fn fill(
        &self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        colour: RGBColor,
    ) -> Result<(), FigureError> {
        let corners = [(self.column(x0), self.row(y1)), (self.column(x1), self.row(y0))];
        self.page.draw(&Rectangle::new(corners, colour.filled())).map_err(fault)
    }

    /// A line through the plot, dark on a light edge so that it shows on every colour.
    pub fn line(&self, points: &[(f64, f64)], dashed: bool) -> Result<(), FigureError> {
        let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (self.column(x), self.row(y))).collect();
        for (colour, width) in [(WHITE, 4), (INK, 2)] {
            let style = colour.stroke_width(width);
            if dashed {
                let pieces = DashedPathElement::new(points.iter().copied(), 10, 6, style);
                self.page.draw(&pieces).map_err(fault)?;
            } else {
                self.page.draw(&PathElement::new(points.clone(), style)).map_err(fault)?;
            }
        }
        Ok(())
    }

    /// The area inside a line that returns to where it began, so light that others show through.
    pub fn area(&self, points: &[(f64, f64)], colour: RGBColor) -> Result<(), FigureError> {
        let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (self.column(x), self.row(y))).collect();
        self.page.draw(&Polygon::new(points, colour.mix(0.25).filled())).map_err(fault)
    }

    /// A line in a colour.
    pub fn curve(&self, points: &[(f64, f64)], colour: RGBColor) -> Result<(), FigureError> {
        let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (self.column(x), self.row(y))).collect();
        self.page.draw(&PathElement::new(points, colour.stroke_width(2))).map_err(fault)
    }

    /// A measured value: a disc, or a ring where it is `hollow`.
    pub fn mark(&self, (x, y): (f64, f64), hollow: bool, colour: RGBColor) -> Result<(), FigureError> {
        let style = if hollow { colour.stroke_width(2) } else { colour.filled() };
        self.page.draw(&Circle::new((self.column(x), self.row(y)), 5, style)).map_err(fault)
    }

    /// A sample of a colour in the legend at the top, and its name; returns where the next one starts.
    pub fn legend(&self, left: i32, colour: RGBColor, name: &str) -> Result<i32, FigureError> {
        let top = 50;
        let sample = Rectangle::new([(left, top), (left + 18, top + 14)], colour.filled());
        self.page.draw(&sample).map_err(fault)?;
        self.text(name, (left + 25, top + 7), 16.0, (HPos::Left, VPos::Center))?;
        // About the width of a sans-serif letter.
        Ok(left + 25 + 9 * name.chars().count() as i32 + 18)
    }

    /// A stroke in the legend, as [`Canvas::line`] draws it.
    pub fn legend_line(&self, left: i32, dashed: bool, name: &str) -> Result<i32, FigureError> {
        let y = 80;
        let style = INK.stroke_width(2);
        let points = vec![(left, y), (left + 36, y)];
        if dashed {
            self.page.draw(&DashedPathElement::new(points.iter().copied(), 10, 6, style)).map_err(fault)?;
        } else {
            self.page.draw(&PathElement::new(points, style)).map_err(fault)?;
        }
        self.text(name, (left + 43, y), 15.0, (HPos::Left, VPos::Center))?;
        Ok(left + 43 + 8 * name.chars().count() as i32 + 18)
    }

    /// Title, frame, marks and labels.
    pub fn finish(self, title: &str) -> Result<(), FigureError> {
        let (left, top, right, bottom) = FRAME;
        let frame = Rectangle::new([(left, top), (right, bottom)], INK.stroke_width(1));
        self.page.draw(&frame).map_err(fault)?;
        for (tick, label) in self.x.ticks() {
            let x = self.column(tick);
            self.stroke([(x, bottom), (x, bottom + 6)])?;
            self.text(&label, (x, bottom + 12), 15.0, (HPos::Center, VPos::Top))?;
        }
        for (tick, label) in self.y.ticks() {
            let y = self.row(tick);
            self.stroke([(left - 6, y), (left, y)])?;
            self.text(&label, (left - 10, y), 15.0, (HPos::Right, VPos::Center))?;
        }
        self.text(title, (left, 24), 19.0, (HPos::Left, VPos::Center))?;
        self.text(self.x.label, ((left + right) / 2, bottom + 44), 17.0, (HPos::Center, VPos::Top))?;
        let style = (FONT, 17.0).into_font().transform(FontTransform::Rotate270).color(&INK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Center));
        self.page.draw_text(self.y.label, &style, (24, (top + bottom) / 2)).map_err(fault)?;
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
