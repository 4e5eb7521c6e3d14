//! The parts of a plot and how each looks: as a style sheet for pages, as attributes in a file.

use super::Colour;
use super::palette::{GROUND, RULE, Rgb, TEXT};
use super::shapes::{Outline, Shape};
use maud::{Markup, html};

/// A part of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Lines at the marks of the axes.
    Grid,
    /// Areas with a meaning.
    Cell,
    /// The same as a ground for series.
    PaleCell,
    /// The edge of a line where something is expected.
    Halo,
    /// Such a line.
    Expected,
    /// One that is broken.
    Dashed,
    /// From the least to the most of a series.
    Area,
    /// A series.
    Line,
    /// From the least to the most of one value.
    Bar,
    /// A value.
    Disc,
    /// The middle of the mark of a value that was left out.
    Hole,
}

/// What a part is painted with.
#[derive(Clone, Copy)]
enum Paint {
    /// The colour of its kind or series.
    Own,
    Ground,
    Text,
    Rule,
}

/// What a cell covers of its neighbour: programs that soften edges would leave a light line between two.
const SEAM: f64 = 0.6;

/// How a part looks.
struct Style {
    paint: Paint,
    /// The width of its stroke, of a mark its diameter; none where it is filled.
    stroke: Option<f64>,
    opacity: f64,
    dashes: Option<&'static str>,
}

/// The style of a stroke.
const fn stroke(paint: Paint, width: f64, opacity: f64) -> Style {
    Style { paint, stroke: Some(width), opacity, dashes: None }
}

/// The style of an area.
const fn area(opacity: f64) -> Style {
    Style { paint: Paint::Own, stroke: None, opacity, dashes: None }
}

impl Part {
    const ALL: [Part; 11] = [
        Part::Grid,
        Part::Cell,
        Part::PaleCell,
        Part::Halo,
        Part::Expected,
        Part::Dashed,
        Part::Area,
        Part::Line,
        Part::Bar,
        Part::Disc,
        Part::Hole,
    ];

    fn style(self) -> Style {
        match self {
            Part::Grid => stroke(Paint::Rule, 1.0, 0.55),
            Part::Cell => area(1.0),
            Part::PaleCell => area(0.2),
            Part::Halo => stroke(Paint::Ground, 4.0, 0.8),
            Part::Expected => stroke(Paint::Text, 1.5, 1.0),
            Part::Dashed => Style { dashes: Some("7 5"), ..Part::Expected.style() },
            Part::Area => area(0.17),
            Part::Line => stroke(Paint::Own, 2.0, 1.0),
            Part::Bar => stroke(Paint::Own, 1.5, 0.75),
            Part::Disc => stroke(Paint::Own, 8.0, 1.0),
            Part::Hole => stroke(Paint::Ground, 4.0, 1.0),
        }
    }

    /// Its classes.
    fn class(self) -> &'static str {
        match self {
            Part::Grid => "grid",
            Part::Cell => "cell",
            Part::PaleCell => "cell pale",
            Part::Halo => "halo",
            Part::Expected => "expected",
            Part::Dashed => "expected dashed",
            Part::Area => "area",
            Part::Line => "line",
            Part::Bar => "bar",
            Part::Disc => "disc",
            Part::Hole => "hole",
        }
    }

    /// Whether its edges lie on whole pixels, so that neighbours have no seam.
    fn is_crisp(self) -> bool {
        matches!(self, Part::Cell | Part::PaleCell)
    }

    /// Its rule in the style sheet of a page, where `--k` is a shape's own colour.
    fn rule(self) -> String {
        let Style { paint, stroke, opacity, dashes } = self.style();
        let paint = match paint {
            Paint::Own => "var(--k)",
            Paint::Ground => "var(--ground)",
            Paint::Text => "var(--text)",
            Paint::Rule => "var(--line)",
        };
        let mut rule = match stroke {
            Some(width) => format!("stroke:{paint};stroke-width:{width}"),
            None if self == Part::Cell => format!("fill:{paint};stroke:{paint};stroke-width:{SEAM}"),
            None => format!("fill:{paint}"),
        };
        rule.extend((opacity < 1.0).then(|| format!(";opacity:{opacity}")));
        rule.extend(dashes.map(|dashes| format!(";stroke-dasharray:{dashes}")));
        rule += if self.is_crisp() { ";shape-rendering:crispEdges" } else { "" };
        // A mark is a stroke without length.
        rule += if matches!(self, Part::Disc | Part::Hole) { ";stroke-linecap:round" } else { "" };
        format!(".plot .{}{{{rule}}}\n", self.class().replace(' ', "."))
    }
}

