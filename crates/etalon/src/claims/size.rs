//! How large what is run is.

use serde::{Deserialize, Serialize};

/// How large the setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Seconds.
    Quick,
    /// Minutes on two cores.
    Standard,
    /// That of the paper, as far as it is known.
    Paper,
}

impl Size {
    /// All, the smallest first.
    pub const ALL: [Size; 3] = [Size::Quick, Size::Standard, Size::Paper];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Size::Quick => "quick",
            Size::Standard => "standard",
            Size::Paper => "paper",
        }
    }
}
