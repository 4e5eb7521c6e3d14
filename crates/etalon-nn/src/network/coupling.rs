//! What happens between the nodes of a pass where samples of a batch meet.
//!
//! A pass over a batch runs slice by slice up to a node that couples, then over all slices' sums in the order of the
//! slices, and on. The order is fixed, so that the bits are.

use super::{Network, Node, Source, Tape};
use crate::Scalar;
use crate::layers::{Coupling, Direction, Point, Statistics};
use std::ops::Range;

/// A node at which the samples of a batch meet.
#[derive(Clone, Copy)]
pub(crate) struct Meeting<'a, T> {
    index: usize,
    node: &'a Node<T>,
    coupling: &'a dyn Coupling<T>,
}

/// The tapes that a pass has filled as far as a meeting, or as far back.
pub(crate) enum Filled<'a, T> {
    /// The values.
    Values,
    /// Their gradients.
    Adjoints(&'a Tape<T>),
    /// The changes of the values along a direction.
    Tangents(&'a [T], &'a Tape<T>),
    /// All of these, and the changes of the gradients.
    Changes { direction: &'a [T], adjoints: &'a Tape<T>, tangents: &'a Tape<T>, changes: &'a Tape<T> },
}

impl<T: Scalar> Network<T> {
    /// The meetings of a batch, from the input to the output.
    fn meetings(&self) -> impl DoubleEndedIterator<Item = Meeting<'_, T>> {
        self.couplings.iter().filter_map(|&index| {
            let node = &self.nodes[index];
            node.layer.coupling().map(|coupling| Meeting { index, node, coupling })
        })
    }

    /// A pass from the input to the output, in runs of nodes that need no other slice; after each run but the last, the
    /// node that the batch comes together for.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Range<usize>, Option<Meeting<'_, T>>)> {
        let ends = self.meetings().map(|meeting| (meeting.index, Some(meeting)));
        let mut start = 0;
        ends.chain([(self.nodes.len(), None)])
            .map(move |(end, next)| (std::mem::replace(&mut start, end)..end, next))
    }

    /// As [`Network::runs`] from the output back to the input.
    pub(crate) fn runs_back(&self) -> impl Iterator<Item = (Range<usize>, Option<Meeting<'_, T>>)> {
        let starts = self.meetings().rev().map(|meeting| (meeting.index + 1, Some(meeting)));
        let mut end = self.nodes.len();
        starts.chain([(0, None)]).map(move |(start, next)| (start..std::mem::replace(&mut end, start), next))
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many statistics over a batch each pass has.
    pub(crate) fn statistics_len(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.statistics.end)
    }

    /// The most statistics that a node has.
    pub(crate) fn most_statistics(&self) -> usize {
        self.nodes.iter().map(|node| node.statistics.len()).max().unwrap_or(0)
    }

    /// A slice's part of the statistics that the node of a meeting needs to go on.
    pub(crate) fn gather(
        &self,
        meeting: Meeting<T>,
        source: Source<T>,
        values: &Tape<T>,
        filled: Filled<T>,
        part: &mut [f64],
    ) {
        let Meeting { index, coupling, .. } = meeting;
        let (at, rows) = (self.point(index, source, values), self.rows_of(&source));
        match filled {
            // What a layer saves at the point, or along the direction, it saves after this.
            Filled::Values => coupling.gather_values(Point { y: &[], saved: &[], ..at }, part),
            Filled::Adjoints(adjoints) => {
                coupling.gather_adjoints(at, adjoints.value(self, index + 1, rows), part);
            }
            Filled::Tangents(direction, tangents) => {
                let direction = self.direction(index, direction, tangents, rows);
                coupling.gather_tangents(at, Direction { saved: &[], ..direction }, part);
            }
            Filled::Changes { direction, adjoints, tangents, changes } => {
                let direction = self.direction(index, direction, tangents, rows);
                let [dy, dy_tangent] = [adjoints, changes].map(|tape| tape.value(self, index + 1, rows));
                coupling.gather_changes(at, direction, dy, dy_tangent, part);
            }
        }
    }

    /// Running statistics as statistics of a batch of so many samples.
    pub(crate) fn statistics_of_state(&self, samples: usize, state: &[T], statistics: &mut [f64]) {
        for Meeting { node, coupling, .. } in self.meetings() {
            let statistics = &mut statistics[node.statistics.clone()];
            coupling.evaluate(samples, &state[node.state.clone()], statistics);
        }
    }

    /// Moves running statistics towards those of a batch.
    pub(crate) fn track_statistics(&self, samples: usize, statistics: &[f64], state: &mut [T]) {
        for Meeting { node, coupling, .. } in self.meetings() {
            coupling.track(samples, &statistics[node.statistics.clone()], &mut state[node.state.clone()]);
        }
    }
}

impl<T: Scalar> Meeting<'_, T> {
    /// Where its statistics stand.
    pub(crate) fn statistics(&self) -> Range<usize> {
        self.node.statistics.clone()
    }

    /// Adds a slice's part to the total of the samples before it.
    pub(crate) fn merge(
        &self,
        are_values: bool,
        (samples, total): (usize, &mut [f64]),
        (more, part): (usize, &[f64]),
    ) {
        if samples == 0 {
            // What was there belongs to another batch.
            total.copy_from_slice(part);
        } else if are_values {
            self.coupling.merge_values((samples, total), (more, part));
        } else {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
    }

    /// The gradient of the node's parameters, or its change, into the whole gradient, from the statistics of all nodes.
    pub(crate) fn parameter_gradient(&self, statistics: Statistics, is_change: bool, gradient: &mut [T]) {
        let Node { statistics: range, parameters, .. } = self.node;
        let (statistics, gradient) = (statistics.part(range), &mut gradient[parameters.clone()]);
        if is_change {
            self.coupling.parameter_gradient_change(statistics, gradient);
        } else {
            self.coupling.parameter_gradient(statistics, gradient);
        }
    }
}
