//! All claims.

use crate::claim::Claim;
use std::sync::LazyLock;

/// The texts of the files of `claims/` that have these names.
macro_rules! files {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../claims/", $name, ".toml")))),*] };
}

/// Every claim's name and its file.
const FILES: &[(&str, &str)] = &files![
    "A-1" "A-2" "A-3" "A-4" "A-5" "A-6" "A-7" "A-8" "A-9" "A-10" "A-11" "A-12" "A-13" "A-T1" "A-T2" "A-T3" "A-T4"
    "B-1" "B-2" "B-3" "B-4" "B-5" "B-6" "B-T1" "B-T2"
    "C-1" "C-2" "C-3" "C-4" "C-5" "C-6" "C-7"
    "D-1" "D-2" "D-3" "D-4" "D-5" "D-6" "D-7" "D-8" "D-9" "D-10" "D-T1"
    "E-1" "E-2" "E-3" "E-4" "E-5"
    "F-1" "G-1" "I-1" "I-2" "J-1" "K-1"
];

/// All claims, paper by paper.
pub fn catalogue() -> &'static [Claim] {
    static CLAIMS: LazyLock<Vec<Claim>> = LazyLock::new(|| {
        let read = |(name, text): &(&str, &str)| {
            let claim = Claim::parse(text).map_err(|error| format!("claims/{name}.toml: {error}"));
            claim.expect("the files are a part of the program, and a test reads each")
        };
        FILES.iter().map(read).collect()
    });
    &CLAIMS
}

/// There is no claim of that name.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("there is no claim `{id}`{}; `etalon reproduce list` has them all", nearest.map_or(String::new(), |id| format!(", did you mean `{id}`?")))]
pub struct UnknownClaim {
    /// What was asked for.
    pub id: String,
    /// The name nearest to it, where one is near.
    pub nearest: Option<&'static str>,
}

/// The claim of this name; case does not matter.
///
/// # Errors
/// When there is none, with the nearest.
pub fn find(id: &str) -> Result<&'static Claim, UnknownClaim> {
    let wanted = id.to_uppercase();
    if let Some(claim) = catalogue().iter().find(|claim| claim.id == wanted) {
        return Ok(claim);
    }
    let likeness = |claim: &&Claim| strsim::normalized_damerau_levenshtein(&wanted, &claim.id);
    // Of several as near, the first. Every name has a hyphen, which makes nothing alike.
    let nearest = catalogue()
        .iter()
        .filter(|claim| likeness(claim) > 0.5)
        .reduce(|best, claim| if likeness(&claim) > likeness(&best) { claim } else { best });
    Err(UnknownClaim { id: id.into(), nearest: nearest.map(|claim| &claim.id[..]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_file_of_the_folder_is_in_the_list_and_reads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("claims");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut there: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
        there.retain(|name| name != "papers.toml");
        there.sort_by_key(|name| etalon::claims::id_order(name.trim_end_matches(".toml")));
        let listed: Vec<String> = FILES.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(there, listed, "catalogue.rs lists the files of claims/ in their order");
        for ((name, _), claim) in FILES.iter().zip(catalogue()) {
            assert_eq!(name, &claim.id);
        }
    }
}
