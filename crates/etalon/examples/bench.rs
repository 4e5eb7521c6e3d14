//! Etalon's side of the benchmarks: `bench WORK --repeats N --threads T` prints one line of JSON.

use etalon::data::BatchOrder;
use etalon::nn::kernels::activation::Activation;
use etalon::nn::kernels::elementwise::{sgd, sgd_momentum};
use etalon::nn::layers::{Normalizer, Over};
use etalon::nn::network::{Family, Fan, Image, Initialisation, Mlp, Parametrization, ResNet, Skip, Style};
use etalon::nn::random::{Purpose, stream};
use etalon::nn::{Batch, Linearization, Loss, Network, Workspace};
use etalon::spec::Spec;
use etalon::sweep::{Grid, Options, Store};
use etalon::train::{Plan, Task, Trial};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;
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
fn samples(len: usize, width: usize) -> (Vec<f32>, Vec<f32>) {
    let mut generator = stream(0, Purpose::Data, 0);
    let inputs = (0..len * width).map(|_| StandardNormal.sample(&mut generator)).collect();
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
    let (inputs, targets) = samples(512, 784);
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
    let (inputs, targets) = samples(1024, 784);
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

/// PreResNet-20 with batch normalisation on images of 32 x 32 x 3.
fn preresnet20() -> Network<f32> {
    let style = Style {
        normalizer: Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 }),
        activation: Activation::Relu,
        parametrization: Parametrization::Standard,
        initialisation: Initialisation::He,
        fan: Fan::Out,
        output_gain: 1.0,
        bias: true,
    };
    ResNet {
        image: Image { height: 32, width: 32, channels: 3 },
        family: Family::PreResNet,
        depth: 20,
        channels: 16,
        widen: 1,
        skip: Skip::Pad,
        outputs: 10,
        style,
    }
    .build()
    .expect("the shapes fit")
}

/// One step of momentum descent, PreResNet-20, batch 128; milliseconds.
fn w3(repeats: usize) -> Vec<f64> {
    let network = preresnet20();
    let (inputs, targets) = samples(128, network.input_len());
    let mut parameters: Vec<f32> = network.layout().initialise(0);
    let mut velocity = vec![0.0; parameters.len()];
    let mut workspace = Workspace::new(&network, 128, true);
    let mut state: Vec<f32> = network.state_layout().initialise(0);
    let batch = Batch { inputs: &inputs, targets: &targets };
    let seconds = timed(repeats, 5, || {
        network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace);
        network.track(&workspace, &mut state);
        let rule = (0.1, 0.9, 5e-4, false);
        sgd_momentum(network.cpu(), rule, workspace.gradient(), &mut velocity, &mut parameters);
    });
    seconds.iter().map(|seconds| seconds * 1e3).collect()
}

/// One Hessian-vector product at a fixed point; milliseconds.
fn hvp(network: &Network<f32>, n: usize, repeats: usize) -> Vec<f64> {
    let (inputs, targets) = samples(n, network.input_len());
    let parameters: Vec<f32> = network.layout().initialise(0);
    let direction: Vec<f32> = network.layout().initialise(1);
    let mut product = vec![0.0; parameters.len()];
    let batch = Batch { inputs: &inputs, targets: &targets };
    let mut at = Linearization::new(network, &parameters, batch, Loss::CrossEntropy, true);
    let seconds = timed(repeats, 3, || at.hvp(&direction, &mut product));
    seconds.iter().map(|seconds| seconds * 1e3).collect()
}

/// Of MLP 784-512-512-10, n = 1024.
fn w4(repeats: usize) -> Vec<f64> {
    hvp(&network(&[512, 512]), 1024, repeats)
}

/// Of PreResNet-20, n = 128.
fn w7(repeats: usize) -> Vec<f64> {
    hvp(&preresnet20(), 128, repeats)
}

/// Two hundred trials of the default network.
const SWEEP: &str = "train.steps = 200\n[grid]\n\"optimizer.eta\" = { log = [1e-3, 0.1], points = 40 }\nseed = [0, 1, 2, 3, 4]";

/// A sweep of two hundred trials; seconds.
fn w5(repeats: usize) -> Vec<f64> {
    let grid = Grid::parse(SWEEP).expect("the spec is whole");
    let options = Options { threads: rayon::current_num_threads(), stop: &AtomicBool::new(false) };
    timed(repeats, 0, || {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let store = Store::open(folder.path(), &grid, &etalon::record::Meta::default())
            .expect("it can be written to");
        let report = etalon::sweep::run(&store, &grid, &options, &|_| {}).expect("it can be written to");
        assert_eq!(report.done, 200);
    })
}

