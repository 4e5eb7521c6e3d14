//! A figure as PDF: the paths of its SVG, letters too, so that it looks the same in every program.

use super::png::tree;
use super::{Figure, FigureError, Style};
use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};
use resvg::tiny_skia::{Path, PathSegment, Transform};
use resvg::usvg::{Color, FillRule, Group, LineCap, LineJoin, Node, Paint, Stroke};
use std::io::Write;

/// A pixel of a style sheet in points of print.
const POINTS: f32 = 72.0 / 96.0;

impl Figure {
    /// The picture of [`Figure::svg_as`] as PDF, one page of its size. Its bytes are the same on every machine.
    ///
    /// # Errors
    /// As [`Figure::png`].
    pub fn pdf(&self, style: &Style) -> Result<Vec<u8>, FigureError> {
        document(&self.svg_as(style)?)
    }
}

/// What is drawn, and the opacities that it asks for.
struct Drawing {
    content: Content,
    opacities: Vec<f32>,
}

fn document(svg: &str) -> Result<Vec<u8>, FigureError> {
    let tree = tree(svg)?;
    let (width, height) = (tree.size().width() * POINTS, tree.size().height() * POINTS);
    let mut drawing = Drawing { content: Content::new(), opacities: Vec::new() };
    // Upwards is up.
    drawing.content.transform([POINTS, 0.0, 0.0, -POINTS, 0.0, height]);
    drawing.group(tree.root(), 1.0)?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(&drawing.content.finish()).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| FigureError::Drawing(error.to_string()))?;
    let [catalog, pages, page, content] = [1, 2, 3, 4].map(Ref::new);
    let state = |index: usize| Ref::new(5 + index as i32);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut sheet = pdf.page(page);
    sheet.parent(pages).contents(content).media_box(Rect::new(0.0, 0.0, width, height));
    let mut resources = sheet.resources();
    let mut states = resources.ext_g_states();
    for index in 0..drawing.opacities.len() {
        states.pair(Name(name(index).as_bytes()), state(index));
    }
    states.finish();
    resources.finish();
    sheet.finish();
    for (index, &opacity) in drawing.opacities.iter().enumerate() {
        pdf.ext_graphics(state(index)).stroking_alpha(opacity).non_stroking_alpha(opacity);
    }
    pdf.stream(content, &packed).filter(Filter::FlateDecode);
    Ok(pdf.finish())
}

/// The name of an opacity among the page's resources.
fn name(index: usize) -> String {
    format!("opacity{index}")
}

