//! What a finished trial leaves in the summary: a struct for each job, which is written, read, shown and drawn.

mod boundaries;
mod find;
mod train;

pub use boundaries::{BoundariesRow, Scale};
pub use find::FindRow;
pub use train::{Annealing, Curvature, GroupScores, MetricScore, TrainRow, TrainScores};

use super::{Grid, Table};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Declares a struct whose fields are columns of the summary: their names and their order are those of the fields.
macro_rules! columns {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$meta])* pub $field: $type,)* }

        impl $name {
            /// The columns that it is in the summary.
            pub const COLUMNS: &[&str] = &[$(stringify!($field)),*];
        }
    };
}
use columns;

/// What a trial of some job leaves.
pub trait Row: Serialize + DeserializeOwned + Send {
    /// What its result file has above the row, a line each.
    type Record: Serialize + DeserializeOwned;

    /// Its job, as `grid.job` names it.
    const JOB: &str;

    /// The columns that the summary of a grid has of it, whether or not each trial has a value there.
    fn columns(grid: &Grid) -> Vec<&'static str>;
}

/// The finished trials of a sweep, in grid order.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<T> {
    /// The keys that the grid runs over.
    pub keys: Vec<String>,
    /// Those with a result, each with its values of the keys and what it found.
    pub trials: Vec<Finished<T>>,
}

/// A trial with a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished<T> {
    /// The hash of its spec.
    pub name: String,
    /// Its values of the grid's keys, as TOML writes them.
    pub values: Vec<String>,
    /// What it came to: its row of the summary, or what is kept of that.
    pub found: T,
}

impl<R: Row> Rows<R> {
    /// The rows as the summary has them; an empty field is a number that is none or not finite, or was not taken.
    ///
    /// # Errors
    /// None that occurs: every field has a form in JSON.
    pub(super) fn table(&self, columns: &[&str]) -> serde_json::Result<Table> {
        let text = |value: Option<&Value>| match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let row = |trial: &Finished<R>| {
            let found = serde_json::to_value(&trial.found)?;
            let fields = columns.iter().map(|&column| text(found.get(column)));
            let cell = std::iter::once(&trial.name).chain(&trial.values).cloned();
            Ok(cell.chain(fields).collect())
        };
        let heading = std::iter::once("trial").chain(self.keys.iter().map(String::as_str));
        let columns = heading.chain(columns.iter().copied()).map(String::from).collect();
        let rows = self.trials.iter().map(row).collect::<serde_json::Result<_>>()?;
        Ok(Table { columns, rows })
    }
}

impl<T> Rows<T> {
    /// The values of a key that is a number in every trial; none where it is not, or not in the grid.
    pub fn numbers(&self, key: &str) -> Option<Vec<f64>> {
        let index = self.keys.iter().position(|there| there == key)?;
        self.trials.iter().map(|trial| trial.values[index].parse().ok()).collect()
    }
}
