//! `etalon theory`: the solvable models, exactly.

mod boundaries;
mod linear;
mod pq;
mod scale_invariant;
mod scan;
mod separable;

use crate::context::{Context, Exit, Failure};

/// Models of training that can be solved: what happens at which learning rate
///
/// Learning rates are given as c = eta x lambda0, with lambda0 the top of the NTK at the start; `boundaries` alone has
/// c_h = eta x sharpness, the top of the Hessian: the same under squared loss close to the minimum, else not. Lists are
/// numbers and ranges LOW..HIGH/POINTS (evenly spaced on the logarithmic axis), separated by commas.
#[derive(clap::Subcommand)]
pub(crate) enum Model {
    /// Squared loss, target 0: the two-layer linear network f = v.u / sqrt(n), the catapult's own model
    Map(scan::Map),
    /// Logistic loss on samples that all have the same input
    Logistic(scan::Logistic),
    /// Exponential loss on samples that all have the same input
    Exponential(scan::Exponential),
    /// Squared loss with a target other than 0: period doubling and chaos
    Uv(scan::Uv),
    /// Two-layer linear network on many samples, those of a spec
    Linear(linear::Arguments),
    /// Whether a linear predictor separates the two classes of a spec, with a proof either way
    Separable(separable::Arguments),
    /// Normalisation and weight decay together never settle: two toys in which either alone converges
    ScaleInvariant(scale_invariant::Arguments),
    /// Two patterns in one sample: which a two-layer network learns first at a large and at a small rate, and what is left
    /// of it at the end
    Pq(Box<pq::Arguments>),
    /// Where the loss first rises, sharpness first rises, and training first diverges
    Boundaries(boundaries::Arguments),
}

impl Model {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Model::Map(arguments) => arguments.run(context),
            Model::Logistic(arguments) => arguments.run(context),
            Model::Exponential(arguments) => arguments.run(context),
            Model::Uv(arguments) => arguments.run(context),
            Model::Linear(arguments) => arguments.run(context),
            Model::Separable(arguments) => arguments.run(context),
            Model::ScaleInvariant(arguments) => arguments.run(context),
            Model::Pq(arguments) => arguments.run(context),
            Model::Boundaries(arguments) => arguments.run(context),
        }
    }
}
