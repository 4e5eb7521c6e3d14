//! Stochastic gradient descent with momentum, coupled weight decay, and a learning-rate factor for each segment.

use etalon_nn::kernels::elementwise::{sgd, sgd_momentum};
use etalon_nn::{Network, Scalar};
use rayon::prelude::*;

/// Parameters that one thread updates at a time: enough to be worth handing over.
const CHUNK: usize = 1 << 15;

/// The rule by which a gradient moves the parameters, in PyTorch's form: with buffer `v`, momentum `b`, decay `wd`,
/// segment factor `r`, `g' = g + wd w; v = b v + g'; w -= eta r v` (Nesterov: `w -= eta r (g' + b v)`).
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd {
    /// Momentum, 0 for none.
    pub momentum: f64,
    /// Nesterov's look-ahead.
    pub nesterov: bool,
    /// Coupled weight decay.
    pub weight_decay: f64,
    /// One factor of the learning rate a segment, in the layout's order; 0 freezes it, weight decay too.
    pub factors: Vec<f64>,
}

/// What one update does beside the optimiser's constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    /// The rate.
    pub(super) eta: f64,
    /// Whether each segment has a rate and a weight decay of its own, those below; empty where none has.
    pub(super) scaled: &'a [bool],
    /// The rate of those.
    pub(super) scaled_eta: f64,
    /// Their weight decay.
    pub(super) scaled_decay: f64,
}

impl Sgd {
    /// The length of the momentum buffer for so many parameters.
    pub(super) fn buffer_len(&self, parameters: usize) -> usize {
        if self.momentum > 0.0 { parameters } else { 0 }
    }

    /// The rate and the weight decay of a segment.
    fn setting(&self, pace: &Pace<'_>, segment: usize) -> (f64, f64) {
        let (eta, decay) = if pace.scaled.get(segment) == Some(&true) {
            (pace.scaled_eta, pace.scaled_decay)
        } else {
            (pace.eta, self.weight_decay)
        };
        (eta * self.factors[segment], decay)
    }

    /// One update. Segments that follow one another with the same rate and decay move in one pass; with `parallel` on
    /// rayon's threads.
    pub(super) fn step<T: Scalar>(
        &self,
        network: &Network<T>,
        pace: Pace<'_>,
        gradient: &[T],
        velocity: &mut [T],
        parameters: &mut [T],
        parallel: bool,
    ) {
        let segments = network.layout().segments();
        let mut first = 0;
        for last in 0..segments.len() {
            let (eta, decay) = self.setting(&pace, first);
            let frozen = self.factors[first] == 0.0;
            let same =
                |next| self.setting(&pace, next) == (eta, decay) && frozen == (self.factors[next] == 0.0);
            if last + 1 < segments.len() && same(last + 1) {
                continue;
            }
            let range = segments[first].range.start..segments[last].range.end;
            first = last + 1;
            if frozen {
                // Frozen: neither gradient nor weight decay moves it, not even where a gradient is infinite.
                continue;
            }
            let (gradient, parameters) = (&gradient[range.clone()], &mut parameters[range.clone()]);
            let (eta, decay) = (T::from_f64(eta), T::from_f64(decay));
            let (cpu, momentum) = (network.cpu(), T::from_f64(self.momentum));
            let plain = |(w, g): (&mut [T], &[T])| sgd(cpu, eta, decay, g, w);
            let heavy = |((w, v), g): ((&mut [T], &mut [T]), &[T])| {
                sgd_momentum(cpu, (eta, momentum, decay, self.nesterov), g, v, w);
            };
            match (self.momentum > 0.0, parallel) {
                (false, false) => plain((parameters, gradient)),
                (true, false) => heavy(((parameters, &mut velocity[range]), gradient)),
                (false, true) => {
                    parameters.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).for_each(plain);
                }
                (true, true) => {
                    let moving = parameters.par_chunks_mut(CHUNK).zip(velocity[range].par_chunks_mut(CHUNK));
                    moving.zip(gradient.par_chunks(CHUNK)).for_each(heavy);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon_nn::layers::Dense;
    use etalon_nn::network::NetworkBuilder;

    fn network() -> Network<f64> {
        let mut builder = NetworkBuilder::new(1).unwrap();
        let mut value = builder.input();
        for _ in 0..3 {
            let layer = Dense {
                inputs: 1,
                outputs: 1,
                weight_multiplier: 1.0,
                weight_deviation: 1.0,
                bias_multiplier: None,
            };
            value = builder.dense(layer, value).unwrap();
        }
        builder.build().unwrap()
    }

    fn at(eta: f64) -> Pace<'static> {
        Pace { eta, scaled: &[], scaled_eta: f64::NAN, scaled_decay: f64::NAN }
    }

    #[test]
    fn some_segments_have_a_rate_and_a_decay_of_their_own() {
        let rule = Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.5, factors: vec![1.0, 1.0, 2.0] };
        let pace = Pace { eta: 0.5, scaled: &[false, true, true], scaled_eta: 0.25, scaled_decay: 0.0 };
        let mut w = vec![1.0, 1.0, 1.0];
        rule.step(&network(), pace, &[1.0, 1.0, 1.0], &mut [], &mut w, false);
        assert_eq!(w, [0.25, 0.75, 0.5]);
    }

    #[test]
    fn follows_pytorchs_rule_segment_by_segment() {
        let factors = vec![1.0, 1.0, 0.5];
        for nesterov in [false, true] {
            let rule = Sgd { momentum: 0.9, nesterov, weight_decay: 0.1, factors: factors.clone() };
            let (mut w, mut v) = (vec![1.0, -2.0, 3.0], vec![0.0; 3]);
            let (mut expected, mut buffer) = (w.clone(), vec![0.0; 3]);
            for _ in 0..3 {
                let gradient: Vec<f64> = w.iter().map(|w: &f64| w * w).collect();
                for i in 0..3 {
                    let g = gradient[i] + 0.1 * expected[i];
                    buffer[i] = 0.9 * buffer[i] + g;
                    let direction: f64 = if nesterov { g + 0.9 * buffer[i] } else { buffer[i] };
                    expected[i] -= 0.01 * factors[i] * direction;
                }
                rule.step(&network(), at(0.01), &gradient, &mut v, &mut w, false);
            }
            for (ours, expected) in w.iter().zip(&expected) {
                assert!((ours - expected).abs() < 1e-15);
            }
        }
        let plain = Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0, factors: vec![0.0, 1.0, 1.0] };
        let mut w = vec![1.0, 1.0, 1.0];
        plain.step(&network(), at(0.5), &[1.0, 1.0, 2.0], &mut [], &mut w, true);
        assert_eq!(w, [1.0, 0.5, 0.0]);
        for momentum in [0.0, 0.9] {
            let frozen = Sgd { momentum, nesterov: false, weight_decay: 0.5, factors: vec![1.0, 0.0, 1.0] };
            let (mut w, mut v) = (vec![1.0, 1.0, 1.0], vec![0.0; 3]);
            frozen.step(&network(), at(0.5), &[0.0, f64::INFINITY, 0.0], &mut v, &mut w, false);
            assert_eq!((w, v[1]), (vec![0.75, 1.0, 0.75], 0.0));
        }
    }
}
