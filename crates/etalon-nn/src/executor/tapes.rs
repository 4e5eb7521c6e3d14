//! What an executor keeps: tapes of slices, and the statistics of the whole batch.

use super::operation::Pass;
use crate::kernels::elementwise::Write;
use crate::layers::Statistics;
use crate::network::Tape;
use crate::{Network, Scalar};
use std::ops::Range;

/// How many tapes an executor has.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Slices whose values stay, a lane.
    pub(crate) points: usize,
    /// What there is of gradients; with any, there are sums of the parameters'.
    pub(crate) gradients: Gradients,
    /// Slices whose changes stay, a lane; none without directions.
    pub(crate) tangents: usize,
}

/// The gradients of a slice's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gradients {
    /// None are taken.
    None,
    /// Each stays until its node has passed it back.
    Passing,
    /// All stay, for products along directions.
    Kept,
}

impl Capacity {
    /// How many numbers of one sample a slice's tapes hold at a point, and along a direction.
    pub(crate) fn per_sample<T: Scalar>(self, network: &Network<T>) -> (usize, usize) {
        let ((values, passing), (at_point, along)) =
            (network.values_per_sample(), network.saved_per_sample());
        let gradients = match self.gradients {
            Gradients::None => 0,
            Gradients::Passing => passing,
            Gradients::Kept => values,
        };
        (values + gradients + at_point, values + passing + along)
    }

    /// The length of a sum of the parameters' gradients.
    fn sum_len<T: Scalar>(self, network: &Network<T>) -> usize {
        if self.gradients == Gradients::None { 0 } else { network.parameters() }
    }

    /// How many bytes an executor would take for so many samples.
    pub(crate) fn bytes<T: Scalar>(self, network: &Network<T>, rows: usize) -> u64 {
        let cut = network.cut(rows);
        let (at_point, along) = self.per_sample(network);
        let tapes = cut.longest() as u64 * (self.points * at_point + self.tangents * along) as u64;
        let sum = self.sum_len(network) as u64;
        cut.lanes() as u64 * (tapes + sum + network.scratch_len() as u64) * size_of::<T>() as u64
    }
}

/// What one run of slices, one after another, is computed with.
#[derive(Debug)]
pub(super) struct Lane<T> {
    points: Vec<PointTapes<T>>,
    tangents: Vec<TangentTapes<T>>,
    /// The first so many points hold their values from run to run.
    pub(super) filled: usize,
    /// The sum of the parameters' gradients, or of their changes.
    pub(super) sum: Vec<T>,
    pub(super) loss: f64,
    /// Each slice's part of the statistics of one node.
    parts: Vec<f64>,
    /// Room for one layer to compute in.
    scratch: Vec<T>,
}

/// What a slice has at the point: its values and their gradients.
#[derive(Debug)]
pub(super) struct PointTapes<T> {
    pub(super) values: Tape<T>,
    pub(super) adjoints: Tape<T>,
}

/// What a slice has along a direction: the changes of its values and of their gradients.
#[derive(Debug, Default)]
pub(super) struct TangentTapes<T> {
    pub(super) tangents: Tape<T>,
    pub(super) changes: Tape<T>,
}

/// A slice under way.
pub(super) struct Slice<'a, T> {
    pub(super) samples: Range<usize>,
    pub(super) point: &'a mut PointTapes<T>,
    pub(super) tangent: &'a mut TangentTapes<T>,
    pub(super) sum: &'a mut [T],
    /// Whether it is the first of its lane, which replaces what the lane's sum held.
    pub(super) write: Write,
    pub(super) loss: &'a mut f64,
    pub(super) part: &'a mut [f64],
    pub(super) scratch: &'a mut [T],
    pub(super) out: &'a mut [T],
}

impl<T: Scalar> Lane<T> {
    pub(super) fn new(network: &Network<T>, rows: usize, capacity: Capacity) -> Self {
        let cut = network.cut(rows);
        let (at_point, along) = network.saved_per_sample();
        let tape = |saved| Tape::new(network, cut.longest(), saved);
        let passing = || Tape::passing(network, cut.longest());
        let point = || PointTapes {
            values: tape(at_point),
            adjoints: match capacity.gradients {
                Gradients::None => Tape::default(),
                Gradients::Passing => passing(),
                Gradients::Kept => tape(0),
            },
        };
        let mut tangents: Vec<_> = (0..capacity.tangents)
            .map(|_| TangentTapes { tangents: tape(along), changes: passing() })
            .collect();
        if tangents.is_empty() {
            // Without directions a slice's tapes along them are empty, as those of gradients are without gradients.
            tangents.push(TangentTapes::default());
        }
        Lane {
            points: (0..capacity.points).map(|_| point()).collect(),
            tangents,
            filled: 0,
            sum: vec![T::ZERO; capacity.sum_len(network)],
            loss: 0.0,
            parts: vec![0.0; cut.slices_per_lane() * network.most_statistics()],
            scratch: vec![T::ZERO; network.scratch_len()],
        }
    }

    /// From now on the slices that have a tape of their own, out of so many, hold what the last program left there.
    pub(super) fn keep(&mut self, slices: usize) {
        let all = self.points.len() >= slices;
        self.filled = self.points.len() - usize::from(!all);
    }

    /// A slice, with room for so many statistics.
    pub(super) fn slice<'a>(
        &'a mut self,
        index: usize,
        samples: Range<usize>,
        statistics: usize,
        out: &'a mut [T],
    ) -> Slice<'a, T> {
        let [point, tangent] = [self.points.len(), self.tangents.len()].map(|tapes| index.min(tapes - 1));
        Slice {
            samples,
            point: &mut self.points[point],
            tangent: &mut self.tangents[tangent],
            sum: &mut self.sum,
            write: if index == 0 { Write::Set } else { Write::Add },
            loss: &mut self.loss,
            part: &mut self.parts[index * statistics..][..statistics],
            scratch: &mut self.scratch,
            out,
        }
    }

    /// A slice's part of a node's statistics, of which there are so many.
    pub(super) fn part(&self, index: usize, statistics: usize) -> &[f64] {
        &self.parts[index * statistics..][..statistics]
    }
}

/// Statistics of the whole batch, of all nodes.
#[derive(Debug)]
pub(super) struct BatchStatistics {
    pub(super) values: Vec<f64>,
    adjoints: Vec<f64>,
    tangents: Vec<f64>,
    changes: Vec<f64>,
}

impl BatchStatistics {
    pub(super) fn new(len: usize) -> Self {
        let [values, adjoints, tangents, changes] = [(); 4].map(|()| vec![0.0; len]);
        BatchStatistics { values, adjoints, tangents, changes }
    }

    /// What a pass sees: what is pulled back leaves the statistics of the gradient alone.
    pub(super) fn seen_by(&self, pass: Option<Pass>, samples: usize) -> Statistics<'_> {
        let adjoints = if pass == Some(Pass::PulledBack) { &self.changes } else { &self.adjoints };
        let BatchStatistics { values, tangents, changes, .. } = self;
        Statistics { samples, values, adjoints, tangents, changes }
    }

    /// What a pass gathers.
    pub(super) fn gathered_by(&mut self, pass: Pass) -> &mut [f64] {
        match pass {
            Pass::Values => &mut self.values,
            Pass::Adjoints { .. } => &mut self.adjoints,
            Pass::Tangents => &mut self.tangents,
            Pass::PulledBack | Pass::Changes => &mut self.changes,
        }
    }
}
