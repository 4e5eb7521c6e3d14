//! Putting a network together.

use super::places::Places;
use super::{Network, Node};
use crate::kernels::LONGEST;
use crate::kernels::activation::Activation;
use crate::kernels::convolution::Convolution;
use crate::kernels::elementwise::Write;
use crate::kernels::pooling::Windows;
use crate::kernels::subsample::Subsample;
use crate::lanes::slice_len;
use crate::layers::{Activate, Conv2d, Coupling, Dense, Layer, Normalization, Pool2d, Shortcut, Tensor};
use crate::parameters::Layout;
use crate::{Cpu, Scalar};

/// The most parameters, and the most values of a sample: a thousand times what any machine holds.
const LARGEST: u128 = 1 << 48;

/// A value inside the network under construction: the input, or a layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value(usize);

/// Why layers do not make a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A layer was given a value of the wrong length.
    #[error("{layer} takes {expected} numbers a sample, and is given {found}")]
    Input {
        /// The name of the layer.
        layer: String,
        /// How many numbers it takes.
        expected: usize,
        /// What it was given.
        found: usize,
    },
    /// The two branches of a residual sum differ in length.
    #[error("a residual sum cannot add {1} numbers a sample to {0}; its two branches must have one length")]
    Sum(usize, usize),
    /// A length is zero.
    #[error("{0} has length 0; every length must be at least 1")]
    Empty(String),
    /// More parameters, or values of a sample, than memory has addresses for.
    #[error("{0} takes more parameters than can be counted; make it smaller")]
    TooLarge(String),
    /// A convolution or pooling with no place for its window, or a shortcut that would drop channels.
    #[error(
        "{0} has no output: its window must fit into the image with its padding, and have 1 to {most} rows; strides and \
         channels must be 1 to {longest}, an image that is pooled may have at most {pixels} pixels, and a shortcut may not \
         drop channels",
        most = Convolution::LARGEST_KERNEL,
        pixels = Windows::MOST_PIXELS,
        longest = LONGEST
    )]
    Window(String),
    /// The images of a convolutional network are used up before its last stage.
    #[error(
        "images are {height} x {width} pixels before convolution {convolution} and cannot be halved once more; take a \
         smaller depth, a larger stage, or larger images"
    )]
    Halved {
        /// The convolution that would follow, the first being 1.
        convolution: usize,
        /// Rows of an image there.
        height: usize,
        /// Columns of an image there.
        width: usize,
    },
    /// A depth that the family of residual networks has not.
    #[error("a residual network of this family has no depth {0}; take {1}")]
    Depth(usize, &'static str),
    /// muP for convolutions.
    #[error("muP is not worked out for convolutional networks; use the standard or the NTK parametrisation")]
    Mup,
    /// A layer's output goes nowhere.
    #[error("the output of layer {0} is used by no other layer and is not the network's output")]
    Unused(usize),
    /// Two tensors of one name.
    #[error("there are two tensors named {0}; give each layer, and each of its tensors, a name of its own")]
    Name(String),
    /// Noise that does not fit.
    #[error("{0} takes noise at so many positions that they do not divide its output")]
    Noise(String),
    /// A normalisation that would leave nothing, or whose groups do not fit.
    #[error("{0}")]
    Normalization(String),
    /// There is no layer with parameters.
    #[error("the network has no parameters")]
    NoParameters,
}

/// Builds a [`Network`] value by value; the last value pushed is the output.
#[derive(Debug)]
pub struct NetworkBuilder<T> {
    nodes: Vec<Node<T>>,
    layout: Layout,
    state: Layout,
    input_len: usize,
    /// How many values a sample has so far.
    values: u128,
    /// How many layers with parameters or state there are: they are named `layers.0`, `layers.1`, ...
    named: usize,
    /// How many weights there are in matrices, and how many multiplications by one a sample takes.
    weights: f64,
    multiplications: f64,
    /// How many statistics over the batch there are.
    statistics: usize,
    /// The name of the next layer with parameters or state, if it was given one.
    name: Option<String>,
}

impl<T: Scalar> NetworkBuilder<T> {
    /// A network over inputs of that length.
    ///
    /// # Errors
    /// When the length is 0.
    pub fn new(input_len: usize) -> Result<Self, NetworkError> {
        if input_len == 0 {
            return Err(NetworkError::Empty("the input".into()));
        }
        Ok(NetworkBuilder {
            nodes: Vec::new(),
            layout: Layout::default(),
            state: Layout::default(),
            input_len,
            values: 0,
            named: 0,
            name: None,
            weights: 0.0,
            multiplications: 0.0,
            statistics: 0,
        })
    }

