//! Runs short programs of operations over the slices of a batch.
//!
//! Where samples do not meet, a lane takes a slice through the whole program before the next, so that its values stay
//! in the cache and one set of tapes serves all slices. Where layers couple them, every slice has tapes of its own, and
//! each run of nodes is done for all slices before the next, see `network::coupling`.

use crate::kernels::elementwise::Write;
use crate::lanes::{Cut, fold, for_each};
use crate::layers::Statistics;
use crate::network::{Adjoint, Source, Tape};
use crate::{Batch, Loss, Network, Scalar};
use std::ops::Range;

/// One operation on a slice: a pass through the network, or what happens at its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Computes the values.
    Forward,
    /// Copies the outputs out.
    Outputs,
    /// Adds up the loss.
    Loss,
    /// The loss's gradient becomes the outputs'.
    LossGradient,
    /// From the gradient of the outputs, that of all values.
    Backward,
    /// As [`Op::Backward`], and adds up the parameters'.
    Gradient,
    /// Computes the changes of the values along the direction.
    ForwardTangent,
    /// Copies the changes of the outputs out.
    Tangents,
    /// The loss's Hessian times the outputs' changes becomes the change of the outputs' gradient.
    LossProduct,
    /// The cotangent becomes that change.
    Cotangent,
    /// From that change pulled back as if it were a gradient, adds up the parameters'.
    PullBack,
    /// From that change, adds up the change of the parameters' gradient.
    BackwardTangent,
}

/// What a program is run on. Vectors that it does not ask for may be empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a, T> {
    pub(crate) network: &'a Network<T>,
    pub(crate) parameters: &'a [T],
    pub(crate) batch: Batch<'a, T>,
    pub(crate) loss: Loss,
    /// In the space of parameters.
    pub(crate) direction: &'a [T],
    /// In the space of outputs.
    pub(crate) cotangent: &'a [T],
    /// On the outputs of normalisations.
    pub(crate) noise: &'a [T],
}

impl<T: Scalar> Job<'_, T> {
    fn rows(&self) -> usize {
        self.batch.inputs.len() / self.network.input_len()
    }
}

/// Tapes at a point and along a direction, sums, and the statistics of the whole batch.
#[derive(Debug)]
pub(crate) struct Machine<T> {
    lanes: Vec<Lane<T>>,
    statistics: Batchwide,
    /// The largest batch.
    rows: usize,
    parallel: bool,
}

/// How many tapes a machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Slices whose values stay, a lane.
    pub(crate) points: usize,
    /// Whether there are gradients, and sums of the parameters'.
    pub(crate) gradients: bool,
    /// Slices whose changes stay, a lane; none without directions.
    pub(crate) motions: usize,
}

#[derive(Debug)]
struct Lane<T> {
    points: Vec<AtPoint<T>>,
    motions: Vec<Motion<T>>,
    /// The first so many points hold their values from run to run.
    filled: usize,
    /// The sum of the parameters' gradients, or of their changes.
    sum: Vec<T>,
    loss: f64,
    /// Each slice's part of the statistics of one node.
    parts: Vec<f64>,
}

/// What a slice has at the point: its values and their gradients.
#[derive(Debug)]
struct AtPoint<T> {
    values: Tape<T>,
    adjoints: Tape<T>,
}

/// What a slice has along a direction: the changes of its values and of their gradients.
#[derive(Debug)]
struct Motion<T> {
    tangents: Tape<T>,
    changes: Tape<T>,
}

/// Statistics of the whole batch, of all nodes.
#[derive(Debug)]
struct Batchwide {
    values: Vec<f64>,
    adjoints: Vec<f64>,
    tangents: Vec<f64>,
    changes: Vec<f64>,
}

impl Batchwide {
    /// What an operation sees: what is pulled back leaves the statistics of the gradient alone.
    fn seen_by(&self, op: Op, samples: usize) -> Statistics<'_> {
        let adjoints = if op == Op::PullBack { &self.changes } else { &self.adjoints };
        Statistics {
            samples,
            values: &self.values,
            adjoints,
            tangents: &self.tangents,
            changes: &self.changes,
        }
    }

    /// What a pass gathers; none where the operation is no pass.
    fn gathered_by(&mut self, op: Op) -> Option<&mut [f64]> {
        match op {
            Op::Forward => Some(&mut self.values),
            Op::Backward | Op::Gradient => Some(&mut self.adjoints),
            Op::ForwardTangent => Some(&mut self.tangents),
            Op::PullBack | Op::BackwardTangent => Some(&mut self.changes),
            Op::Outputs | Op::Loss | Op::LossGradient | Op::Tangents | Op::LossProduct | Op::Cotangent => {
                None
            }
        }
    }
}

