//! Judgements that an earlier run has kept.

use crate::context::Failure;
use etalon::claims::Judgement;
use etalon::record::{Meta, Record};
use etalon_papers::Claim;
use std::fs;
use std::path::Path;

/// The file of a judgement in the claim's folder.
const CLAIM: &str = "claim.json";

/// Those of the claims that are there, and the facts of the run.
pub(super) fn read(folder: &Path, claims: &[&Claim]) -> Result<(Vec<Judgement>, Meta), Failure> {
    let meta = folder.join("meta.json");
    // A folder's facts may be anyone's: what cannot be read is not known.
    let unknown = |_| Meta { etalon: "unknown".into(), ..Meta::default() };
    let facts = serde_json::from_str(&text(&meta)?).unwrap_or_else(unknown);
    let mut judgements = Vec::new();
    for claim in claims {
        let file = folder.join(&claim.id).join(CLAIM);
        if file.exists() {
            match Record::parse(&text(&file)?).map_err(|error| broken(&file, &error))? {
                Record::Claim(judgement) => judgements.push(*judgement),
                other => {
                    return Err(format!("{} is the record of {other}, not of a claim", file.display()).into());
                }
            }
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

fn broken(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} is no judgement of this version of Etalon: {error}; run the claim again", file.display())
}
