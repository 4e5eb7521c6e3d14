//! Etalon's side of the benchmarks: `bench w1|w2|w4 --repeats N --threads T` prints one line of JSON.

use etalon::nn::kernels::activation::Activation;
use etalon::nn::kernels::elementwise::sgd;
use etalon::nn::network::{Initialisation, Mlp, Parametrization};
use etalon::nn::random::{Purpose, stream};
use etalon::nn::{Batch, Linearization, Loss, Network, Workspace};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use std::time::Instant;

fn network(hidden: &[usize]) -> Network<f32> {
    Mlp {
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
    }
    .build()
    .expect("the shapes fit")
}

/// Normal inputs and one-hot targets.
fn samples(len: usize) -> (Vec<f32>, Vec<f32>) {
    let mut generator = stream(0, Purpose::Data, 0);
    let inputs = (0..len * 784).map(|_| StandardNormal.sample(&mut generator)).collect();
    let targets = (0..len * 10).map(|i| f32::from(u8::from(i % 10 == (i / 10) % 10))).collect();
    (inputs, targets)
}

fn timed(repeats: usize, warm_up: usize, mut work: impl FnMut()) -> Vec<f64> {
    (0..warm_up).for_each(|_| work());
    let time = |()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    std::iter::repeat_n((), repeats).map(time).collect()
}

/// One step of gradient descent, MLP 784-512-512-10, batch 512; milliseconds.
fn w1(repeats: usize) -> Vec<f64> {
    let network = network(&[512, 512]);
    let (inputs, targets) = samples(512);
    let mut parameters: Vec<f32> = network.layout().initialise(0);
    let mut workspace = Workspace::new(&network, 512, true);
    let batch = Batch { inputs: &inputs, targets: &targets };
    let seconds = timed(repeats, 5, || {
        network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace);
        let chunks = parameters.par_chunks_mut(1 << 15).zip(workspace.gradient().par_chunks(1 << 15));
        chunks.for_each(|(w, g)| sgd(network.cpu(), 0.01, 0.0, g, w));
    });
    seconds.iter().map(|seconds| seconds * 1e3).collect()
}

/// Sixteen learning rates of 200 full-batch steps, MLP 784-256-10, n = 1024, a trial a thread; seconds.
fn w2(repeats: usize) -> Vec<f64> {
    let network = network(&[256]);
    let (inputs, targets) = samples(1024);
    let start: Vec<f32> = network.layout().initialise(0);
    timed(repeats, 0, || {
        let losses: Vec<f64> = (0..16)
            .into_par_iter()
            .map(|index| {
                let eta = 0.01 * 1.5f32.powi(index);
                let mut parameters = start.clone();
                let mut workspace = Workspace::new(&network, 1024, false);
                let batch = Batch { inputs: &inputs, targets: &targets };
                for _ in 0..200 {
                    network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace);
                    sgd(network.cpu(), eta, 0.0, workspace.gradient(), &mut parameters);
                }
                network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace)
            })
            .collect();
        assert!(losses[0].is_finite());
    })
}

/// One Hessian-vector product at a fixed point, MLP 784-512-512-10, n = 1024; milliseconds.
fn w4(repeats: usize) -> Vec<f64> {
    let network = network(&[512, 512]);
    let (inputs, targets) = samples(1024);
    let parameters: Vec<f32> = network.layout().initialise(0);
    let direction: Vec<f32> = network.layout().initialise(1);
    let mut product = vec![0.0; parameters.len()];
    let batch = Batch { inputs: &inputs, targets: &targets };
    let mut at = Linearization::new(&network, &parameters, batch, Loss::CrossEntropy, true);
    let seconds = timed(repeats, 3, || at.hvp(&direction, &mut product));
    seconds.iter().map(|seconds| seconds * 1e3).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<usize>().ok()
    };
    rayon::ThreadPoolBuilder::new().num_threads(option("--threads").unwrap_or(2)).build_global()?;
    let (work, run, unit): (_, fn(usize) -> Vec<f64>, _) = match arguments.first().map(String::as_str) {
        Some("w1") => ("w1", w1, "ms"),
        Some("w2") => ("w2", w2, "s"),
        Some("w4") => ("w4", w4, "ms"),
        _ => return Err("usage: bench w1|w2|w4 [--repeats N] [--threads T]".into()),
    };
    // Inside the pool, so that handing work over costs no trip between threads.
    let samples = rayon::scope(|_| run(option("--repeats").unwrap_or(10)));
    println!("{}", serde_json::json!({ "work": work, "unit": unit, "samples": samples }));
    Ok(())
}
