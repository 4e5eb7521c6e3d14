//! What Etalon's own loops cost: works that no other program does.

use crate::timed;
use etalon::data::BatchOrder;
use etalon::nn::kernels::elementwise::sgd;
use etalon::nn::{Batch, Workspace};
use etalon::spec::Spec;
use etalon::sweep::{Grid, Options, Store};
use etalon::train::{Plan, Task, Trial};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Two hundred trials of the default network.
const SWEEP: &str = "train.steps = 200\n[grid]\n\"optimizer.eta\" = { log = [1e-3, 0.1], points = 40 }\nseed = [0, 1, 2, 3, 4]";

/// A sweep of two hundred trials; seconds.
pub(crate) fn sweep(repeats: usize) -> Vec<f64> {
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

/// The trials without the sweep: its training loop, a trial a thread, nothing kept; seconds.
pub(crate) fn trials(repeats: usize) -> Vec<f64> {
    each_trial(repeats, |task, plan, eta, seed| {
        etalon::train::run(task, plan, eta, seed, false).expect("the budget can be done").train.loss
    })
}

/// Their steps alone, without ever looking at loss or accuracy on a set; seconds.
pub(crate) fn steps(repeats: usize) -> Vec<f64> {
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
pub(crate) fn patches_dense(repeats: usize) -> Vec<f64> {
    patches(repeats, &[])
}

/// The same of a convolutional network of six layers.
pub(crate) fn patches_convolutional(repeats: usize) -> Vec<f64> {
    let keys = ["kind=cnn", "depth=6", "stage=2", "pool=stride", "normalizer=batch"];
    patches(repeats, &keys.map(|key| format!("network.{key}")).each_ref().map(String::as_str))
}