/// The rules of all parts.
pub(super) fn rules() -> String {
    Part::ALL.map(Part::rule).concat()
}

impl Shape {
    /// The shape on a page, whose style sheet says how it looks.
    pub(super) fn on_page(&self) -> Markup {
        let path = match &self.outline {
            Outline::Path(path) => path.clone(),
            // The plot is stretched to its frame, in which a circle would be none.
            Outline::Marks(marks) => marks.iter().map(|(x, y)| format!("M{x} {y}h0")).collect(),
        };
        let colour = matches!(self.part.style().paint, Paint::Own)
            .then(|| format!("--k:var(--{})", self.colour.name()));
        html! { path class=(self.part.class()) style=[colour] d=(path) {} }
    }

    /// The shape in a file, which says itself how it looks.
    pub(super) fn in_file(&self) -> Markup {
        let Style { paint, stroke, opacity, dashes } = self.part.style();
        let paint = paint.light(self.colour);
        let opacity = (opacity < 1.0).then_some(opacity);
        let crisp = self.part.is_crisp().then_some("crispEdges");
        let class = self.part.class();
        let seam = (self.part == Part::Cell).then_some(paint);
        let seam_width = seam.map(|_| SEAM);
        html! {
            @match (&self.outline, stroke) {
                (Outline::Path(path), Some(width)) => {
                    path class=(class) fill="none" stroke=(paint) stroke-width=(width) stroke-linejoin="round"
                        stroke-dasharray=[dashes] opacity=[opacity] d=(path) {}
                }
                (Outline::Path(path), None) => {
                    path class=(class) fill=(paint) stroke=[seam] stroke-width=[seam_width] opacity=[opacity]
                        shape-rendering=[crisp] d=(path) {}
                }
                (Outline::Marks(marks), width) => {
                    @for (x, y) in marks {
                        circle class=(class) cx=(x) cy=(y) r=(width.unwrap_or_default() / 2.0) fill=(paint) {}
                    }
                }
            }
        }
    }
}

impl Paint {
    /// On a light ground.
    fn light(self, own: Colour) -> Rgb {
        match self {
            Paint::Own => own.light(),
            Paint::Ground => GROUND,
            Paint::Text => TEXT,
            Paint::Rule => RULE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_looks_the_same_on_a_page_and_in_a_file() {
        let shape = |part| Shape { part, colour: Colour::Blue, outline: Outline::Path("M0 0h1".into()) };
        let rule = Part::Dashed.rule();
        assert_eq!(
            rule,
            ".plot .expected.dashed{stroke:var(--text);stroke-width:1.5;stroke-dasharray:7 5}\n"
        );
        let file = shape(Part::Dashed).in_file().into_string();
        for expected in ["stroke=\"#1D1F21\"", "stroke-width=\"1.5\"", "stroke-dasharray=\"7 5\"", "></path>"]
        {
            assert!(file.contains(expected), "{expected}: {file}");
        }
        let page = shape(Part::Area).on_page().into_string();
        assert_eq!(page, "<path class=\"area\" style=\"--k:var(--blue)\" d=\"M0 0h1\"></path>");
        let file = shape(Part::Area).in_file().into_string();
        assert!(file.contains("fill=\"#0072B2\" opacity=\"0.17\""), "{file}");
        assert!(Part::Area.rule().contains("fill:var(--k);opacity:0.17"));
    }
}
