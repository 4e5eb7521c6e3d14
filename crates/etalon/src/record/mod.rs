//! Results of runs: what is written into a folder, read back, shown and drawn is one struct.
//!
//! A [`Record`] is one result of any kind. Its file names the kind and the version of its schema; a file that this
//! version of Etalon would not have written is refused by name, never half understood. [`RunFolder`] writes
//! them.

pub use crate::folder::{Machine, Meta, RunFolder, RunFolderError, check_writable, write_whole};

use crate::{claims, curvature, equivalence, fit, models, phase, search, theory, watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// Why a file is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// It does not say what it is.
    #[error(
        "it names no kind of record (`kind`) with a schema (`schema`): an older Etalon, or something else, wrote it"
    )]
    NoKind,
    /// Of no kind that is known.
    #[error("it is of kind `{0}`, which this version of Etalon does not know")]
    UnknownKind(String),
    /// Of another version.
    #[error("it has schema {there} of `{kind}`; this version of Etalon reads schema {here}")]
    Schema {
        /// The kind.
        kind: String,
        /// Its version in the file.
        there: u64,
        /// The version that is known.
        here: u32,
    },
    /// Its fields are not those of the schema.
    #[error("it is not what schema {schema} of `{kind}` says: {reason}")]
    Drift {
        /// The kind.
        kind: &'static str,
        /// The version.
        schema: u32,
        /// What is amiss, and where.
        reason: String,
    },
}

/// Declares every kind of record: its variant and type, its name in files, the version of its schema, its file.
macro_rules! records {
    ($($(#[$doc:meta])* $variant:ident($type:ty) = $kind:literal, schema $schema:literal, file $file:literal;)*) => {
        /// A result of any kind.
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged)]
        pub enum Record {
            $($(#[$doc])* $variant(Box<$type>),)*
        }

        impl Record {
            /// The names of their files.
            pub const FILES: &[&str] = &[$($file),*];

            /// Their kinds, each with the version of its schema and its file.
            pub const KINDS: &[(&str, u32, &str)] = &[$(($kind, $schema, $file)),*];

            /// Its kind.
            pub fn kind(&self) -> &'static str {
                match self { $(Record::$variant(_) => $kind,)* }
            }

            /// The version of its schema, which changes whenever a field does.
            pub fn schema(&self) -> u32 {
                match self { $(Record::$variant(_) => $schema,)* }
            }

            /// The name of its file in a run's folder.
            pub fn file(&self) -> &'static str {
                match self { $(Record::$variant(_) => $file,)* }
            }

            fn of_value(kind: &str, schema: u64, value: Value) -> Result<Record, RecordError> {
                match kind {
                    $($kind => parse::<$type>($kind, $schema, schema, value).map(|it| Record::$variant(Box::new(it))),)*
                    _ => Err(RecordError::UnknownKind(kind.into())),
                }
            }
        }

        $(impl From<$type> for Record {
            fn from(it: $type) -> Self {
                Record::$variant(Box::new(it))
            }
        })*
    };
}

records! {
    /// `etalon find`.
    Find(search::Found) = "find", schema 2, file "find.json";
    /// `etalon measure`.
    Measure(curvature::Measurement) = "measure", schema 2, file "measure.json";
    /// `etalon train`.
    Train(phase::TrialReport) = "train", schema 1, file "train.json";
    /// `etalon watch`.
    Watch(watch::Watched) = "watch", schema 2, file "watch.json";
    /// `etalon reproduce`: a claim in a folder of its own.
    Claim(claims::Judgement) = "claim", schema 3, file "claim.json";
    /// `etalon schedule show`.
    Schedule(equivalence::Rates) = "schedule", schema 2, file "schedule.json";
    /// `etalon schedule convert`.
    Converted(equivalence::Converted) = "schedule-converted", schema 2, file "schedule.json";
    /// `etalon schedule convert --undo`.
    Undone(equivalence::Undone) = "schedule-undone", schema 2, file "schedule.json";
    /// `etalon schedule verify`.
    Equivalence(equivalence::Verification) = "equivalence", schema 1, file "equivalence.json";
    /// `etalon theory map`, `logistic`, `exponential` and `uv`.
    Map(theory::MapRuns) = "map", schema 1, file "theory.json";
    /// `etalon theory boundaries`.
    Boundaries(phase::MapBoundaries) = "boundaries", schema 1, file "boundaries.json";
    /// `etalon theory linear`.
    Linear(models::LinearRuns) = "linear", schema 1, file "theory.json";
    /// `etalon theory scale-invariant`.
    Toys(models::Toys) = "toys", schema 1, file "theory.json";
    /// `etalon theory pq`.
    Patterns(models::pq::Patterns) = "patterns", schema 1, file "theory.json";
    /// `etalon theory separable`.
    Separability(models::SeparabilityReport) = "separability", schema 1, file "separable.json";
    /// `etalon fit`.
    Fit(fit::Fitted) = "fit", schema 1, file "fit.json";
}

/// A record as its file has it.
#[derive(Serialize)]
struct Envelope<'a> {
    kind: &'static str,
    schema: u32,
    #[serde(flatten)]
    record: &'a Record,
}

impl Record {
    /// Its file's text: JSON with a line end.
    ///
    /// # Errors
    /// None that occurs: every field has a form in JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let envelope = Envelope { kind: self.kind(), schema: self.schema(), record: self };
        Ok(serde_json::to_string_pretty(&envelope)? + "\n")
    }

    /// The record of a file's text.
    ///
    /// # Errors
    /// Where the text is none that this version of Etalon writes: the kind, the schema, and the place that differs.
    pub fn parse(text: &str) -> Result<Record, RecordError> {
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| RecordError::Json(error.to_string()))?;
        let Value::Object(fields) = &mut value else { return Err(RecordError::NoKind) };
        let (kind, schema) = (fields.remove("kind"), fields.remove("schema"));
        let (Some(Value::String(kind)), Some(schema)) = (kind, schema.as_ref().and_then(Value::as_u64))
        else {
            return Err(RecordError::NoKind);
        };
        Record::of_value(&kind, schema, value)
    }
}

impl RunFolder {
    /// Writes a result into the file of its kind.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write_record(&self, record: &Record) -> Result<(), RunFolderError> {
        let name = record.file();
        let text = record.to_json().map_err(|source| RunFolderError::Json { name: name.into(), source })?;
        self.write(name, text.as_bytes())
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// A value of a kind, which must be what that kind's struct writes: no field more, none less, none renamed.
fn parse<T: Serialize + DeserializeOwned>(
    kind: &'static str,
    here: u32,
    there: u64,
    value: Value,
) -> Result<T, RecordError> {
    if there != u64::from(here) {
        return Err(RecordError::Schema { kind: kind.into(), there, here });
    }
    let drift = |reason: String| RecordError::Drift { kind, schema: here, reason };
    let it: T = T::deserialize(&value).map_err(|error| drift(error.to_string()))?;
    let again = serde_json::to_value(&it).map_err(|error| drift(error.to_string()))?;
    match crate::drift::difference(&value, &again) {
        Some(place) => Err(drift(place)),
        None => Ok(it),
    }
}
