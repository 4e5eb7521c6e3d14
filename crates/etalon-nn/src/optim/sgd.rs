//! Stochastic gradient descent with momentum and coupled weight decay.

use super::{BUFFERS, Optimizer, OptimizerError, Rate, Stability, share};
use crate::{Cpu, Scalar};

/// Gradient descent in PyTorch's form: with buffer `v`, momentum `b` and weight decay `wd`, `g' = g + wd w; v = b v + g';
/// w -= eta v` (Nesterov: `w -= eta (g' + b v)`).
///
/// # Stability
///
/// On `lambda w^2 / 2` the gradient is `g = lambda w`; let `a = eta (lambda + wd)`. Without the buffer,
///
/// - heavy ball: `w'' = (1 + b - a) w' - b w`, whose characteristic polynomial is `z^2 - (1 + b - a) z + b`;
/// - Nesterov: `w'' = (1 + b) (1 - a) w' - b (1 - a) w`, with `z^2 - (1 + b) (1 - a) z + b (1 - a)`.
///
/// Both roots of `z^2 - p z + q` lie inside the unit circle where `|q| < 1` and `|p| < 1 + q` (Schur and Cohn). As `a`
/// grows, `-p = 1 + q` comes first, a root at `-1`: for the heavy ball at `a = 2 + 2b`, for Nesterov at
/// `1 + (1 + 2b) (1 - a) = 0`, so `a = (2 + 2b) / (1 + 2b)`, where `q = -b / (1 + 2b)` is above `-1`. Without momentum both
/// are 2. Weight decay stands for as much curvature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// Momentum `b`, from 0 to below 1; 0 for none.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's, which looks ahead.
    pub nesterov: bool,
}

impl Optimizer for Sgd {
    fn name(&self) -> &'static str {
        match (self.momentum == 0.0, self.nesterov) {
            (true, _) => "gradient-descent",
            (false, false) => "heavy-ball",
            (false, true) => "nesterov",
        }
    }

    fn buffers(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn update<T: Scalar>(
        &self,
        cpu: Cpu,
        rate: Rate,
        _: u64,
        gradient: &[T],
        [velocity, _]: [&mut [T]; BUFFERS],
        parameters: &mut [T],
    ) {
        let [eta, decay, momentum] = [rate.eta, rate.weight_decay, self.momentum].map(T::from_f64);
        if self.momentum > 0.0 {
            T::sgd_momentum(cpu, (eta, momentum, decay, self.nesterov), gradient, velocity, parameters);
        } else {
            T::sgd(cpu, eta, decay, gradient, parameters);
        }
    }

    fn stability(&self) -> Result<Stability, OptimizerError> {
        let b = self.momentum;
        share("momentum", b)?;
        let one = (1.0, "");
        let (numerator, denominator, assumes) = match (b == 0.0, self.nesterov) {
            (true, _) => ((2.0, "2"), one, "without momentum".into()),
            (false, false) => (
                (2.0 + 2.0 * b, "(2 + 2b)"),
                one,
                format!("heavy-ball momentum {b}, buffer = b buffer + gradient"),
            ),
            (false, true) => (
                (2.0 + 2.0 * b, "(2 + 2b)"),
                (1.0 + 2.0 * b, "(1 + 2b)"),
                format!("Nesterov momentum {b}, learning rate outside of the buffer"),
            ),
        };
        Ok(Stability { numerator, denominator, decay: (1.0, "weight_decay"), assumes })
    }
}
