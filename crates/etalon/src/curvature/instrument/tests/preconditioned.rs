//! The curvature in an optimiser's coordinates, against dense matrices and against training itself.

use super::super::*;
use crate::curvature::Operator;
use crate::spec::Spec;
use crate::theory::symmetric::largest_eigenvalue;
use crate::train::{Budget, Plan, Stop, Trial};

fn spec(more: &str) -> Spec {
    let base = "loss=mse precision=f64 data.name=teacher data.dimension=3 data.train=20 data.test=10 train.batch=full \
                network.depth=1 network.width=4 network.activation=tanh optimizer.kind=adamw measure.tolerance=1e-10 \
                measure.samples=20";
    let arguments: Vec<String> = format!("{base} {more}").split_whitespace().map(Into::into).collect();
    Spec::load(None, &arguments).unwrap()
}

/// The Hessian, entry by entry.
fn dense(at: &mut Linearization<'_, f64>) -> Vec<f64> {
    let n = at.network().parameters();
    let plain = Coordinates::new(std::iter::empty());
    let mut operator = LossCurvature::new(at, Part::Hessian, &plain);
    let mut matrix = vec![0.0; n * n];
    for (column, product) in matrix.chunks_exact_mut(n).enumerate() {
        let mut unit = vec![0.0; n];
        unit[column] = 1.0;
        let mut applied = vec![0.0; n];
        operator.apply(&unit, &mut applied).unwrap();
        product.copy_from_slice(&applied);
    }
    matrix
}

#[test]
fn the_preconditioned_hessian_is_that_of_a_dense_matrix() {
    for more in ["", "optimizer.input_factor=0.3", "optimizer.input_factor=0"] {
        let spec = spec(more);
        let task = spec.task::<f64>().unwrap();
        let instrument = spec.instrument(&task, false).unwrap();
        let factors = spec.plan(&task).unwrap().factors;
        let segments = task.network.layout().segments();
        let factor_of = |index: usize| {
            let segment = segments.iter().position(|segment| segment.range.contains(&index)).unwrap();
            factors[segment]
        };
        let plan = Plan { budget: Budget::Steps(20), ..spec.plan(&task).unwrap() };
        let trial = Trial::new(&task, &plan, 1e-2, 1, false).unwrap();
        let mut states = Vec::new();
        trial.run(&mut |state, _| {
            if state.step == 0 || state.last {
                states.push((state.parameters.to_vec(), state.memory.clone()));
            }
        });
        for (parameters, memory) in states {
            let mut reading = instrument.at(&parameters);
            let found = reading.preconditioned(Some(&memory)).unwrap().unwrap().largest[0];
            let mut gradient = vec![0.0; parameters.len()];
            reading.at.gradient(&mut gradient);
            // After its first update P is |g| + epsilon; later the root of the corrected mean square.
            let correction = 1.0 - 0.999f64.powi(memory.steps as i32);
            let p = |i: usize| match memory.steps {
                0 => gradient[i].abs() + 1e-8,
                _ => (memory.buffers[1][i] / correction).sqrt() + 1e-8,
            };
            let n = parameters.len();
            let root = |i: usize| (factor_of(i) / p(i)).sqrt();
            let mut matrix = dense(&mut reading.at);
            matrix.iter_mut().enumerate().for_each(|(k, h)| *h *= root(k / n) * root(k % n));
            let expected = largest_eigenvalue(n, matrix);
            assert!(found.converged, "{more} after {} steps: {found:?}", memory.steps);
            assert!((found.value / expected - 1.0).abs() < 1e-9, "{more}: {}, not {expected}", found.value);
        }
    }
}

#[test]
fn other_optimisers_have_no_coordinates_of_their_own() {
    let spec = spec("optimizer.kind=sgd");
    let task = spec.task::<f64>().unwrap();
    let instrument = spec.instrument(&task, false).unwrap();
    let parameters = task.network.layout().initialise(0);
    assert_eq!(instrument.at(&parameters).preconditioned(None).unwrap(), None);
    assert_eq!(instrument.at(&parameters).along_first_update(), None);
}

/// The loss of a linear model is a parabola along its first update, so that twice the way to the bottom of it leads back to the loss
/// at the start.
#[test]
fn the_curvature_along_the_first_update_is_what_a_step_of_training_meets() {
    for more in ["", "optimizer.input_factor=0.3"] {
        let spec = spec(&format!("network.depth=0 train.steps=1 {more}"));
        let task = spec.task::<f64>().unwrap();
        let plan = spec.plan(&task).unwrap();
        let instrument = spec.instrument(&task, false).unwrap();
        let parameters = task.network.layout().initialise(3);
        let lambda = instrument.at(&parameters).along_first_update().unwrap();
        let loss_after = |eta: f64| {
            let mut loss = f64::NAN;
            Trial::new(&task, &plan, eta, 3, false).unwrap().run(&mut |state, _| {
                loss = instrument.at(state.parameters).loss();
            });
            loss
        };
        let [start, back, bottom] = [1e-300, 2.0 / lambda, 1.0 / lambda].map(loss_after);
        assert!((back / start - 1.0).abs() < 1e-9, "{more}: {back}, not {start}");
        assert!(
            bottom < 0.99 * start && bottom < loss_after(0.99 / lambda) && bottom < loss_after(1.01 / lambda)
        );
    }
}

/// A linear model, and an epsilon so large that it is the whole preconditioner: then the quadratic is the network's own.
#[test]
fn adamw_diverges_above_its_limit_and_not_below() {
    for decay in [0.0, 0.2] {
        // Bias correction lengthens the first steps, which multiply the weights by up to 1e16 before the rate's own
        // stability tells: the limit of divergence lies above that, and epsilon above the gradients there.
        let spec = spec(
            "network.depth=0 network.bias=false optimizer.epsilon=1e40 train.steps=3000 train.limit=1e60",
        );
        let task = spec.task::<f64>().unwrap();
        let plan = spec.plan(&task).unwrap();
        let instrument = spec.instrument(&task, false).unwrap();
        let parameters = task.network.layout().initialise(0);
        let found = instrument.at(&parameters).preconditioned(None).unwrap().unwrap().largest[0].value;
        // Decay beside a curvature of 1e-40 would be all there is.
        let plan = Plan { weight_decay: decay * 1e-40, ..plan };
        let limit = plan.stability_limit(found).unwrap();
        let stop =
            |share: f64| Trial::new(&task, &plan, share * limit, 0, false).unwrap().run(&mut |_, _| {}).stop;
        assert!(matches!(stop(0.98), Stop::Budget { .. }), "decay {decay}: {:?}", stop(0.98));
        assert!(stop(1.02).diverged(), "decay {decay}: {:?}", stop(1.02));
    }
}
