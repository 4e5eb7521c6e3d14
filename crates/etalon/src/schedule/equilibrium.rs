//! What rate and weight decay make of a scale-invariant network in the long run.
//!
//! The gradient of a scale-invariant loss is orthogonal to the weights and falls as `1 / |w|`: it makes them longer,
//! weight decay makes them shorter, and where the two balance only `eta lambda` is left to decide how far the direction
//! turns a step (Li, Lyu and Arora 2020; Kosson, Messmer and Jaggi 2023).

/// The intrinsic learning rate `eta lambda`: what decides the equilibrium.
pub fn intrinsic_rate(eta: f64, weight_decay: f64) -> f64 {
    eta * weight_decay
}

/// The natural logarithm of the effective learning rate `eta / |w|^2`: what the direction of the weights feels.
pub(crate) fn log_effective_rate(log_eta: f64, log_norm: f64) -> f64 {
    log_eta - 2.0 * log_norm
}

/// About how many steps it takes to come to equilibrium: `(1 - g) / (2 eta lambda)`; infinite without weight decay.
pub fn steps(eta: f64, weight_decay: f64, momentum: f64) -> f64 {
    (1.0 - momentum) / (2.0 * intrinsic_rate(eta, weight_decay))
}

/// The angle in radians by which the weights turn a step in equilibrium, where the gradient of a step is mostly noise:
/// `sqrt(2 eta lambda / (1 + g))`.
pub fn angle(eta: f64, weight_decay: f64, momentum: f64) -> f64 {
    (2.0 * intrinsic_rate(eta, weight_decay) / (1.0 + momentum)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_far_off_for_small_rates() {
        for (eta, expected) in [(0.1, 1e3), (0.01, 1e4), (0.001, 1e5)] {
            assert!((steps(eta, 5e-4, 0.9) / expected - 1.0).abs() < 1e-12);
        }
        assert_eq!(steps(0.1, 0.0, 0.9), f64::INFINITY);
    }
}
