//! What a run directory holds.

use super::error::ReportError;
use crate::figure::LossKind;
use etalon::record::{Meta, Record, RecordError};
use etalon::spec::Spec;
use etalon_nn::optim::Rule;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that say how results came about, not what they are.
const META: [&str; 1] = ["meta.json"];

/// A folder that `--out` has made.
pub(super) struct Folder {
    pub root: PathBuf,
    /// The names of what lies in it, sorted.
    pub names: Vec<String>,
    /// The text of `spec.toml`.
    pub spec_text: Option<String>,
    /// The keys of `spec.toml`; empty where there is none that can be read.
    pub spec: toml::Table,
    /// The facts of `meta.json`.
    pub meta: Option<Meta>,
    /// What could not be read, each with the reason.
    pub skipped: Vec<String>,
}

/// What a file of JSON holds.
pub(super) enum Found {
    /// A result of Etalon.
    Record(Record),
    /// Something else.
    Other(ResultFile),
}

/// A file of JSON that is no record.
pub(super) struct ResultFile {
    pub name: String,
    pub value: Value,
}

impl Folder {
    /// Looks into a folder.
    pub(super) fn open(root: &Path) -> Result<Folder, ReportError> {
        let facts = fs::metadata(root).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ReportError::Missing(root.into()),
            _ => fault(root, "look at it")(source),
        })?;
        if !facts.is_dir() {
            return Err(ReportError::NotAFolder(root.into()));
        }
        let entries = fs::read_dir(root).map_err(fault(root, "read the folder"))?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        if names.is_empty() {
            return Err(ReportError::Empty(root.into()));
        }
        let mut folder = Folder {
            root: root.into(),
            names,
            spec_text: None,
            spec: toml::Table::new(),
            meta: None,
            skipped: Vec::new(),
        };
        if folder.has("spec.toml") {
            folder.spec_text = folder.text("spec.toml");
            let parsed = folder.spec_text.as_ref().map(|text| text.parse::<toml::Table>());
            match parsed {
                Some(Ok(spec)) => folder.spec = spec,
                Some(Err(error)) => folder.skip("spec.toml", error.message()),
                None => {}
            }
        }
        if folder.has("meta.json") {
            folder.meta = folder.parsed("meta.json");
        }
        Ok(folder)
    }

    /// Whether a file lies in it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|there| there == name)
    }

    /// Notes that something is left out.
    pub(super) fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push(format!("{name}: {reason}"));
    }

    /// The text of a file, where it can be read.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match fs::read(self.root.join(name)) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                self.skip(name, &error.to_string());
                None
            }
        }
    }

    /// What a file of JSON holds, where it can be read.
    pub(super) fn parsed<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match serde_json::from_str(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.skip(name, &error.to_string());
                None
            }
        }
    }

    /// The record of a file; none where it cannot be read or is no JSON.
    ///
    /// # Errors
    /// When it is of another schema, or no record.
    pub(super) fn record(&mut self, name: &str) -> Result<Option<Record>, ReportError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match Record::parse(&text) {
            Ok(record) => Ok(Some(record)),
            Err(RecordError::Json(reason)) => {
                self.skip(name, &reason);
                Ok(None)
            }
            Err(source) => Err(ReportError::Record { path: self.root.join(name), source }),
        }
    }

    /// All results that can be read; what is no JSON is left out.
    ///
    /// # Errors
    /// When a file is a record of another schema, or has the name of one and is none.
    pub(super) fn results(&mut self) -> Result<Vec<Found>, ReportError> {
        let is_result = |name: &&String| name.ends_with(".json") && !META.contains(&name.as_str());
        let names: Vec<String> = self.names.iter().filter(is_result).cloned().collect();
        let mut found = Vec::new();
        for name in names {
            match self.record(&name) {
                Ok(record) => found.extend(record.map(Found::Record)),
                Err(ReportError::Record { source: RecordError::NoKind, .. })
                    if !Record::FILES.contains(&name.as_str()) =>
                {
                    found.extend(self.parsed(&name).map(|value| Found::Other(ResultFile { name, value })));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The text of a key of the spec, such as `optimizer.eta`.
    pub(super) fn key(&self, path: &str) -> Option<&toml::Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let value = self.spec.get(first)?;
        if rest.is_empty() { Some(value) } else { value.get(rest) }
    }

    /// The loss of the spec by its name.
    pub(super) fn loss(&self) -> &str {
        self.key("loss").and_then(toml::Value::as_str).unwrap_or("")
    }

    /// What kind of loss that is; not known where a grid runs over several.
    pub(super) fn loss_kind(&self) -> LossKind {
        match self.loss() {
            _ if self.key("grid.loss").is_some() => LossKind::Unknown,
            "" => LossKind::Unknown,
            "mse" => LossKind::Squared,
            _ => LossKind::Other,
        }
    }

    /// The optimiser of the spec; none where its table cannot be read by itself.
    pub(super) fn optimizer(&self) -> Option<Rule> {
        let table = toml::Table::from_iter([("optimizer".into(), self.spec.get("optimizer")?.clone())]);
        Some(Spec::parse(&table.to_string()).ok()?.optimizer.rule())
    }

    /// The unit of the loss.
    pub(super) fn loss_unit(&self) -> &'static str {
        // Those that are logarithms of probabilities.
        if ["cross_entropy", "logistic"].contains(&self.loss()) { "nats" } else { "" }
    }
}

fn fault(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> ReportError {
    let path = path.to_path_buf();
    move |source| ReportError::Io { path, action, source }
}
