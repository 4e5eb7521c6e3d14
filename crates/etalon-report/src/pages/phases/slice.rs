//! The grid of a sweep, laid out as phase diagrams: two keys are axes, the seed is folded.

use super::trained::{Done, Sweep};
use crate::figure::{Axis, borders, symbol};
use crate::pages::content::shown;
use std::collections::BTreeMap;

/// Rows of a slice at most that have their own curve.
const ROWS: usize = 7;

/// Trials that differ in x, y and the seed alone.
pub(super) struct Slice<'a> {
    /// The values of the other keys.
    pub fixed: String,
    pub x: Key,
    pub y: Key,
    /// Trials over seeds, by the places of their values of x and y.
    pub cells: BTreeMap<(usize, usize), Vec<&'a Done>>,
}

/// A key of the grid, as an axis.
#[derive(Clone)]
pub(super) struct Key {
    pub name: String,
    /// Distinct values, ascending; their texts where they are no numbers.
    pub values: Vec<f64>,
    pub texts: Vec<String>,
}

impl Key {
    fn of(sweep: &Sweep, index: usize) -> Key {
        let mut texts: Vec<String> = sweep.trials.iter().map(|trial| trial.values[index].clone()).collect();
        texts.sort();
        texts.dedup();
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        let mut pairs: Vec<(f64, String)> = match numbers {
            Some(numbers) => numbers.into_iter().zip(texts).collect(),
            None => texts.into_iter().enumerate().map(|(place, text)| (place as f64, text)).collect(),
        };
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (values, texts) = pairs.into_iter().unzip();
        Key { name: sweep.keys[index].clone(), values, texts }
    }

    pub(super) fn is_log(&self) -> bool {
        let first_text = self.texts.first().and_then(|text| text.parse::<f64>().ok());
        first_text.is_some() && self.values[0] > 0.0 && self.name != "seed"
    }

    pub(super) fn axis(&self) -> Axis {
        let label = if self.name == "optimizer.eta" { "learning rate η".into() } else { symbol(&self.name) };
        let axis = if self.is_log() { Axis::log(label) } else { Axis::even(label) };
        let few = self.values.len() <= 8 || !self.is_log();
        let mark = |(place, value): (usize, &f64)| (*value, self.short(place));
        let marks = if few { self.values.iter().enumerate().map(mark).collect() } else { Vec::new() };
        Axis { marks, ..axis.tight() }
    }

    /// The texts of its values, short where they are numbers.
    pub(super) fn short(&self, place: usize) -> String {
        let text = &self.texts[place];
        match text.parse::<f64>() {
            Ok(number) if text.len() > 6 => shown(Some(number), 4),
            _ => text.clone(),
        }
    }

    pub(super) fn borders(&self) -> Vec<f64> {
        if self.is_log() {
            return borders(&self.values);
        }
        let values = &self.values;
        let last = values.len() - 1;
        let step = |a: usize, b: usize| if a == b { 0.5 } else { 0.5 * (values[b] - values[a]) };
        let inner = values.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
        let first = values[0] - step(0, 1.min(last));
        std::iter::once(first)
            .chain(inner)
            .chain([values[last] + step(last.saturating_sub(1), last)])
            .collect()
    }

    fn place(&self, text: &str) -> Option<usize> {
        self.texts.iter().position(|one| one == text)
    }
}

/// The slices of a sweep: x is the rate where the grid runs over it, y the width or the depth or another size, and the
/// seed where there is none.
pub(super) fn slices(sweep: &Sweep) -> Vec<Slice<'_>> {
    let keys: Vec<Key> = (0..sweep.keys.len()).map(|index| Key::of(sweep, index)).collect();
    let varies = |&index: &usize| keys[index].values.len() > 1;
    let named = |name: &str| (0..keys.len()).filter(varies).find(|&index| keys[index].name == name);
    let other = |not: Option<usize>| {
        (0..keys.len())
            .filter(varies)
            .find(|&index| Some(index) != not && keys[index].name != "seed" && keys[index].is_log())
    };
    let Some(x) = named("optimizer.eta").or_else(|| other(None)).or_else(|| named("seed")) else {
        return Vec::new();
    };
    let y = ["network.width", "network.depth"]
        .iter()
        .filter_map(|name| named(name))
        .find(|&index| index != x)
        .or_else(|| other(Some(x)))
        .or_else(|| named("seed").filter(|&index| index != x));
    let single = Key { name: String::new(), values: vec![0.0], texts: vec![String::new()] };
    let mut slices: Vec<Slice<'_>> = Vec::new();
    for trial in &sweep.trials {
        let others = (0..keys.len())
            .filter(varies)
            .filter(|&index| index != x && Some(index) != y && keys[index].name != "seed");
        let fixed: Vec<String> =
            others.map(|index| format!("{} = {}", symbol(&keys[index].name), trial.values[index])).collect();
        let fixed = fixed.join(", ");
        let place = match slices.iter().position(|slice| slice.fixed == fixed) {
            Some(place) => place,
            None => {
                let y = y.map_or(single.clone(), |y| keys[y].clone());
                slices.push(Slice { fixed, x: keys[x].clone(), y, cells: BTreeMap::new() });
                slices.len() - 1
            }
        };
        let row = y.map_or(Some(0), |y| keys[y].place(&trial.values[y]));
        if let (Some(column), Some(row)) = (keys[x].place(&trial.values[x]), row) {
            slices[place].cells.entry((column, row)).or_default().push(trial);
        }
    }
    slices
}

impl Slice<'_> {
    pub(super) fn title(&self, what: &str) -> String {
        if self.fixed.is_empty() { what.into() } else { format!("{what}, {}", self.fixed) }
    }

    /// All of a row, from left to right.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (usize, &Vec<&Done>)> {
        self.cells
            .iter()
            .filter(move |((_, at), _)| *at == row)
            .map(|((column, _), trials)| (*column, trials))
    }

    /// A few rows, evenly among all.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        (0..self.y.values.len()).step_by(self.y.values.len().div_ceil(ROWS).max(1))
    }

    /// A row's name.
    pub(super) fn name(&self, row: usize) -> String {
        format!("{} {}", symbol(&self.y.name), self.y.short(row)).trim().into()
    }
}
