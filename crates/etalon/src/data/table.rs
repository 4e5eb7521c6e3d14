//! Tables of comma-separated values: a header, then a row a sample; one column is the label, the others are features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::error::malformed;
use super::parts::Parts;
use super::{DataError, Dataset, Labels, SampleShape, bytes};

/// Names of a label column, in lower case; the first that a table has is taken, else the last column.
const LABELS: [&str; 6] = ["label", "labels", "class", "target", "y", "species"];
/// Classes that a note lists at most.
const LISTED: usize = 12;

/// A table with its labels as text tells them.
pub(super) struct Table {
    /// The names of its columns of features.
    pub(super) features: Vec<String>,
    pub(super) shape: SampleShape,
    pub(super) inputs: Vec<f32>,
    pub(super) labels: Vec<String>,
    /// The names of its classes, of which a label is the number; empty where labels are what they are called.
    pub(super) classes: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// What the labels of the train part are.
enum Meaning {
    /// The number of each class.
    Classes(BTreeMap<String, u32>),
    Values,
}

/// Reads a table, and one of the test part if there is one. `label` is the column of the label.
///
/// Features are numbers as they are. Labels that are whole numbers or words are classes, numbered in their order; other numbers
/// are values. A first column without a name, which pandas writes, is left out.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for a table without a header, rows of another length, what is no number, and
/// a test part of other columns or classes.
pub(super) fn read(train: &Path, test: Option<&Path>, label: Option<&str>) -> Result<Parts, DataError> {
    let tested = test.map(|path| Ok((path, Table::read(path, label)?))).transpose()?;
    parts((train, Table::read(train, label)?), tested)
}

/// What a table of the train part and one of the test part hold, with the labels that text tells.
///
/// # Errors
/// [`DataError::Malformed`] where the test part has other columns or classes.
pub(super) fn parts(
    (train, table): (&Path, Table),
    test: Option<(&Path, Table)>,
) -> Result<Parts, DataError> {
    let mut notes = table.notes.clone();
    let meaning = if table.classes.is_empty() {
        meaning(&table.labels)
    } else {
        Meaning::Classes((0..table.classes.len() as u32).map(|number| (number.to_string(), number)).collect())
    };
    let numbered: Vec<(u32, &str)> = match &meaning {
        Meaning::Classes(_) if !table.classes.is_empty() => {
            (0..).zip(table.classes.iter().map(String::as_str)).collect()
        }
        Meaning::Classes(classes) if classes.iter().any(|(name, number)| *name != number.to_string()) => {
            let mut numbered: Vec<_> =
                classes.iter().map(|(name, number)| (*number, name.as_str())).collect();
            numbered.sort_unstable();
            numbered
        }
        Meaning::Classes(_) | Meaning::Values => Vec::new(),
    };
    if !numbered.is_empty() {
        let mut named: Vec<String> =
            numbered.iter().take(LISTED).map(|(number, name)| format!("{name} = {number}")).collect();
        named.extend((numbered.len() > LISTED).then(|| "...".into()));
        notes.push(format!("the classes of {} are numbered: {}", train.display(), named.join(", ")));
    }
    let features = table.features.clone();
    let train = table.dataset(train, &meaning)?;
    let test = test.map(|(path, table)| {
        if table.features != features {
            let found = format!("those of {}", table.features.join(", "));
            return Err(malformed(path, "the columns of the train part", found, "give both the same header"));
        }
        table.dataset(path, &meaning)
    });
    Ok(Parts { train, test: test.transpose()?, notes })
}

/// What may part fields, and the one that does in this header.
fn delimiter(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| header.iter().filter(|byte| *byte == delimiter).count();
    // The last of equals wins: a comma where there is none of them.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Where the label lies among columns of such names; none where no name is one of a label.
pub(super) fn usual(names: &[&str]) -> Option<usize> {
    LABELS.iter().find_map(|usual| names.iter().position(|name| name.to_lowercase() == *usual))
}

/// That a column was taken for the label.
pub(super) fn taken(name: &str, path: &Path) -> String {
    format!(
        "column `{name}` of {} is taken as the label; data.label = \"NAME\" says otherwise",
        path.display()
    )
}

impl Table {
    fn read(path: &Path, label: Option<&str>) -> Result<Table, DataError> {
        let content = bytes::open(path)?.rest()?;
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
        let first = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut reader = ReaderBuilder::new().delimiter(delimiter(first)).from_reader(content);
        let unreadable = |error: csv::Error| {
            malformed(
                path,
                "rows of text with as many fields as the header",
                error.to_string(),
                "mend the row",
            )
        };
        let header = reader.headers().map_err(unreadable)?.clone();
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        if names.len() < 2 || names.iter().all(|name| name.parse::<f64>().is_ok()) {
            let found = format!("`{}`", String::from_utf8_lossy(&first[..first.len().min(120)]));
            let remedy = "write the names of the columns into the first line";
            return Err(malformed(
                path,
                "a header with the names of the label and of a feature",
                found,
                remedy,
            ));
        }
        let mut notes = Vec::new();
        let chosen = match label {
            Some(label) => names.iter().position(|name| *name == label).ok_or_else(|| {
                let found = format!("only {}", names.join(", "));
                malformed(path, format!("a column `{label}`"), found, "set data.label to one of these")
            })?,
            None => {
                let place = usual(&names).unwrap_or(names.len() - 1);
                notes.push(taken(names[place], path));
                place
            }
        };
        let is_index =
            |place: usize| place == 0 && (names[0].is_empty() || names[0].starts_with("Unnamed: "));
        if is_index(0) && chosen != 0 {
            notes.push(format!("the first column of {} has no name and is left out", path.display()));
        }
        let kept: Vec<usize> =
            (0..names.len()).filter(|&place| place != chosen && !is_index(place)).collect();
        let mut table = Table {
            features: kept.iter().map(|&place| names[place].into()).collect(),
            shape: SampleShape::Flat(kept.len()),
            inputs: Vec::new(),
            labels: Vec::new(),
            classes: Vec::new(),
            notes,
        };
        let mut row = StringRecord::new();
        while reader.read_record(&mut row).map_err(unreadable)? {
            for &place in &kept {
                let text = row[place].trim();
                let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
                table.inputs.push(number.ok_or_else(|| {
                    let line = row.position().map_or(0, csv::Position::line);
                    let found = if text.is_empty() { "nothing".into() } else { format!("`{text}`") };
                    let expected = format!("a number in column `{}` of line {line}", names[place]);
                    malformed(
                        path,
                        expected,
                        found,
                        "put a number for it, or leave the column or the row out",
                    )
                })?);
            }
            table.labels.push(row[chosen].trim().into());
        }
        Ok(table)
    }

    fn dataset(self, path: &Path, meaning: &Meaning) -> Result<Dataset, DataError> {
        let fault = |row: usize, text: &str, expected: &str, remedy| {
            malformed(path, format!("{expected} in row {}", row + 1), format!("`{text}`"), remedy)
        };
        let rows = self.labels.iter().enumerate();
        let labels = match meaning {
            Meaning::Classes(classes) => {
                let class = |(row, text): (usize, &String)| {
                    let remedy = "leave the row out, or have the class in the train part too";
                    classes
                        .get(text)
                        .copied()
                        .ok_or_else(|| fault(row, text, "a class of the train part", remedy))
                };
                Labels::Classes {
                    labels: rows.map(class).collect::<Result<_, _>>()?,
                    count: classes.len() as u32,
                }
            }
            Meaning::Values => {
                let value = |(row, text): (usize, &String)| {
                    text.parse().map_err(|_| fault(row, text, "a number as the label", "put a number for it"))
                };
                Labels::Values { values: rows.map(value).collect::<Result<_, _>>()?, width: 1 }
            }
        };
        Dataset::new(path.display().to_string(), self.shape, self.inputs, labels)
    }
}

fn meaning(labels: &[String]) -> Meaning {
    let distinct: BTreeSet<&String> = labels.iter().collect();
    let whole: Option<BTreeMap<i64, &String>> =
        distinct.iter().map(|text| Some((text.parse().ok()?, *text))).collect();
    let in_order: Vec<&String> = match whole {
        // As numbers, where no two texts are the same one.
        Some(numbers) if numbers.len() == distinct.len() => numbers.into_values().collect(),
        _ if distinct.iter().all(|text| text.parse::<f64>().is_ok()) => return Meaning::Values,
        _ => distinct.into_iter().collect(),
    };
    Meaning::Classes(in_order.into_iter().cloned().zip(0..).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(train: &str, test: Option<&str>, label: Option<&str>) -> Result<Parts, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let test = test.map(|text| write("test.csv", text));
        read(&write("train.csv", train), test.as_deref(), label)
    }

    #[test]
    fn words_whole_numbers_and_other_numbers_are_told_apart() {
        let iris = "a;b;species\n1;2;setosa\n3;4;virginica\n5;6;setosa\n";
        let parts = read_text(iris, Some("a;b;species\n7;8;virginica\n"), None).unwrap();
        assert_eq!(parts.train.inputs, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(parts.train.labels, Labels::Classes { labels: vec![0, 1, 0], count: 2 });
        assert_eq!(parts.test.unwrap().labels, Labels::Classes { labels: vec![1], count: 2 });
        assert!(
            parts.notes[0].contains("column `species`")
                && parts.notes[1].contains("setosa = 0, virginica = 1")
        );

        let parts = read_text("\u{feff},y,x\n0,10,1\n1,9,2\n2,-1,3\n", None, None).unwrap();
        assert_eq!(parts.train.inputs, [1.0, 2.0, 3.0]);
        assert_eq!(parts.train.labels, Labels::Classes { labels: vec![2, 1, 0], count: 3 });
        assert!(
            parts.notes[1].contains("no name and is left out")
                && parts.notes[2].contains("-1 = 0, 9 = 1, 10 = 2")
        );

        let parts = read_text("y,x\n0,1.5\n1,2\n", None, Some("x")).unwrap();
        assert_eq!(parts.train.labels, Labels::Values { values: vec![1.5, 2.0], width: 1 });
        assert!(parts.notes.is_empty() && parts.test.is_none());
    }

    #[test]
    fn faults_are_named_with_line_and_column() {
        for (train, test, label, expected) in [
            ("a,label\n1,0\n,1\n", None, None, "expected a number in column `a` of line 3, found nothing"),
            ("a,label\nx,0\n", None, None, "found `x`; put a number"),
            ("a,label\n1e999,0\n", None, None, "found `1e999`"),
            ("a,label\n1,0,2\n", None, None, "as many fields as the header"),
            ("1,2\n3,4\n", None, None, "expected a header"),
            ("label\n3\n", None, None, "expected a header"),
            ("a,b\n1,0\n", None, Some("c"), "expected a column `c`, found only a, b"),
            ("a,label\n1,0\n", Some("a,label\n1,5\n"), None, "a class of the train part in row 1, found `5`"),
            ("a,label\n1,0\n", Some("b,label\n1,0\n"), None, "expected the columns of the train part"),
            ("a,label\n", None, None, "there is no sample"),
        ] {
            let text = read_text(train, test, label).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
