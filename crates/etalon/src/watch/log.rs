//! A training log of any format, read as it grows.

use super::columns::{Columns, Kind, Numbers};
use super::document::Rows;
use super::events::{Gatherer, Record, record, scalars};
use super::jsonl::Row as JsonRow;
use super::plain::Plain;
use super::printed::{Line, Printed};
use super::runs::{event_files, place};
use super::table::Header;
use super::tail::{LONGEST, Tail};
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
    /// JSON lines.
    Lines,
    /// What a program prints.
    Printed(Printed),
    /// A document of JSON.
    Document(Rows),
    /// A line without a name of the loss, which the next one tells to be a header or plain text.
    First(String),
    Table(Header),
    Plain(Plain),
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
    seen: [bool; Kind::COUNT],
    /// A step was a part of an epoch, so that rows are counted instead.
    counted: bool,
    /// The rate and the curvature of a row without a loss behind the last one that has one.
    after: Option<(f64, f64)>,
    /// The rate of rows that have none.
    constant_rate: Option<f64>,
}

impl Log {
    /// Opens a log; nothing is read yet.
    ///
    /// # Errors
    /// When it cannot be opened, is a folder without event files, or has several runs of which none is chosen.
    pub fn open(path: &Path, columns: Columns) -> Result<Log, WatchError> {
        let path = place(path, &columns)?;
        let facts = Facts::of(&columns);
        let mut log = Log { path, columns, files: Vec::new(), facts };
        log.look()?;
        Ok(log)
    }

