//! A training log of any of the three formats, read as it grows.

use super::columns::{Columns, Kind, Numbers};
use super::events::{Gatherer, Record, record, scalars};
use super::jsonl::Row as JsonRow;
use super::table::Header;
use super::tail::Tail;
use super::{Point, Row, WatchError};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names that an error lists at most.
const LISTED: usize = 40;

/// A log file, or a folder of TensorBoard event files.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    columns: Columns,
    files: Vec<(Tail, Format)>,
    facts: Facts,
}

#[derive(Debug)]
enum Format {
    /// Nothing has been read of it yet.
    Unknown,
    Lines,
    Table(Header),
    Events(Gatherer),
    /// An event file whose records no longer fit their checksums: nothing after that can be found.
    Broken,
}

/// What was met on the way.
#[derive(Debug, Default)]
struct Facts {
    rows: u64,
    skipped: u64,
    first_problem: Option<String>,
    names: BTreeSet<String>,
    seen: [bool; 5],
    /// The rate and the curvature of a row without a loss behind the last one that has one.
    after: Option<(f64, f64)>,
}

impl Log {
    /// Opens a log; nothing is read yet.
    ///
    /// # Errors
    /// When it cannot be opened, or is a folder without event files.
    pub fn open(path: &Path, columns: Columns) -> Result<Log, WatchError> {
        let mut log = Log { path: path.into(), columns, files: Vec::new(), facts: Facts::default() };
        log.look()?;
        if log.files.is_empty() {
            return Err(WatchError::NoEvents(path.into()));
        }
        Ok(log)
    }

    /// As [`Log::open`], of JSON lines among lines that are none, as a program prints them.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_lines(path: &Path, columns: Columns) -> Result<Log, WatchError> {
        let files = vec![(Tail::open(path)?, Format::Lines)];
        Ok(Log { path: path.into(), columns, files, facts: Facts::default() })
    }

    /// Opens the files that are new.
    fn look(&mut self) -> Result<(), WatchError> {
        if !self.path.is_dir() {
            if self.files.is_empty() {
                self.files.push((Tail::open(&self.path)?, Format::Unknown));
            }
            return Ok(());
        }
        let read = |source| WatchError::Read { path: self.path.clone(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(read)? {
            let entry = entry.map_err(read)?;
            if entry.file_name().to_string_lossy().contains("tfevents") {
                paths.push(entry.path());
            }
        }
        // Their names begin with the time at which they were begun.
        paths.sort();
        for path in paths {
            if self.files.iter().all(|(tail, _)| tail.path() != path) {
                self.files.push((Tail::open(&path)?, Format::Unknown));
            }
        }
        Ok(())
    }

    /// Whether the log is shorter than what was read of it, so that its writer has begun anew; then so does this.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn began_anew(&mut self) -> Result<bool, WatchError> {
        let mut anew = false;
        for (tail, format) in &mut self.files {
            if tail.began_anew()? {
                (anew, *format, self.facts) = (true, Format::Unknown, Facts::default());
            }
        }
        Ok(anew)
    }

    /// Hands out every row with a loss that is new, in order. With `last`, an unfinished line or step counts as
    /// finished.
    ///
    /// # Errors
    /// When the file cannot be read, is no log, or has no column for the loss; with `last` also when a named column
    /// never had a number.
    pub fn read(&mut self, last: bool, mut sink: impl FnMut(Point)) -> Result<(), WatchError> {
        self.rows(last, |Row { step, loss, rate, curvature, .. }| {
            if let Some(loss) = loss {
                sink(Point { step, loss, rate, curvature });
            }
        })
    }

    /// As [`Log::read`], with rows that have the metric and no loss too.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn rows(&mut self, last: bool, mut sink: impl FnMut(Row)) -> Result<(), WatchError> {
        self.look()?;
        for (tail, format) in &mut self.files {
            let facts = &mut self.facts;
            if matches!(format, Format::Unknown) {
                tail.fill()?;
                *format = guess(tail);
            }
            match format {
                Format::Events(_) => {
                    if !events(tail, format, &self.columns, last, facts, &mut sink)? {
                        *format = Format::Broken;
                    }
                }
                Format::Broken => {}
                _ => {
                    let path = tail.path().to_path_buf();
                    tail.lines(last, |line| text(line, format, &self.columns, facts, &path, &mut sink))?;
                }
            }
        }
        if last { self.check() } else { Ok(()) }
    }

    /// The rate and the curvature of the state after the last step, where the log ends with a row that has them and no loss,
    /// as a trajectory of Etalon does.
    pub fn after(&self) -> Option<(f64, f64)> {
        self.facts.after
    }

    /// Lines that were no rows, and what was wrong with the first of them.
    pub fn skipped(&self) -> (u64, Option<&str>) {
        (self.facts.skipped, self.facts.first_problem.as_deref())
    }

    /// What can only be said at the end: whether there was anything, and all that was named.
    fn check(&self) -> Result<(), WatchError> {
        let named = |&(place, kind): &(usize, Kind)| {
            !self.facts.seen[place] && (kind == Kind::Loss || self.columns.given(kind).is_some())
        };
        let missing = Kind::ALL.into_iter().enumerate().find(named);
        match (missing, self.facts.names.is_empty()) {
            (None, _) => Ok(()),
            (Some((_, kind)), false) => Err(no_column(&self.path, kind, &self.facts.names)),
            (Some(_), true) => {
                let reason = self.facts.first_problem.clone().unwrap_or_else(|| "it is empty".into());
                Err(WatchError::NoLog { path: self.path.clone(), reason })
            }
        }
    }
}

