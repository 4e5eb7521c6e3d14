//! Judgements that an earlier run has kept.

use crate::context::Failure;
use etalon::claims::{Claim, Judgement};
use std::fs;
use std::path::Path;

/// The file of a judgement in the claim's folder.
pub(super) const CLAIM: &str = "claim.json";

/// The facts of a run, as its `meta.json` has them.
pub(super) type Facts = serde_json::Map<String, serde_json::Value>;

/// Those of the claims that are there, and the facts of the run.
pub(super) fn read(folder: &Path, claims: &[&Claim]) -> Result<(Vec<Judgement>, Facts), Failure> {
    let meta = folder.join("meta.json");
    let facts: Facts = serde_json::from_str(&text(&meta)?).map_err(|error| broken(&meta, &error))?;
    let mut judgements = Vec::new();
    for claim in claims {
        let file = folder.join(claim.id).join(CLAIM);
        if file.exists() {
            judgements.push(serde_json::from_str(&text(&file)?).map_err(|error| broken(&file, &error))?);
        }
    }
    if judgements.is_empty() {
        return Err(format!("{} holds none of these claims", folder.display()).into());
    }
    Ok((judgements, facts))
}

fn text(file: &Path) -> Result<String, Failure> {
    let fault = |error| {
        format!("cannot read {}: {error}; give the folder that `etalon reproduce --out` made", file.display())
    };
    Ok(fs::read_to_string(file).map_err(fault)?)
}

fn broken(file: &Path, error: &serde_json::Error) -> String {
    format!("{} is no judgement of this version of Etalon: {error}; run the claim again", file.display())
}
