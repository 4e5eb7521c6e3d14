//! The linearised twin of a network: what training would do if the network were linear in its parameters.
//!
//! `f_lin(theta) = f(theta_0) + J (theta - theta_0)`, with the Jacobian `J` at `theta_0`, which is never formed. Under
//! full-batch gradient descent its kernel stands still: it has no catapult, and diverges above `2 / lambda` under
//! squared loss. A network follows its twin to `O(1 / width)` below that rate; after a catapult it follows the twin
//! taken there (Lewkowycz et al. 2020, section 4). A twin taken anew at later parameters is [`Twin::at`] there.

use super::{Samples, Task};
use etalon_nn::{Batch, Linearization, Loss, Network, Scalar};

/// A network's linear model at a point, and how far it has been trained from there.
#[derive(Debug)]
pub struct Twin<'a, T> {
    at: Linearization<'a, T>,
    network: &'a Network<T>,
    start: &'a [T],
    loss: Loss,
    samples: &'a Samples<T>,
    /// `f(theta_0)` on the training set.
    origin: Vec<T>,
    /// `theta - theta_0`.
    shift: Vec<T>,
    outputs: Vec<T>,
    slopes: Vec<T>,
    gradient: Vec<T>,
}

impl<'a, T: Scalar> Twin<'a, T> {
    /// The twin of the task's network at `parameters`, on the task's training set. With `parallel` it runs on rayon's
    /// threads; the bits are the same without.
    pub fn at(task: &'a Task<T>, parameters: &'a [T], parallel: bool) -> Self {
        let samples = &task.train;
        let mut at = Linearization::new(&task.network, parameters, samples.batch(), task.loss, parallel);
        let mut origin = vec![T::ZERO; at.outputs_len()];
        at.outputs(&mut origin);
        Twin {
            at,
            network: &task.network,
            start: parameters,
            loss: task.loss,
            samples,
            outputs: origin.clone(),
            slopes: vec![T::ZERO; origin.len()],
            origin,
            shift: vec![T::ZERO; parameters.len()],
            gradient: vec![T::ZERO; parameters.len()],
        }
    }

    /// One step of full-batch gradient descent at rate `eta`; the loss before it.
    pub fn step(&mut self, eta: f64) -> f64 {
        let (width, scale) = (self.network.output_len(), 1.0 / self.samples.len as f64);
        let (cpu, targets) = (self.network.cpu(), &self.samples.targets);
        let loss = self.value();
        self.loss.gradient(cpu, width, scale, &self.outputs, targets, &mut self.slopes);
        self.at.vjp(&self.slopes, &mut self.gradient);
        let eta = T::from_f64(eta);
        self.shift.iter_mut().zip(&self.gradient).for_each(|(shift, &gradient)| *shift -= eta * gradient);
        self.at.jvp(&self.shift, &mut self.outputs);
        self.outputs.iter_mut().zip(&self.origin).for_each(|(output, &origin)| *output += origin);
        loss
    }

    /// The mean loss on the training set.
    pub fn value(&self) -> f64 {
        let scale = 1.0 / self.samples.len as f64;
        self.loss.value(self.network.output_len(), scale, &self.outputs, &self.samples.targets)
    }

    /// The outputs on the training set, one sample after another.
    pub fn outputs(&self) -> &[T] {
        &self.outputs
    }

    /// The outputs on any other samples.
    pub fn outputs_on(&self, batch: Batch<'_, T>) -> Vec<T> {
        let mut at = Linearization::new(self.network, self.start, batch, self.loss, true);
        let mut origin = vec![T::ZERO; at.outputs_len()];
        at.outputs(&mut origin);
        let mut change = vec![T::ZERO; origin.len()];
        at.jvp(&self.shift, &mut change);
        origin.iter_mut().zip(change).for_each(|(origin, change)| *origin += change);
        origin
    }

