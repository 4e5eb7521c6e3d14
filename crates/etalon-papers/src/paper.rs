//! The papers.

use serde::Deserialize;
use std::fmt;
use std::sync::LazyLock;

/// A paper whose claims are run.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The letter that its claims begin with.
    pub letter: String,
    /// The paper's title, as it is printed.
    pub title: String,
    /// Its authors and the year.
    pub authors: String,
    /// Its number on arXiv.
    pub arxiv: String,
}

/// `papers.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Papers {
    paper: Vec<Paper>,
}

/// The papers.
pub(crate) fn papers() -> &'static [Paper] {
    static PAPERS: LazyLock<Papers> = LazyLock::new(|| {
        toml::from_str(include_str!("../claims/papers.toml"))
            .expect("papers.toml is a part of the program, and a test reads it")
    });
    &PAPERS.paper
}

impl fmt::Display for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} ({})", self.authors, self.title, self.arxiv)
    }
}
