//! Normalisation: over the batch, or within each sample over all channels, groups of them, or each by itself.

use super::{Coupling, Direction, Layer, Output, Point, Response, Sink, Statistics, Tensor};
use crate::Scalar;
use crate::kernels::elementwise::Write;
use crate::kernels::normalization::{self as kernels, Affine, Groups, SCRATCH, Sums};
use crate::network::NetworkError;
use std::ops::Range;

/// How fast running statistics follow the batches' (PyTorch's `momentum`).
const MOMENTUM: f64 = 0.1;

/// What mean and variance are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// All samples of the batch and all positions, for each channel (Ioffe and Szegedy 2015, 1502.03167).
    Batch,
    /// All positions and channels of a sample (Ba, Kiros and Hinton 2016, 1607.06450). With several positions this is
    /// one group of PyTorch's `GroupNorm`, whose affine part has one number a channel.
    Layer,
    /// All positions of a sample and so many groups of neighbouring channels (Wu and He 2018, 1803.08494).
    Groups(usize),
    /// All positions of a sample, for each channel (Ulyanov, Vedaldi and Lempitsky 2016, 1607.08022).
    Instance,
}

/// A kind of normalisation, for layers of any shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalizer {
    /// What mean and variance are taken over.
    pub over: Over,
    /// Whether each channel is multiplied by a scale (1 at first) and shifted by a number (0 at first), both learnt.
    pub affine: bool,
    /// What is added to the variance. With 0 a network can be exactly scale-invariant; a constant group becomes 0.
    pub epsilon: f64,
}

/// `y = s weight (x - mean) / sqrt(variance + epsilon) + s bias`, with the biased variance and a fixed multiplier `s`;
/// `weight` is `1 / s` at first, so that the scale is 1. Without affine part there is no `s`.
///
/// A sample is `positions` x `channels` numbers, one position in a fully connected network. Normalisation over a batch
/// takes the batch's own statistics wherever derivatives are taken, which go through them, and running ones in
/// [`Network::outputs`](crate::Network::outputs).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Over which numbers mean and variance are taken.
    pub normalizer: Normalizer,
    /// Positions of a sample.
    pub positions: usize,
    /// Channels of a position.
    pub channels: usize,
    /// The multiplier `s` of `weight` and `bias`, above 0.
    pub multiplier: f64,
}

impl Normalization {
    /// Whether it makes sense.
    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        let Normalization { positions, channels, normalizer, .. } = self;
        let fault = |text: String| Err(NetworkError::Normalization(text));
        match normalizer.over {
            Over::Groups(groups) if groups == 0 || channels % groups != 0 => {
                fault(format!("{groups} groups do not divide {channels} channels; take a number that does"))
            }
            Over::Batch => Ok(()),
            // A single number minus its mean is 0.
            _ if positions * self.groups().group < 2 => fault(
                "each mean would be over one number, and every output 0: a fully connected layer has one position, \
                 which instance normalisation and groups of one channel leave nothing of; use batch, layer, or fewer \
                 groups"
                    .into(),
            ),
            _ => Ok(()),
        }
    }

    fn groups(&self) -> Groups {
        let group = match self.normalizer.over {
            Over::Batch | Over::Instance => 1,
            Over::Layer => self.channels,
            Over::Groups(groups) => self.channels / groups,
        };
        Groups { channels: self.channels, group, epsilon: self.normalizer.epsilon }
    }

    fn is_coupling(&self) -> bool {
        self.normalizer.over == Over::Batch
    }

    /// The sums over the whole batch, of all that the passes have gathered so far. `r` is filled in.
    fn sums<'a>(&self, statistics: Statistics<'a>, r: &'a mut [f64]) -> Sums<'a> {
        let cut = |all: &'a [f64]| if all.is_empty() { all } else { &all[..2 * self.channels] };
        let values = cut(statistics.values);
        kernels::inverse_deviations(self.groups(), &values[self.channels..], r);
        Sums {
            share: 1.0 / (statistics.samples * self.positions) as f64,
            values,
            r,
            adjoints: cut(statistics.adjoints),
            tangents: cut(statistics.tangents),
            changes: statistics.changes,
        }
    }

    /// A slice's sums of `u`, which has the shape of the input; none stands for 0.
    fn gather<T: Scalar>(&self, at: &Point<T>, u: Option<&[T]>, part: &mut [f64]) {
        let (part, means) = (&mut part[..2 * self.channels], &at.statistics.values[..self.channels]);
        match u {
            Some(u) => kernels::sums(at.cpu, u, at.x, means, part),
            None => part.fill(0.0),
        }
    }

    /// Calls `work` for each block: the numbers of the slice that are in it, its sums (those of the changes of which
    /// there are any), and scratch.
    fn each_block<T: Scalar>(
        &self,
        at: &Point<T>,
        given: Given<T>,
        mut work: impl FnMut(Range<usize>, Sums, &mut [f64]),
    ) {
        let channels = self.channels;
        if self.is_coupling() {
            return kernels::with_scratch((SCRATCH + 1) * channels, |scratch| {
                let (scratch, r) = scratch.split_at_mut(SCRATCH * channels);
                work(0..at.x.len(), self.sums(at.statistics, r), scratch);
            });
        }
        let (groups, len) = (self.groups(), self.positions * channels);
        kernels::with_scratch((SCRATCH + 10) * channels, |scratch| {
            let (scratch, sums) = scratch.split_at_mut(SCRATCH * channels);
            let (values, sums) = sums.split_at_mut(2 * channels);
            let (r, sums) = sums.split_at_mut(channels);
            let (adjoints, sums) = sums.split_at_mut(2 * channels);
            let (tangents, changes) = sums.split_at_mut(2 * channels);
            for block in (0..at.rows).map(|row| row * len..(row + 1) * len) {
                let x = &at.x[block.clone()];
                kernels::values(at.cpu, groups, x, values);
                kernels::inverse_deviations(groups, &values[channels..], r);
                let means = &values[..channels];
                let gather = |u: Option<&[T]>, sums: &mut [f64]| match u {
                    Some(u) => kernels::sums(at.cpu, &u[block.clone()], x, means, sums),
                    None => sums.fill(0.0),
                };
                gather(given.dy, adjoints);
                gather(given.x_tangent, tangents);
                if given.x_tangent.is_some() {
                    kernels::average(groups, tangents);
                }
                gather(given.dy_tangent, &mut changes[..2 * channels]);
                let cross = &mut changes[2 * channels..];
                match (given.dy, given.x_tangent) {
                    (Some(dy), Some(x_tangent)) => {
                        kernels::cross_sums(at.cpu, &dy[block.clone()], &x_tangent[block.clone()], cross);
                    }
                    _ => cross.fill(0.0),
                }
                let sums =
                    Sums { share: 1.0 / self.positions as f64, values, r, adjoints, tangents, changes };
                work(block, sums, scratch);
            }
        });
    }
}

