//! A network: layers in order, shapes checked once.

mod builder;
mod cnn;
mod coupling;
mod images;
mod invariance;
mod mlp;
mod passes;
mod places;
mod resnet;

pub use builder::{NetworkBuilder, NetworkError, Value};
pub use cnn::Cnn;
pub(crate) use coupling::{Filled, Meeting};
pub use images::{Fan, Image, Style};
pub use invariance::SegmentInvariance;
pub use mlp::{Initialisation, Mlp, Parametrization};
pub(crate) use passes::{Adjoint, Source, Tape};
pub use resnet::{Family, ResNet, Skip};

use crate::kernels::elementwise::Write;
use crate::lanes::Cut;
use crate::layers::Layer;
use crate::parameters::Layout;
use crate::{Cpu, Scalar};
use places::Places;
use std::ops::Range;

/// A layer's place in the network: `value = layer(input) + skip`.
///
/// Values are numbered: 0 is the network's input, node `i` makes value `i + 1`. `skip` is the other branch of a
/// residual sum, which only an identity or a convolution has: other layers may look at their own output.
#[derive(Debug)]
struct Node<T> {
    layer: Box<dyn Layer<T>>,
    input: usize,
    skip: Option<usize>,
    parameters: Range<usize>,
    /// Where its statistics over the batch stand among all layers', and its running statistics in the state.
    statistics: Range<usize>,
    state: Range<usize>,
    /// Where the noise on its output stands among that of all layers.
    noise: Range<usize>,
    /// What it saves of a sample at a point and along a direction, among what all layers save.
    saved: Range<usize>,
    saved_tangent: Range<usize>,
    /// Whether this node is the first, going backwards, to write the gradient of its input and of its skip;
    /// none where that is the data, whose gradient nobody asks for.
    input_write: Option<Write>,
    skip_write: Option<Write>,
}

/// A feed-forward network. It is immutable and holds no parameters: a point is a vector, see
/// [`parameters`](crate::parameters).
#[derive(Debug)]
pub struct Network<T> {
    nodes: Vec<Node<T>>,
    layout: Layout,
    state: Layout,
    input_len: usize,
    /// The nodes that couple the samples of a batch.
    couplings: Vec<usize>,
    /// Samples a slice.
    slice: usize,
    /// Where each value of a sample stands where all are kept, and where each stands that is needed only until its node has
    /// passed it back.
    kept: Places,
    passing: Places,
    cpu: Cpu,
}

impl<T: Scalar> Network<T> {
    /// How the parameter vector is cut.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.layout.len()
    }

    /// How the state vector is cut: the running statistics of what couples a batch, which are no parameters. They start
    /// at [`Layout::initialise`]; empty where no layer couples its samples.
    pub fn state_layout(&self) -> &Layout {
        &self.state
    }

    /// Whether a sample's output in training depends on the rest of its batch.
    pub fn is_coupled(&self) -> bool {
        !self.couplings.is_empty()
    }

    /// The length of one sample's input.
    pub fn input_len(&self) -> usize {
        self.input_len
    }

    /// The length of one sample's output.
    pub fn output_len(&self) -> usize {
        self.kept.of(self.nodes.len(), 1).len()
    }

    /// How many numbers of noise [`Network::noisy_gradient`] takes: one for each position of each normalisation, in
    /// order.
    pub fn noise_len(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.noise.end)
    }

    /// The kernels it runs on.
    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// The same network on other kernels.
    ///
    /// # Panics
    /// When this machine lacks them.
    pub fn on(self, cpu: Cpu) -> Self {
        assert!(Cpu::available().contains(&cpu), "this machine lacks {}", cpu.name());
        Network { cpu, ..self }
    }

    /// How many numbers one sample's values take, the input's not counted: all of them, and in a pass back that keeps none.
    pub(crate) fn values_per_sample(&self) -> (usize, usize) {
        (self.kept.len(), self.passing.len())
    }

    /// How many numbers of one sample all layers save at a point, and along a direction.
    pub(crate) fn saved_per_sample(&self) -> (usize, usize) {
        self.nodes.last().map_or((0, 0), |node| (node.saved.end, node.saved_tangent.end))
    }

    /// How many numbers of scratch a pass needs.
    pub(crate) fn scratch_len(&self) -> usize {
        self.nodes.iter().map(|node| node.layer.scratch_len()).max().unwrap_or(0)
    }

    /// So many samples in slices.
    pub(crate) fn cut(&self, rows: usize) -> Cut {
        Cut { rows, slice: self.slice }
    }
}