fn no_column(path: &Path, kind: Kind, names: &BTreeSet<String>) -> WatchError {
    let mut found: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    if names.len() > LISTED {
        found.push("...");
    }
    WatchError::NoColumn { path: path.into(), what: kind.flag(), found: found.join(", ") }
}

/// The format of a file by its first bytes, once there are any.
fn guess(tail: &Tail) -> Format {
    let bytes = tail.pending();
    if tail.path().to_string_lossy().contains("tfevents") || matches!(record(bytes), Record::Whole(..)) {
        return Format::Events(Gatherer::default());
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Format::Lines,
        // A header is made when its line is whole.
        _ => Format::Unknown,
    }
}

/// A line of JSON or CSV.
fn text(
    line: &[u8],
    format: &mut Format,
    columns: &Columns,
    facts: &mut Facts,
    path: &Path,
    sink: &mut impl FnMut(Row),
) -> Result<(), WatchError> {
    let Ok(line) = std::str::from_utf8(line) else {
        return match format {
            Format::Unknown => {
                Err(WatchError::NoLog { path: path.into(), reason: "its first line is no text".into() })
            }
            _ => {
                facts.skip("a line is no text".into());
                Ok(())
            }
        };
    };
    if line.trim().is_empty() {
        return Ok(());
    }
    match format {
        Format::Unknown if line.trim_start().starts_with('{') => {
            *format = Format::Lines;
            return text(line.as_bytes(), format, columns, facts, path, sink);
        }
        Format::Unknown => {
            let header = Header::parse(line, columns);
            facts.names.extend(header.names().map(String::from));
            if columns.find(Kind::Loss, header.names()).is_none() {
                return Err(no_column(path, Kind::Loss, &facts.names));
            }
            *format = Format::Table(header);
        }
        Format::Table(header) => match header.row(line) {
            Ok(numbers) => facts.row(numbers, sink),
            Err(problem) => facts.skip(problem),
        },
        Format::Lines => match JsonRow::parse(line) {
            Ok(row) => {
                let numbers = Kind::ALL.map(|kind| row.number(columns, kind));
                if facts.names.len() <= LISTED {
                    let new: Vec<&str> = row.names().filter(|name| !facts.names.contains(*name)).collect();
                    facts.names.extend(new.into_iter().map(String::from));
                }
                facts.row(numbers, sink);
            }
            Err(problem) => facts.skip(problem),
        },
        Format::Events(_) | Format::Broken => {}
    }
    Ok(())
}

/// The records of an event file; false where it is broken.
fn events(
    tail: &mut Tail,
    format: &mut Format,
    columns: &Columns,
    last: bool,
    facts: &mut Facts,
    sink: &mut impl FnMut(Row),
) -> Result<bool, WatchError> {
    let Format::Events(gatherer) = format else { return Ok(true) };
    loop {
        let mut taken = 0;
        loop {
            match record(&tail.pending()[taken..]) {
                Record::Whole(data, length) => {
                    taken += length;
                    match scalars(data) {
                        Ok(found) => {
                            for scalar in &found {
                                if let Some(row) = gatherer.push(scalar, columns) {
                                    facts.row(row, sink);
                                }
                            }
                        }
                        Err(_) => facts.skip("a record is no event".into()),
                    }
                }
                Record::Partial => break,
                Record::Broken => {
                    facts.skip(format!("{}: a checksum does not fit", tail.path().display()));
                    return Ok(false);
                }
            }
        }
        tail.take(taken);
        if !tail.fill()? {
            break;
        }
    }
    if last && let Some(row) = gatherer.flush() {
        facts.row(row, sink);
    }
    facts.names.extend(gatherer.tags.iter().take(LISTED + 1).cloned());
    Ok(true)
}

impl Facts {
    fn skip(&mut self, problem: String) {
        self.skipped += 1;
        self.first_problem.get_or_insert(problem);
    }

    /// Hands out a row if it has a loss or the metric; other rows are not of interest.
    fn row(&mut self, numbers: Numbers, sink: &mut impl FnMut(Row)) {
        for (seen, number) in self.seen.iter_mut().zip(numbers) {
            *seen |= number.is_some();
        }
        let [step, loss, rate, curvature, metric] = numbers;
        self.after = rate.zip(curvature).filter(|_| loss.is_none());
        if loss.or(metric).is_some() {
            // Without a column for it, the step is the number of the row.
            let step = step.filter(|step| *step >= 0.0).map_or(self.rows, |step| step as u64);
            self.rows += u64::from(loss.is_some());
            sink(Row { step, loss, rate, curvature, metric });
        }
    }
}

#[cfg(test)]
mod tests;
