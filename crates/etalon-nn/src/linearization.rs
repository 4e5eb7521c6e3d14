//! A network held at one point: value, gradient, and products with its Jacobian and Hessian.

use crate::kernels::elementwise::Write;
use crate::lanes::{self, SLICE, fold, for_each, slices_of};
use crate::network::{Adjoint, Tape};
use crate::{Batch, Loss, Network, Scalar};
use rayon::prelude::*;
use std::ops::Range;

/// How many bytes of values and gradients are kept. What does not fit is computed again in every product.
const CACHE_BYTES: u64 = 1 << 30;

/// A network, a loss and a set of samples at one parameter vector.
///
/// The values at that point are computed once and kept; a product then pays for its direction only. With `m`
/// samples, `k` outputs and `p` parameters, `J` is the (m k) x p Jacobian of all outputs and `H` the p x p Hessian of
/// the mean loss. Products are exact: no finite difference is taken anywhere.
#[derive(Debug)]
pub struct Linearization<'a, T> {
    set: Set<'a, T>,
    rows: usize,
    kept: Vec<Slice<T>>,
    lanes: Vec<Lane<T>>,
    parallel: bool,
}

/// What is linearised, and where.
#[derive(Clone, Copy, Debug)]
struct Set<'a, T> {
    network: &'a Network<T>,
    parameters: &'a [T],
    batch: Batch<'a, T>,
    loss: Loss,
    /// One over the number of samples.
    scale: f64,
}

/// What a slice has at the point: its values and their gradients.
#[derive(Debug, Default)]
struct Slice<T> {
    values: Tape<T>,
    adjoints: Tape<T>,
}

impl<T: Scalar> Slice<T> {
    fn new(network: &Network<T>, rows: usize) -> Self {
        Slice { values: Tape::new(network, rows), adjoints: Tape::new(network, rows) }
    }
}

/// The room of one lane.
#[derive(Debug)]
struct Lane<T> {
    /// For slices that are not kept.
    point: Slice<T>,
    tangents: Tape<T>,
    changes: Tape<T>,
    sum: Vec<T>,
    loss: f64,
}

/// A slice of the set at the point.
struct At<'a, T> {
    samples: Range<usize>,
    inputs: &'a [T],
    targets: &'a [T],
    point: &'a Slice<T>,
    /// Whether it is the first of its lane, whose sum replaces what the lane held.
    write: Write,
}

impl<T: Scalar> At<'_, T> {
    fn rows(&self) -> usize {
        self.samples.len()
    }
}

impl<'a, T: Scalar> Linearization<'a, T> {
    /// Goes to the point. With `parallel`, sets of more than one slice run on rayon's threads; the results have the
    /// same bits without.
    ///
    /// # Panics
    /// When lengths disagree with the network's.
    pub fn new(
        network: &'a Network<T>,
        parameters: &'a [T],
        batch: Batch<'a, T>,
        loss: Loss,
        parallel: bool,
    ) -> Self {
        let rows = network.rows(parameters, batch.inputs);
        let width = network.output_len();
        assert_eq!(
            batch.targets.len(),
            rows * width,
            "targets do not have the width of the network's output"
        );
        let most = rows.min(SLICE);
        let lane = || Lane {
            point: Slice::new(network, most),
            tangents: Tape::new(network, most),
            changes: Tape::new(network, most),
            sum: vec![T::ZERO; network.parameters()],
            loss: 0.0,
        };
        let lanes = (0..lanes::lanes(rows)).map(|_| lane()).collect();
        let set = Set { network, parameters, batch, loss, scale: 1.0 / rows as f64 };
        let keep = |index: usize| {
            let mut slice = Slice::new(network, most);
            set.fill(index * SLICE..(index * SLICE + SLICE).min(rows), &mut slice, true);
            slice
        };
        let kept = 0..Self::kept_slices(network, rows);
        let kept = if parallel { kept.into_par_iter().map(keep).collect() } else { kept.map(keep).collect() };
        Linearization { set, rows, kept, lanes, parallel }
    }

