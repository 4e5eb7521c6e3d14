//! One update of all parameters, segment by segment.

use super::{BUFFERS, Buffers, Optimizer, Rate};
use crate::{Cpu, Network, Scalar};

/// Parameters that one thread updates at a time, at most: enough to be worth handing over.
const CHUNK: usize = 1 << 15;

/// One update of a network's parameters. `rate` tells each segment's, by its place in the layout; a segment without one is
/// frozen, and neither gradient nor weight decay moves it, not even where its gradient is infinite. Segments that follow one
/// another at the same rate move in one pass; with `parallel` on rayon's threads, to the same bits.
pub fn step<T: Scalar>(
    rule: &impl Optimizer,
    network: &Network<T>,
    rate: impl Fn(usize) -> Option<Rate>,
    gradient: &[T],
    memory: &mut Buffers<T>,
    parameters: &mut [T],
    parallel: bool,
) {
    let segments = network.layout().segments();
    let mut first = 0;
    for last in 0..segments.len() {
        let shared = rate(first);
        if last + 1 < segments.len() && rate(last + 1) == shared {
            continue;
        }
        let range = segments[first].range.start..segments[last].range.end;
        first = last + 1;
        let Some(rate) = shared else { continue };
        // A buffer that the rule does not keep is empty.
        let buffers =
            memory.buffers.each_mut().map(|buffer| buffer.get_mut(range.clone()).unwrap_or_default());
        let update = Update { rule, cpu: network.cpu(), rate, step: memory.steps };
        update.divide(&gradient[range.clone()], buffers, &mut parameters[range], parallel);
    }
    memory.steps += 1;
}

/// What is the same for all parts of a run of parameters.
struct Update<'a, O> {
    rule: &'a O,
    cpu: Cpu,
    rate: Rate,
    step: u64,
}

impl<O: Optimizer> Update<'_, O> {
    /// Halves the parameters until a thread's part is left. Each number is updated by itself, so that the cuts leave no
    /// trace.
    fn divide<T: Scalar>(
        &self,
        gradient: &[T],
        buffers: [&mut [T]; BUFFERS],
        parameters: &mut [T],
        parallel: bool,
    ) {
        if !parallel || parameters.len() <= CHUNK {
            return self.rule.update(self.cpu, self.rate, self.step, gradient, buffers, parameters);
        }
        let half = parameters.len() / 2;
        let (gradient, gradient_after) = gradient.split_at(half);
        let (parameters, parameters_after) = parameters.split_at_mut(half);
        let [a, b] = buffers.map(|buffer| buffer.split_at_mut(half.min(buffer.len())));
        rayon::join(
            || self.divide(gradient, [a.0, b.0], parameters, true),
            || self.divide(gradient_after, [a.1, b.1], parameters_after, true),
        );
    }
}