/// A slice under way.
struct Slice<'a, T> {
    samples: Range<usize>,
    point: &'a mut AtPoint<T>,
    motion: Option<&'a mut Motion<T>>,
    sum: &'a mut [T],
    /// Whether it is the first of its lane, which replaces what the lane's sum held.
    write: Write,
    loss: &'a mut f64,
    out: &'a mut [T],
}

impl<T: Scalar> Lane<T> {
    fn slice<'a>(&'a mut self, index: usize, samples: Range<usize>, out: &'a mut [T]) -> Slice<'a, T> {
        let last = self.points.len() - 1;
        let reused = index.min(self.motions.len().saturating_sub(1));
        Slice {
            samples,
            point: &mut self.points[index.min(last)],
            motion: self.motions.get_mut(reused),
            sum: &mut self.sum,
            write: if index == 0 { Write::Set } else { Write::Add },
            loss: &mut self.loss,
            out,
        }
    }
}

impl<T: Scalar> Machine<T> {
    pub(crate) fn new(network: &Network<T>, rows: usize, room: Room, parallel: bool) -> Self {
        let cut = network.cut(rows);
        let tape = |wanted: bool| if wanted { Tape::new(network, cut.longest()) } else { Tape::default() };
        let lane = || Lane {
            points: (0..room.points)
                .map(|_| AtPoint { values: tape(true), adjoints: tape(room.gradients) })
                .collect(),
            motions: (0..room.motions)
                .map(|_| Motion { tangents: tape(true), changes: tape(true) })
                .collect(),
            filled: 0,
            sum: vec![T::ZERO; if room.gradients { network.parameters() } else { 0 }],
            loss: 0.0,
            parts: vec![0.0; cut.slices_per_lane() * network.most_statistics()],
        };
        let statistics = || vec![0.0; network.statistics_len()];
        Machine {
            lanes: (0..cut.lanes()).map(|_| lane()).collect(),
            statistics: Batchwide {
                values: statistics(),
                adjoints: statistics(),
                tangents: statistics(),
                changes: statistics(),
            },
            rows,
            parallel,
        }
    }

    /// How many bytes [`Machine::new`] would take.
    pub(crate) fn bytes(network: &Network<T>, rows: usize, room: Room) -> u64 {
        let cut = network.cut(rows);
        let tapes = room.points * if room.gradients { 2 } else { 1 } + 2 * room.motions;
        let tape = (cut.longest() * network.values_per_sample()) as u64;
        let sum = if room.gradients { network.parameters() as u64 } else { 0 };
        cut.lanes() as u64 * (tapes as u64 * tape + sum) * size_of::<T>() as u64
    }

    /// From now on the slices that have a tape of their own hold what the last program left there.
    pub(crate) fn keep(&mut self, cut: Cut) {
        for lane in &mut self.lanes {
            let all = lane.points.len() >= cut.slices_per_lane();
            lane.filled = lane.points.len() - usize::from(!all);
        }
    }

    /// The sum of the losses that [`Op::Loss`] added up.
    pub(crate) fn loss(&self) -> f64 {
        self.lanes.iter().map(|lane| lane.loss).sum()
    }

    /// The sum over all lanes, which [`Machine::collect`] made.
    pub(crate) fn sum(&self) -> &[T] {
        &self.lanes[0].sum
    }

    /// Adds the other lanes' sums to the first's, after a program that added up a vector for so many samples.
    pub(crate) fn collect(&mut self, network: &Network<T>, rows: usize) {
        let lanes = network.cut(rows).lanes();
        let (first, others) = self.lanes[..lanes].split_at_mut(1);
        fold(network.cpu(), self.parallel, &mut first[0].sum, others, |lane| &lane.sum);
    }

    /// The statistics of the values of the last batch, for all nodes.
    pub(crate) fn statistics(&self) -> &[f64] {
        &self.statistics.values
    }

    /// Computes the outputs, with running statistics in the place of the batch's.
    pub(crate) fn evaluate(&mut self, job: &Job<T>, state: &[T], out: &mut [T]) {
        job.network.statistics_of_state(state, &mut self.statistics.values);
        self.run_apart(job, &[], &[Op::Forward, Op::Outputs], out);
    }

