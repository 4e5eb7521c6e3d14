//! A spec with a `[grid]` table: which values each key runs over, and the cells that follow.

use super::Constraint;
use crate::spec::{Entry, GRID, Key, Spec, SpecError};
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::Path;
use toml::Value;

/// The most cells that a grid may have before its constraints.
pub const MAX_CELLS: u64 = 1_000_000;

/// How many cells are worked out before their faults are looked at.
const BLOCK: u64 = 4096;

/// What each cell computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// One trial at `optimizer.eta`.
    Train {
        /// Whether curvature is measured at its start, on its way and at its end, as `etalon train` does.
        curvature: bool,
    },
    /// The maximal initial learning rate, as `etalon find` searches for it.
    Find,
    /// The boundaries of early training, in units of one over the sharpness at the start.
    Boundaries,
}

/// One key and the values it runs over.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The key of the spec that it sets in each cell.
    pub key: &'static Key,
    /// Its values, in order.
    pub values: Vec<Value>,
    /// The list, or the range as it was given.
    written: Value,
    /// The same as entries, which know the line they come from.
    entries: Vec<Entry>,
}

/// One trial of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its name: the hash of its resolved spec.
    pub name: String,
    /// Its place in the product of all axes, the first one slowest.
    index: u64,
}

#[cfg(test)]
impl Cell {
    /// A cell of no grid.
    pub(super) fn named(name: &str) -> Cell {
        Cell { name: name.into(), index: 0 }
    }
}

/// All trials of a sweep.
#[derive(Clone, Debug)]
pub struct Grid {
    base: Vec<Entry>,
    axes: Vec<Axis>,
    constraints: Vec<(Entry, Constraint)>,
    job: Job,
    cells: Vec<Cell>,
}

impl Job {
    /// The job of the sweep that a spec's text is of.
    ///
    /// # Errors
    /// When it is no TOML, or names no job.
    pub fn of_text(text: &str) -> Result<Job, SpecError> {
        Job::of_entries(&Spec::entries_of(text)?)
    }

    /// That of `grid.job`, with or without `grid.curvature`.
    fn of_entries(entries: &[Entry]) -> Result<Job, SpecError> {
        let last = |key: &str| entries.iter().rfind(|entry| entry.path.strip_prefix(GRID) == Some(key));
        let job = last("job").map_or(Ok(Job::Train { curvature: false }), read_job)?;
        last("curvature").map_or(Ok(job), |entry| with_curvature(job, entry))
    }
}

impl Grid {
    /// Reads a spec with its `[grid]` and works out its cells: a key's values are a list, `{ log = [a, b], points = n }`
    /// or `{ linear = [a, b], points = n }`; `where` lists comparisons that a cell must meet; `job` is `"train"`,
    /// `"find"` or `"boundaries"`; `curvature = true` measures it in the trials of `"train"`. An override such as `grid.network.width=[64, 128]` replaces an axis or adds one.
    ///
    /// # Errors
    /// As [`Spec::load`]; when a cell's spec is not valid; and when there is no cell, or more than [`MAX_CELLS`].
    pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Grid, SpecError> {
        Grid::from_entries(Spec::entries(file, overrides)?, overrides.len())
    }

    /// A grid from the text of a file.
    ///
    /// # Errors
    /// As [`Grid::load`].
    pub fn parse(text: &str) -> Result<Grid, SpecError> {
        Grid::from_entries(Spec::entries_of(text)?, 0)
    }

