//! `etalon spec`: what a spec file and overrides come to.

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::spec::{KEYS, Key, Spec};
use serde::{Serialize, Serializer};
use toml::{Table, Value};

/// Print a spec with every key and its value, or list the keys
///
/// The output is a spec file: keep it, change it, and give it to the other verbs.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,

    /// List every key with its default and what it means
    #[arg(long, conflicts_with = "arguments")]
    keys: bool,
}

/// A key of the list.
#[derive(Serialize)]
struct Row {
    key: &'static str,
    /// None: the data set decides, or another key stands in for it.
    default: Option<Value>,
    doc: &'static str,
}

/// A spec as JSON has it: the sections and keys in the order of the table of keys.
enum Resolved {
    Value(Value),
    Section(Vec<(&'static str, Resolved)>),
}

impl Resolved {
    fn of(spec: &Spec) -> Result<Resolved, toml::de::Error> {
        let mut resolved = Resolved::Section(Vec::new());
        for (key, value) in values(spec)? {
            if let Some(value) = value {
                resolved.put(key.path, value);
            }
        }
        Ok(resolved)
    }

    /// Puts a value at the end of its section, which is made where it is not the last one.
    fn put(&mut self, path: &'static str, value: Value) {
        let Resolved::Section(entries) = self else { return };
        let Some((section, rest)) = path.split_once('.') else {
            return entries.push((path, Resolved::Value(value)));
        };
        if entries.last().is_none_or(|(last, _)| *last != section) {
            entries.push((section, Resolved::Section(Vec::new())));
        }
        if let Some((_, last)) = entries.last_mut() {
            last.put(rest, value);
        }
    }
}

impl Serialize for Resolved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Resolved::Value(value) => value.serialize(serializer),
            Resolved::Section(entries) => {
                serializer.collect_map(entries.iter().map(|(name, entry)| (name, entry)))
            }
        }
    }
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec(context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        if self.keys {
            let row = |(key, default): (&'static Key, _)| Row { key: key.path, default, doc: key.doc };
            let rows: Vec<Row> = values(&Spec::default())?.into_iter().map(row).collect();
            if let Some(directory) = directory {
                directory.write_json("keys.json", &rows)?;
            }
            context.output.show(&rows, || table_of(&rows))?;
        } else {
            context.output.show(&Resolved::of(&spec)?, || spec.to_toml())?;
        }
        Ok(Exit::Done)
    }
}

/// Every key with its value in a spec.
fn values(spec: &Spec) -> Result<Vec<(&'static Key, Option<Value>)>, toml::de::Error> {
    let value = |key: &'static Key| {
        let value = key.value(spec).map(|text| toml::from_str(&format!("value = {text}")));
        Ok((key, value.transpose()?.and_then(|mut table: Table| table.remove("value"))))
    };
    KEYS.iter().map(value).collect()
}

fn table_of(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let default = row.default.as_ref().map_or("-".into(), ToString::to_string);
        [row.key.to_string(), default, row.doc.to_string()]
    };
    table(["key", "default", "meaning"], rows.iter().map(cells))
}