impl Drawing {
    /// Everything in a group. An opacity is that of each path: the groups of our figures with one hold a single path.
    fn group(&mut self, group: &Group, opacity: f32) -> Result<(), FigureError> {
        let opacity = opacity * group.opacity().get();
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, opacity)?,
                Node::Text(text) => self.group(text.flattened(), opacity)?,
                Node::Image(_) => return Err(FigureError::Drawing("it has an image".into())),
                Node::Path(path) => {
                    self.content.save_state();
                    let Transform { sx, kx, ky, sy, tx, ty } = path.abs_transform();
                    self.content.transform([sx, ky, kx, sy, tx, ty]);
                    if let Some(fill) = path.fill() {
                        let [red, green, blue] = colour(fill.paint())?;
                        self.opacity(opacity * fill.opacity().get());
                        self.content.set_fill_rgb(red, green, blue);
                        self.path(path.data());
                        match fill.rule() {
                            FillRule::NonZero => self.content.fill_nonzero(),
                            FillRule::EvenOdd => self.content.fill_even_odd(),
                        };
                    }
                    if let Some(stroke) = path.stroke() {
                        let [red, green, blue] = colour(stroke.paint())?;
                        self.opacity(opacity * stroke.opacity().get());
                        self.content.set_stroke_rgb(red, green, blue);
                        self.pen(stroke);
                        self.path(path.data());
                        self.content.stroke();
                    }
                    self.content.restore_state();
                }
            }
        }
        Ok(())
    }

    fn opacity(&mut self, opacity: f32) {
        let known = self.opacities.iter().position(|&other| other == opacity);
        let index = known.unwrap_or_else(|| {
            self.opacities.push(opacity);
            self.opacities.len() - 1
        });
        self.content.set_parameters(Name(name(index).as_bytes()));
    }

    fn pen(&mut self, stroke: &Stroke) {
        self.content.set_line_width(stroke.width().get());
        self.content.set_line_cap(match stroke.linecap() {
            LineCap::Butt => LineCapStyle::ButtCap,
            LineCap::Round => LineCapStyle::RoundCap,
            LineCap::Square => LineCapStyle::ProjectingSquareCap,
        });
        self.content.set_line_join(match stroke.linejoin() {
            LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::MiterJoin,
            LineJoin::Round => LineJoinStyle::RoundJoin,
            LineJoin::Bevel => LineJoinStyle::BevelJoin,
        });
        let dashes = stroke.dasharray().unwrap_or_default();
        self.content.set_dash_pattern(dashes.iter().copied(), stroke.dashoffset());
    }

    fn path(&mut self, path: &Path) {
        let mut last = (0.0, 0.0);
        for segment in path.segments() {
            match segment {
                PathSegment::MoveTo(to) => self.content.move_to(to.x, to.y),
                PathSegment::LineTo(to) => self.content.line_to(to.x, to.y),
                PathSegment::CubicTo(a, b, to) => self.content.cubic_to(a.x, a.y, b.x, b.y, to.x, to.y),
                // PDF has no parabolas; this cubic is the same curve.
                PathSegment::QuadTo(a, to) => {
                    let toward = |from: f32, a: f32| from + 2.0 / 3.0 * (a - from);
                    let (x, y) = (toward(last.0, a.x), toward(last.1, a.y));
                    self.content.cubic_to(x, y, toward(to.x, a.x), toward(to.y, a.y), to.x, to.y)
                }
                PathSegment::Close => self.content.close_path(),
            };
            if let PathSegment::MoveTo(to)
            | PathSegment::LineTo(to)
            | PathSegment::QuadTo(_, to)
            | PathSegment::CubicTo(_, _, to) = segment
            {
                last = (to.x, to.y);
            }
        }
    }
}

/// Red, green and blue from 0 to 1.
fn colour(paint: &Paint) -> Result<[f32; 3], FigureError> {
    match *paint {
        Paint::Color(Color { red, green, blue }) => {
            Ok([red, green, blue].map(|part| f32::from(part) / 255.0))
        }
        _ => Err(FigureError::Drawing("it has a paint that is no colour".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// What the page draws.
    fn content(pdf: &[u8]) -> String {
        let start = pdf.windows(7).position(|window| window == b"stream\n").unwrap() + 7;
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(&pdf[start..]).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_page_has_the_size_of_the_picture_and_its_paths() {
        let svg = "<svg width='96mm' height='48mm' viewBox='0 0 96 48' xmlns='http://www.w3.org/2000/svg'>\
                   <path d='M0 0h10v10z' fill='#ff0000' opacity='0.25'/>\
                   <path d='M1 1L2 2' stroke='#0000ff' stroke-width='3' stroke-dasharray='7 5' fill='none'/></svg>";
        let pdf = document(svg).unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        let text = String::from_utf8_lossy(&pdf);
        // 96 mm are 272.1 points.
        assert!(text.contains("/MediaBox [0 0 272.12"), "{text}");
        assert!(text.contains("/ca 0.25"), "{text}");
        let drawn = content(&pdf);
        for expected in ["1 0 0 rg", "0 0 1 RG", "3 w", "[7 5] 0 d", "0 0 m", "10 0 l", "\nS"] {
            assert!(drawn.contains(expected), "{expected}: {drawn}");
        }
    }

    #[test]
    fn letters_are_paths_and_one_that_cannot_be_drawn_is_an_error() {
        let page = |words: &str| {
            format!(
                "<svg width='60' height='20' xmlns='http://www.w3.org/2000/svg'><text y='9' font-family='sans-serif'>{words}</text></svg>"
            )
        };
        let drawn = content(&document(&page("η*")).unwrap());
        assert!(drawn.matches(" c\n").count() > 5, "{drawn}");
        assert_eq!(document(&page("漢")), Err(FigureError::Letter('漢')));
    }
}