    /// Runs a program; on slices that hold no values, `fill` before it. `out` is empty, or has room for all outputs.
    pub(crate) fn run(&mut self, job: &Job<T>, fill: &[Op], program: &[Op], out: &mut [T]) {
        self.lanes.iter_mut().for_each(|lane| lane.loss = 0.0);
        if job.network.is_coupled() {
            // Every slice has tapes of its own, and holds its values.
            program.iter().for_each(|&op| self.run_together(job, op, out));
        } else {
            self.run_apart(job, fill, program, out);
        }
    }

    /// A whole program slice after slice.
    fn run_apart(&mut self, job: &Job<T>, fill: &[Op], program: &[Op], out: &mut [T]) {
        let Machine { lanes, statistics, parallel, .. } = self;
        let (cut, width) = job.check(self.rows, out);
        let nodes = 0..job.network.len();
        for_each(&mut lanes[..cut.lanes()], *parallel, cut, width, out, &|lane, run, out| {
            let first = run.start;
            for (index, samples) in cut.slices_of(run).enumerate() {
                let out = &mut out[(samples.start - first) * width..(samples.end - first) * width];
                let fill = if index < lane.filled { &[] } else { fill };
                let mut slice = lane.slice(index, samples, out);
                for &op in fill.iter().chain(program) {
                    job.apply(op, nodes.clone(), statistics.seen_by(op, cut.rows), &mut slice);
                }
            }
        });
    }

    /// One operation on all slices, run of nodes after run of nodes.
    fn run_together(&mut self, job: &Job<T>, op: Op, out: &mut [T]) {
        let network = job.network;
        if self.statistics.gathered_by(op).is_none() {
            return self.run_nodes(job, op, 0..0, None, out);
        }
        match op {
            Op::Forward | Op::ForwardTangent => {
                network.runs().for_each(|(nodes, next)| self.run_nodes(job, op, nodes, next, out));
            }
            _ => network.runs_back().for_each(|(nodes, next)| self.run_nodes(job, op, nodes, next, out)),
        }
    }

    /// One operation on some nodes of all slices, after which the batch comes together for the node `next`.
    fn run_nodes(&mut self, job: &Job<T>, op: Op, nodes: Range<usize>, next: Option<usize>, out: &mut [T]) {
        let Machine { lanes, statistics, parallel, .. } = self;
        let (cut, width) = job.check(self.rows, out);
        let lanes = &mut lanes[..cut.lanes()];
        let len = next.map_or(0, |node| job.network.statistics_of(node).len());
        let seen = statistics.seen_by(op, cut.rows);
        for_each(lanes, *parallel, cut, width, out, &|lane, run, out| {
            let first = run.start;
            for (index, samples) in cut.slices_of(run).enumerate() {
                let out = &mut out[(samples.start - first) * width..(samples.end - first) * width];
                job.apply(op, nodes.clone(), seen, &mut lane.slice(index, samples.clone(), out));
                if let Some(node) = next {
                    let mut parts = std::mem::take(&mut lane.parts);
                    let part = &mut parts[index * len..][..len];
                    job.gather(op, node, seen, &lane.slice(index, samples, &mut []), part);
                    lane.parts = parts;
                }
            }
        });
        let (Some(node), Some(gathered)) = (next, statistics.gathered_by(op)) else { return };
        let total = &mut gathered[job.network.statistics_of(node)];
        let mut samples = 0;
        for (lane, run) in lanes.iter().zip(cut.runs()) {
            for (slice, part) in cut.slices_of(run).zip(lane.parts.chunks_exact(len)) {
                job.network.coupling(node).merge(op == Op::Forward, (samples, total), (slice.len(), part));
                samples += slice.len();
            }
        }
        if matches!(op, Op::Gradient | Op::PullBack | Op::BackwardTangent) {
            let source = job.source(&(0..0), statistics.seen_by(op, cut.rows));
            let is_change = op == Op::BackwardTangent;
            job.network.gradient_of_coupling(node, source, is_change, &mut lanes[0].sum);
        }
    }
}

