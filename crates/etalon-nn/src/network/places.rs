//! Where the values of a sample stand on a tape.

use super::Node;
use crate::Scalar;
use crate::kernels::elementwise::Write;
use std::ops::Range;

/// The place of each value; value 0, the data, lies elsewhere and takes no room.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    of: Vec<Range<usize>>,
    /// Numbers a sample.
    len: usize,
}

impl Places {
    /// One for each value, in their order.
    pub(super) fn kept<T: Scalar>(nodes: &[Node<T>]) -> Places {
        let (mut of, mut len) = (vec![Range::default()], 0);
        for node in nodes {
            of.push(len..len + node.layer.output_len());
            len += node.layer.output_len();
        }
        Places { of, len }
    }

    /// For a pass from the output back, in which a value is needed from when the first of its users has written it until the
    /// node that made it has read it: places are used again.
    pub(super) fn passing<T: Scalar>(nodes: &[Node<T>]) -> Places {
        let mut places = Places { of: vec![Range::default(); nodes.len() + 1], len: 0 };
        // Which values stand somewhere now.
        let mut taken = Vec::new();
        places.take(nodes.len(), nodes, &mut taken);
        for (index, node) in nodes.iter().enumerate().rev() {
            for (value, write) in [(Some(node.input), node.input_write), (node.skip, node.skip_write)] {
                if let (Some(value), Some(Write::Set)) = (value, write) {
                    places.take(value, nodes, &mut taken);
                }
            }
            taken.retain(|&value| value != index + 1);
        }
        places
    }

    /// The first gap between the places taken that is long enough.
    fn take<T: Scalar>(&mut self, value: usize, nodes: &[Node<T>], taken: &mut Vec<usize>) {
        let len = nodes[value - 1].layer.output_len();
        taken.sort_by_key(|&other| self.of[other].start);
        let mut start = 0;
        for &other in &*taken {
            if start + len <= self.of[other].start {
                break;
            }
            start = start.max(self.of[other].end);
        }
        self.of[value] = start..start + len;
        self.len = self.len.max(start + len);
        taken.push(value);
    }

    /// Numbers a sample.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// A value's, in a slice of so many samples.
    pub(super) fn of(&self, value: usize, rows: usize) -> Range<usize> {
        self.of[value].start * rows..self.of[value].end * rows
    }
}

#[cfg(test)]
mod tests {
    use crate::kernels::activation::Activation;
    use crate::layers::Dense;
    use crate::network::NetworkBuilder;

    /// A chain of layers, with a sum of its second and fourth values where wanted.
    fn network(with_skip: bool) -> crate::Network<f64> {
        let mut builder = NetworkBuilder::new(3).unwrap();
        let dense = |inputs, outputs| Dense {
            inputs,
            outputs,
            weight_multiplier: 1.0,
            weight_deviation: 1.0,
            bias_multiplier: None,
        };
        let first = builder.dense(dense(3, 10), builder.input()).unwrap();
        let second = builder.activation(Activation::Tanh, first).unwrap();
        let third = builder.dense(dense(10, 10), second).unwrap();
        let mut last = builder.activation(Activation::Tanh, third).unwrap();
        if with_skip {
            last = builder.sum(last, second).unwrap();
        }
        builder.dense(dense(10, 2), last).unwrap();
        builder.build().unwrap()
    }

    #[test]
    fn a_pass_back_takes_the_places_of_what_it_needs_at_once() {
        // Of a chain, a value and the one before it, where the output has been.
        let chain = network(false);
        assert_eq!((chain.kept.len(), chain.passing.len()), (42, 22));
        // The skipped branch stays beside them.
        let residual = network(true);
        assert_eq!((residual.kept.len(), residual.passing.len()), (52, 32));
    }
}