    /// The parameters it has reached.
    pub fn parameters(&self) -> Vec<T> {
        self.start.iter().zip(&self.shift).map(|(&start, &shift)| start + shift).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;
    use crate::train::{Budget, Plan, Record, State, Trial};

    fn spec(more: &[&str]) -> Spec {
        let base = [
            "loss=mse",
            "precision=f64",
            "data.name=teacher",
            "data.dimension=6",
            "data.train=12",
            "data.test=10",
            "network.parametrization=ntk",
            "network.activation=tanh",
            "train.batch=full",
        ];
        Spec::load(None, &base.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    /// The network's outputs and its twin's after so many steps from parameters, at `c` times the inverse curvature.
    fn both(
        task: &Task<f64>,
        spec: &Spec,
        start: &[f64],
        eta: f64,
        steps: usize,
    ) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut twin = Twin::at(task, start, false);
        (0..steps).for_each(|_| {
            twin.step(eta);
        });
        let plan = Plan { budget: Budget::Steps(steps as u64), ..spec.plan(task).unwrap() };
        let trial = Trial::from_parameters(task, &plan, eta, 0, start.to_vec(), false).unwrap();
        let mut end = Vec::new();
        trial.run(&mut |state: State<f64>, _: &mut Record| end = state.parameters.to_vec());
        let mut at = Linearization::new(&task.network, &end, task.train.batch(), task.loss, false);
        let mut outputs = vec![0.0; at.outputs_len()];
        at.outputs(&mut outputs);
        (outputs, twin.outputs().to_vec(), end)
    }

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    fn curvature(task: &Task<f64>, spec: &Spec, parameters: &[f64]) -> f64 {
        let instrument = spec.instrument(task, false).unwrap();
        instrument.at(parameters).ntk().unwrap().largest[0].value
    }

    #[test]
    fn a_network_without_hidden_layers_is_its_own_twin() {
        for loss in ["loss=mse", "loss=logistic"] {
            let data = if loss == "loss=mse" { "data.name=teacher" } else { "data.name=two-gaussians" };
            let spec = spec(&["network.depth=0", loss, data]);
            let task = spec.task::<f64>().unwrap();
            let start = task.network.layout().initialise(1);
            let (network, twin, end) = both(&task, &spec, &start, 0.05, 100);
            assert!(distance(&network, &twin) < 1e-12, "{loss}: {}", distance(&network, &twin));
            let mut at_end = Twin::at(&task, &start, false);
            (0..100).for_each(|_| {
                at_end.step(0.05);
            });
            assert!(distance(&at_end.parameters(), &end) < 1e-12);
            assert!(distance(&at_end.outputs_on(task.train.batch()), &twin) < 1e-12);
        }
    }

    #[test]
    fn below_two_a_network_follows_its_twin_the_closer_the_wider() {
        // The mean over seeds, for one draw of the weights is off by its own size.
        let distance_at = |width: usize| {
            let spec = spec(&["network.depth=1", &format!("network.width={width}")]);
            let task = spec.task::<f64>().unwrap();
            let seeds = 0..8;
            let sum: f64 = seeds
                .clone()
                .map(|seed| {
                    let start = task.network.layout().initialise(seed);
                    let eta = 1.0 / curvature(&task, &spec, &start);
                    let (network, twin, _) = both(&task, &spec, &start, eta, 30);
                    distance(&network, &twin)
                })
                .sum();
            sum / seeds.count() as f64
        };
        let (narrow, wide) = (distance_at(128), distance_at(4096));
        // 32 times closer where the difference is O(1 / width), less than six where it is O(1 / sqrt(width)).
        assert!(wide < narrow / 16.0, "{narrow} at width 128, {wide} at 4096");
        assert!(wide < 0.002, "{wide}");
    }

    #[test]
    fn after_a_catapult_the_twin_taken_there_matches_again() {
        let spec = spec(&[
            "network.depth=1",
            "network.width=1024",
            "network.activation=identity",
            "network.init=lecun",
        ]);
        let task = spec.task::<f64>().unwrap();
        let start = task.network.layout().initialise(1);
        let lambda = curvature(&task, &spec, &start);
        let eta = 2.6 / lambda;
        let (network, twin, after) = both(&task, &spec, &start, eta, 40);
        // The twin has diverged: its kernel does not answer.
        assert!(distance(&network, &twin) > 1e3, "{}", distance(&network, &twin));
        let lambda_after = curvature(&task, &spec, &after);
        assert!(eta * lambda_after < 2.0, "eta lambda is {} after the catapult", eta * lambda_after);
        let (network, twin, _) = both(&task, &spec, &after, eta, 40);
        assert!(distance(&network, &twin) < 0.02, "{}", distance(&network, &twin));
    }
}