    /// Names the next layer that has parameters or state; without a name it is `layers.0`, `layers.1`, ... by its
    /// number.
    pub fn named(&mut self, name: impl Into<String>) -> &mut Self {
        self.name = Some(name.into());
        self
    }

    /// The value that samples enter by.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// The length of a value.
    pub fn len(&self, value: Value) -> usize {
        if value.0 == 0 { self.input_len } else { self.nodes[value.0 - 1].layer.output_len() }
    }

    /// Adds a layer, of this crate or of anybody's.
    ///
    /// # Errors
    /// When lengths do not fit, one of them is 0, or two tensors have one name.
    pub fn push(&mut self, layer: Box<dyn Layer<T>>, input: Value) -> Result<Value, NetworkError> {
        let (takes, gives) = (layer.input_len(), layer.output_len());
        let name = || {
            let name = self.name.as_ref().map_or(String::new(), |name| format!("{name}, "));
            format!("layer {} ({name}{takes} to {gives} numbers a sample)", self.nodes.len())
        };
        if takes == 0 || gives == 0 {
            return Err(NetworkError::Empty(name()));
        }
        if takes != self.len(input) {
            return Err(NetworkError::Input { layer: name(), expected: takes, found: self.len(input) });
        }
        let start = self.layout.len();
        let tensors = layer.tensors();
        let size = |tensor: &Tensor| tensor.shape.iter().map(|&length| length as u128).product::<u128>();
        let total = start as u128 + tensors.iter().map(size).sum::<u128>();
        let (saved, saved_tangent) =
            self.nodes.last().map_or((0, 0), |node| (node.saved.end, node.saved_tangent.end));
        let saves = [layer.saved_len(), layer.saved_tangent_len()];
        // What is reckoned from these numbers, in bytes and for whole slices of samples, must not overflow either.
        self.values += gives as u128 + saves.map(|len| len as u128).iter().sum::<u128>();
        if total.max(self.values).max(layer.scratch_len() as u128) > LARGEST {
            return Err(NetworkError::TooLarge(name()));
        }
        let coupling = layer.coupling();
        let running = coupling.map_or(Vec::new(), Coupling::running);
        if tensors.iter().chain(&running).any(|tensor| size(tensor) == 0) {
            return Err(NetworkError::Empty(format!("a tensor of {}", name())));
        }
        if layer.noise_len() > 0 && gives % layer.noise_len() != 0 {
            return Err(NetworkError::Noise(name()));
        }
        let has_name = !tensors.is_empty() || !running.is_empty();
        let given = if has_name { self.name.take() } else { None };
        let prefix = given.unwrap_or_else(|| format!("layers.{}", self.named));
        let mut names = Vec::new();
        for tensor in tensors.iter().chain(&running) {
            let name = format!("{prefix}.{}", tensor.name);
            if names.contains(&name) || self.layout.find(&name).or(self.state.find(&name)).is_some() {
                return Err(NetworkError::Name(name));
            }
            names.push(name);
        }
        self.named += usize::from(has_name);
        // A matrix of PyTorch's has one row for each output of a position.
        for matrix in tensors.iter().filter(|tensor| tensor.shape.len() > 1) {
            let (size, positions) = (size(matrix) as f64, gives / matrix.shape[0]);
            self.weights += size;
            self.multiplications += size * positions as f64;
        }
        tensors.into_iter().for_each(|tensor| self.layout.push(&prefix, tensor));
        let state = self.state.len();
        running.into_iter().for_each(|tensor| self.state.push(&prefix, tensor));
        let statistics = self.statistics;
        self.statistics += coupling.map_or(0, Coupling::statistics_len);
        let noise = self.nodes.last().map_or(0, |node| node.noise.end);
        self.nodes.push(Node {
            noise: noise..noise + layer.noise_len(),
            saved: saved..saved + saves[0],
            saved_tangent: saved_tangent..saved_tangent + saves[1],
            layer,
            input: input.0,
            skip: None,
            parameters: start..self.layout.len(),
            statistics: statistics..self.statistics,
            state: state..self.state.len(),
            input_write: None,
            skip_write: None,
        });
        Ok(Value(self.nodes.len()))
    }

    /// Adds a fully connected layer.
    ///
    /// # Errors
    /// When lengths do not fit.
    pub fn dense(&mut self, layer: Dense, input: Value) -> Result<Value, NetworkError> {
        self.push(T::dense(layer), input)
    }

    /// Adds a convolution.
    ///
    /// # Errors
    /// When lengths do not fit, or the kernel does not fit into the image.
    pub fn convolution(&mut self, layer: Conv2d, input: Value) -> Result<Value, NetworkError> {
        if !layer.shape.is_sound() {
            let Convolution { height, width, inputs, outputs, kernel, stride, padding } = layer.shape;
            return Err(NetworkError::Window(format!(
                "a convolution of {kernel} x {kernel}, stride {stride}, padding {padding}, from {inputs} to {outputs} \
                 channels, of images of {height} x {width} pixels"
            )));
        }
        self.push(T::convolution(layer), input)
    }

