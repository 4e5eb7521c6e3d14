//! The four passes over one slice of samples, each over some of the nodes in their order.

use super::{Network, Node};
use crate::Scalar;
use crate::kernels::elementwise::{Write, add_by_position, copy};
use crate::layers::{Direction, Output, Point, Sink, Statistics};
use std::ops::Range;

/// One number for every value of every sample of a slice: the values themselves, their gradients, or the changes
/// of either. Value `v` of the slice is one matrix of `rows` rows. Beside them what the layers save, which values and
/// their changes have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape<T> {
    numbers: Vec<T>,
    saved: Vec<T>,
    /// Whether a value is kept only until a pass back has gone by.
    is_passing: bool,
}

impl<T: Scalar> Tape<T> {
    /// A tape for slices of up to `rows` samples, of each of which so many numbers are saved.
    pub(crate) fn new(network: &Network<T>, rows: usize, saved: usize) -> Self {
        let zeros = |per_sample: usize| vec![T::ZERO; per_sample * rows];
        Tape { numbers: zeros(network.kept.len()), saved: zeros(saved), is_passing: false }
    }

    /// The same for a pass back of which nothing but the parameters' gradient is asked for: values take each other's places.
    pub(crate) fn passing(network: &Network<T>, rows: usize) -> Self {
        let numbers = vec![T::ZERO; network.passing.len() * rows];
        Tape { numbers, saved: Vec::new(), is_passing: true }
    }

    fn place(&self, network: &Network<T>, value: usize, rows: usize) -> Range<usize> {
        if self.is_passing { network.passing.of(value, rows) } else { network.kept.of(value, rows) }
    }

    /// The values before `value`, `value`, and what is saved, where all are kept.
    fn split(&mut self, network: &Network<T>, value: usize, rows: usize) -> (&[T], &mut [T], &mut [T]) {
        let place = network.kept.of(value, rows);
        let (before, after) = self.numbers.split_at_mut(place.start);
        (before, &mut after[..place.len()], &mut self.saved)
    }

    /// A value to be written, and another to be read meanwhile.
    fn pair(&mut self, network: &Network<T>, write: usize, read: usize, rows: usize) -> (&mut [T], &[T]) {
        let (write, read) = (self.place(network, write, rows), self.place(network, read, rows));
        if write.start < read.start {
            let (before, after) = self.numbers.split_at_mut(read.start);
            (&mut before[write], &after[..read.len()])
        } else {
            let (before, after) = self.numbers.split_at_mut(write.start);
            (&mut after[..write.len()], &before[read])
        }
    }

    /// A value.
    pub(super) fn value(&self, network: &Network<T>, value: usize, rows: usize) -> &[T] {
        &self.numbers[self.place(network, value, rows)]
    }

    /// The network's output.
    pub(crate) fn output(&self, network: &Network<T>, rows: usize) -> &[T] {
        self.value(network, network.nodes.len(), rows)
    }

    /// The network's output.
    pub(crate) fn output_mut(&mut self, network: &Network<T>, rows: usize) -> &mut [T] {
        let place = self.place(network, network.nodes.len(), rows);
        &mut self.numbers[place]
    }
}

/// What every pass reads: the parameters, a slice's inputs, what is known of the whole batch, and what is added to the
/// outputs of normalisations, if anything is.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a, T> {
    pub(crate) weights: &'a [T],
    pub(crate) inputs: &'a [T],
    pub(crate) statistics: Statistics<'a>,
    pub(crate) noise: &'a [T],
}

/// A gradient on its way back: a tape whose output is filled in, and the parameters' gradient where it is wanted.
pub(crate) struct Adjoint<'a, T> {
    pub(crate) tape: &'a mut Tape<T>,
    pub(crate) parameters: Option<(&'a mut [T], Write)>,
    pub(crate) scratch: &'a mut [T],
}

/// Where a layer's part of what a slice saves stands.
fn in_slice(per_sample: &Range<usize>, rows: usize) -> Range<usize> {
    per_sample.start * rows..per_sample.end * rows
}

