//! Measures the curvature of a task at a point.

#[cfg(test)]
mod tests;

use super::network::{Coordinates, LossCurvature, Ntk, Part};
use super::{Basis, Eigenvalue, Ends, LanczosError, LanczosSettings, Memory, Spectrum, lanczos};
use crate::memory::{Relief, Setting};
use crate::train::{Plan, Task};
use etalon_nn::optim::{Buffers, Optimizer, Rule};
use etalon_nn::{Batch, Linearization, Loss, Scalar};

/// The names of [`CurvatureSettings::samples`] and [`CurvatureSettings::iterations`] in advice.
pub(crate) const SAMPLES: &str = "samples";
pub(crate) const ITERATIONS: &str = "iterations";

/// On what curvature is measured, and how exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvatureSettings {
    /// Training samples: the first so many, or all if there are fewer.
    pub samples: usize,
    /// The relative residual at which an eigenvalue counts as converged.
    pub tolerance: f64,
    /// Most Lanczos iterations for an eigenvalue.
    pub iterations: usize,
    /// How many of the largest eigenvalues of the Hessian may be asked for.
    pub top: usize,
    /// The seed of Lanczos's start, and of the trial in whose first epoch samples are seen where they change at each visit.
    pub seed: u64,
}

impl Default for CurvatureSettings {
    fn default() -> Self {
        CurvatureSettings { samples: 512, tolerance: 1e-3, iterations: 100, top: 1, seed: 0 }
    }
}

/// What every measurement of one task has in common: which samples, which coordinates, how exactly.
#[derive(Debug)]
pub struct Instrument<'a, T> {
    task: &'a Task<T>,
    samples: usize,
    /// Inputs of the samples as the first epoch of the settings' seed sees them, where they are not seen as they are.
    varied: Option<Vec<T>>,
    /// The learning-rate factor of each segment.
    factors: Vec<f64>,
    coordinates: Coordinates,
    optimizer: Rule,
    weight_decay: f64,
    settings: LanczosSettings,
    /// How many eigenvalues of an end may be asked for.
    count: usize,
    parallel: bool,
}

impl<'a, T: Scalar> Instrument<'a, T> {
    /// The instrument of a task that is trained by a plan, whose optimiser and learning-rate factors are the coordinates.
    /// With `parallel` it runs on rayon's threads; the bits are the same without.
    pub fn new(task: &'a Task<T>, plan: &Plan, settings: &CurvatureSettings, parallel: bool) -> Self {
        let &CurvatureSettings { samples, tolerance, iterations, top, seed } = settings;
        let segments = task.network.layout().segments().iter();
        let factors = plan.factors.clone();
        let samples = samples.clamp(1, task.train.len);
        let first_epoch = || {
            let width = task.network.input_len();
            let mut inputs = vec![T::ZERO; samples * width];
            for (index, to) in (0u32..).zip(inputs.chunks_exact_mut(width)) {
                task.visit((seed, 0, index), to);
            }
            inputs
        };
        Instrument {
            task,
            samples,
            varied: task.is_varied().then(first_epoch),
            coordinates: Coordinates::new(
                segments.map(|segment| segment.range.clone()).zip(factors.iter().copied()),
            ),
            factors,
            optimizer: plan.optimizer,
            weight_decay: plan.weight_decay,
            count: top,
            settings: LanczosSettings {
                tolerance,
                max_iterations: iterations,
                seed,
                // The recurrence's own estimate falls below what the network's precision can hold.
                verify: true,
                ..LanczosSettings::default()
            },
            parallel,
        }
    }

