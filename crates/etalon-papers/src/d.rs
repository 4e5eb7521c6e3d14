//! Weight decay as a growing learning rate.

pub(crate) mod effective;
pub(crate) mod equilibrium;
pub(crate) mod schedules;
pub(crate) mod toys;