/// What a pass sums over a block, besides the input.
struct Given<'a, T> {
    dy: Option<&'a [T]>,
    x_tangent: Option<&'a [T]>,
    dy_tangent: Option<&'a [T]>,
}

impl<T: Scalar> Layer<T> for Normalization {
    fn input_len(&self) -> usize {
        self.positions * self.channels
    }

    fn output_len(&self) -> usize {
        self.positions * self.channels
    }

    fn tensors(&self) -> Vec<Tensor> {
        let multiplier = self.multiplier;
        let tensor =
            |name, mean| Tensor { name, shape: vec![self.channels], mean, deviation: 0.0, multiplier };
        let affine = || vec![tensor("weight", 1.0 / multiplier), tensor("bias", 0.0)];
        if self.normalizer.affine { affine() } else { Vec::new() }
    }

    fn coupling(&self) -> Option<&dyn Coupling<T>> {
        self.is_coupling().then_some(self as &dyn Coupling<T>)
    }

    fn response(&self) -> Response {
        // A shift that each channel has alike goes with the channel's mean.
        let by_channel = matches!(self.normalizer.over, Over::Batch | Over::Instance);
        let centers = by_channel.then_some(self.channels);
        Response::Normalizing { epsilon: self.normalizer.epsilon, centers }
    }

    fn noise_len(&self) -> usize {
        self.positions
    }

    fn forward(&self, at: Point<T>, Output { y, .. }: Output<T>) {
        let affine = Affine::of_parameters(self.multiplier, at.weights);
        let given = Given { dy: None, x_tangent: None, dy_tangent: None };
        self.each_block(&at, given, |block, sums, scratch| {
            kernels::forward(at.cpu, (sums, affine), &at.x[block.clone()], &mut y[block], scratch);
        });
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        let affine = Affine::of_parameters(self.multiplier, at.weights);
        let Sink { mut weights, mut x, .. } = sink;
        clear(&mut weights);
        let given = Given { dy: Some(dy), x_tangent: None, dy_tangent: None };
        self.each_block(&at, given, |block, sums, scratch| {
            if let Some((gradient, _)) = weights.as_mut().filter(|_| self.normalizer.affine) {
                kernels::parameter_gradient(sums, self.multiplier, gradient);
            }
            if let Some((dx, write)) = &mut x {
                let of = (self.groups(), sums, affine);
                let from = (&at.x[block.clone()], &dy[block.clone()]);
                kernels::backward(at.cpu, of, from, (&mut dx[block], *write), scratch);
            }
        });
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>) {
        let affine = Affine::of_parameters(self.multiplier, at.weights);
        let along = Affine::of_direction(self.multiplier, direction.weights);
        let given = Given { dy: None, x_tangent: direction.x, dy_tangent: None };
        self.each_block(&at, given, |block, sums, scratch| {
            let of = (sums, affine);
            let from = (&at.x[block.clone()], direction.x.map(|x| &x[block.clone()]));
            kernels::forward_tangent(at.cpu, of, along, from, &mut output.y[block], scratch);
        });
    }

