//! A figure as a part of a page.
//!
//! The plot's ground is an SVG that is stretched to its frame, in which strokes keep their width and a mark is a stroke
//! without length; all text is HTML, which keeps its size on a phone. So the figure is drawn without its script, which
//! tells values to a pointer, to the arrow keys and, by a live region, to a screen reader.

use super::ends::End;
use super::layout::Layout;
use super::palette::properties;
use super::part::rules;
use super::shapes::{Frame, Plot};
use super::standing::Standing;
use super::{Figure, FigureError, LossKind, Place};
use maud::{Markup, PreEscaped, html};

/// The SVG's own coordinates.
const FRAME: Frame = Frame { left: 0.0, top: 0.0, width: 1000.0, height: 1000.0 };
/// Rows of names that a panel with the weight 1 is high.
const ROWS: f64 = 17.0;

/// The style sheet that pages with figures need.
pub(crate) fn style() -> PreEscaped<String> {
    let (light, dark) = (properties(false), properties(true));
    let sheet = include_str!("figure.css");
    PreEscaped(format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{sheet}{}",
        rules()
    ))
}

/// The script that pages with figures need, once, at their end.
pub(crate) fn script() -> PreEscaped<&'static str> {
    PreEscaped(include_str!("figure.js"))
}

impl Figure {
    /// The figure as a `<figure>`. `files` is where the page finds its `.svg` and `.csv`: a folder's path with a slash
    /// at its end; none where there are no files. `loss` is what its words are about.
    ///
    /// # Errors
    /// Where there is nothing to draw.
    pub(crate) fn html(&self, files: Option<&str>, loss: LossKind) -> Result<Markup, FigureError> {
        let layout = Layout::of(self)?;
        let plots = self.panels.iter().enumerate();
        let plots = plots.map(|(index, panel)| Plot { panel, layout: &layout, index, frame: FRAME });
        let ends = self.ends(&layout, |panel| ROWS * self.panels[panel].weight);
        let letters = ends.iter().flatten().flatten().map(|end| end.name.chars().count()).max();
        // A letter is narrower than a digit; a stroke stands before a name.
        let room = letters.map(|letters| format!("--ends:{}ch", 4 + letters - letters / 5));
        let ends = ends.unwrap_or_else(|| vec![Vec::new(); self.panels.len()]);
        Ok(html! {
            figure.plot.named[room.is_some()] style=[room] id={ "figure-" (self.name) } {
                figcaption {
                    h3 { (self.title) }
                    @if !self.note.is_empty() { p { (self.note) } }
                    @if self.details.is_some() {
                        p.hint { "Point at a cell, or go there with the arrow keys, for its numbers and its curves." }
                    }
                    @let words = self.words(loss);
                    @if !words.is_empty() { p.words { (words) } }
                }
                (self.html_legend())
                @if self.is_faceted() {
                    p.up { (layout.y[0].text()) }
                    div.facets { @for plot in plots { div { p.facet { (plot.panel.facet) } (self.html_panel(&plot, &[])) } } }
                } @else {
                    @for plot in plots {
                        p.up { (layout.y[plot.index].text()) }
                        (self.html_panel(&plot, &ends[plot.index]))
                    }
                }
                p.right { (self.x.text()) }
                @if self.details.is_some() { div.detail hidden {} }
                @if let Some(folder) = files {
                    p.files {
                        a href={ (folder) (self.name) ".csv" } { "numbers (CSV)" }
                        " "
                        a href={ (folder) (self.name) ".svg" } { "picture (SVG)" }
                    }
                }
                // No tag can end in it.
                script type="application/json" { (PreEscaped(self.json(&layout))) }
            }
            "\n"
        })
    }