    /// Adds a convolution of `input` plus the value `skip`: what [`NetworkBuilder::sum`] of the two gives, with one pass
    /// over the sum less.
    ///
    /// # Errors
    /// As [`NetworkBuilder::convolution`], and when the convolution's output and `skip` differ in length.
    pub fn convolution_plus(
        &mut self,
        layer: Conv2d,
        input: Value,
        skip: Value,
    ) -> Result<Value, NetworkError> {
        let skipped = self.len(skip);
        let sum = self.convolution(layer, input)?;
        if self.len(sum) != skipped {
            return Err(NetworkError::Sum(self.len(sum), skipped));
        }
        self.nodes[sum.0 - 1].skip = Some(skip.0);
        Ok(sum)
    }

    /// Adds pooling.
    ///
    /// # Errors
    /// When lengths do not fit, or the window does not fit into the image.
    pub fn pool(&mut self, layer: Pool2d, input: Value) -> Result<Value, NetworkError> {
        if !layer.windows.is_sound() {
            let Windows { height, width, channels, window: [rows, columns], stride } = layer.windows;
            return Err(NetworkError::Window(format!(
                "pooling by windows of {rows} x {columns}, stride {stride}, of images of {height} x {width} pixels and \
                 {channels} channels"
            )));
        }
        self.push(T::pooling(layer), input)
    }

    /// Adds a shortcut without parameters.
    ///
    /// # Errors
    /// When lengths do not fit, or it would drop channels.
    pub fn shortcut(&mut self, layer: Shortcut, input: Value) -> Result<Value, NetworkError> {
        if layer.shape.stride == 0 || layer.shape.outputs < layer.shape.inputs {
            let Subsample { stride, inputs, outputs, .. } = layer.shape;
            return Err(NetworkError::Window(format!(
                "a shortcut of stride {stride} from {inputs} to {outputs} channels"
            )));
        }
        self.push(T::shortcut(layer), input)
    }

    /// Adds an activation.
    ///
    /// # Errors
    /// When the input has length 0.
    pub fn activation(&mut self, function: Activation, input: Value) -> Result<Value, NetworkError> {
        self.push(T::activation(Activate { function, len: self.len(input) }), input)
    }

    /// Adds a normalisation.
    ///
    /// # Errors
    /// When lengths do not fit, groups do not divide the channels, or nothing would be left.
    pub fn normalize(&mut self, layer: Normalization, input: Value) -> Result<Value, NetworkError> {
        layer.check()?;
        self.push(T::normalization(layer), input)
    }

    /// Adds the residual sum of two values.
    ///
    /// # Errors
    /// When their lengths differ.
    pub fn sum(&mut self, branch: Value, skip: Value) -> Result<Value, NetworkError> {
        let (output, skipped) = (self.len(branch), self.len(skip));
        if output != skipped {
            return Err(NetworkError::Sum(output, skipped));
        }
        // The identity carries the sum: other layers may look at their own output.
        let sum = self.activation(Activation::Identity, branch)?;
        self.nodes[sum.0 - 1].skip = Some(skip.0);
        Ok(sum)
    }

    /// The network, on the kernels of [`Cpu::current`].
    ///
    /// # Errors
    /// When it has no parameters, or a value that nothing uses.
    pub fn build(mut self) -> Result<Network<T>, NetworkError> {
        if self.layout.is_empty() {
            return Err(NetworkError::NoParameters);
        }
        let mut written = vec![false; self.nodes.len() + 1];
        let mut write = |value: usize| {
            let first = !std::mem::replace(&mut written[value], true);
            (value > 0).then_some(if first { Write::Set } else { Write::Add })
        };
        for node in self.nodes.iter_mut().rev() {
            // A node asks its layer first and passes the gradient to the skipped branch after.
            node.input_write = write(node.input);
            node.skip_write = node.skip.and_then(&mut write);
        }
        if let Some(unused) = (1..self.nodes.len()).find(|&value| !written[value]) {
            return Err(NetworkError::Unused(unused - 1));
        }
        let NetworkBuilder { nodes, layout, state, input_len, weights, multiplications, .. } = self;
        let couplings = (0..nodes.len()).filter(|&node| nodes[node].layer.coupling().is_some()).collect();
        let slice = slice_len(multiplications / weights);
        let (kept, passing) = (Places::kept(&nodes), Places::passing(&nodes));
        Ok(Network { nodes, layout, state, input_len, couplings, slice, kept, passing, cpu: Cpu::current() })
    }
}
