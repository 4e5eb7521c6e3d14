//! What the symbols of a figure mean, for whoever has never heard of them.

use super::Figure;

/// What loss the trainings of a figure have: of the squared one alone is the NTK's eigenvalue curvature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LossKind {
    Squared,
    Other,
    /// Nobody has told, or they have several.
    #[default]
    Unknown,
}

/// Symbols of one meaning, and a sentence about them.
struct Word {
    symbols: &'static [&'static str],
    means: &'static str,
    /// What else is to be said under the squared loss, another one, and one that is not known.
    under: [&'static str; 3],
}

impl Word {
    /// A word that means the same under every loss.
    const fn plain(symbols: &'static [&'static str], means: &'static str) -> Word {
        Word { symbols, means, under: [""; 3] }
    }
}

const WORDS: [Word; 9] = [
    Word {
        symbols: &["NTK", "λ₀"],
        means: "the NTK (neural tangent kernel) says how far a step of training moves the outputs",
        under: [
            "; its largest eigenvalue λ is how sharply the squared loss bends in its steepest direction (curvature), but for a \
             part that vanishes where the network fits",
            "; its largest eigenvalue is no curvature of this loss, which weights it by how sure the outputs are",
            "; its largest eigenvalue is curvature of a squared loss, and of no other",
        ],
    },
    Word {
        symbols: &["c", "η λ₀"],
        means: "c is the rate times λ₀, the NTK's largest eigenvalue at the start",
        under: [
            ": above 2 a step overshoots the valley that it begins in, above 4 it does not come back",
            ": 2 and 4 are no thresholds of it under this loss",
            ": above 2 a step on a squared loss overshoots the valley that it begins in",
        ],
    },
    Word::plain(
        &["λ", "Hessian", "curvature λ", "2/λ"],
        "curvature λ, of the Hessian, is how sharply the loss bends in its steepest direction",
    ),
    Word::plain(
        &["2/λ"],
        "2/λ is the rate above which a step of plain gradient descent overshoots the valley that it begins in",
    ),
    Word::plain(
        &["2/η"],
        "2/η is the curvature above which a step of the rate η overshoots its valley and the loss grows",
    ),
    Word::plain(
        &["c_h"],
        "c_h is the rate times the curvature at the start: above 2 a step overshoots the valley that it begins in",
    ),
    Word::plain(&["η*"], "η* is the largest rate at which a fresh network still trains"),
    Word::plain(
        &["catapult"],
        "lazy training lowers the loss at once; in a catapult it rises first and comes back, to where the valley is flatter",
    ),
    Word::plain(
        &["|w|²"],
        "|w|² is the squared length of the weights, on which the outputs of a normalised network do not depend",
    ),
];

impl Figure {
    /// A sentence on the symbols that its axes, lines and series have; empty where they have none.
    pub(super) fn words(&self, loss: LossKind) -> String {
        let mut texts = vec![self.x.label.as_str()];
        for panel in &self.panels {
            texts.push(&panel.y.label);
            texts.extend(panel.lines.iter().map(|line| line.name.as_str()));
            texts.extend(panel.series.iter().map(|series| series.name.as_str()));
            texts.extend(panel.kinds.iter().map(|kind| kind.name.as_str()));
        }
        // A letter alone is an axis; within other texts it is of what they say.
        let is_letter = |symbol: &str| symbol.chars().nth(1).is_none();
        let has = |symbol: &str| {
            texts.iter().any(|text| if is_letter(symbol) { *text == symbol } else { text.contains(symbol) })
        };
        let used = WORDS.iter().filter(|word| word.symbols.iter().any(|symbol| has(symbol)));
        let words: Vec<String> =
            used.map(|word| format!("{}{}", word.means, word.under[loss as usize])).collect();
        if words.is_empty() { String::new() } else { format!("In words: {}.", words.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::LossKind;
    use crate::figure::{Axis, Figure, Panel, Reference};

    fn figure(up: &str, line: &str) -> Figure {
        let mut panel = Panel::new(Axis::log(up));
        panel.lines.push(Reference::level(line, 1.0));
        let (title, note) = (String::new(), String::new());
        Figure { name: "one".into(), title, note, x: Axis::steps(), panels: vec![panel], details: None }
    }

    #[test]
    fn a_figure_explains_the_symbols_that_it_has() {
        let words = figure("λ of the Hessian", "2/η").words(LossKind::Other);
        assert!(
            words.contains("of the Hessian, is how") && words.contains("2/η is") && !words.contains("NTK"),
            "{words}"
        );
        assert_eq!(figure("loss", "").words(LossKind::Squared), "");
    }

    #[test]
    fn the_ntk_is_curvature_of_the_squared_loss_alone() {
        let words = |loss| figure("λ of the NTK", "c = η λ₀").words(loss);
        let squared = words(LossKind::Squared);
        assert!(squared.contains("(curvature)") && squared.contains("above 4"), "{squared}");
        let other = words(LossKind::Other);
        assert!(other.contains("no curvature") && other.contains("no thresholds"), "{other}");
        assert!(words(LossKind::Unknown).contains("of a squared loss, and of no other"));
    }
}