    fn from_entries(entries: Vec<Entry>, overrides: usize) -> Result<Grid, SpecError> {
        let from_file = entries.len() - overrides;
        let job = Job::of_entries(&entries)?;
        let (mut base, mut axes, mut constraints) = (Vec::new(), Vec::<Axis>::new(), Vec::new());
        let mut overridden = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            match entry.path.strip_prefix(GRID) {
                None if entry.path == "grid" => {}
                None => {
                    if index >= from_file {
                        overridden.push(entry.clone());
                    }
                    base.push(entry);
                }
                Some("where") => constraints = read_constraints(&entry)?,
                Some("job" | "curvature") => {}
                Some(_) => {
                    let axis = Axis::new(&entry)?;
                    match axes.iter_mut().find(|other| other.key.path == axis.key.path) {
                        Some(other) => *other = axis,
                        None => axes.push(axis),
                    }
                }
            }
        }
        let by = |entry: &Entry, axis: &Axis| {
            axis.key.path == entry.path || (axis.is_budget() && entry.is_budget())
        };
        for entry in overridden {
            if let Some(axis) = axes.iter().find(|axis| by(&entry, axis)) {
                let path = axis.key.path;
                let help = format!("to replace its values write grid.{path}=[...]");
                return Err(entry.error(format!("`{path}` is in the grid"), &help));
            }
        }
        base.retain(|entry| !axes.iter().any(|axis| by(entry, axis)));
        let mut grid = Grid { base, axes, constraints, job, cells: Vec::new() };
        grid.cells = grid.enumerate()?;
        Ok(grid)
    }

    fn enumerate(&self) -> Result<Vec<Cell>, SpecError> {
        let total = self.axes.iter().fold(1u64, |total, axis| total.saturating_mul(axis.values.len() as u64));
        if total > MAX_CELLS {
            let message = format!("the grid has {total} cells, and at most {MAX_CELLS} are taken");
            return Err(SpecError::plain(message, "give some key fewer values"));
        }
        // In parallel, but the first fault in grid order is the one told; a fault that all cells share is met in a block
        // of them and not in a million.
        let mut cells: Vec<Cell> = Vec::new();
        for start in (0..total).step_by(BLOCK as usize) {
            let block = start..total.min(start + BLOCK);
            let found: Vec<Result<Option<Cell>, SpecError>> =
                block.into_par_iter().map(|index| self.cell(index)).collect();
            for cell in found {
                cells.extend(cell?);
            }
        }
        if cells.is_empty() {
            let message = format!("the grid has 0 cells: none of {total} meets its constraints");
            return Err(SpecError::plain(message, "loosen grid.where, or give other values"));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = cells.iter().find(|cell| !seen.insert(&cell.name)) {
            let message = format!("two cells of the grid are the same trial, {}", twice.name);
            return Err(SpecError::plain(message, "give keys that change what is computed"));
        }
        Ok(cells)
    }

    /// The cell at a place in the product; none where a constraint excludes it.
    fn cell(&self, index: u64) -> Result<Option<Cell>, SpecError> {
        let spec = self.spec_at(index)?;
        for (entry, constraint) in &self.constraints {
            let value = |name: &str| Key::of(name).and_then(|key| key.number(&spec));
            match constraint.holds(&value) {
                Some(true) => {}
                Some(false) => return Ok(None),
                None => {
                    let names = constraint.names();
                    let name = names.into_iter().find(|name| value(name).is_none()).unwrap_or_default();
                    let message =
                        format!("`{name}` in `{}` has no value that is a number", constraint.text());
                    return Err(entry.error(message, "compare keys that are numbers in every cell"));
                }
            }
        }
        Ok(Some(Cell { name: spec.hash(), index }))
    }

    fn spec_at(&self, index: u64) -> Result<Spec, SpecError> {
        let mut entries: Vec<&Entry> = self.base.iter().collect();
        entries.extend(self.axes.iter().zip(self.places(index)).map(|(axis, place)| &axis.entries[place]));
        Spec::from_entries(&entries)
    }

    /// Which value of each axis stands at a place in the product.
    fn places(&self, mut index: u64) -> Vec<usize> {
        let mut places = vec![0; self.axes.len()];
        for (place, axis) in places.iter_mut().zip(&self.axes).rev() {
            *place = (index % axis.values.len() as u64) as usize;
            index /= axis.values.len() as u64;
        }
        places
    }

    /// The cells, in grid order: the first key changes slowest. There is at least one.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The keys that the grid runs over.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// What each cell computes.
    pub fn job(&self) -> Job {
        self.job
    }

    /// Whether a key has a value other than 0 in it, written or among those it runs over.
    pub(super) fn sets(&self, key: &str) -> bool {
        let written = self.base.iter().filter(|entry| entry.path == key).map(|entry| &entry.value);
        let running = self.axes.iter().filter(|axis| axis.key.path == key).flat_map(|axis| &axis.values);
        written.chain(running).any(|value| *value != Value::Integer(0))
    }

    /// The spec of a cell of this grid.
    ///
    /// # Errors
    /// When the cell belongs to another grid, in which its values made a valid spec.
    pub fn spec(&self, cell: &Cell) -> Result<Spec, SpecError> {
        self.spec_at(cell.index)
    }

    /// The value of each axis in a cell of this grid.
    pub fn values(&self, cell: &Cell) -> Vec<&Value> {
        self.axes.iter().zip(self.places(cell.index)).map(|(axis, place)| &axis.values[place]).collect()
    }

    /// The resolved spec with the grid; [`Grid::parse`] makes the same cells of it.
    ///
    /// # Errors
    /// None for a grid that was read.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        let is_axis = |path: &str| self.axes.iter().any(|axis| axis.key.path == path);
        let given = |path: &str| self.base.iter().any(|entry| entry.path == path);
        // Some defaults follow the data set: where that varies, they are left to each cell.
        let varies = is_axis("data.name");
        let budget = self.axes.iter().any(Axis::is_budget);
        let wanted = |key: &Key| {
            let left_to_cells = varies && !given(key.path);
            let said_by_axis = is_axis(key.path) || (budget && is_budget(key.path));
            !left_to_cells && !said_by_axis
        };
        let mut text = self.spec_at(self.cells.first().map_or(0, |cell| cell.index))?.to_toml_of(wanted);
        text += "\n[grid]\n";
        text += match self.job {
            Job::Train { curvature: false } => "",
            Job::Train { curvature: true } => "curvature = true\n",
            Job::Find => "job = \"find\"\n",
            Job::Boundaries => "job = \"boundaries\"\n",
        };
        for Axis { key, written, .. } in &self.axes {
            text += &format!("\"{}\" = {written}\n", key.path);
        }
        if !self.constraints.is_empty() {
            let texts =
                self.constraints.iter().map(|(_, constraint)| Value::String(constraint.text().into()));
            text += &format!("where = {}\n", Value::Array(texts.collect()));
        }
        Ok(text)
    }
}