    /// The number of training samples it measures on: the first so many.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// These samples. Where training sees them otherwise at each visit (augmentation, patches), they are as the first epoch
    /// of a trial with the settings' seed sees them: with one batch a step, as its first step does.
    pub fn batch(&self) -> Batch<'_, T> {
        let Batch { inputs, targets } = self.task.train.first(self.samples);
        Batch { inputs: self.varied.as_deref().unwrap_or(inputs), targets }
    }

    /// The bytes that a measurement may take at most.
    pub fn bytes(&self) -> u64 {
        self.bytes_with(self.samples, self.settings.max_iterations)
    }

    /// The setting that saves most of the memory of work that needs so many bytes; `work` tells what it needs with an
    /// instrument of so many.
    pub(crate) fn relief(&self, limit: u64, needed: u64, work: impl Fn(u64) -> u64) -> Option<Relief> {
        let (samples, iterations) = (self.samples, self.settings.max_iterations);
        let of_samples = |samples| work(self.bytes_with(samples, iterations));
        let of_iterations = |iterations| work(self.bytes_with(samples, iterations));
        let settings = [
            Setting { name: SAMPLES, value: samples, least: 1, bytes: &of_samples },
            // One product alone tells no eigenvalue.
            Setting { name: ITERATIONS, value: iterations, least: 2, bytes: &of_iterations },
        ];
        Relief::best(limit, needed, &settings)
    }

    fn bytes_with(&self, samples: usize, max_iterations: usize) -> u64 {
        let settings =
            LanczosSettings { ends: Ends::Both, count: self.count, max_iterations, ..self.settings.clone() };
        let parameters = self.task.network.parameters();
        let basis = settings.bytes(&Memory::<T>::new(parameters), Basis::Full);
        // A gradient, what the optimiser remembers of it, and the preconditioner twice.
        let preconditioner = if self.optimizer.preconditions() {
            parameters as u64 * (16 + (2 + self.optimizer.buffers() as u64) * size_of::<T>() as u64)
        } else {
            0
        };
        let varied = self.varied.as_deref().map_or(0, size_of_val) as u64;
        let linearization = Linearization::bytes(&self.task.network, samples);
        [basis, preconditioner, varied].into_iter().fold(linearization, u64::saturating_add)
    }

    /// Goes to a point.
    pub fn at<'p>(&'p self, parameters: &'p [T]) -> AtPoint<'p, T> {
        let Task { network, loss, .. } = self.task;
        let at = Linearization::new(network, parameters, self.batch(), *loss, self.parallel);
        AtPoint { instrument: self, at }
    }
}

/// One point, ready to be asked for its curvature.
#[derive(Debug)]
pub struct AtPoint<'p, T> {
    instrument: &'p Instrument<'p, T>,
    at: Linearization<'p, T>,
}

