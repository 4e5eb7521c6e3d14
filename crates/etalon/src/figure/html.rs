//! A figure as a part of a page.
//!
//! The plot's ground is an SVG that is stretched to its frame, in which strokes keep their width and a mark is a stroke
//! without length; all text is HTML, which keeps its size on a phone. So the figure is drawn without its script, which
//! tells values to a pointer, to the arrow keys and, by a live region, to a screen reader.

use super::axis::Ruler;
use super::layout::Layout;
use super::palette::properties;
use super::{Figure, FigureError, Look, Panel, Place, Point, Series};
use std::fmt::Write;

/// The side of the SVG's own coordinates.
const SIDE: f64 = 1000.0;

/// The style sheet that pages with figures need.
pub fn style() -> String {
    let dark = properties(true);
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{}",
        properties(false),
        include_str!("figure.css")
    )
}

/// The script that pages with figures need, once, at their end.
pub fn script() -> &'static str {
    include_str!("figure.js")
}

/// Text that means itself within HTML, in an attribute as well.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

impl Figure {
    /// The figure as a `<figure>`. `files` is where the page finds its `.svg` and `.csv`: a folder's path with a slash
    /// at its end; none where there are no files.
    ///
    /// # Errors
    /// Where there is nothing to draw.
    pub fn html(&self, files: Option<&str>) -> Result<String, FigureError> {
        let layout = Layout::of(self)?;
        let mut html = format!(
            "<figure class=\"plot\" id=\"figure-{name}\">\n<figcaption><h3>{}</h3>",
            escape(&self.title),
            name = escape(&self.name)
        );
        if !self.note.is_empty() {
            html += &format!("<p>{}</p>", escape(&self.note));
        }
        html += "</figcaption>\n";
        html += &self.html_legend();
        for (index, (panel, y)) in self.panels.iter().zip(&layout.y).enumerate() {
            let last = index + 1 == self.panels.len();
            html += &self.html_panel(panel, &layout, y, index, last);
        }
        html += &format!("<p class=\"right\">{}</p>\n", escape(&self.x.text()));
        if self.details.is_some() {
            html += "<div class=\"detail\" hidden></div>\n";
        }
        if let Some(folder) = files {
            let file = escape(&format!("{folder}{}", self.name));
            html += &format!(
                "<p class=\"files\"><a href=\"{file}.csv\">numbers (CSV)</a> <a href=\"{file}.svg\">picture (SVG)</a></p>\n"
            );
        }
        html += &format!("<script type=\"application/json\">{}</script>\n</figure>\n", self.json(&layout));
        Ok(html)
    }

    fn html_legend(&self) -> String {
        let (colours, lines) = (self.legend(), self.legend_lines());
        if colours.len() + lines.len() < 2 {
            return String::new();
        }
        let mut html = "<ul class=\"legend\">".to_string();
        for (colour, name) in colours {
            html += &format!("<li><i style=\"--k:var(--{})\"></i>{}</li>", colour.name(), escape(&name));
        }
        for (dashed, name) in lines {
            let class = if dashed { "stroke dashed" } else { "stroke" };
            html += &format!("<li><i class=\"{class}\"></i>{}</li>", escape(&name));
        }
        html + "</ul>\n"
    }

