//! The file that keeps a trial: lines of JSON, the last one the row of the summary.

use super::{Cell, Row};
use crate::drift::difference;
use crate::folder::disk;
use crate::json_lines::{self, SealFault, digest, sealed, unsealed};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The last line of a result file.
#[derive(Serialize, Deserialize)]
struct Last {
    /// The trial.
    trial: String,
    /// The digest of the lines above.
    records: String,
    /// Its row, the columns in the order of the alphabet.
    result: Value,
}

/// What the result file of a trial holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial<R: Row> {
    /// What it has above its row.
    pub records: Vec<R::Record>,
    /// What the summary says of it.
    pub row: R,
}

/// A result file: its records, then its row.
pub(super) fn lines<R: Row>(records: &[R::Record], cell: &Cell, row: &R) -> serde_json::Result<Vec<u8>> {
    let mut text = json_lines::lines(records)?;
    let records = digest(&text);
    let last = Last { trial: cell.name.clone(), records, result: serde_json::to_value(row)? };
    text.extend(sealed(&serde_json::to_vec(&last)?));
    text.push(b'\n');
    Ok(text)
}

/// Whether a result file is whole and its row as it was written, given the end of its text.
pub(super) fn is_whole(name: &str, end: &[u8]) -> bool {
    matches!(last(name, end), Some(Ok(_)))
}

/// The row at the end of a result file, given the end of its text; none where the file was cut short.
///
/// # Errors
/// Why it is no row of the job, or that it has changed since it was written.
pub(super) fn row<R: Row>(name: &str, end: &[u8]) -> Option<Result<R, String>> {
    last(name, end).map(|last| last.and_then(|last| fit(last.result)))
}

fn last(name: &str, end: &[u8]) -> Option<Result<Last, String>> {
    let whole = end.strip_suffix(b"\n")?;
    let line = whole.rsplit(|&byte| byte == b'\n').next()?;
    match unsealed(line) {
        Ok(line) => serde_json::from_slice(&line).ok().filter(|last: &Last| last.trial == name).map(Ok),
        Err(SealFault::Changed) => Some(Err(SealFault::Changed.to_string())),
        Err(SealFault::Missing) => None,
    }
}

/// Reads the whole result file `trials/NAME.jsonl` of a trial, which must be what was written: its checksums are
/// compared.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read<R: Row>(path: &Path, name: &str) -> Result<Trial<R>, String> {
    let bytes = disk::read(path).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is no text".to_string())?;
    let whole = text.strip_suffix('\n').unwrap_or(text);
    let start = whole.rfind('\n').map_or(0, |place| place + 1);
    let (above, last) = whole.split_at(start);
    let records = json_lines::values(above).map_err(|fault| fault.to_string())?;
    let line = above.lines().count() + 1;
    if !text.ends_with('\n') {
        return Err(format!("line {line}: it ends within a line"));
    }
    let last = unsealed(last.as_bytes())
        .map_err(|fault| format!("line {line}: it has no result, which is its last line: {fault}"))?;
    let last: Last = serde_json::from_slice(&last)
        .map_err(|error| format!("line {line}: it has no result, which is its last line: {error}"))?;
    if last.trial != name {
        return Err(format!("line {line}: it is the result of trial {}", last.trial));
    }
    if last.records != digest(above.as_bytes()) {
        return Err("a recorded step has changed since it was written".into());
    }
    let row = fit(last.result).map_err(|reason| format!("line {line}: {reason}"))?;
    Ok(Trial { records, row })
}