impl<T: Scalar> AtPoint<'_, T> {
    /// The mean loss on the samples.
    pub fn loss(&mut self) -> f64 {
        self.at.value()
    }

    /// The largest eigenvalue of the neural tangent kernel, in the coordinates of the learning-rate factors.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn ntk(&mut self) -> Result<Spectrum<Vec<T>>, LanczosError> {
        let Instrument { coordinates, settings, .. } = self.instrument;
        lanczos(&mut Ntk::new(&mut self.at, coordinates), settings, None)
    }

    /// The ends of the Hessian's spectrum, `count` of each.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn hessian(&mut self, ends: Ends, count: usize) -> Result<Spectrum<Vec<T>>, LanczosError> {
        let coordinates = &self.instrument.coordinates;
        self.loss_curvature(Part::Hessian, coordinates, ends, count)
    }

    /// The largest eigenvalue of the Hessian in the optimiser's coordinates, `P^-1/2 H P^-1/2` with its preconditioner `P`
    /// (and the learning-rate factors), which is that of `P^-1 H`; none of an optimiser without. `P` is that of `memory`, what
    /// the optimiser remembers; before its first update, or without, what it would be after one with the gradient here.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn preconditioned(
        &mut self,
        memory: Option<&Buffers<T>>,
    ) -> Result<Option<Spectrum<Vec<T>>>, LanczosError> {
        let coordinates = self.preconditioned_coordinates(memory);
        coordinates
            .map(|coordinates| self.loss_curvature(Part::Hessian, &coordinates, Ends::Largest, 1))
            .transpose()
    }

    /// The curvature along the optimiser's first update, `u^T G u / u^T P u` with the update `u = P^-1 g` of the gradient `g` and
    /// the Gauss-Newton matrix `G`: the loss of the linearised network falls furthest along `u` at the inverse of it. None of
    /// an optimiser without a preconditioner, and none where there is no slope, or no bend along it.
    ///
    /// It is a mean over all parameters. The largest eigenvalue of `P^-1 H` is made by the few whose gradient is nearly zero:
    /// another seed changes it by up to two decades, this by a factor of two.
    pub(crate) fn along_first_update(&mut self) -> Option<f64> {
        let coordinates = self.preconditioned_coordinates(None)?;
        let curvature = LossCurvature::new(&mut self.at, Part::GaussNewton, &coordinates).along_gradient();
        (curvature > 0.0 && curvature.is_finite()).then_some(curvature)
    }

    /// The coordinates of an optimiser with a preconditioner, that of `memory` or that after a first update with the gradient here.
    fn preconditioned_coordinates(&mut self, memory: Option<&Buffers<T>>) -> Option<Coordinates> {
        let Instrument { optimizer, coordinates, .. } = self.instrument;
        if !optimizer.preconditions() {
            return None;
        }
        let preconditioner = match memory.and_then(|memory| optimizer.preconditioner(memory)) {
            Some(preconditioner) => preconditioner,
            None => {
                let mut gradient = vec![T::ZERO; self.at.network().parameters()];
                self.at.gradient(&mut gradient);
                let memory = Buffers::after_first(optimizer, self.at.network().cpu(), &gradient);
                optimizer.preconditioner(&memory).unwrap_or_default()
            }
        };
        Some(coordinates.preconditioned(&preconditioner))
    }

    /// The largest eigenvalue of the Gauss-Newton matrix.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn gauss_newton(&mut self) -> Result<Spectrum<Vec<T>>, LanczosError> {
        let coordinates = &self.instrument.coordinates;
        self.loss_curvature(Part::GaussNewton, coordinates, Ends::Largest, 1)
    }

    /// The largest eigenvalue of `R^1/2 (A + d I) R^1/2`, which limits the rate where learning-rate factors `R` meet
    /// coupled weight decay `d`: `A` is the Gauss-Newton matrix for MSE and the Hessian otherwise. None where there is no
    /// weight decay or all factors are 1: it is `d` more than that of `A` then. The kernel does not tell it: what weight
    /// decay adds is `d R` over the parameters, and nothing over the samples.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn decayed(&mut self) -> Result<Option<Spectrum<Vec<T>>>, LanczosError> {
        let Instrument { task, coordinates, factors, weight_decay, settings, optimizer, .. } =
            self.instrument;
        // A preconditioner has weight decay beside it, not in the loss.
        if *weight_decay == 0.0 || optimizer.preconditions() || factors.iter().all(|&factor| factor == 1.0) {
            return Ok(None);
        }
        let part = if task.loss == Loss::Mse { Part::GaussNewton } else { Part::Hessian };
        let operator = LossCurvature::new(&mut self.at, part, coordinates);
        // It may be steepest where the loss is flat, and the gradient leans away from there.
        lanczos(&mut operator.with_weight_decay(*weight_decay), settings, None).map(Some)
    }

    /// The largest eigenvalue of the Hessian's block of each layer (its weight and bias together), by name, in the
    /// coordinates of the learning-rate factors; negative where the block has no other. A frozen layer has none.
    ///
    /// # Errors
    /// Where Lanczos cannot start; see [`LanczosError`].
    pub fn layers(&mut self) -> Result<Vec<(String, Eigenvalue)>, LanczosError> {
        let segments = self.at.network().layout().segments();
        let layer_of = |name: &str| name.rsplit_once('.').map_or(name, |(layer, _)| layer).to_owned();
        let mut names: Vec<String> = segments.iter().map(|segment| layer_of(&segment.name)).collect();
        names.dedup();
        let mut blocks = Vec::new();
        for name in names {
            let block: Vec<_> = segments
                .iter()
                .zip(&self.instrument.factors)
                .map(|(segment, &factor)| {
                    let factor = if layer_of(&segment.name) == name { factor } else { 0.0 };
                    (segment.range.clone(), factor)
                })
                .collect();
            if block.iter().all(|(_, factor)| *factor == 0.0) {
                continue;
            }
            let coordinates = Coordinates::new(block.into_iter());
            let spectrum = self.loss_curvature(Part::Hessian, &coordinates, Ends::Largest, 1)?;
            blocks.extend(spectrum.largest.first().map(|&top| (name, top)));
        }
        Ok(blocks)
    }

    fn loss_curvature(
        &mut self,
        part: Part,
        coordinates: &Coordinates,
        ends: Ends,
        count: usize,
    ) -> Result<Spectrum<Vec<T>>, LanczosError> {
        let settings = LanczosSettings { ends, count, ..self.instrument.settings.clone() };
        let mut operator = LossCurvature::new(&mut self.at, part, coordinates);
        // A gradient leans towards the steep directions, which is where to begin. One of zero, or one that is no number,
        // tells nothing.
        let gradient = operator.gradient();
        let norm: f64 = gradient.iter().map(|x| x.to_f64() * x.to_f64()).sum();
        let start = (norm.is_finite() && norm > 0.0).then_some(&gradient);
        lanczos(&mut operator, &settings, start)
    }
}
