//! The files of trials, read so that a broken one harms no other.

use super::error::ReportError;
use etalon::sweep::{Finished, Row, Rows, Table, Trial, read};
use etalon::train::Record;
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// The trials that a sweep is to have, done or not.
pub(super) struct Cells {
    root: PathBuf,
    table: Table,
}

/// What a sweep has so far.
pub(super) struct Swept<T> {
    /// Trials whose files can be read.
    pub rows: Rows<T>,
    /// Files that cannot, each with the reason.
    pub broken: Vec<String>,
}

impl Cells {
    /// Reads the list in a sweep's folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(root: &Path) -> Result<Cells, ReportError> {
        let path = root.join("cells.csv");
        let fault = |reason: String| ReportError::Cells { path: path.clone(), reason };
        let text = fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        Ok(Cells { root: root.into(), table: Table::parse(&text).map_err(fault)? })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.table.rows.len()
    }

    /// Reads the trials with a file, and keeps of each what `keep` does.
    pub(super) fn read<R: Row, T: Send>(&self, keep: impl Fn(Trial<R>) -> T + Sync) -> Swept<T> {
        let of = |cell: &Vec<String>| {
            let (name, values) = (cell[0].clone(), cell[1..].to_vec());
            let path = file(&self.root, &name);
            let read = path.exists().then(|| read(&path, &name))?;
            let broken = |reason| format!("trials/{name}.jsonl: {reason}");
            Some(read.map_err(broken).map(|trial| Finished { name, values, found: keep(trial) }))
        };
        let files: Vec<Result<Finished<T>, String>> = self.table.rows.par_iter().filter_map(of).collect();
        let (mut trials, mut broken) = (Vec::new(), Vec::new());
        for file in files {
            match file {
                Ok(trial) => trials.push(trial),
                Err(reason) => broken.push(reason),
            }
        }
        Swept { rows: Rows { keys: self.table.columns[1..].to_vec(), trials }, broken }
    }
}

/// The file of a trial.
pub(super) fn file(root: &Path, name: &str) -> PathBuf {
    root.join("trials").join(format!("{name}.jsonl"))
}

/// Those recorded steps that were taken: all but the state at the end, whose loss is no batch's. (Older files
/// have that of evaluation there.)
pub(super) fn taken(steps: &[Record]) -> &[Record] {
    steps.split_last().map_or(steps, |(_, taken)| taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_at_the_end_is_no_step_whatever_loss_an_old_file_has_there() {
        for end in ["null", "7"] {
            let text = format!(
                "{{\"step\":0,\"eta\":1,\"loss\":2}}\n{{\"step\":1,\"eta\":1,\"loss\":1}}\n{{\"step\":2,\"eta\":1,\"loss\":{end},\"train\":{{\"loss\":7}}}}\n"
            );
            let steps: Vec<Record> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let losses: Vec<Option<f64>> = taken(&steps).iter().map(|step| step.loss).collect();
            assert_eq!((losses, steps[2].train.unwrap().loss), (vec![Some(2.0), Some(1.0)], 7.0));
        }
        assert!(taken(&[]).is_empty());
    }
}
