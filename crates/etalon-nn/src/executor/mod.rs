//! Runs short programs of operations over the slices of a batch.
//!
//! Where samples do not meet, a lane takes a slice through the whole program before the next, so that its values stay
//! in the cache and one set of tapes serves all slices. Where layers couple them, every slice has tapes of its own, and
//! each run of nodes is done for all slices before the next, see `network::coupling`.

mod operation;
mod tapes;

pub(crate) use operation::{Op, Operands};
pub(crate) use tapes::{Capacity, Gradients};

use crate::lanes::{Cut, fold, for_each};
use crate::network::Meeting;
use crate::{Network, Scalar};
use operation::Pass;
use std::ops::Range;
use tapes::{BatchStatistics, Lane};

/// Tapes at a point and along a direction, sums, and the statistics of the whole batch.
#[derive(Debug)]
pub struct Executor<T> {
    lanes: Vec<Lane<T>>,
    statistics: BatchStatistics,
    /// The largest batch.
    rows: usize,
    parallel: bool,
}

impl<T: Scalar> Executor<T> {
    pub(crate) fn new(network: &Network<T>, rows: usize, capacity: Capacity, parallel: bool) -> Self {
        T::new_executor(network, rows, capacity, parallel)
    }

    /// Behind the door of [`Executor::new`].
    pub(crate) fn with_tapes(network: &Network<T>, rows: usize, capacity: Capacity, parallel: bool) -> Self {
        let lanes = network.cut(rows).lanes();
        Executor {
            lanes: (0..lanes).map(|_| Lane::new(network, rows, capacity)).collect(),
            statistics: BatchStatistics::new(network.statistics_len()),
            rows,
            parallel,
        }
    }

    pub(crate) fn is_parallel(&self) -> bool {
        self.parallel
    }

    /// From now on the slices that have a tape of their own hold what the last program left there.
    pub(crate) fn keep(&mut self, cut: Cut) {
        self.lanes.iter_mut().for_each(|lane| lane.keep(cut.slices_per_lane()));
    }

    /// The sum of the losses that [`Op::Loss`] added up.
    pub(crate) fn loss(&self) -> f64 {
        self.lanes.iter().map(|lane| lane.loss).sum()
    }

    /// The sum over all lanes, which [`Executor::collect`] made.
    pub(crate) fn sum(&self) -> &[T] {
        &self.lanes[0].sum
    }

    /// Adds the other lanes' sums to the first's, after a program that added up a vector for so many samples.
    pub(crate) fn collect(&mut self, network: &Network<T>, rows: usize) {
        T::add_up_lanes(self, network, rows);
    }

    /// Behind the door of [`Executor::collect`].
    pub(crate) fn add_up_lanes(&mut self, network: &Network<T>, rows: usize) {
        let lanes = network.cut(rows).lanes();
        let (first, others) = self.lanes[..lanes].split_at_mut(1);
        fold(network.cpu(), self.parallel, &mut first[0].sum, others, |lane| &lane.sum);
    }

    /// The statistics of the values of the last batch, for all nodes.
    pub(crate) fn statistics(&self) -> &[f64] {
        &self.statistics.values
    }

    /// Computes the outputs, with running statistics in the place of the batch's.
    pub(crate) fn evaluate(&mut self, operands: &Operands<T>, state: &[T], out: &mut [T]) {
        operands.network.statistics_of_state(operands.rows(), state, &mut self.statistics.values);
        T::run_apart(self, operands, &[], &[Op::Forward, Op::Outputs], out);
    }

    /// Runs a program; on slices that hold no values, `fill` before it. `out` is empty, or has room for all outputs.
    pub(crate) fn run(&mut self, operands: &Operands<T>, fill: &[Op], program: &[Op], out: &mut [T]) {
        self.lanes.iter_mut().for_each(|lane| lane.loss = 0.0);
        if operands.network.is_coupled() {
            // Every slice has tapes of its own, and holds its values.
            program.iter().for_each(|&op| T::run_together(self, operands, op, out));
        } else {
            T::run_apart(self, operands, fill, program, out);
        }
    }

