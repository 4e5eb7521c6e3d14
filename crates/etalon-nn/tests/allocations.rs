//! A training step allocates nothing: counted, not claimed. Alone in its file, because it counts for the process.

#[path = "../examples/attention.rs"]
#[allow(dead_code, reason = "the example runs by itself")]
mod attention;
mod counting;

use attention::Attention;
use counting::allocations;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{Kept, Normalizer, Over};
use etalon_nn::network::{
    Cnn, Family, Fan, Image, Initialisation, Mlp, Parametrization, ResNet, Skip, Style,
};
use etalon_nn::optim::{AdamW, Buffers, Rate, Rule, Sgd, step};
use etalon_nn::{Batch, Loss, Network, Workspace};

/// Six steps of each rule over 600 samples, of which the last five may not allocate.
fn steps(network: &Network<f32>, name: &str) {
    train(network, Rule::Sgd(Sgd { momentum: 0.9, nesterov: true }), 0.01, name);
    train(network, Rule::AdamW(AdamW::default()), 1e-3, name);
}

fn train(network: &Network<f32>, rule: Rule, eta: f64, name: &str) {
    let len = network.input_len();
    let (inputs, mut targets) = (vec![0.5f32; 600 * len], vec![0.0f32; 600 * 10]);
    targets.iter_mut().step_by(10).for_each(|target| *target = 1.0);
    let mut parameters: Vec<f32> = network.layout().initialise(0);
    let mut memory = Buffers::new(&rule, parameters.len());
    let mut running: Vec<f32> = network.state_layout().initialise(0);
    let mut outputs = vec![0.0f32; 600 * 10];
    let noise = vec![0.01f32; network.noise_len()];
    let mut workspace = Workspace::new(network, 600, false);
    let mut advance = || {
        let batch = Batch { inputs: &inputs, targets: &targets };
        let loss = network.noisy_gradient(&parameters, batch, &noise, Loss::CrossEntropy, &mut workspace);
        let rate = |_| Some(Rate { eta, weight_decay: 1e-4 });
        step(&rule, network, rate, workspace.gradient(), &mut memory, &mut parameters, false);
        network.track(&workspace, &mut running);
        network.outputs(&parameters, &running, &inputs, &mut workspace, &mut outputs);
        loss
    };
    // The first step may fill the kernels' scratch, which a thread keeps.
    let first = advance();
    let before = allocations();
    let last = (0..5).map(|_| advance()).last();
    let made = allocations() - before;
    assert!(last < Some(first), "{name}, {rule:?}: the steps do train");
    assert_eq!(made, 0, "{name}, {rule:?}");
}

const STYLE: Style = Style {
    normalizer: Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 }),
    activation: Activation::Relu,
    parametrization: Parametrization::Standard,
    initialisation: Initialisation::He,
    fan: Fan::Out,
    output_gain: 1.0,
    bias: true,
};
const IMAGE: Image = Image { height: 8, width: 7, channels: 3 };

fn residual(family: Family, skip: Skip) -> Network<f32> {
    let depth = if family == Family::Wide { 10 } else { 8 };
    let network =
        ResNet { image: IMAGE, family, depth, channels: 5, widen: 1, skip, outputs: 10, style: STYLE };
    network.build().unwrap()
}

fn cnn() -> Network<f32> {
    let pooling = Some(Kept::Maximum);
    let network = Cnn { image: IMAGE, depth: 2, channels: 4, stage: 1, pooling, outputs: 10, style: STYLE };
    network.build().unwrap()
}

// One test in this file: another one's thread would allocate at the same time.
#[test]
fn a_step_allocates_nothing() {
    steps(&residual(Family::PreResNet, Skip::Pad), "PreResNet");
    steps(&residual(Family::Wide, Skip::Pad), "wide");
    steps(&cnn(), "maximum pooling");
    steps(&attention::network(20, Attention { n: 5, h: 4 }, 10).unwrap(), "attention");
    let normalizer = |over| Some(Normalizer { over, affine: true, epsilon: 1e-5 });
    for (activation, normalizer) in [
        (Activation::Relu, None),
        (Activation::Tanh, None),
        (Activation::Gelu, None),
        (Activation::Relu, normalizer(Over::Batch)),
        (Activation::Tanh, normalizer(Over::Layer)),
        (Activation::Gelu, normalizer(Over::Groups(4))),
    ] {
        let network = Mlp {
            inputs: 50,
            hidden: vec![64, 64],
            outputs: 10,
            activation,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::He,
            output_gain: 1.0,
            bias: true,
            residual: true,
            normalizer,
        }
        .build::<f32>()
        .unwrap();
        steps(&network, &format!("{activation:?} {normalizer:?}"));
    }
}
