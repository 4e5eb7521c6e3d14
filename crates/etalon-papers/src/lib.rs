//! The experiments of the papers as claims that can be run and judged.
//!
//! A [`Claim`] is one sentence of a paper, with the setting that tests it at three sizes, what is measured there, and the
//! rule that decides. [`Session::judge`] runs it; the verdict follows from the numbers and the rule alone ([`etalon::claims::verdict`]),
//! so that a claim which does not hold is told as such. Each paper has a file: its claims, what they measure, and the
//! bounds, which are the same at every size.
//!
//! ```
//! use etalon::claims::{Size, Verdict};
//! use etalon_papers::{Session, find};
//! use std::sync::atomic::AtomicBool;
//!
//! let (stop, session_progress) = (AtomicBool::new(false), |_: &str| {});
//! let session = Session::new(0, &stop, &session_progress);
//! let judged = session.judge(find("A-3")?, Size::Quick)?;
//! assert_eq!(judged.judgement.verdict, Verdict::Holds);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod a;
mod b;
mod bench;
mod c;
mod claim;
mod d;
mod e;
mod markdown;
mod network;
mod rates;
mod reading;
mod session;

pub use bench::{Bench, ClaimError, Stopped};
pub use claim::{Certainty, Claim, Paper, Quantity, Setting};
pub use etalon::claims::Size;
pub use markdown::page;
pub use reading::{Curve, Reading};
pub use session::{Judged, Session, duration};

/// All claims, paper by paper.
pub fn catalogue() -> impl Iterator<Item = &'static Claim> {
    [a::CLAIMS, b::CLAIMS, c::CLAIMS, d::CLAIMS, e::CLAIMS].into_iter().flatten()
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
    if let Some(claim) = catalogue().find(|claim| claim.id == wanted) {
        return Ok(claim);
    }
    let likeness = |claim: &&Claim| strsim::normalized_damerau_levenshtein(&wanted, claim.id);
    // Of several as near, the first. Every name has a hyphen, which makes nothing alike.
    let nearest = catalogue()
        .filter(|claim| likeness(claim) > 0.5)
        .reduce(|best, claim| if likeness(&claim) > likeness(&best) { claim } else { best });
    Err(UnknownClaim { id: id.into(), nearest: nearest.map(|claim| claim.id) })
}

#[cfg(test)]
mod tests;
