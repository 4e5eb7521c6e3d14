//! TensorBoard event files: records of length, checksum, data and checksum, the data an `Event` protocol buffer.

use super::ExportError;
use super::source::{NUMBERS, Source, Trial};
use etalon::watch::masked;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The longest description of a trial in its folder's name; file systems take 255 bytes in all.
const DESCRIBED: usize = 150;

/// Writes a folder a trial; how many steps there are in all.
pub(super) fn write(source: &Source, folder: &Path) -> Result<usize, ExportError> {
    let mut rows = 0;
    for trial in &source.trials {
        let steps = source.steps(trial)?;
        // TensorBoard shows it; a trial's own bytes know no time, but its file does.
        let modified = fs::metadata(source.file(trial)).and_then(|facts| facts.modified()).ok();
        let time = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let mut file = Vec::new();
        let mut version = vec![];
        bytes_field(&mut version, 3, b"brain.Event:2");
        record(&mut file, &event(time.as_secs_f64(), 0, &version));
        for step in &steps {
            let mut summary = Vec::new();
            for known in &NUMBERS {
                if let Some(number) = known.of(step) {
                    let mut value = Vec::new();
                    bytes_field(&mut value, 1, known.tag.as_bytes());
                    // simple_value, which everything reads; in single precision.
                    varint(&mut value, 2 << 3 | 5);
                    value.extend((number as f32).to_le_bytes());
                    bytes_field(&mut summary, 1, &value);
                }
            }
            let mut content = Vec::new();
            bytes_field(&mut content, 5, &summary);
            record(&mut file, &event(time.as_secs_f64(), step.step, &content));
        }
        let place = folder.join(run_name(source, trial));
        fs::create_dir(&place).map_err(ExportError::io(&place, "create the folder"))?;
        let path = place.join(format!("events.out.tfevents.{:010}.etalon", time.as_secs()));
        fs::write(&path, file).map_err(ExportError::io(&path, "write the file"))?;
        rows += steps.len();
    }
    Ok(rows)
}

/// The name of a trial's folder, which TensorBoard shows: its values of the grid's keys, and its own.
fn run_name(source: &Source, trial: &Trial) -> String {
    let pairs = source.axes.iter().zip(&trial.values).map(|(key, value)| format!("{key}={value},"));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "=.,+-_".contains(c) { c } else { '_' };
    let described: String = pairs.collect::<String>().chars().map(plain).take(DESCRIBED).collect();
    described + &trial.name
}

/// An `Event`: wall time, step, and what it is about.
fn event(time: f64, step: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, 1 << 3 | 1);
    bytes.extend(time.to_le_bytes());
    varint(&mut bytes, 2 << 3);
    varint(&mut bytes, step);
    bytes.extend(content);
    bytes
}

fn bytes_field(buffer: &mut Vec<u8>, number: u64, content: &[u8]) {
    varint(buffer, number << 3 | 2);
    varint(buffer, content.len() as u64);
    buffer.extend(content);
}

fn varint(buffer: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(data);
    file.extend(masked(data).to_le_bytes());
}
