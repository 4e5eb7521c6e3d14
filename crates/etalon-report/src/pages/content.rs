//! What a page says, before it is a page.

use crate::figure::{Figure, LossKind, in_symbols};
use etalon::units::significant;

/// What one result says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Content {
    /// What was done, such as "Search for the maximal learning rate".
    pub kind: String,
    /// The answer: a phase, a rate, a law.
    pub answer: String,
    /// Its uncertainty, or what it rests on.
    pub interval: String,
    /// What belongs to the verdict, by name.
    pub facts: Vec<(String, String)>,
    /// Assumptions in doubt, and warnings.
    pub doubts: Vec<String>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What loss their trainings have.
    pub loss: LossKind,
    /// Numbers: what was measured and how well.
    pub tables: Vec<Numbers>,
    /// Remarks on the numbers.
    pub notes: Vec<String>,
    /// Parts with a heading, facts and figures of their own.
    pub sections: Vec<Section>,
    /// Trials whose results it shows.
    pub trials: Option<usize>,
    /// Trials that are not finished.
    pub unfinished: usize,
}

/// A part of a page that can be linked to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Section {
    /// What a link to it says, which is its anchor too.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What stands below the heading.
    pub lead: String,
    /// What belongs to it, by name.
    pub facts: Vec<(String, String)>,
    /// The first is shown, the others on demand.
    pub figures: Vec<Figure>,
    /// What loss their trainings have.
    pub loss: LossKind,
}

/// A table of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    /// What stands above it.
    pub title: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows; those of a number are set to the right.
    pub rows: Vec<Vec<String>>,
    /// What stands below it; may be empty.
    pub note: String,
}

impl Content {
    /// All figures, in the order of the page.
    pub(super) fn figures_mut(&mut self) -> impl Iterator<Item = &mut Figure> {
        self.figures.iter_mut().chain(self.sections.iter_mut().flat_map(|section| &mut section.figures))
    }

    /// All its texts with symbols, `η*` for `eta*`, in the place of what a terminal writes.
    pub(super) fn set_in_symbols(&mut self) {
        let texts =
            [&mut self.answer, &mut self.interval].into_iter().chain(&mut self.doubts).chain(&mut self.notes);
        let facts = self.facts.iter_mut().chain(self.sections.iter_mut().flat_map(|section| {
            section.lead = in_symbols(&section.lead);
            &mut section.facts
        }));
        let tables = self.tables.iter_mut().flat_map(|Numbers { title, columns, rows, note }| {
            [title, note].into_iter().chain(columns).chain(rows.iter_mut().flatten())
        });
        let all = texts.chain(facts.flat_map(|(name, text)| [name, text])).chain(tables);
        all.for_each(|text| *text = in_symbols(text));
    }

    /// Adds a fact, where there is one.
    pub(super) fn fact(&mut self, name: &str, text: Option<impl Into<String>>) {
        self.facts.extend(text.map(|text| (name.to_string(), text.into())));
    }
}

impl Numbers {
    /// A table with nothing in it.
    pub(super) fn new<const COLUMNS: usize>(title: &str, columns: [&str; COLUMNS]) -> Numbers {
        Numbers { title: title.into(), columns: columns.map(Into::into).into(), ..Numbers::default() }
    }

    /// Adds a row.
    pub(super) fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells.into());
    }
}

/// A number as the page has it, a dash where there is none.
pub(super) fn shown(number: Option<f64>, digits: usize) -> String {
    number.map_or("–".into(), |number| significant(number, digits))
}

/// A size as the page has it: whole numbers are whole.
pub(super) fn size(number: Option<f64>) -> String {
    match number {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e9 => number.to_string(),
        other => shown(other, 4),
    }
}

/// "a to b", or the one number that both are.
pub(super) fn range(low: f64, high: f64, digits: usize) -> String {
    let [low, high] = [low, high].map(|end| significant(end, digits));
    if low == high { low } else { format!("{low} to {high}") }
}

/// A count with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
