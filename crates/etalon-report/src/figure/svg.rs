//! A figure as a picture that stands by itself.

use super::arrangement::{Arrangement, Placed};
use super::ends::End;
use super::layout::Layout;
use super::palette::{GROUND, TEXT};
use super::part::Part;
use super::shapes::{Frame, Outline, Plot, Shape};
use super::standing::Standing;
use super::{Colour, Figure, FigureError, Style};
use maud::{Markup, html};

/// From the left side of the picture to the frames, and from the frames to its right side.
const SIDES: (f64, f64) = (96.0, 30.0);
/// From the title to the first frame, with a row of the legend for colours and one for lines.
const LEGEND: f64 = 68.0;
/// Under the last frame: marks and the label of the axis.
const FOOT: f64 = 80.0;
/// From one line of the title or row of the legend to the next.
const ROW: f64 = 22.0;
/// The width of a letter of the title.
const LETTER: f64 = 10.4;
/// At the end of a line: a stroke of its colour with room around it, about the width of a letter of its name, the height
/// of a row, and the share of the frames' width that names may take.
const END: (f64, f64, f64, f64) = (28.0, 7.4, 16.0, 0.25);

/// A legend's entries in rows, each with its left edge.
struct Legend<T> {
    rows: Vec<Vec<(f64, T, String)>>,
}