    fn backward_tangent(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        sink: Sink<T>,
    ) {
        let affine = Affine::of_parameters(self.multiplier, at.weights);
        let along = Affine::of_direction(self.multiplier, direction.weights);
        let Sink { mut weights, mut x, .. } = sink;
        clear(&mut weights);
        let given = Given { dy: Some(dy), x_tangent: direction.x, dy_tangent: Some(dy_tangent) };
        self.each_block(&at, given, |block, sums, scratch| {
            if let Some((gradient, _)) = weights.as_mut().filter(|_| self.normalizer.affine) {
                kernels::parameter_gradient_change(sums, self.multiplier, gradient);
            }
            if let Some((dx, write)) = &mut x {
                let of = (self.groups(), sums, affine);
                let values = (&at.x[block.clone()], direction.x.map(|x| &x[block.clone()]));
                let gradients = (&dy[block.clone()], &dy_tangent[block.clone()]);
                let dx = (&mut dx[block], *write);
                kernels::backward_tangent(at.cpu, of, along, values, gradients, dx, scratch);
            }
        });
    }
}

/// A slice's parts: its mean and variance; its two sums of the output's gradient, or of the input's change; those of the
/// change of the gradient, and its sums of the products of the input's change and the output's gradient.
impl<T: Scalar> Coupling<T> for Normalization {
    fn statistics_len(&self) -> usize {
        3 * self.channels
    }

    fn gather_values(&self, at: Point<T>, part: &mut [f64]) {
        kernels::values(at.cpu, self.groups(), at.x, &mut part[..2 * self.channels]);
    }

    fn gather_adjoints(&self, at: Point<T>, dy: &[T], part: &mut [f64]) {
        self.gather(&at, Some(dy), part);
    }

    fn gather_tangents(&self, at: Point<T>, direction: Direction<T>, part: &mut [f64]) {
        self.gather(&at, direction.x, part);
    }

    fn gather_changes(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        part: &mut [f64],
    ) {
        self.gather(&at, Some(dy_tangent), part);
        let cross = &mut part[2 * self.channels..];
        match direction.x {
            Some(x_tangent) => kernels::cross_sums(at.cpu, x_tangent, dy, cross),
            None => cross.fill(0.0),
        }
    }

    fn merge_values(&self, (samples, total): (usize, &mut [f64]), (more, part): (usize, &[f64])) {
        let len = 2 * self.channels;
        kernels::merge_values((samples, &mut total[..len]), (more, &part[..len]));
    }

    fn parameter_gradient(&self, statistics: Statistics, gradient: &mut [T]) {
        if self.normalizer.affine {
            gradient.fill(T::ZERO);
            kernels::with_scratch(self.channels, |r| {
                kernels::parameter_gradient(self.sums(statistics, r), self.multiplier, gradient);
            });
        }
    }

    fn parameter_gradient_change(&self, statistics: Statistics, gradient: &mut [T]) {
        if self.normalizer.affine {
            gradient.fill(T::ZERO);
            kernels::with_scratch(self.channels, |r| {
                kernels::parameter_gradient_change(self.sums(statistics, r), self.multiplier, gradient);
            });
        }
    }

    fn running(&self) -> Vec<Tensor> {
        let tensor =
            |name, mean| Tensor { name, shape: vec![self.channels], mean, deviation: 0.0, multiplier: 1.0 };
        vec![tensor("running_mean", 0.0), tensor("running_var", 1.0)]
    }

    /// The batch's variance counts as that of a sample of all inputs.
    fn track(&self, samples: usize, values: &[f64], running: &mut [T]) {
        let count = (samples * self.positions) as f64;
        let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
        for (j, running) in running.iter_mut().enumerate() {
            let batch = if j < self.channels { values[j] } else { unbiased * values[j] };
            *running = T::from_f64((1.0 - MOMENTUM) * running.to_f64() + MOMENTUM * batch);
        }
    }

    fn evaluate(&self, _: usize, running: &[T], values: &mut [f64]) {
        values.iter_mut().zip(running).for_each(|(value, running)| *value = running.to_f64());
    }
}

/// Sums of several blocks begin at zero.
fn clear<T: Scalar>(weights: &mut Option<(&mut [T], Write)>) {
    if let Some((gradient, Write::Set)) = weights {
        gradient.fill(T::ZERO);
    }
}
