//! The catapult on real images: what Lewkowycz et al. 2020 say of wide networks under squared loss, on the embedded
//! slice of Fashion-MNIST.

use etalon::curvature::{Ends, Instrument};
use etalon::spec::Spec;
use etalon::theory::{Range, TheoryError, first_change};
use etalon::train::{Plan, Record, State, Task, Trajectory, Trial};

fn spec(overrides: &str) -> Spec {
    let base = "loss=mse data.name=fashion-mini data.train=200 data.test=100 network.parametrization=ntk \
                train.batch=full measure.samples=200 train.check_every=100000";
    let all: Vec<String> =
        base.split_whitespace().chain(overrides.split_whitespace()).map(String::from).collect();
    Spec::load(None, &all).unwrap()
}

fn ntk(spec: &Spec, task: &Task<f32>, parameters: &[f32]) -> f64 {
    let instrument = Instrument::new(spec, task, true).unwrap();
    instrument.at(parameters).ntk().unwrap().largest[0].value
}

fn train(spec: &Spec, task: &Task<f32>, start: &[f32], eta: f64, seed: u64) -> (Trajectory, Vec<f32>) {
    let plan = Plan::new(spec, task).unwrap();
    let trial = Trial::from_parameters(task, &plan, eta, seed, start.to_vec(), true).unwrap();
    let mut end = Vec::new();
    let trajectory = trial.run(&mut |state: State<f32>, _: &mut Record| {
        if state.last {
            end = state.parameters.to_vec();
        }
    });
    (trajectory, end)
}

/// For 1 to 3 hidden layers: curvature stands still below c = 2, and ends at most at 2 / eta above.
fn curvature_is_flat_below_two_and_at_most_two_over_eta_above(activation: &str, init: &str) {
    for depth in [1, 2, 3] {
        let spec = spec(&format!(
            "network.depth={depth} network.width=512 network.activation={activation} network.init={init} train.steps=80"
        ));
        let task = Task::<f32>::new(&spec).unwrap();
        let start: Vec<f32> = task.network.layout().initialise(0);
        let lambda0 = ntk(&spec, &task, &start);
        for c in [0.5, 1.0, 1.5, 1.8, 2.2, 2.5, 3.0] {
            let eta = c / lambda0;
            let (trajectory, end) = train(&spec, &task, &start, eta, 0);
            let end = ntk(&spec, &task, &end);
            println!(
                "{activation} depth {depth} c {c}: lambda0 {lambda0:.4} ratio {:.4} eta lambda {:.4} peak {:.3} at {} final {:.4} const {:.4}",
                end / lambda0,
                eta * end,
                trajectory.peak_loss / trajectory.first_loss,
                trajectory.peak_step,
                trajectory.train.loss,
                trajectory.constant_loss
            );
        }
    }
}

#[test]
fn linear_networks() {
    curvature_is_flat_below_two_and_at_most_two_over_eta_above("identity", "lecun");
}

#[test]
fn relu_networks() {
    curvature_is_flat_below_two_and_at_most_two_over_eta_above("relu", "he");
}

#[test]
fn tanh_networks() {
    curvature_is_flat_below_two_and_at_most_two_over_eta_above("tanh", "lecun");
}

#[test]
fn a_deep_relu_network_of_ten_classes_trains_up_to_about_twelve() {
    let spec = spec("network.depth=3 network.width=512 data.train=320 train.batch=64 train.steps=150");
    let task = Task::<f32>::new(&spec).unwrap();
    let mut limits: Vec<f64> = (0..3)
        .map(|seed| {
            let start: Vec<f32> = task.network.layout().initialise(seed);
            let lambda0 = ntk(&spec, &task, &start);
            let fails = |c: f64| -> Result<bool, TheoryError> {
                let (trajectory, _) = train(&spec, &task, &start, c / lambda0, seed);
                println!(
                    "seed {seed} c {c}: {} final {} const {}",
                    trajectory.stop, trajectory.train.loss, trajectory.constant_loss
                );
                Ok(!(trajectory.train.loss < 0.9 * trajectory.constant_loss))
            };
            let range = Range { low: 4.0, high: 32.0, steps: 6, tolerance: 0.1 };
            first_change(&range, fails).unwrap().middle()
        })
        .collect();
    limits.sort_by(f64::total_cmp);
    println!("{limits:?}");
    assert!((8.0..16.0).contains(&limits[1]), "{limits:?}");
}

#[test]
fn the_top_of_the_hessian_is_that_of_the_kernel_at_the_start() {
    for depth in [1, 2, 3] {
        let spec = spec(&format!("network.depth={depth} network.width=2048 data.train=100"));
        let task = Task::<f32>::new(&spec).unwrap();
        let start: Vec<f32> = task.network.layout().initialise(0);
        let instrument = Instrument::new(&spec, &task, true).unwrap();
        let mut at = instrument.at(&start);
        let (ntk, hessian) = (at.ntk().unwrap(), at.hessian(Ends::Largest, 1).unwrap());
        assert!(ntk.converged() && hessian.converged());
        let ratio = hessian.largest[0].value / ntk.largest[0].value;
        println!("depth {depth}: {ratio}");
        assert!((ratio - 1.0).abs() < 0.1, "depth {depth}: Hessian over NTK is {ratio}");
    }
}
