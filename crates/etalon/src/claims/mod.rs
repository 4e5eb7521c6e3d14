//! What the claim of a paper came to: what was measured, the rule that decides, and the verdict.
//!
//! The claims themselves, and what measures them, lie above the laboratory, in the crate `etalon-papers`.

mod judgement;
mod measured;
mod size;

pub use judgement::{Condition, Judgement, Rule, Verdict, id_order, verdict};
pub use measured::{Answer, Interval, Measured, Sample};
pub use size::Size;
