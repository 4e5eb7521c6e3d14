//! Weight decay as a growing learning rate, for the jobs of a spec: its schedule step by step, the equivalent schedule
//! without weight decay, and the proof on a network that both train the same functions.

mod conversion;
mod rates;
mod verification;

pub use conversion::{Converted, Undone, constant_equivalent, convert, undo};
pub use rates::{Rates, RatesError, Stretch};
pub use verification::{Agreement, Apart, Kept, Verification, verify};