impl<T> Legend<T> {
    /// `right` is where rows end, `sample` the width of what stands before a name, `letter` about that of a letter.
    fn new(entries: impl IntoIterator<Item = (T, String)>, right: f64, sample: f64, letter: f64) -> Self {
        let (mut rows, mut left): (Vec<Vec<_>>, f64) = (Vec::new(), f64::INFINITY);
        for (entry, name) in entries {
            let width = sample + letter * name.chars().count() as f64 + 18.0;
            if left + width > right {
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

    /// The height of its rows beyond the first, for which there is room.
    fn more(&self) -> f64 {
        ROW * self.rows.len().saturating_sub(1) as f64
    }

    /// Its entries, each with the left edge and the middle of its row.
    fn entries(&self, first: f64) -> impl Iterator<Item = (f64, f64, &T, &str)> {
        self.rows.iter().enumerate().flat_map(move |(row, entries)| {
            let y = first + ROW * row as f64;
            entries.iter().map(move |(left, entry, name)| (*left, y, entry, name.as_str()))
        })
    }
}

/// Where a text stands, and how large.
#[derive(Clone, Copy)]
struct Label {
    /// `start`, `middle` or `end` of the text.
    anchor: &'static str,
    x: f64,
    /// The middle of its letters.
    y: f64,
    size: f64,
}

impl Figure {
    /// The picture as SVG, on a light ground of its own.
    ///
    /// # Errors
    /// Where there is nothing to draw.
    pub fn svg(&self) -> Result<String, FigureError> {
        self.svg_as(&Style::default())
    }

    /// The same in another size or on another ground.
    ///
    /// # Errors
    /// Where there is nothing to draw, or no room for it.
    pub fn svg_as(&self, style: &Style) -> Result<String, FigureError> {
        let layout = Layout::of(self)?;
        let canvas = style.canvas()?;
        let (width, right) = (canvas.width, canvas.width - SIDES.1);
        let title = if style.plain {
            Vec::new()
        } else {
            wrapped(&self.title, ((right - SIDES.0) / LETTER) as usize)
        };
        let named = self.named(&layout, canvas.width - SIDES.0 - SIDES.1, canvas.height);
        let mut colours = self.legend();
        if let Some((ends, _)) = &named {
            colours.retain(|(colour, name)| {
                !ends.iter().flatten().any(|end| (end.colour, &end.name) == (*colour, name))
            });
        }
        let colours = Legend::new(colours, right, 25.0, 9.0);
        let lines = Legend::new(self.legend_lines(), right, 43.0, 8.0);
        let legend = 24.0 + ROW * title.len() as f64 - ROW;
        let mut top = legend + LEGEND + colours.more() + lines.more();
        if style.plain || named.is_some() {
            // No room for a legend that there is not.
            top -= [colours.rows.is_empty(), lines.rows.is_empty()]
                .map(|none| if none { ROW } else { 0.0 })
                .iter()
                .sum::<f64>();
        }
        let width_of_all = right - SIDES.0 - named.as_ref().map_or(0.0, |(_, width)| *width);
        let arrangement = self.arrangement(width_of_all);
        let inner = canvas.height.map_or(arrangement.height(width_of_all), |height| height - top - FOOT);
        if let (Some(unit), true) = (canvas.unit, inner < arrangement.least()) {
            let least = top + FOOT + arrangement.least();
            let given = unit * (top + inner + FOOT);
            return Err(FigureError::NoRoom { side: "height", given, least: unit * least });
        }
        let all = Frame { left: SIDES.0, top, width: width_of_all, height: inner };
        let placed = arrangement.placed(all);
        let bottom = placed.iter().map(|placed| placed.frame.top + placed.frame.height).fold(0.0, f64::max);
        let plots = self.panels.iter().zip(&placed).enumerate();
        let plots = plots.map(|(index, (panel, placed))| {
            (Plot { panel, layout: &layout, index, frame: placed.frame }, placed)
        });
        let plots: Vec<(Plot<'_>, &Placed)> = plots.collect();
        let height = top + inner + FOOT;
        let size = |units: f64| match canvas.unit {
            Some(unit) => format!("{:.3}mm", units * unit),
            None => units.to_string(),
        };
        let ground =
            (!style.transparent).then(|| if style.plain { "#fff".into() } else { GROUND.to_string() });
        let is_shown = |shape: &Shape| !style.plain || shape.part != Part::Grid;
        let picture = html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(size(width)) height=(size(height)) viewBox={ "0 0 " (width) " " (height) }
                role="img" font-family="sans-serif" fill=(TEXT) {
                title { (legible(&self.title)) }
                @if let Some(ground) = ground { rect width=(width) height=(height) fill=(ground) {} }
                @for (row, line) in title.iter().enumerate() {
                    (text(line, Label { anchor: "start", x: SIDES.0, y: 24.0 + ROW * row as f64, size: 17.0 }))
                }
                @for (left, y, colour, name) in colours.entries(legend + 33.0) { (sample(left, y, *colour, name)) }
                @for (left, y, dashed, name) in lines.entries(legend + 56.0 + colours.more()) {
                    (stroke(left, y, *dashed, name))
                }
                @for (plot, placed) in &plots {
                    @for shape in plot.shapes().into_iter().filter(is_shown) { (shape.in_file()) }
                    (axes(plot, placed))
                    @for standing in self.standing(&layout, plot.index) { (beside(plot.frame, &standing)) }
                    @for end in named.iter().flat_map(|(ends, _)| &ends[plot.index]) { (at_end(plot.frame, end)) }
                }
                @if self.is_faceted() { (upwards(&layout.y[0].text(), top + inner / 2.0)) }
                (text(&layout.x.axis.text(), Label { anchor: "middle", x: all.left + all.width / 2.0, y: bottom + 52.0, size: 15.0 }))
            }
        };
        Ok(picture.into_string() + "\n")
    }
}

impl Figure {
    fn arrangement(&self, width: f64) -> Arrangement {
        if self.is_faceted() {
            Arrangement::beside(self.panels.len(), width)
        } else {
            Arrangement::Below(self.panels.iter().map(|panel| panel.weight).collect())
        }
    }

    /// The names at the ends of lines, by panel, and the room to the right of the frames that they take of `width`; none
    /// where they have none. `height` is that of the picture, where it is given.
    fn named(&self, layout: &Layout<'_>, width: f64, height: Option<f64>) -> Option<(Vec<Vec<End>>, f64)> {
        let (sample, letter, row, share) = END;
        let arrangement = self.arrangement(width);
        let height = height.map_or(arrangement.height(width), |height| height - LEGEND - FOOT);
        let frame = Frame { left: 0.0, top: 0.0, width, height };
        let placed = arrangement.placed(frame);
        let ends = self.ends(layout, |panel| (placed[panel].frame.height / row).max(1.0))?;
        let longest = ends.iter().flatten().map(|end| end.name.chars().count()).max().unwrap_or(0);
        let room = (sample + letter * longest as f64 - SIDES.1).max(0.0);
        (room <= share * width).then_some((ends, room))
    }
}

/// A sample of a colour in the legend, and its name.
fn sample(left: f64, y: f64, colour: Colour, name: &str) -> Markup {
    html! {
        rect x=(left) y=(y - 7.0) width="18" height="14" fill=(colour.light()) {}
        (text(name, Label { anchor: "start", x: left + 25.0, y, size: 14.0 }))
    }
}

/// A stroke in the legend, and its name.
fn stroke(left: f64, y: f64, dashed: bool, name: &str) -> Markup {
    let part = if dashed { Part::Dashed } else { Part::Expected };
    let outline = Outline::Path(format!("M{left} {y}h36"));
    html! {
        (Shape { part, colour: Colour::Ink, outline }.in_file())
        (text(name, Label { anchor: "start", x: left + 43.0, y, size: 13.0 }))
    }
}

/// The axes with their marks and, but for facets, the label of the one upwards; a facet has its name above it.
fn axes(plot: &Plot<'_>, placed: &Placed) -> Markup {
    let Frame { left, top, width, height } = plot.frame;
    let (right, bottom) = (left + width, top + height);
    let (x, y) = (&plot.layout.x, &plot.layout.y[plot.index]);
    let columns: Vec<(f64, String)> = x.ticks().into_iter().map(|(x, name)| (plot.right(x), name)).collect();
    let named = apart(&columns);
    let rows: Vec<(f64, String)> = y.ticks().into_iter().map(|(y, name)| (plot.down(y), name)).collect();
    let mut path = format!("M{left} {top}H{right}V{bottom}H{left}z");
    path.extend(columns.iter().map(|(x, _)| format!("M{x} {bottom}v6")));
    path.extend(rows.iter().map(|(y, _)| format!("M{left} {y}h-6")));
    let facet = &plot.panel.facet;
    html! {
        path class="axes" fill="none" stroke=(TEXT) d=(path) {}
        @if placed.first {
            @for (y, name) in &rows { (text(name, Label { anchor: "end", x: left - 10.0, y: *y, size: 13.0 })) }
        }
        @if facet.is_empty() {
            (upwards(&y.text(), top + height / 2.0))
        } @else {
            (text(facet, Label { anchor: "start", x: left, y: top - 12.0, size: 14.0 }))
        }
        @if placed.last {
            @for (x, name) in named {
                (text(name, Label { anchor: "middle", x: *x, y: bottom + 18.0, size: 13.0 }))
            }
        }
    }
}

/// The label of an axis upwards, with its middle at a height.
fn upwards(words: &str, y: f64) -> Markup {
    html! {
        g transform={ "rotate(-90 24 " (y) ")" } { (text(words, Label { anchor: "middle", x: 24.0, y, size: 15.0 })) }
    }
}

/// A name beside a line from top to bottom, on a ground of its own.
fn beside(frame: Frame, standing: &Standing<'_>) -> Markup {
    let at = frame.left + frame.width * standing.right;
    let y = frame.top + 13.0 + 17.0 * standing.row as f64;
    let width = 7.0 * standing.name.chars().count() as f64 + 6.0;
    let (anchor, x, left) =
        if standing.before { ("end", at - 6.0, at - 3.0 - width) } else { ("start", at + 6.0, at + 3.0) };
    let [x, left] = [x, left].map(f64::round);
    html! {
        rect x=(left) y=(y - 8.0) width=(width) height="16" fill=(GROUND) opacity="0.8" {}
        (text(standing.name, Label { anchor, x, y, size: 13.0 }))
    }
}

/// A name at the end of its line, after a short stroke of its colour.
fn at_end(frame: Frame, end: &End) -> Markup {
    let (left, y) = (frame.left + frame.width + 6.0, (frame.top + frame.height * end.down).round());
    let outline = Outline::Path(format!("M{left} {y}h14"));
    html! {
        (Shape { part: Part::Line, colour: end.colour, outline }.in_file())
        (text(&end.name, Label { anchor: "start", x: left + 19.0, y, size: 13.0 }))
    }
}

/// The marks whose names do not touch the name before; marks may come in any order.
fn apart(marks: &[(f64, String)]) -> Vec<&(f64, String)> {
    let mut marks: Vec<&(f64, String)> = marks.iter().collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut end = f64::NEG_INFINITY;
    marks.retain(|(x, name)| {
        let half = 4.0 * name.chars().count() as f64;
        let is_free = x - half > end;
        end = if is_free { x + half + 6.0 } else { end };
        is_free
    });
    marks
}

fn text(words: &str, Label { anchor, x, y, size }: Label) -> Markup {
    // Not every program knows how to set a text by its middle.
    let base = y + (0.35 * size).round();
    html! { text x=(x) y=(base) font-size=(size) text-anchor=(anchor) { (legible(words)) } }
}

/// The text without what XML does not allow, in which no program would open the picture.
fn legible(text: &str) -> String {
    let is_allowed = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().map(|c| if is_allowed(c) { c } else { '\u{fffd}' }).collect()
}

/// The lines of a title, of so many letters.
fn wrapped(title: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in title.split_whitespace() {
        let line = lines.len() - 1;
        let length = lines[line].chars().count() + 1 + word.chars().count();
        if lines[line].is_empty() {
            lines[line] = word.into();
        } else if length <= letters {
            lines[line] = format!("{} {word}", lines[line]);
        } else {
            lines.push(word.into());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Panel, Series, Stroke};

    fn picture(title: &str, name: &str) -> String {
        let series = Series::plain(name, Colour::Blue, Stroke::Line, [(0.0, 1.0), (1.0, 2.0)]);
        let panel = Panel { series: vec![series], ..Panel::new(Axis::log("loss <b>")) };
        let figure = Figure {
            name: "one".into(),
            title: title.into(),
            note: String::new(),
            x: Axis::steps(),
            panels: vec![panel],
            details: None,
        };
        figure.svg().unwrap()
    }

    #[test]
    fn names_mean_themselves_in_a_picture_whatever_they_are() {
        let svg = picture("A & \"B\"", "</text><script>\u{1}");
        for expected in ["A &amp; &quot;B&quot;", "&lt;/text&gt;&lt;script&gt;\u{fffd}", "loss &lt;b&gt;"] {
            assert!(svg.contains(expected), "{expected}: {svg}");
        }
        assert!(!svg.contains("<script") && !svg.contains("<b>"));
    }

    #[test]
    fn a_long_title_goes_over_several_lines_and_makes_the_picture_longer() {
        let long = "a title of many words ".repeat(8);
        let height = |svg: &str| -> f64 {
            svg.split(" height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        let (short, long) = (picture("a title", "x"), picture(&long, "x"));
        assert_eq!(long.matches("font-size=\"17\"").count(), 3);
        assert_eq!(height(&long), height(&short) + 2.0 * ROW);
    }
}