    /// As [`Log::open`], of what a program prints: JSON lines, CSV or plain text among lines that are none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_printed(path: &Path, columns: Columns) -> Result<Log, WatchError> {
        let files = vec![(Tail::open(path)?, Format::Printed(Printed::default()))];
        let facts = Facts::of(&columns);
        Ok(Log { path: path.into(), columns, files, facts })
    }

    /// Opens the files that are new.
    fn look(&mut self) -> Result<(), WatchError> {
        if !self.path.is_dir() {
            if self.files.is_empty() {
                self.files.push((Tail::open(&self.path)?, Format::Unknown));
            }
            return Ok(());
        }
        for path in event_files(&self.path)? {
            if self.files.iter().all(|(tail, _)| tail.path() != path) {
                self.files.push((Tail::open(&path)?, Format::Unknown));
            }
        }
        Ok(())
    }

    /// Whether the log is shorter than what was read of it, another file, or a document written again; then this begins anew.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn began_anew(&mut self) -> Result<bool, WatchError> {
        let mut anew = false;
        for (tail, format) in &mut self.files {
            // What follows the end of a document is another one in its place: transformers writes its state again.
            let is_again = matches!(format, Format::Document(rows) if rows.is_whole()) && tail.has_grown();
            if is_again {
                tail.begin_anew()?;
            }
            if tail.began_anew()? || is_again {
                (anew, *format, self.facts) = (true, Format::Unknown, Facts::of(&self.columns));
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
        self.rows(last, |Row { step, loss, rate, curvature, norm, .. }| {
            if let Some(loss) = loss {
                sink(Point { step, loss, rate, curvature, norm });
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
                Format::Document(rows) => {
                    document(tail, rows, &self.columns, last, facts, &mut sink)?;
                }
                _ => {
                    let path = tail.path().to_path_buf();
                    tail.lines(last, |line| text(line, format, &self.columns, facts, &path, &mut sink))?;
                    // A line alone is no header.
                    if last && let Format::First(line) = format {
                        let line = std::mem::take(line);
                        Plain::default().read(&line, &self.columns, facts, &mut sink);
                    }
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
            (Some((_, kind)), false) => Err(no_column(&self.path, kind, &self.columns, &self.facts.names)),
            (Some(_), true) => {
                let is_empty = self.files.iter().all(|(_, format)| matches!(format, Format::Unknown));
                let nothing = if is_empty { "it is empty" } else { "no number stands behind a name" };
                let reason = self.facts.first_problem.clone().unwrap_or_else(|| nothing.into());
                Err(WatchError::NoLog { path: self.path.clone(), reason })
            }
        }
    }
}

fn no_column(path: &Path, kind: Kind, columns: &Columns, names: &BTreeSet<String>) -> WatchError {
    let mut found: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    if names.len() > LISTED {
        found.push("...");
    }
    let named = columns.given(kind).map(String::from);
    WatchError::NoColumn { path: path.into(), what: kind.flag(), named, found: found.join(", ") }
}

/// The format of a file by its first bytes, once there are any.
fn guess(tail: &Tail) -> Format {
    let bytes = tail.pending();
    if tail.path().to_string_lossy().contains("tfevents") || matches!(record(bytes), Record::Whole(..)) {
        return Format::Events(Gatherer::default());
    }
    let text = bytes.trim_ascii_start();
    let Some((first, rest)) = text.split_first() else { return Format::Unknown };
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let next = rest.trim_ascii_start().first();
    let is_document = match first {
        b'[' => next == Some(&b'{'),
        // Over several lines, or all on one.
        b'{' => line.trim_ascii().is_empty() || contains(line, b"\"log_history\""),
        _ => false,
    };
    match first {
        _ if is_document => Format::Document(Rows::default()),
        // Python's dictionaries are plain text.
        b'{' if next != Some(&b'\'') => Format::Lines,
        // A header is made when its line is whole.
        _ => Format::Unknown,
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

/// Whether a page of HTML or XML begins so; its style sheets have numbers behind names.
fn is_markup(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    ["<!doctype", "<!--", "<html", "<?xml", "<svg"].iter().any(|start| line.starts_with(start))
}

/// A line of JSON, CSV or plain text.
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
        Format::Unknown if is_markup(line) => {
            let reason = "it is a page of HTML or XML".into();
            return Err(WatchError::NoLog { path: path.into(), reason });
        }
        Format::Unknown => {
            let header = Header::parse(line, columns);
            let runs = columns.runs(header.names());
            if columns.run.is_none() && runs.len() > 1 {
                return Err(WatchError::Runs { path: path.into(), runs: runs.join(", ") });
            }
            *format = match columns.find(Kind::Loss, header.names()) {
                Some(_) => {
                    facts.names.extend(header.names().map(String::from));
                    Format::Table(header)
                }
                None => Format::First(line.into()),
            };
        }
        Format::First(first) => {
            let header = Header::parse(first, columns);
            if header.is_over(line) {
                facts.names.extend(header.names().map(String::from));
                return Err(no_column(path, Kind::Loss, columns, &facts.names));
            }
            let mut plain = Plain::default();
            plain.read(first, columns, facts, sink);
            plain.read(line, columns, facts, sink);
            *format = Format::Plain(plain);
        }
        Format::Plain(plain) => plain.read(line, columns, facts, sink),
        Format::Printed(printed) => match printed.take(line, columns) {
            Line::Json(row) => facts.named(&row, columns, sink),
            Line::Plain(plain) => plain.read(line, columns, facts, sink),
            Line::Table(header) => {
                if let Ok(numbers) = header.row(line) {
                    facts.row(numbers, sink);
                }
                *format = Format::Table(header);
            }
            Line::Other => {}
        },
        Format::Table(header) => match header.row(line) {
            Ok(numbers) => facts.row(numbers, sink),
            Err(problem) => facts.skip(problem),
        },
        Format::Lines => facts.json(line, columns, sink),
        Format::Document(_) | Format::Events(_) | Format::Broken => {}
    }
    Ok(())
}

/// The rows of a document.
fn document(
    tail: &mut Tail,
    rows: &mut Rows,
    columns: &Columns,
    last: bool,
    facts: &mut Facts,
    sink: &mut impl FnMut(Row),
) -> Result<(), WatchError> {
    loop {
        let found = rows.push(tail.pending(), |row| match std::str::from_utf8(row) {
            Ok(row) => facts.json(row, columns, sink),
            Err(_) => facts.skip("a row is no text".into()),
        });
        if !found {
            return Err(WatchError::LongLine { path: tail.path().into(), limit: LONGEST });
        }
        tail.take(tail.pending().len());
        if !tail.fill()? {
            break;
        }
    }
    if last && !rows.is_whole() {
        facts.skip("the document has no end".into());
    }
    Ok(())
}

impl Plain {
    fn read(&mut self, line: &str, columns: &Columns, facts: &mut Facts, sink: &mut impl FnMut(Row)) {
        let numbers = self.row(line, columns, &mut facts.names, LISTED);
        facts.row(numbers, sink);
    }
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
    fn of(columns: &Columns) -> Facts {
        Facts { constant_rate: columns.constant_rate, ..Facts::default() }
    }

    fn skip(&mut self, problem: String) {
        self.skipped += 1;
        self.first_problem.get_or_insert(problem);
    }

    /// A row of JSON.
    fn json(&mut self, text: &str, columns: &Columns, sink: &mut impl FnMut(Row)) {
        match JsonRow::parse(text) {
            Ok(row) => self.named(&row, columns, sink),
            Err(problem) => self.skip(problem),
        }
    }

    fn named(&mut self, row: &JsonRow, columns: &Columns, sink: &mut impl FnMut(Row)) {
        if self.names.len() <= LISTED {
            let new: Vec<&str> = row.names().filter(|name| !self.names.contains(*name)).collect();
            self.names.extend(new.into_iter().map(String::from));
        }
        self.row(row.numbers(columns), sink);
    }

    /// Hands out a row if it has a loss or the metric; other rows are not of interest.
    fn row(&mut self, numbers: Numbers, sink: &mut impl FnMut(Row)) {
        for (seen, number) in self.seen.iter_mut().zip(numbers) {
            *seen |= number.is_some();
        }
        let [step, loss, rate, curvature, norm, metric] = numbers;
        let rate = rate.or(self.constant_rate);
        self.after = rate.zip(curvature).filter(|_| loss.is_none());
        if loss.or(metric).is_some() {
            // Without a column for it, or with parts of epochs in it, the step is the number of the row.
            self.counted |= step.is_some_and(|step| step.fract().abs() > 0.0);
            let step =
                step.filter(|step| *step >= 0.0 && !self.counted).map_or(self.rows, |step| step as u64);
            self.rows += u64::from(loss.is_some());
            sink(Row { step, loss, rate, curvature, norm, metric });
        }
    }
}

#[cfg(test)]
mod tests;
