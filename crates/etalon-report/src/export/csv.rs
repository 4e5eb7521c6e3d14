//! The table as CSV.

use super::ExportError;
use super::source::{NUMBERS, Source};
use csv::Writer;
use std::io::Write;
use std::path::Path;

/// Writes the table into a file that will be `target`; how many rows it has.
pub(super) fn write(source: &Source, file: &mut impl Write, target: &Path) -> Result<usize, ExportError> {
    let fault = |error: csv::Error| ExportError::io(target, "write the file")(error.into());
    let mut table = Writer::from_writer(file);
    let axes = source.axes.iter().map(String::as_str);
    let heading =
        ["trial"].into_iter().chain(axes).chain(["step"]).chain(NUMBERS.map(|number| number.column));
    table.write_record(heading).map_err(fault)?;
    let mut rows = 0;
    for trial in &source.trials {
        for step in source.steps(trial)? {
            let count = step.step.to_string();
            let numbers = NUMBERS.map(|number| number.of(&step).map_or(String::new(), shortest));
            let values = trial.values.iter().map(String::as_str);
            let fields = [trial.name.as_str()].into_iter().chain(values).chain([count.as_str()]);
            table.write_record(fields.chain(numbers.iter().map(String::as_str))).map_err(fault)?;
            rows += 1;
        }
    }
    table.flush().map_err(ExportError::io(target, "write the file"))?;
    Ok(rows)
}

/// The shortest text that reads back to the same number, as in the result files.
fn shortest(number: f64) -> String {
    serde_json::Number::from_f64(number).map_or(String::new(), |number| number.to_string())
}