    /// A whole program slice after slice.
    pub(crate) fn run_apart(&mut self, operands: &Operands<T>, fill: &[Op], program: &[Op], out: &mut [T]) {
        let Executor { lanes, statistics, parallel, .. } = self;
        let (cut, width) = operands.check(self.rows, out);
        let nodes = 0..operands.network.len();
        for_each(&mut lanes[..cut.lanes()], *parallel, cut, width, out, &|lane, run, out| {
            let first = run.start;
            for (index, samples) in cut.slices_of(run).enumerate() {
                let out = &mut out[(samples.start - first) * width..(samples.end - first) * width];
                let fill = if index < lane.filled { &[] } else { fill };
                let mut slice = lane.slice(index, samples, 0, out);
                for &op in fill.iter().chain(program) {
                    let seen = statistics.seen_by(op.pass(), cut.rows);
                    operands.apply(op, nodes.clone(), seen, &mut slice);
                }
            }
        });
    }

    /// One operation on all slices, run of nodes after run of nodes.
    pub(crate) fn run_together(&mut self, operands: &Operands<T>, op: Op, out: &mut [T]) {
        let network = operands.network;
        match op.pass() {
            None => self.run_nodes(operands, op, 0..0, None, out),
            Some(pass) if pass.is_forward() => {
                for (nodes, next) in network.runs() {
                    self.run_nodes(operands, op, nodes, next.map(|meeting| (pass, meeting)), out);
                }
            }
            Some(pass) => {
                for (nodes, next) in network.runs_back() {
                    self.run_nodes(operands, op, nodes, next.map(|meeting| (pass, meeting)), out);
                }
            }
        }
    }

    /// One operation on some nodes of all slices, after which the batch comes together where the pass goes on.
    fn run_nodes(
        &mut self,
        operands: &Operands<T>,
        op: Op,
        nodes: Range<usize>,
        next: Option<(Pass, Meeting<T>)>,
        out: &mut [T],
    ) {
        let Executor { lanes, statistics, parallel, .. } = self;
        let (cut, width) = operands.check(self.rows, out);
        let lanes = &mut lanes[..cut.lanes()];
        let len = next.map_or(0, |(_, meeting)| meeting.statistics().len());
        let seen = statistics.seen_by(op.pass(), cut.rows);
        for_each(lanes, *parallel, cut, width, out, &|lane, run, out| {
            let first = run.start;
            for (index, samples) in cut.slices_of(run).enumerate() {
                let out = &mut out[(samples.start - first) * width..(samples.end - first) * width];
                let mut slice = lane.slice(index, samples, len, out);
                operands.apply(op, nodes.clone(), seen, &mut slice);
                if let Some((pass, meeting)) = next {
                    operands.gather(pass, meeting, seen, &mut slice);
                }
            }
        });
        if let Some((pass, meeting)) = next {
            self.meet(pass, meeting, cut);
        }
    }

    /// All slices' parts become the statistics that a pass goes on with, in the order of the slices.
    fn meet(&mut self, pass: Pass, meeting: Meeting<T>, cut: Cut) {
        let Executor { lanes, statistics, .. } = self;
        let range = meeting.statistics();
        let total = &mut statistics.gathered_by(pass)[range.clone()];
        let mut samples = 0;
        for (lane, run) in lanes.iter().zip(cut.runs()) {
            for (index, slice) in cut.slices_of(run).enumerate() {
                let part = lane.part(index, range.len());
                meeting.merge(pass == Pass::Values, (samples, total), (slice.len(), part));
                samples += slice.len();
            }
        }
        if pass.has_parameters() {
            let seen = statistics.seen_by(Some(pass), cut.rows);
            meeting.parameter_gradient(seen, pass == Pass::Changes, &mut lanes[0].sum);
        }
    }
}

impl<T: Scalar> Operands<'_, T> {
    /// How the batch is cut, and how many numbers of `out` a sample has.
    fn check(&self, most: usize, out: &[T]) -> (Cut, usize) {
        let rows = self.rows();
        assert!(rows <= most, "a batch of {rows} samples in a workspace made for {most}");
        (self.network.cut(rows), out.len() / rows)
    }
}