fn is_budget(path: &str) -> bool {
    ["train.steps", "train.epochs", "train.physical_time"].contains(&path)
}

impl Axis {
    fn new(entry: &Entry) -> Result<Axis, SpecError> {
        let key = entry.axis()?;
        let fault = |reason: String| entry.error(format!("`{}` {reason}", key.path), key.doc);
        let (wanted, may_round) = match &entry.value {
            Value::Array(values) => (values.clone(), false),
            Value::Table(table) => (range(table).map_err(fault)?, true),
            other => return Err(fault(format!("takes a list or a range in a grid, not {other}; {RANGES}"))),
        };
        let mut values: Vec<Value> = Vec::with_capacity(wanted.len());
        let mut seen = HashSet::new();
        for value in wanted {
            let normal = key.normalised(&value).or_else(|reason| match value {
                // A range of whole numbers has their nearest.
                Value::Float(number) if may_round => key.normalised(&Value::Float(number.round())),
                _ => Err(reason),
            });
            let normal = normal.map_err(fault)?;
            match seen.insert(normal.to_string()) {
                true => values.push(normal),
                // Rounding makes neighbours equal.
                false if may_round => {}
                false => return Err(fault(format!("lists {normal} twice"))),
            }
            if values.len() as u64 > MAX_CELLS {
                return Err(fault(format!("has more than {MAX_CELLS} values")));
            }
        }
        if values.is_empty() {
            return Err(fault("has no values, so that the grid has 0 cells".into()));
        }
        let entries = values.iter().map(|value| entry.standing_for(key.path, value.clone())).collect();
        let written = if may_round { entry.value.clone() } else { Value::Array(values.clone()) };
        Ok(Axis { key, values, written, entries })
    }