    fn html_panel(
        &self,
        panel: &Panel,
        layout: &Layout<'_>,
        y: &Ruler<'_>,
        index: usize,
        last: bool,
    ) -> String {
        let x = &layout.x;
        let about = format!(
            "{}: {} against {}. Arrow keys go from value to value.",
            self.title,
            panel.y.text(),
            self.x.text()
        );
        let mut html = format!(
            "<p class=\"up\">{}</p>\n<div class=\"panel\" style=\"--weight:{}\">\n<div class=\"frame\" tabindex=\"0\" \
             role=\"application\" aria-roledescription=\"plot\" aria-label=\"{}\" data-panel=\"{index}\">\n",
            escape(&panel.y.text()),
            panel.weight,
            escape(&about)
        );
        html += "<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" aria-hidden=\"true\">";
        let (columns, rows) = (x.ticks(), y.ticks());
        let mut grid = String::new();
        for (tick, _) in &columns {
            let _ = write!(grid, "M{} 0v1000", places(x.share(*tick)));
        }
        for (tick, _) in &rows {
            let _ = write!(grid, "M0 {}h1000", places(1.0 - y.share(*tick)));
        }
        html += &format!("<path class=\"grid\" d=\"{grid}\"/>");
        html += &cells(panel, x, y);
        html += &lines(panel, layout, index);
        for series in &panel.series {
            html += &marks(series, layout, index);
        }
        html += "</svg>\n";
        for line in &panel.lines {
            // What lies along the frame has its name beside it.
            if let Place::Level(height) = line.place
                && !line.name.is_empty()
            {
                let top = 100.0 * (1.0 - y.share(height));
                let name = escape(&line.name);
                html += &format!(
                    "<span class=\"name\" style=\"top:{top:.2}%\" aria-hidden=\"true\">{name}</span>"
                );
            }
        }
        for (number, (tick, text)) in rows.iter().enumerate() {
            let top = 100.0 * (1.0 - y.share(*tick));
            let odd = odd(number, rows.len(), 6);
            html += &format!(
                "<span class=\"tick row{odd}\" style=\"top:{top:.2}%\" aria-hidden=\"true\">{}</span>",
                escape(text)
            );
        }
        for (number, (tick, text)) in columns.iter().enumerate().filter(|_| last) {
            let left = 100.0 * x.share(*tick);
            let odd = odd(number, columns.len(), 6);
            html += &format!(
                "<span class=\"tick column{odd}\" style=\"left:{left:.2}%\" aria-hidden=\"true\">{}</span>",
                escape(text)
            );
        }
        html + "</div>\n</div>\n"
    }
}

/// The class of marks that a narrow page leaves out: every second one where there are many.
fn odd(number: usize, marks: usize, many: usize) -> &'static str {
    if marks > many && number % 2 == 1 { " odd" } else { "" }
}

/// A share of a side in the SVG's coordinates.
fn places(share: f64) -> f64 {
    (share * SIDE * 10.0).round() / 10.0
}

fn cells(panel: &Panel, x: &Ruler<'_>, y: &Ruler<'_>) -> String {
    let mut html = String::new();
    for (index, kind) in panel.kinds.iter().enumerate() {
        let mut path = String::new();
        for cell in panel.cells.iter().filter(|cell| cell.kind == index) {
            let [left, right] = cell.x.map(|value| places(x.share(value)));
            let [bottom, top] = cell.y.map(|value| places(1.0 - y.share(value)));
            let (width, height) = (places((right - left) / SIDE), places((bottom - top) / SIDE));
            let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
        }
        if !path.is_empty() {
            let class = if panel.pale { "cell pale" } else { "cell" };
            let colour = kind.colour.name();
            html += &format!("<path class=\"{class}\" style=\"--k:var(--{colour})\" d=\"{path}\"/>");
        }
    }
    html
}

fn lines(panel: &Panel, layout: &Layout<'_>, index: usize) -> String {
    let mut html = String::new();
    for line in &panel.lines {
        let points = layout.through(index, &line.place);
        if points.len() > 1 {
            let path = path(&points, layout, index);
            let class = if line.dashed { "expected dashed" } else { "expected" };
            html += &format!("<path class=\"halo\" d=\"{path}\"/><path class=\"{class}\" d=\"{path}\"/>");
        }
    }
    html
}

/// A line through points.
fn path(points: &[(f64, f64)], layout: &Layout<'_>, index: usize) -> String {
    let mut path = String::with_capacity(12 * points.len());
    for (number, &(x, y)) in points.iter().enumerate() {
        let (x, y) = (places(layout.x.share(x)), places(1.0 - layout.y[index].share(y)));
        let _ = write!(path, "{}{x} {y}", if number == 0 { "M" } else { "L" });
    }
    path
}

