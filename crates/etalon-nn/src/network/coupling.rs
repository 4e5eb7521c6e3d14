//! What happens between the nodes of a pass where samples of a batch meet.
//!
//! A pass over a batch runs slice by slice up to a node that couples, then over all slices' sums in the order of the
//! slices, and on. The order is fixed, so that the bits are.

use super::{Network, Node, Source, Tape};
use crate::Scalar;
use crate::layers::Normalization;
use std::ops::Range;

impl<T: Scalar> Network<T> {
    /// A pass from the input to the output, in runs of nodes that need no other slice; after each run but the last, the
    /// node that the batch comes together for.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Range<usize>, Option<usize>)> {
        let ends = self.couplings.iter().map(|&node| (node, Some(node)));
        let mut start = 0;
        ends.chain([(self.nodes.len(), None)])
            .map(move |(end, next)| (std::mem::replace(&mut start, end)..end, next))
    }

    /// As [`Network::runs`] from the output back to the input.
    pub(crate) fn runs_back(&self) -> impl Iterator<Item = (Range<usize>, Option<usize>)> {
        let starts = self.couplings.iter().rev().map(|&node| (node + 1, Some(node)));
        let mut end = self.nodes.len();
        starts.chain([(0, None)]).map(move |(start, next)| (start..std::mem::replace(&mut end, start), next))
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many statistics over a batch each pass has.
    pub(crate) fn statistics_len(&self) -> usize {
        self.nodes.iter().map(|node| node.statistics.len()).sum()
    }

    /// The most statistics that a node has.
    pub(crate) fn most_statistics(&self) -> usize {
        self.nodes.iter().map(|node| node.statistics.len()).max().unwrap_or(0)
    }

    /// Where a node's statistics stand.
    pub(crate) fn statistics_of(&self, node: usize) -> Range<usize> {
        self.nodes[node].statistics.clone()
    }

    /// The normalisation over the batch that a node is.
    pub(crate) fn coupling(&self, node: usize) -> &Normalization {
        self.nodes[node].layer.coupling().expect("only nodes that couple are asked")
    }

    /// A slice's part of the statistics of a node's input.
    pub(crate) fn gather_values(&self, node: usize, source: Source<T>, values: &Tape<T>, part: &mut [f64]) {
        self.coupling(node).gather_values(&self.point(node, source, values), part);
    }

    /// A slice's part of the statistics of the gradient of a node's output.
    pub(crate) fn gather_adjoints(
        &self,
        node: usize,
        source: Source<T>,
        values: &Tape<T>,
        adjoints: &Tape<T>,
        part: &mut [f64],
    ) {
        let dy = self.value(&adjoints.numbers, node + 1, self.rows_of(&source));
        self.coupling(node).gather(&self.point(node, source, values), Some(dy), part);
    }

    /// A slice's part of the statistics of the change of a node's input.
    pub(crate) fn gather_tangents(
        &self,
        node: usize,
        source: Source<T>,
        values: &Tape<T>,
        tangents: &Tape<T>,
        part: &mut [f64],
    ) {
        let x_tangent = self.tangent_of_input(node, &source, tangents);
        self.coupling(node).gather(&self.point(node, source, values), x_tangent, part);
    }

    /// A slice's part of the statistics of the change of the gradient of a node's output.
    pub(crate) fn gather_changes(
        &self,
        node: usize,
        source: Source<T>,
        values: &Tape<T>,
        [adjoints, tangents, changes]: [&Tape<T>; 3],
        part: &mut [f64],
    ) {
        let (norm, rows) = (self.coupling(node), self.rows_of(&source));
        let (dy, dy_tangent) =
            (self.value(&adjoints.numbers, node + 1, rows), self.value(&changes.numbers, node + 1, rows));
        let at = self.point(node, source, values);
        norm.gather(&at, Some(dy_tangent), part);
        norm.gather_cross(&at, self.tangent_of_input(node, &source, tangents), dy, part);
    }

    fn tangent_of_input<'a>(
        &self,
        node: usize,
        source: &Source<T>,
        tangents: &'a Tape<T>,
    ) -> Option<&'a [T]> {
        let input = self.nodes[node].input;
        (input > 0).then(|| self.value(&tangents.numbers, input, self.rows_of(source)))
    }

    /// The gradient of a coupling node's parameters, or its change, into the whole gradient. `source` has the
    /// statistics of the whole batch.
    pub(crate) fn gradient_of_coupling(
        &self,
        node: usize,
        source: Source<T>,
        is_change: bool,
        gradient: &mut [T],
    ) {
        let at = &self.nodes[node];
        let statistics = source.statistics.part(&at.statistics);
        self.coupling(node).parameter_gradient(statistics, is_change, &mut gradient[at.parameters.clone()]);
    }

    /// Running statistics as statistics of a batch.
    pub(crate) fn statistics_of_state(&self, state: &[T], statistics: &mut [f64]) {
        for &node in &self.couplings {
            let Node { statistics: to, state: from, .. } = &self.nodes[node];
            let to = &mut statistics[to.clone()];
            to.iter_mut().zip(&state[from.clone()]).for_each(|(to, from)| *to = from.to_f64());
        }
    }

    /// Moves running statistics towards those of a batch.
    pub(crate) fn track_statistics(&self, samples: usize, statistics: &[f64], state: &mut [T]) {
        for &node in &self.couplings {
            let Node { statistics: from, state: to, .. } = &self.nodes[node];
            self.coupling(node).track(samples, &statistics[from.clone()], &mut state[to.clone()]);
        }
    }
}
