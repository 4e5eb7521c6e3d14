//! Noise before activations.

use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{Normalizer, Over};
use etalon_nn::network::{Cnn, Fan, Image, Initialisation, Mlp, Parametrization, Style};
use etalon_nn::{Batch, Loss, Network, Workspace};

/// A layer with one position: the same as a shift of the normalisation's own biases.
#[test]
fn noise_shifts_every_channel_of_a_position() {
    let normalizer = |over| Some(Normalizer { over, affine: true, epsilon: 1e-5 });
    let mlp = Mlp {
        inputs: 3,
        hidden: vec![4, 4],
        outputs: 2,
        activation: Activation::Tanh,
        parametrization: Parametrization::Standard,
        initialisation: Initialisation::He,
        output_gain: 1.0,
        bias: true,
        residual: false,
        normalizer: normalizer(Over::Batch),
    };
    let network: Network<f64> = mlp.build().unwrap();
    assert_eq!(network.noise_len(), 2);
    let inputs: Vec<f64> = (0..15).map(|k| (1.7 * f64::from(k)).sin()).collect();
    let targets: Vec<f64> = (0..10).map(|k| (0.9 * f64::from(k)).cos()).collect();
    let batch = Batch { inputs: &inputs, targets: &targets };
    let parameters: Vec<f64> = network.layout().initialise(3);
    let mut workspace = Workspace::new(&network, 5, false);
    let noisy = network.noisy_gradient(&parameters, batch, &[0.3, -0.2], Loss::Mse, &mut workspace);
    let gradient = workspace.gradient().to_vec();
    let mut shifted = parameters.clone();
    for (name, by) in [("layers.1.bias", 0.3), ("layers.3.bias", -0.2)] {
        let range = network.layout().find(name).unwrap().range.clone();
        shifted[range].iter_mut().for_each(|bias| *bias += by);
    }
    let plain = network.gradient(&shifted, batch, Loss::Mse, &mut workspace);
    assert!((noisy - plain).abs() < 1e-14);
    assert!(gradient.iter().zip(workspace.gradient()).all(|(a, b)| (a - b).abs() < 1e-14));
    // Nobody's noise is nobody's.
    let silent = network.noisy_gradient(&parameters, batch, &[0.0, 0.0], Loss::Mse, &mut workspace);
    assert_eq!(silent, network.gradient(&parameters, batch, Loss::Mse, &mut workspace));
}

#[test]
fn noise_of_images_has_a_number_a_position() {
    let style = Style {
        normalizer: Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 }),
        activation: Activation::Identity,
        parametrization: Parametrization::Standard,
        initialisation: Initialisation::He,
        fan: Fan::Out,
        output_gain: 1.0,
        bias: true,
    };
    let image = Image { height: 4, width: 2, channels: 1 };
    let pooling = None;
    let cnn = Cnn { image, depth: 2, channels: 3, stage: 1, pooling, outputs: 1, style };
    let network: Network<f64> = cnn.build().unwrap();
    assert_eq!(network.noise_len(), 8 + 2);
    // Behind the last normalisation stand the channels' means and a linear layer: noise at one of its two positions
    // moves every output by half of it times the sum of the output's weights.
    let parameters: Vec<f64> = network.layout().initialise(1);
    let inputs: Vec<f64> = (0..24).map(|k| (1.3 * f64::from(k)).sin()).collect();
    let mut workspace = Workspace::new(&network, 3, false);
    let mut loss = |noise: &[f64]| {
        let batch = Batch { inputs: &inputs, targets: &[0.0; 3] };
        network.noisy_gradient(&parameters, batch, noise, Loss::Mse, &mut workspace);
        let bias = network.layout().find("fc.bias").unwrap().range.start;
        // The gradient of the last bias is the mean output.
        workspace.gradient()[bias]
    };
    let weights: f64 = parameters[network.layout().find("fc.weight").unwrap().range.clone()].iter().sum();
    let mut noise = [0.0; 10];
    let before = loss(&noise);
    noise[9] = 0.5;
    assert!((loss(&noise) - before - 0.25 * weights).abs() < 1e-14);
}