/// A row of a job, which must be what that job writes: no column more, none less, none renamed.
fn fit<R: Row>(value: Value) -> Result<R, String> {
    let amiss = |reason: String| format!("it is no row of job = \"{}\": {reason}", R::JOB);
    let row = R::deserialize(&value).map_err(|error| amiss(error.to_string()))?;
    let again = serde_json::to_value(&row).map_err(|error| amiss(error.to_string()))?;
    difference(&value, &again).map_or(Ok(row), |place| Err(amiss(place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::Phase;
    use crate::sweep::{
        Annealing, BoundariesRow, Curvature, FindRow, GroupScores, MetricScore, TrainRow, TrainScores,
    };
    use crate::train::Reason;
    use std::fs;

    fn scores() -> TrainScores {
        TrainScores {
            phase: Phase::Catapult,
            stop: Reason::NotFinite,
            steps: 7,
            first_loss: 1.0,
            peak_loss: 0.1 + 0.2,
            peak_step: 3,
            start_loss: 1.0,
            train_loss: 0.5,
            train_accuracy: None,
            test_loss: 1e300,
            test_accuracy: Some(0.25),
            constant_loss: 2.0,
        }
    }

    fn rows() -> [TrainRow; 2] {
        let (c, ntk, hessian, ntk_end, hessian_end) = (Some(3.0), Some(1.5), None, None, None);
        let groups = GroupScores {
            unpatched_accuracy: None,
            patched_accuracy: Some(0.5),
            patch_only_accuracy: None,
            test_mixed_accuracy: None,
            test_patch_only_accuracy: None,
            unpatched_learnt_at: Some(40),
            patched_learnt_at: None,
            patch_only_learnt_at: None,
        };
        [
            TrainRow { scores: scores(), curvature: None, groups: None, annealing: None, metric: None },
            TrainRow {
                scores: scores(),
                curvature: Some(Curvature { c, ntk, hessian, ntk_end, hessian_end }),
                groups: Some(groups),
                annealing: Some(Annealing { annealed_at: None }),
                metric: Some(MetricScore { metric: Some(0.75) }),
            },
        ]
    }

    fn kept<R: Row>(row: &R) -> Vec<u8> {
        lines(&[], &Cell::named("abc"), row).unwrap()
    }

    #[test]
    fn a_row_is_read_as_it_was_written_with_the_parts_that_it_has() {
        for wanted in rows() {
            assert_eq!(row::<TrainRow>("abc", &kept(&wanted)).unwrap().unwrap(), wanted);
        }
        let text = String::from_utf8(kept(&rows()[0])).unwrap();
        let start = format!(
            "{{\"trial\":\"abc\",\"records\":\"{}\",\"result\":{{\"constant_loss\":2.0,",
            digest(b"")
        );
        assert!(text.starts_with(&start), "{text}");
        assert!(
            text.contains("\"phase\":\"catapult\"") && text.contains("\"stop\":\"not_finite\""),
            "{text}"
        );
    }

    #[test]
    fn a_loss_that_is_no_number_comes_back_as_none() {
        let [mut diverged, _] = rows();
        diverged.scores.train_loss = f64::INFINITY;
        let read = row::<TrainRow>("abc", &kept(&diverged)).unwrap().unwrap();
        assert!(read.scores.train_loss.is_nan());
    }

    #[test]
    fn a_row_that_does_not_fit_is_told_by_its_job_and_column() {
        let [plain, full] = rows();
        let of = |row: &TrainRow, from: &str, to: &str| {
            let line = unsealed(kept(row).trim_ascii_end()).unwrap();
            let line = String::from_utf8(line).unwrap().replacen(from, to, 1);
            [sealed(line.as_bytes()), b"\n".to_vec()].concat()
        };
        for (text, expected) in [
            (of(&plain, "\"steps\":7,", ""), "missing field `steps`"),
            (of(&plain, "\"steps\":7,", "\"steps\":7.5,"), "expected u64"),
            (of(&plain, "\"steps\":7,", "\"steps\":7,\"step\":7,"), "unknown field `step`"),
            (of(&plain, "\"phase\":\"catapult\"", "\"phase\":\"slow\""), "slow"),
            // A part of which a column is missing.
            (of(&full, "\"ntk_end\":null,", ""), "missing field `ntk_end`"),
            (of(&plain, "\"test_accuracy\":0.25,", ""), "missing field `test_accuracy`"),
        ] {
            let fault = row::<TrainRow>("abc", &text).unwrap().unwrap_err();
            assert!(fault.starts_with("it is no row of job = \"train\": "), "{fault}");
            assert!(fault.contains(expected), "{fault}");
        }
        let fault = row::<FindRow>("abc", &kept(&plain)).unwrap().unwrap_err();
        assert!(fault.starts_with("it is no row of job = \"find\": "), "{fault}");
    }

    #[test]
    fn a_file_cut_anywhere_is_not_done_and_what_is_broken_says_where() {
        let row = BoundariesRow {
            sharpness: Some(3.0),
            c_h_loss: Some(2.0),
            c_h_sharp: None,
            c_h_max: None,
            eta_loss: None,
            eta_sharp: None,
            eta_max: None,
        };
        let text = kept(&row);
        assert!(is_whole("abc", &text) && !is_whole("abd", &text));
        for length in 0..text.len() {
            assert!(!is_whole("abc", &text[..length]), "{length} bytes");
            let mut changed = text.clone();
            changed[length] ^= 1;
            assert!(!is_whole("abc", &changed), "byte {length}");
        }
        let digit = String::from_utf8(text.clone()).unwrap().replace("3.0", "4.0").into_bytes();
        let fault = super::row::<BoundariesRow>("abc", &digit).unwrap().unwrap_err();
        assert!(fault.contains("has changed since it was written"), "{fault}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &[u8]| {
            fs::write(file.path(), text).unwrap();
            super::read::<BoundariesRow>(file.path(), "abc")
        };
        assert_eq!(read(&text).unwrap(), Trial { records: Vec::new(), row });
        let last = |text: &str| {
            let object = text.replace("RECORDS", &digest(b""));
            [sealed(object.as_bytes()), b"\n".to_vec()].concat()
        };
        for (text, expected) in [
            (b"{\"st".to_vec(), "line 1: it ends within a line"),
            (b"\xff\xfe\n".to_vec(), "it is no text"),
            (b"".to_vec(), "line 1: it ends within a line"),
            (b"[1]\n".to_vec(), "line 1: it has no result"),
            (digit, "line 1: it has no result, which is its last line: it has changed"),
            ([b"{\"step\":0}\n".to_vec(), text.clone()].concat(), "line 1: missing field `width`"),
            (last(r#"{"trial":"abc","records":"0","result":{}}"#), "a recorded step has changed"),
            (
                last(r#"{"trial":"abd","records":"RECORDS","result":{}}"#),
                "line 1: it is the result of trial abd",
            ),
            (
                last(r#"{"trial":"abc","records":"RECORDS","result":3}"#),
                "line 1: it is no row of job = \"boundaries\"",
            ),
            (
                last(r#"{"trial":"abc","records":"RECORDS","result":{"sharpness":1.0}}"#),
                "missing field `c_h_loss`",
            ),
        ] {
            let fault = read(&text).unwrap_err();
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