    fn is_budget(&self) -> bool {
        is_budget(self.key.path)
    }
}

const RANGES: &str = "a range is { log = [1e-3, 10.0], points = 40 } or { linear = [0.0, 1.0], points = 11 }";

/// The points of a range, both ends among them.
fn range(table: &toml::Table) -> Result<Vec<Value>, String> {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
    let ends = |name: &str| {
        let ends: Option<Vec<f64>> = table.get(name)?.as_array()?.iter().map(number).collect();
        ends.filter(|ends| ends.len() == 2 && ends.iter().all(|end| end.is_finite()))
    };
    let points = table.get("points").and_then(Value::as_integer);
    let points = points.filter(|points| (2..=MAX_CELLS as i64).contains(points));
    let points =
        points.ok_or_else(|| format!("needs points, a whole number from 2 to {MAX_CELLS}; {RANGES}"))?;
    let (log, ends) = match (ends("log"), ends("linear"), table.len()) {
        (Some(ends), None, 2) => (true, ends),
        (None, Some(ends), 2) => (false, ends),
        _ => return Err(format!("takes a list or a range in a grid; {RANGES}")),
    };
    let (first, last) = (ends[0], ends[1]);
    if log && !(first > 0.0 && last > 0.0) {
        return Err(format!("has a logarithmic range from {first} to {last}; both must be above 0"));
    }
    let at = |index: i64| match index {
        0 => first,
        index if index == points - 1 => last,
        index => {
            let share = index as f64 / (points - 1) as f64;
            if log { first * libm::pow(last / first, share) } else { first + share * (last - first) }
        }
    };
    Ok((0..points).map(|index| Value::Float(at(index))).collect())
}

fn read_job(entry: &Entry) -> Result<Job, SpecError> {
    match entry.value.as_str() {
        Some("train") => Ok(Job::Train { curvature: false }),
        Some("find") => Ok(Job::Find),
        Some("boundaries") => Ok(Job::Boundaries),
        _ => Err(entry.error(
            format!("`grid.job` takes train, find or boundaries, not {}", entry.value),
            "train: one trial a cell, at its optimizer.eta; find: the maximal learning rate of each cell; boundaries: \
             where the loss and sharpness first rise, and where training first diverges",
        )),
    }
}

fn with_curvature(job: Job, entry: &Entry) -> Result<Job, SpecError> {
    let help = "true measures curvature in each trial of job = \"train\"";
    match (job, entry.value.as_bool()) {
        (Job::Train { .. }, Some(curvature)) => Ok(Job::Train { curvature }),
        (_, None) => {
            Err(entry.error(format!("`grid.curvature` takes true or false, not {}", entry.value), help))
        }
        _ => {
            let message =
                "`grid.curvature` is for job = \"train\"; the other jobs measure what they need".into();
            Err(entry.error(message, help))
        }
    }
}

fn read_constraints(entry: &Entry) -> Result<Vec<(Entry, Constraint)>, SpecError> {
    let help = "such as where = [\"network.width >= 12 * network.depth\"]";
    let list = match &entry.value {
        Value::Array(list) => list.clone(),
        single => vec![single.clone()],
    };
    let read = |value: &Value| {
        let text =
            value.as_str().ok_or_else(|| format!("`grid.where` takes comparisons as text, not {value}"))?;
        let constraint = Constraint::parse(text)?;
        match constraint.names().iter().find(|name| Key::of(name).is_none()) {
            Some(name) => Err(format!("`{name}` in `{text}` is no key")),
            None => Ok((entry.clone(), constraint)),
        }
    };
    list.iter().map(|value| read(value).map_err(|message| entry.error(message, help))).collect()
}

#[cfg(test)]
mod tests;