fn marks(series: &Series, layout: &Layout<'_>, index: usize) -> String {
    let [mut area, mut line, mut bars, mut discs, mut holes] = [const { String::new() }; 5];
    let place = |&(x, y): &(f64, f64)| (places(layout.x.share(x)), places(1.0 - layout.y[index].share(y)));
    for run in layout.runs(index, &series.points) {
        let points: Vec<(f64, f64)> = run.iter().map(|point| (point.x, point.y)).collect();
        if series.look != Look::Marks {
            line += &path(&points, layout, index);
            let ends: Option<Vec<_>> = run.iter().map(|point| series.spread.ends(point)).collect();
            if let Some(ends) = ends.filter(|ends| ends.len() > 1) {
                let there = ends.iter().map(|ends| ends[0]);
                let back = ends.iter().rev().map(|ends| ends[1]);
                area += &(path(&there.chain(back).collect::<Vec<_>>(), layout, index) + "z");
            }
        }
        // A line of one point would not be seen.
        if series.look != Look::Line || run.len() == 1 {
            for (Point { hollow, .. }, (x, y)) in run.iter().zip(points.iter().map(place)) {
                let _ = write!(discs, "M{x} {y}h0");
                if *hollow {
                    let _ = write!(holes, "M{x} {y}h0");
                }
            }
        }
        if series.look == Look::Marks {
            for ends in run.iter().filter_map(|point| series.spread.ends(point)) {
                bars += &path(&ends, layout, index);
            }
        }
    }
    let parts: [(&str, String); 5] =
        [("area", area), ("line", line), ("bar", bars), ("disc", discs), ("hole", holes)];
    let mut html = format!("<g style=\"--k:var(--{})\">", series.colour.name());
    for (class, path) in parts.iter().filter(|(_, path)| !path.is_empty()) {
        html += &format!("<path class=\"{class}\" d=\"{path}\"/>");
    }
    html + "</g>"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Cell, Colour, Details, Kind, Reference};

    fn figure() -> Figure {
        let mut panel = Panel::new(Axis::log("loss").in_unit("nats"));
        panel.kinds = vec![Kind { name: "lazy".into(), colour: Colour::Sky }];
        panel.cells.push(Cell {
            x: [0.0, 1.0],
            y: [0.1, 1.0],
            kind: 0,
            text: "</script><b>".into(),
            detail: Some(0),
        });
        panel.lines.push(Reference::level("2/eta", 0.5));
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 0.5), (3.0, 0.25)];
        panel.series.push(Series::plain("a < b", Colour::Blue, Look::Line, points));
        let items = vec![vec![vec![(0.0, 1.0), (1.0, f64::INFINITY)]]];
        Figure {
            name: "one".into(),
            title: "A & B".into(),
            note: String::new(),
            x: Axis::steps(),
            panels: vec![panel],
            details: Some(Details { x: Axis::steps(), y: Axis::log("loss"), items }),
        }
    }

    #[test]
    fn a_figure_is_drawn_with_its_names_and_without_the_means_to_break_out() {
        let html = figure().html(Some("figures/")).unwrap();
        for expected in [
            "A &amp; B",
            "a &lt; b",
            "loss (nats)",
            "2/eta",
            "figures/one.csv",
            "class=\"cell\"",
            "class=\"line\"",
        ] {
            assert!(html.contains(expected), "{expected}\n{html}");
        }
        assert_eq!(html.matches("</script>").count(), 1, "only its own end");
        let json = html.split("application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["p"][0]["c"][0][4], "</script><b>");
        assert_eq!(value["p"][0]["s"][0]["d"][5], serde_json::Value::Null);
        assert_eq!(value["d"]["i"][0][0], serde_json::json!([0, 1, 1, null]));
    }

    #[test]
    fn a_point_alone_between_breaks_is_marked() {
        let html = figure().html(None).unwrap();
        // Of the point before the break, and none of those after.
        assert!(html.contains("class=\"disc\" d=\"M0 ") && html.matches("h0").count() == 1, "{html}");
    }

    #[test]
    fn nothing_is_refused_by_both_drawings() {
        let mut figure = figure();
        figure.panels[0].cells.clear();
        figure.panels[0].lines.clear();
        figure.panels[0].series[0].points.truncate(2);
        figure.panels[0].series[0].points[0].y = -1.0;
        assert!(matches!(figure.html(None), Err(FigureError::Empty(_))));
        assert!(matches!(figure.svg(), Err(FigureError::Empty(_))));
    }
}
