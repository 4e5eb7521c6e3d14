//! What a work is done on: a network, its start, and normal inputs, the same for every program.

use etalon::nn::kernels::activation::Activation;
use etalon::nn::layers::{Normalizer, Over};
use etalon::nn::network::{Family, Fan, Image, Initialisation, Mlp, Parametrization, ResNet, Skip, Style};
use etalon::nn::parameters::{save, save_tensors};
use etalon::nn::random::{Purpose, stream};
use etalon::nn::{Batch, Network};
use rand_distr::{Distribution, StandardNormal};
use std::error::Error;
use std::path::Path;

/// A network at a point, with a batch; targets are one-hot.
pub(crate) struct Problem {
    pub(crate) network: Network<f32>,
    pub(crate) parameters: Vec<f32>,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Problem {
    fn new(network: Network<f32>, samples: usize) -> Self {
        let mut generator = stream(0, Purpose::Data, 0);
        let inputs =
            (0..samples * network.input_len()).map(|_| StandardNormal.sample(&mut generator)).collect();
        let targets = (0..samples * 10).map(|i| f32::from(u8::from(i % 10 == (i / 10) % 10))).collect();
        Problem { parameters: network.layout().initialise(0), network, inputs, targets }
    }

    /// A fully connected network of 784 inputs with these hidden layers.
    pub(crate) fn dense(hidden: &[usize], samples: usize) -> Self {
        let network = Mlp {
            inputs: 784,
            hidden: hidden.to_vec(),
            outputs: 10,
            activation: Activation::Relu,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::He,
            output_gain: 1.0,
            bias: true,
            residual: false,
            normalizer: None,
        };
        Problem::new(network.build().expect("the shapes fit"), samples)
    }

    /// A PreResNet-20 with batch normalisation on images of 32 x 32 x 3.
    pub(crate) fn preresnet20(samples: usize) -> Self {
        let style = Style {
            normalizer: Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 }),
            activation: Activation::Relu,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::He,
            fan: Fan::Out,
            output_gain: 1.0,
            bias: true,
        };
        let network = ResNet {
            image: Image { height: 32, width: 32, channels: 3 },
            family: Family::PreResNet,
            depth: 20,
            channels: 16,
            widen: 1,
            skip: Skip::Pad,
            outputs: 10,
            style,
        };
        Problem::new(network.build().expect("the shapes fit"), samples)
    }

    /// That of a work that other programs do too.
    pub(crate) fn of(work: &str) -> Option<Self> {
        Some(match work {
            "w1" => Problem::dense(&[512, 512], 512),
            "w2" => Problem::dense(&[256], 1024),
            "w4" | "w11" => Problem::dense(&[512, 512], 1024),
            "w3" | "w7" | "w13" => Problem::preresnet20(128),
            _ => return None,
        })
    }

    pub(crate) fn batch(&self) -> Batch<'_, f32> {
        Batch { inputs: &self.inputs, targets: &self.targets }
    }

    pub(crate) fn samples(&self) -> usize {
        self.targets.len() / 10
    }

    /// Writes the files `weights`, by PyTorch's names, and `samples`, a row each; images are height x width x channels.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        save(&folder.join("weights"), [(self.network.layout(), &self.parameters)])?;
        let shape = |values: &[f32]| vec![self.samples(), values.len() / self.samples()];
        let tensors = [("inputs", &self.inputs[..]), ("targets", &self.targets)];
        save_tensors(&folder.join("samples"), &tensors.map(|(name, values)| (name, shape(values), values)))?;
        Ok(())
    }
}