    /// How many bytes [`Linearization::new`] would take.
    pub fn bytes(network: &Network<T>, rows: usize) -> u64 {
        let slice = 2 * Self::tape_bytes(network, rows);
        let lane = 2 * slice + (network.parameters() * size_of::<T>()) as u64;
        Self::kept_slices(network, rows) as u64 * slice + lanes::lanes(rows) as u64 * lane
    }

    fn tape_bytes(network: &Network<T>, rows: usize) -> u64 {
        (rows.min(SLICE) * network.values_per_sample() * size_of::<T>()) as u64
    }

    fn kept_slices(network: &Network<T>, rows: usize) -> usize {
        let fitting = CACHE_BYTES / (2 * Self::tape_bytes(network, rows)).max(1);
        lanes::slices(rows).min(fitting as usize)
    }

    /// Samples x outputs: the length of a vector in the space of outputs.
    pub fn outputs_len(&self) -> usize {
        self.rows * self.set.network.output_len()
    }

    /// The network.
    pub fn network(&self) -> &'a Network<T> {
        self.set.network
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.rows
    }

    /// The mean loss.
    pub fn value(&mut self) -> f64 {
        let Set { network, loss, scale, .. } = self.set;
        self.each_slice(&mut [], false, |lane, at, _| {
            let outputs = at.point.values.output(network, at.rows());
            lane.loss += loss.value(network.output_len(), scale, outputs, at.targets);
        });
        self.lanes.iter().map(|lane| lane.loss).sum()
    }

    /// All outputs, one sample after another.
    pub fn outputs(&mut self, out: &mut [T]) {
        let network = self.set.network;
        self.check_outputs(out);
        self.each_slice(out, false, |_, at, out| {
            out.copy_from_slice(at.point.values.output(network, at.rows()))
        });
    }

    /// The gradient of the mean loss.
    pub fn gradient(&mut self, out: &mut [T]) {
        let Set { network, loss, scale, .. } = self.set;
        self.pull_back(out, |at, top| {
            let outputs = at.point.values.output(network, at.rows());
            loss.gradient(network.cpu(), network.output_len(), scale, outputs, at.targets, top);
        });
    }

    /// `J v`, the change of all outputs when the parameters move along `v`.
    pub fn jvp(&mut self, v: &[T], out: &mut [T]) {
        let Set { network, parameters, .. } = self.set;
        self.check_parameters(v);
        self.check_outputs(out);
        self.each_slice(out, false, |lane, at, out| {
            network.forward_tangent(parameters, at.inputs, &at.point.values, v, &mut lane.tangents);
            out.copy_from_slice(lane.tangents.output(network, at.rows()));
        });
    }

    /// `J^T u`.
    pub fn vjp(&mut self, u: &[T], out: &mut [T]) {
        let width = self.set.network.output_len();
        self.check_outputs(u);
        self.pull_back(out, |at, top| {
            top.copy_from_slice(&u[at.samples.start * width..at.samples.end * width]);
        });
    }

    /// `J^T L'' J v / m`, where `L''` is the Hessian of the loss with respect to the outputs: the part of `H v` that
    /// stays when the network is linear in its parameters (Gauss-Newton).
    pub fn gauss_newton(&mut self, v: &[T], out: &mut [T]) {
        self.hessian_like(v, out, false);
    }

    /// `H v`.
    pub fn hvp(&mut self, v: &[T], out: &mut [T]) {
        self.hessian_like(v, out, true);
    }

    fn hessian_like(&mut self, v: &[T], out: &mut [T], exact: bool) {
        let Set { network, parameters, loss, scale, .. } = self.set;
        self.check_parameters(v);
        self.each_slice(&mut [], exact, |lane, at, _| {
            let Lane { tangents, changes, sum, .. } = lane;
            let Slice { values, adjoints } = at.point;
            network.forward_tangent(parameters, at.inputs, values, v, tangents);
            let (rows, width, write) = (at.rows(), network.output_len(), at.write);
            let (outputs, direction) = (values.output(network, rows), tangents.output(network, rows));
            let top = changes.output_mut(network, rows);
            loss.hessian_product(network.cpu(), width, scale, outputs, at.targets, direction, top);
            let change = Adjoint { tape: changes, parameters: Some((sum, write)) };
            if exact {
                network.backward_tangent(parameters, at.inputs, values, adjoints, v, tangents, change);
            } else {
                network.backward(parameters, at.inputs, values, change);
            }
        });
        self.collect(out);
    }

    /// `J^T u` where `fill` writes a slice's part of `u`.
    fn pull_back(&mut self, out: &mut [T], fill: impl Fn(&At<T>, &mut [T]) + Sync) {
        let Set { network, parameters, .. } = self.set;
        self.each_slice(&mut [], false, |lane, at, _| {
            fill(&at, lane.changes.output_mut(network, at.rows()));
            let adjoint = Adjoint { tape: &mut lane.changes, parameters: Some((&mut lane.sum, at.write)) };
            network.backward(parameters, at.inputs, &at.point.values, adjoint);
        });
        self.collect(out);
    }

    /// Calls `work` for every slice with its lane, its values at the point (with their gradients where `adjoints`
    /// asks for them), and its part of `out`, which is empty or holds all outputs.
    fn each_slice(
        &mut self,
        out: &mut [T],
        adjoints: bool,
        work: impl Fn(&mut Lane<T>, At<T>, &mut [T]) + Sync,
    ) {
        let width = if out.is_empty() { 0 } else { self.set.network.output_len() };
        let Linearization { set, lanes, rows, parallel, kept } = self;
        for_each(lanes, *parallel, *rows, width, out, &|lane, run: Range<usize>, out| {
            lane.loss = 0.0;
            let first = run.start;
            for samples in slices_of(run) {
                let out = &mut out[(samples.start - first) * width..(samples.end - first) * width];
                let (inputs, targets) = set.cut(&samples);
                let write = if samples.start == first { Write::Set } else { Write::Add };
                if let Some(point) = kept.get(samples.start / SLICE) {
                    work(lane, At { samples, inputs, targets, point, write }, out);
                } else {
                    // Taken out for the time of the call, so that `work` may have the rest of the lane.
                    let mut point = std::mem::take(&mut lane.point);
                    set.fill(samples.clone(), &mut point, adjoints);
                    work(lane, At { samples, inputs, targets, point: &point, write }, out);
                    lane.point = point;
                }
            }
        });
    }

    /// Adds up the lanes' sums.
    fn collect(&mut self, out: &mut [T]) {
        self.check_parameters(out);
        let (first, others) = self.lanes.split_at(1);
        out.copy_from_slice(&first[0].sum);
        fold(self.set.network.cpu(), self.parallel, out, others, |lane| &lane.sum);
    }

    fn check_parameters(&self, v: &[T]) {
        assert_eq!(v.len(), self.set.network.parameters(), "not a vector in the space of parameters");
    }

    fn check_outputs(&self, u: &[T]) {
        assert_eq!(u.len(), self.outputs_len(), "not a vector in the space of outputs");
    }
}

impl<'a, T: Scalar> Set<'a, T> {
    /// A slice's inputs and targets.
    fn cut(&self, samples: &Range<usize>) -> (&'a [T], &'a [T]) {
        let (len, width) = (self.network.input_len(), self.network.output_len());
        let (inputs, targets) = (self.batch.inputs, self.batch.targets);
        (
            &inputs[samples.start * len..samples.end * len],
            &targets[samples.start * width..samples.end * width],
        )
    }

    /// Computes a slice's values and, where asked, their gradients.
    fn fill(&self, samples: Range<usize>, slice: &mut Slice<T>, adjoints: bool) {
        let Set { network, parameters, loss, scale, .. } = *self;
        let (inputs, targets) = self.cut(&samples);
        network.forward(parameters, inputs, &mut slice.values);
        if adjoints {
            let outputs = slice.values.output(network, samples.len());
            let top = slice.adjoints.output_mut(network, samples.len());
            loss.gradient(network.cpu(), network.output_len(), scale, outputs, targets, top);
            let adjoint = Adjoint { tape: &mut slice.adjoints, parameters: None };
            network.backward(parameters, inputs, &slice.values, adjoint);
        }
    }
}
