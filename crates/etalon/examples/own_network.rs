//! A network, data and a loss of one's own: its curvature, and the learning rate to use.
//!
//! `cargo run --release -p etalon --example own_network`

use etalon::jobs::{FindSettings, MeasureSettings, Problem, find, measure, unheard};
use etalon::nn::kernels::activation::Activation;
use etalon::nn::{Loss, Network, NetworkBuilder, layers::Dense, network::NetworkError};
use etalon::train::Budget;

/// Two layers of tanh units, the second one with a residual connection. `NetworkBuilder::push` takes any `Layer`.
fn network() -> Result<Network<f32>, NetworkError> {
    let dense = |inputs, outputs| {
        let weight_deviation = (inputs as f64).sqrt().recip();
        Dense { inputs, outputs, weight_multiplier: 1.0, weight_deviation, bias_multiplier: Some(1.0) }
    };
    let mut network = NetworkBuilder::new(2)?;
    let first = network.dense(dense(2, 32), network.input())?;
    let first = network.activation(Activation::Tanh, first)?;
    let second = network.dense(dense(32, 32), first)?;
    let sum = network.sum(second, first)?;
    let second = network.activation(Activation::Tanh, sum)?;
    network.dense(dense(32, 1), second)?;
    network.build()
}

/// Points of a square: +1 within a disk, -1 around it.
fn points(numbers: std::ops::Range<u32>) -> (Vec<f32>, Vec<f32>) {
    let place = |number: u32, ratio: f32| 2.0 * (number as f32 * ratio).fract() - 1.0;
    let inputs: Vec<f32> = numbers.flat_map(|k| [place(k, 0.7548777), place(k, 0.5698403)]).collect();
    let sign = |point: &[f32]| if point[0].hypot(point[1]) < 0.8 { 1.0 } else { -1.0 };
    let targets = inputs.chunks_exact(2).map(sign).collect();
    (inputs, targets)
}

/// The Hessian's largest eigenvalue at the start, and the rate to use.
pub(crate) fn run() -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let ((inputs, targets), (held_out, held_out_targets)) = (points(0..200), points(200..300));
    let problem = Problem::builder(network()?, Loss::Logistic)
        .train(inputs, targets)
        .held_out(held_out, held_out_targets)
        .budget(Budget::Epochs(100.0))
        .build()?;
    let lambda = measure(&problem, &MeasureSettings::default())?.sharpness().ok_or("no curvature")?;
    let found = find(&problem, &FindSettings::default(), &unheard)?;
    let eta = found.recommended.and_then(|choice| choice.eta);
    Ok((lambda, eta.ok_or("no rate trains")?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run().map(|(lambda, eta)| println!("2/lambda = {:.3}; use eta = {eta:.3}", 2.0 / lambda))
}
