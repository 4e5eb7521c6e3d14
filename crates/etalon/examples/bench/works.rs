//! Works that other programs do too, each with a number that all must agree on.

use crate::problem::Problem;
use crate::timed;
use etalon::curvature::network::{Coordinates, LossCurvature, Part};
use etalon::curvature::{LanczosSettings, lanczos};
use etalon::nn::kernels::elementwise::{sgd, sgd_momentum};
use etalon::nn::{Linearization, Loss, Workspace};
use rayon::prelude::*;

/// Seconds of each repeat, and the number to compare.
pub(crate) type Done = (Vec<f64>, f64);

/// One step of gradient descent, the batch whole; the loss of the last.
pub(crate) fn step(problem: &Problem, repeats: usize) -> Done {
    let (network, batch) = (&problem.network, problem.batch());
    let mut parameters = problem.parameters.clone();
    let mut workspace = Workspace::new(network, problem.samples(), true);
    let mut loss = f64::NAN;
    let seconds = timed(repeats, 5, || {
        loss = network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace);
        let chunks = parameters.par_chunks_mut(1 << 15).zip(workspace.gradient().par_chunks(1 << 15));
        chunks.for_each(|(w, g)| sgd(network.cpu(), 0.01, 0.0, g, w));
    });
    (seconds, loss)
}

/// Sixteen learning rates of 200 full-batch steps, a trial a thread; the loss that the lowest ends at.
pub(crate) fn rates(problem: &Problem, repeats: usize) -> Done {
    let (network, batch) = (&problem.network, problem.batch());
    let mut last = f64::NAN;
    let seconds = timed(repeats, 0, || {
        let trial = |index| {
            let eta = 0.01 * 1.5f32.powi(index);
            let mut parameters = problem.parameters.clone();
            let mut workspace = Workspace::new(network, problem.samples(), false);
            for _ in 0..200 {
                network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace);
                sgd(network.cpu(), eta, 0.0, workspace.gradient(), &mut parameters);
            }
            network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace)
        };
        last = (0..16).into_par_iter().map(trial).collect::<Vec<f64>>()[0];
    });
    (seconds, last)
}

/// One step of momentum descent with running statistics; the loss of the first.
pub(crate) fn momentum_step(problem: &Problem, repeats: usize) -> Done {
    let (network, batch) = (&problem.network, problem.batch());
    let mut parameters = problem.parameters.clone();
    let mut velocity = vec![0.0; parameters.len()];
    let mut workspace = Workspace::new(network, problem.samples(), true);
    let mut state: Vec<f32> = network.state_layout().initialise(0);
    let mut losses = Vec::new();
    let seconds = timed(repeats, 5, || {
        losses.push(network.gradient(&parameters, batch, Loss::CrossEntropy, &mut workspace));
        network.track(&workspace, &mut state);
        let rule = (0.1, 0.9, 5e-4, false);
        sgd_momentum(network.cpu(), rule, workspace.gradient(), &mut velocity, &mut parameters);
    });
    (seconds, losses[0])
}

/// One Hessian-vector product at a fixed point; the norm of that of ones.
pub(crate) fn product(problem: &Problem, repeats: usize) -> Done {
    let Problem { network, parameters, .. } = problem;
    let direction = vec![1.0; parameters.len()];
    let mut product = vec![0.0; parameters.len()];
    let mut at = Linearization::new(network, parameters, problem.batch(), Loss::CrossEntropy, true);
    let seconds = timed(repeats, 3, || at.hvp(&direction, &mut product));
    (seconds, product.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt())
}

/// The Hessian's largest eigenvalue to a relative residual of 0.001, from the parameters to the number.
pub(crate) fn sharpness(problem: &Problem, repeats: usize) -> Done {
    let Problem { network, parameters, .. } = problem;
    let settings = LanczosSettings { tolerance: 1e-3, ..LanczosSettings::default() };
    let coordinates = Coordinates::new(std::iter::empty());
    let mut value = f64::NAN;
    let seconds = timed(repeats, 0, || {
        let mut at = Linearization::new(network, parameters, problem.batch(), Loss::CrossEntropy, true);
        let mut operator = LossCurvature::new(&mut at, Part::Hessian, &coordinates);
        let spectrum = lanczos(&mut operator, &settings, None).expect("the settings are in range");
        assert!(spectrum.converged(), "{}", spectrum.stop);
        value = spectrum.largest[0].value;
    });
    (seconds, value)
}