/// Calls `train` with the rate and seed of each trial of the sweep, on all threads.
fn each_trial(repeats: usize, train: impl Fn(&Task<f32>, &Plan, f64, u64) -> f64 + Sync) -> Vec<f64> {
    let grid = Grid::parse(SWEEP).expect("the spec is whole");
    let specs: Vec<_> =
        grid.cells().iter().map(|cell| grid.spec(cell).expect("its cells are its own")).collect();
    timed(repeats, 0, || {
        let task = specs[0].task::<f32>().expect("the data is part of the program");
        let plan = specs[0].plan(&task).expect("the spec fits the data");
        let losses: Vec<f64> = specs
            .par_iter()
            .with_max_len(1)
            .map(|spec| train(&task, &plan, spec.optimizer.eta, spec.seed))
            .collect();
        assert!(losses.iter().all(|loss| loss.is_finite()));
    })
}

/// The trials of `w5` without the sweep: its training loop, a trial a thread, nothing kept; seconds.
fn w5_loop(repeats: usize) -> Vec<f64> {
    each_trial(repeats, |task, plan, eta, seed| {
        etalon::train::run(task, plan, eta, seed, false).expect("the budget can be done").train.loss
    })
}

/// The steps of the trials of `w5` alone, without ever looking at loss or accuracy on a set; seconds.
fn w5_steps(repeats: usize) -> Vec<f64> {
    each_trial(repeats, |task, plan, eta, seed| {
        let (network, width, outputs) = (&task.network, task.network.input_len(), task.network.output_len());
        let mut parameters: Vec<f32> = network.layout().initialise(seed);
        let mut workspace = Workspace::new(network, plan.batch, false);
        let mut order = BatchOrder::new(seed, task.train.len, plan.batch).expect("the batch fits");
        let (mut inputs, mut targets) = (vec![0.0; plan.batch * width], vec![0.0; plan.batch * outputs]);
        let mut loss = 0.0;
        for step in 0..plan.steps(eta, task.train.len).expect("the budget can be done") {
            for (row, &index) in order.indices(step).iter().enumerate() {
                let index = index as usize;
                inputs[row * width..][..width].copy_from_slice(&task.train.inputs[index * width..][..width]);
                targets[row * outputs..][..outputs]
                    .copy_from_slice(&task.train.targets[index * outputs..][..outputs]);
            }
            let batch = Batch { inputs: &inputs, targets: &targets };
            loss = network.gradient(&parameters, batch, task.loss, &mut workspace);
            sgd(network.cpu(), eta as f32, 0.0, workspace.gradient(), &mut parameters);
        }
        loss
    })
}

/// What patches cost a step of training, by turns with and without them; percent of a step.
fn patches(repeats: usize, network: &[&str]) -> Vec<f64> {
    let keys = |size: usize| -> Vec<String> {
        let own = ["train.steps=1e9".to_string(), format!("data.patch.size={size}")];
        network.iter().map(|key| key.to_string()).chain(own).collect()
    };
    let made = [0, 6].map(|size| {
        let spec = Spec::load(None, &keys(size)).expect("the keys are right");
        let task = spec.task::<f32>().expect("the data is part of the program");
        let plan = spec.plan(&task).expect("the spec fits the data");
        (task, plan)
    });
    let mut trials = made
        .each_ref()
        .map(|(task, plan)| Trial::new(task, plan, 0.01, 0, true).expect("the budget can be done"));
    let mut round = || {
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..25 {
            for (trial, seconds) in trials.iter_mut().zip(&mut seconds) {
                let start = Instant::now();
                trial.step();
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        let [plain, patched] = seconds.map(|mut seconds| {
            seconds.sort_unstable_by(f64::total_cmp);
            seconds[seconds.len() / 2]
        });
        100.0 * (patched / plain - 1.0)
    };
    round();
    std::iter::repeat_with(round).take(repeats).collect()
}

/// Patches of 6 x 6 on the images of the default network.
fn w6(repeats: usize) -> Vec<f64> {
    patches(repeats, &[])
}

/// The same of a convolutional network of six layers.
fn w6_cnn(repeats: usize) -> Vec<f64> {
    let keys = ["kind=cnn", "depth=6", "stage=2", "pool=stride", "normalizer=batch"];
    patches(repeats, &keys.map(|key| format!("network.{key}")).each_ref().map(String::as_str))
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
        Some("w3") => ("w3", w3, "ms"),
        Some("w4") => ("w4", w4, "ms"),
        Some("w5") => ("w5", w5, "s"),
        Some("w5-loop") => ("w5", w5_loop, "s"),
        Some("w5-steps") => ("w5", w5_steps, "s"),
        Some("w6") => ("w6", w6, "%"),
        Some("w6-cnn") => ("w6", w6_cnn, "%"),
        Some("w7") => ("w7", w7, "ms"),
        _ => {
            return Err(
                "usage: bench w1|w2|w3|w4|w5|w5-loop|w5-steps|w6|w6-cnn|w7 [--repeats N] [--threads T]"
                    .into(),
            );
        }
    };
    // Inside the pool, so that handing work over costs no trip between threads.
    let samples = rayon::scope(|_| run(option("--repeats").unwrap_or(10)));
    println!("{}", serde_json::json!({ "work": work, "unit": unit, "samples": samples }));
    Ok(())
}