/// A node's part of the parameters' gradient. What couples the batch leaves its own from the whole batch at once, see
/// [`Meeting::parameter_gradient`](super::Meeting::parameter_gradient).
fn part<'a, T: Scalar>(
    all: &'a mut Option<(&mut [T], Write)>,
    node: &Node<T>,
) -> Option<(&'a mut [T], Write)> {
    let all = all.as_mut().filter(|_| node.layer.coupling().is_none());
    all.map(|(all, write)| (&mut all[node.parameters.clone()], *write))
}

impl<T: Scalar> Network<T> {
    /// A value of those that are kept.
    fn value<'a>(&self, numbers: &'a [T], value: usize, rows: usize) -> &'a [T] {
        &numbers[self.kept.of(value, rows)]
    }

    fn value_or_input<'a>(&self, inputs: &'a [T], numbers: &'a [T], value: usize, rows: usize) -> &'a [T] {
        if value == 0 { inputs } else { self.value(numbers, value, rows) }
    }

    /// How many samples a slice has.
    pub(super) fn rows_of(&self, source: &Source<T>) -> usize {
        source.inputs.len() / self.input_len
    }

    /// A node at a slice's values, of which only those up to its output need be there.
    pub(super) fn point<'a>(&self, node: usize, source: Source<'a, T>, values: &'a Tape<T>) -> Point<'a, T> {
        let rows = self.rows_of(&source);
        let y = values.value(self, node + 1, rows);
        let saved = &values.saved[in_slice(&self.nodes[node].saved, rows)];
        Point { y, saved, ..self.point_before(node, source, &values.numbers) }
    }

    /// A node before its output is known.
    fn point_before<'a>(&self, node: usize, source: Source<'a, T>, numbers: &'a [T]) -> Point<'a, T> {
        let (at, rows) = (&self.nodes[node], self.rows_of(&source));
        Point {
            cpu: self.cpu,
            rows,
            weights: &source.weights[at.parameters.clone()],
            x: self.value_or_input(source.inputs, numbers, at.input, rows),
            y: &[],
            saved: &[],
            statistics: source.statistics.part(&at.statistics),
        }
    }

    /// Fills `values`.
    pub(crate) fn forward(
        &self,
        nodes: Range<usize>,
        source: Source<T>,
        values: &mut Tape<T>,
        scratch: &mut [T],
    ) {
        let (rows, inputs) = (self.rows_of(&source), source.inputs);
        for index in nodes {
            let node = &self.nodes[index];
            let (before, y, saved) = values.split(self, index + 1, rows);
            let saved = &mut saved[in_slice(&node.saved, rows)];
            let scratch = &mut scratch[..node.layer.scratch_len()];
            node.layer.forward(self.point_before(index, source, before), Output { y, saved, scratch });
            if let Some(skip) = node.skip {
                let skip = self.value_or_input(inputs, before, skip, rows);
                copy(self.cpu, Write::Add, skip, y);
            }
            // The derivatives of a layer that takes noise depend on its input, and not on this.
            if let Some(noise) = source.noise.get(node.noise.clone()).filter(|noise| !noise.is_empty()) {
                add_by_position(self.cpu, y.len() / (rows * noise.len()), noise, y);
            }
        }
    }

    /// Given the gradient of the output in `adjoint`, fills in that of every value and leaves that of the parameters.
    pub(crate) fn backward(
        &self,
        nodes: Range<usize>,
        source: Source<T>,
        values: &Tape<T>,
        mut adjoint: Adjoint<T>,
    ) {
        let rows = self.rows_of(&source);
        for index in nodes.rev() {
            let node = &self.nodes[index];
            let at = self.point(index, source, values);
            let (x, dy) = self.ends(index, adjoint.tape, rows);
            let weights = part(&mut adjoint.parameters, node);
            let scratch = &mut adjoint.scratch[..node.layer.scratch_len()];
            node.layer.backward(at, dy, Sink { weights, x, scratch });
            self.pass_to_skip(index, adjoint.tape, rows);
        }
    }

    /// Fills `tangents` with the changes of the values along `direction`.
    pub(crate) fn forward_tangent(
        &self,
        nodes: Range<usize>,
        source: Source<T>,
        values: &Tape<T>,
        direction: &[T],
        tangents: &mut Tape<T>,
        scratch: &mut [T],
    ) {
        let rows = self.rows_of(&source);
        for index in nodes {
            let node = &self.nodes[index];
            let at = self.point(index, source, values);
            let (before, y, saved) = tangents.split(self, index + 1, rows);
            let saved = &mut saved[in_slice(&node.saved_tangent, rows)];
            let direction = self.direction_before(index, direction, before, rows);
            let scratch = &mut scratch[..node.layer.scratch_len()];
            node.layer.forward_tangent(at, direction, Output { y, saved, scratch });
            if let Some(skip) = node.skip.filter(|&skip| skip > 0) {
                copy(self.cpu, Write::Add, self.value(before, skip, rows), y);
            }
        }
    }

    /// Given the change of the output's gradient in `change`, fills in that of every value's gradient and leaves
    /// that of the parameters' gradient. `adjoints` and `tangents` are what [`Network::backward`] and
    /// [`Network::forward_tangent`] left.
    #[expect(clippy::too_many_arguments, reason = "a second derivative depends on all of these")]
    pub(crate) fn backward_tangent(
        &self,
        nodes: Range<usize>,
        source: Source<T>,
        values: &Tape<T>,
        adjoints: &Tape<T>,
        direction: &[T],
        tangents: &Tape<T>,
        mut change: Adjoint<T>,
    ) {
        let rows = self.rows_of(&source);
        for index in nodes.rev() {
            let node = &self.nodes[index];
            let at = self.point(index, source, values);
            let (x, dy_tangent) = self.ends(index, change.tape, rows);
            let dy = adjoints.value(self, index + 1, rows);
            let direction = self.direction(index, direction, tangents, rows);
            let weights = part(&mut change.parameters, node);
            let scratch = &mut change.scratch[..node.layer.scratch_len()];
            node.layer.backward_tangent(at, direction, dy, dy_tangent, Sink { weights, x, scratch });
            self.pass_to_skip(index, change.tape, rows);
        }
    }

    /// A node's part of a direction, along which the changes of its input are there.
    pub(super) fn direction<'a>(
        &self,
        node: usize,
        direction: &'a [T],
        tangents: &'a Tape<T>,
        rows: usize,
    ) -> Direction<'a, T> {
        let saved = &tangents.saved[in_slice(&self.nodes[node].saved_tangent, rows)];
        Direction { saved, ..self.direction_before(node, direction, &tangents.numbers, rows) }
    }

    /// A node's part of a direction before the change of its output is known.
    fn direction_before<'a>(
        &self,
        node: usize,
        direction: &'a [T],
        tangents: &'a [T],
        rows: usize,
    ) -> Direction<'a, T> {
        let node = &self.nodes[node];
        Direction {
            weights: &direction[node.parameters.clone()],
            x: (node.input > 0).then(|| self.value(tangents, node.input, rows)),
            saved: &[],
        }
    }

    /// In a pass back, where the node's input has its number, if anybody asks for it, and what its output has.
    fn ends<'a>(
        &self,
        node: usize,
        tape: &'a mut Tape<T>,
        rows: usize,
    ) -> (Option<(&'a mut [T], Write)>, &'a [T]) {
        let (output, node) = (node + 1, &self.nodes[node]);
        match node.input_write {
            Some(write) => {
                let (x, dy) = tape.pair(self, node.input, output, rows);
                (Some((x, write)), dy)
            }
            None => (None, tape.value(self, output, rows)),
        }
    }

    /// A residual sum passes its gradient on unchanged.
    fn pass_to_skip(&self, node: usize, tape: &mut Tape<T>, rows: usize) {
        let (output, node) = (node + 1, &self.nodes[node]);
        if let (Some(skip), Some(write)) = (node.skip, node.skip_write) {
            let (to, dy) = tape.pair(self, skip, output, rows);
            copy(self.cpu, write, dy, to);
        }
    }
}