    fn html_legend(&self) -> Markup {
        let (colours, lines) = (self.legend(), self.legend_lines());
        let is_series = |colour, name: &str| {
            let mut series = self.panels.iter().flat_map(|panel| &panel.series);
            series.any(|series| series.colour == colour && series.name == name)
        };
        html! {
            @if colours.len() + lines.len() > 1 {
                ul.legend {
                    @for (colour, name) in colours { li.series[is_series(colour, &name)] { i style={ "--k:var(--" (colour.name()) ")" } {} (name) } }
                    @for (dashed, name) in lines { li { i.stroke.dashed[dashed] {} (name) } }
                }
            }
        }
    }

    fn html_panel(&self, plot: &Plot<'_>, ends: &[End]) -> Markup {
        let (panel, index) = (plot.panel, plot.index);
        let (columns, rows) = (plot.layout.x.ticks(), plot.layout.y[index].ticks());
        // What lies along the frame has its name beside it.
        let levels = panel.lines.iter().filter_map(|line| match line.place {
            Place::Level(height) if !line.name.is_empty() => Some((height, &line.name)),
            _ => None,
        });
        let last = index + 1 == self.panels.len() || self.is_faceted();
        // Of facets, which are narrow, and several of which a reader goes through, the name comes first.
        let facet = if self.is_faceted() { format!("{}: ", panel.facet) } else { String::new() };
        let (up, right) = (plot.layout.y[index].text(), self.x.text());
        let top = |y: f64| format!("top:{:.2}%", 100.0 * (1.0 - plot.layout.y[index].share(y)));
        let left = |x: f64| format!("left:{:.2}%", 100.0 * plot.layout.x.share(x));
        html! {
            div.panel style={ "--weight:" (panel.weight) } {
                div.frame tabindex="0" role="application" aria-roledescription="plot" data-panel=(index)
                    aria-label={ (self.title) ": " (facet) (up) " against " (right) ". Arrow keys go from value to value." } {
                    svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" {
                        @for shape in plot.shapes() { (shape.on_page()) }
                    }
                    @for (height, name) in levels { span.name style=(top(height)) aria-hidden="true" { (name) } }
                    @for Standing { name, right, row, before } in self.standing(plot.layout, index) {
                        @let place = format!("left:{:.2}%;top:calc({row}*1.35em + .15rem)", 100.0 * right);
                        span.beside.before[before] style=(place) aria-hidden="true" { (name) }
                    }
                    @for end in ends {
                        span.end style=(format!("top:{:.2}%;--k:var(--{})", 100.0 * end.down, end.colour.name())) aria-hidden="true" {
                            i {} (end.name)
                        }
                    }
                    @for (number, (tick, text)) in rows.iter().enumerate() {
                        span.tick.row.odd[is_odd(number, rows.len())] style=(top(*tick)) aria-hidden="true" { (text) }
                    }
                    @if last {
                        @for (number, (tick, text)) in columns.iter().enumerate() {
                            span.tick.column.odd[is_odd(number, columns.len())] style=(left(*tick)) aria-hidden="true" {
                                (text)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a mark is one that a narrow page leaves out: every second one where there are many.
fn is_odd(number: usize, marks: usize) -> bool {
    marks > 6 && number % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Cell, Colour, Details, Kind, Panel, Reference, Series, Stroke};

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
        panel.series.push(Series::plain("a < b", Colour::Blue, Stroke::Line, points));
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
        let html = figure().html(Some("figures/"), LossKind::Unknown).unwrap().into_string();
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
        let html = figure().html(None, LossKind::Unknown).unwrap().into_string();
        // Of the point before the break, and none of those after.
        assert!(
            html.contains("class=\"disc\" style=\"--k:var(--blue)\" d=\"M0 ")
                && html.matches("h0").count() == 1,
            "{html}"
        );
    }

    #[test]
    fn nothing_is_refused_by_both_drawings() {
        let mut figure = figure();
        figure.panels[0].cells.clear();
        figure.panels[0].lines.clear();
        figure.panels[0].series[0].points.truncate(2);
        figure.panels[0].series[0].points[0].y = -1.0;
        assert!(matches!(figure.html(None, LossKind::Unknown), Err(FigureError::Empty(_))));
        assert!(matches!(figure.svg(), Err(FigureError::Empty(_))));
    }
}