impl<T: Scalar> Job<'_, T> {
    /// How the batch is cut, and how many numbers of `out` a sample has.
    fn check(&self, most: usize, out: &[T]) -> (Cut, usize) {
        let rows = self.rows();
        assert!(rows <= most, "a batch of {rows} samples in a workspace made for {most}");
        (self.network.cut(rows), out.len() / rows)
    }

    fn source<'a>(&'a self, samples: &Range<usize>, statistics: Statistics<'a>) -> Source<'a, T> {
        let len = self.network.input_len();
        let inputs = &self.batch.inputs[samples.start * len..samples.end * len];
        Source { weights: self.parameters, inputs, statistics, noise: self.noise }
    }

    /// One operation on some nodes of a slice.
    fn apply(&self, op: Op, nodes: Range<usize>, statistics: Statistics, slice: &mut Slice<T>) {
        let Job { network, loss, direction, .. } = *self;
        let Slice { samples, point: AtPoint { values, adjoints }, motion, sum, write, .. } = slice;
        let source = self.source(samples, statistics);
        let (rows, width, cpu) = (samples.len(), network.output_len(), network.cpu());
        let scale = 1.0 / self.rows() as f64;
        let ends = samples.start * width..samples.end * width;
        let moving = "a program that moves has room for changes";
        match op {
            Op::Forward => network.forward(nodes, source, values),
            Op::Outputs => slice.out.copy_from_slice(values.output(network, rows)),
            Op::Loss => {
                let targets = &self.batch.targets[ends];
                *slice.loss += loss.value(width, scale, values.output(network, rows), targets);
            }
            Op::LossGradient => {
                let (outputs, top) = (values.output(network, rows), adjoints.output_mut(network, rows));
                loss.gradient(cpu, width, scale, outputs, &self.batch.targets[ends], top);
            }
            Op::Backward => {
                network.backward(nodes, source, values, Adjoint { tape: adjoints, parameters: None });
            }
            Op::Gradient => {
                let adjoint = Adjoint { tape: adjoints, parameters: Some((sum, *write)) };
                network.backward(nodes, source, values, adjoint);
            }
            Op::ForwardTangent => {
                let Motion { tangents, .. } = motion.as_deref_mut().expect(moving);
                network.forward_tangent(nodes, source, values, direction, tangents);
            }
            Op::Tangents => {
                let Motion { tangents, .. } = motion.as_deref_mut().expect(moving);
                slice.out.copy_from_slice(tangents.output(network, rows));
            }
            Op::LossProduct => {
                let Motion { tangents, changes } = motion.as_deref_mut().expect(moving);
                let (outputs, change) = (values.output(network, rows), tangents.output(network, rows));
                let (targets, top) = (&self.batch.targets[ends], changes.output_mut(network, rows));
                loss.hessian_product(cpu, width, scale, outputs, targets, change, top);
            }
            Op::Cotangent => {
                let Motion { changes, .. } = motion.as_deref_mut().expect(moving);
                changes.output_mut(network, rows).copy_from_slice(&self.cotangent[ends]);
            }
            Op::PullBack => {
                let Motion { changes, .. } = motion.as_deref_mut().expect(moving);
                let adjoint = Adjoint { tape: changes, parameters: Some((sum, *write)) };
                network.backward(nodes, source, values, adjoint);
            }
            Op::BackwardTangent => {
                let Motion { tangents, changes } = motion.as_deref_mut().expect(moving);
                let change = Adjoint { tape: changes, parameters: Some((sum, *write)) };
                network.backward_tangent(nodes, source, values, adjoints, direction, tangents, change);
            }
        }
    }

    /// A slice's part of the statistics that a node needs to go on.
    fn gather(&self, op: Op, node: usize, statistics: Statistics, slice: &Slice<T>, part: &mut [f64]) {
        let network = self.network;
        let source = self.source(&slice.samples, statistics);
        let AtPoint { values, adjoints } = &*slice.point;
        match (op, slice.motion.as_deref()) {
            (Op::Forward, _) => network.gather_values(node, source, values, part),
            (Op::Backward | Op::Gradient, _) => {
                network.gather_adjoints(node, source, values, adjoints, part);
            }
            (Op::ForwardTangent, Some(motion)) => {
                network.gather_tangents(node, source, values, &motion.tangents, part);
            }
            (Op::PullBack, Some(motion)) => {
                network.gather_adjoints(node, source, values, &motion.changes, part);
            }
            (Op::BackwardTangent, Some(motion)) => {
                let tapes = [adjoints, &motion.tangents, &motion.changes];
                network.gather_changes(node, source, values, tapes, part);
            }
            _ => unreachable!("only passes gather, and those along a direction have room for changes"),
        }
    }
}
