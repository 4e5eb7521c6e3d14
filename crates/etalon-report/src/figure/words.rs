//! What the symbols of a figure mean, for whoever has never heard of them.

use super::Figure;

/// A symbol, and a sentence about it.
const WORDS: [(&str, &str); 7] = [
    ("λ", "λ is curvature: how sharply the loss bends in its steepest direction"),
    ("NTK", "the NTK (neural tangent kernel) says how far a step of training moves the outputs"),
    ("2/η", "2/η is the curvature above which a step of the rate η overshoots its valley and the loss grows"),
    (
        "c = η",
        "c is the rate in units of one over the curvature at the start: above 2 a step overshoots the valley that it begins in",
    ),
    (
        "c_h",
        "c_h is the rate times the sharpness at the start: above 2 a step overshoots the valley that it begins in",
    ),
    ("η*", "η* is the largest rate at which a fresh network still trains"),
    (
        "|w|²",
        "|w|² is the squared length of the weights, on which the outputs of a normalised network do not depend",
    ),
];

impl Figure {
    /// A sentence on the symbols that its axes, lines and series have; empty where they have none.
    pub(super) fn words(&self) -> String {
        let mut texts = vec![self.x.label.as_str()];
        for panel in &self.panels {
            texts.push(&panel.y.label);
            texts.extend(panel.lines.iter().map(|line| line.name.as_str()));
            texts.extend(panel.series.iter().map(|series| series.name.as_str()));
        }
        let is_used = |symbol: &str| texts.iter().any(|text| text.contains(symbol));
        let words: Vec<&str> =
            WORDS.iter().filter(|(symbol, _)| is_used(symbol)).map(|(_, words)| *words).collect();
        if words.is_empty() { String::new() } else { format!("In words: {}.", words.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::figure::{Axis, Figure, Panel, Reference};

    #[test]
    fn a_figure_explains_the_symbols_that_it_has() {
        let mut panel = Panel::new(Axis::log("largest eigenvalue λ"));
        panel.lines.push(Reference::level("2/η", 1.0));
        let mut figure = Figure {
            name: "one".into(),
            title: String::new(),
            note: String::new(),
            x: Axis::steps(),
            panels: vec![panel],
            details: None,
        };
        let words = figure.words();
        assert!(
            words.contains("λ is curvature") && words.contains("2/η is") && !words.contains("NTK"),
            "{words}"
        );
        figure.panels.clear();
        assert_eq!(figure.words(), "");
    }
}
