//! The engine's training of a two-layer linear network against the exact map of the catapult paper (2003.02218,
//! section 2): nothing in common but the equations.

use etalon::curvature::{LanczosSettings, lanczos, network::Coordinates, network::Ntk};
use etalon::nn::{Linearization, Loss};
use etalon::spec::Spec;
use etalon::train::{Record, State, Task, Trial};

/// `f = v.u / sqrt(n)`, one sample x = 1 with target 0, loss f^2/2, in f64.
fn spec(width: usize, steps: u64) -> Spec {
    Spec::parse(&format!(
        "loss = \"mse\"\nprecision = \"f64\"\n[data]\nname = \"point\"\n\
         [network]\ndepth = 1\nwidth = {width}\nactivation = \"identity\"\nparametrization = \"ntk\"\ninit = \"lecun\"\n\
         bias = false\n[train]\nbatch = \"full\"\nsteps = {steps}"
    ))
    .unwrap()
}

fn top_ntk(task: &Task<f64>, parameters: &[f64]) -> f64 {
    let coordinates = Coordinates::new(std::iter::empty());
    let mut at = Linearization::new(&task.network, parameters, task.train.batch(), Loss::Mse, false);
    let spectrum = lanczos(&mut Ntk::new(&mut at, &coordinates), &LanczosSettings::default(), None).unwrap();
    spectrum.largest[0].value
}

#[test]
fn function_and_kernel_follow_the_map() {
    let (n, steps) = (512.0, 50);
    let spec = spec(512, steps);
    let task = spec.task::<f64>().unwrap();
    let plan = spec.plan(&task).unwrap();
    let start = task.network.layout().initialise::<f64>(3);
    let (u, v) = start.split_at(512);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lambda0 = (dot(u, u) + dot(v, v)) / n;
    for c in [1.0, 2.5, 3.5] {
        let eta = c / lambda0;
        let (mut f, mut lambda) = (dot(u, v) / f64::sqrt(n), lambda0);
        let mut worst = 0.0f64;
        let trial = Trial::from_parameters(&task, &plan, eta, 3, start.clone(), false).unwrap();
        let trajectory = trial.run(&mut |state: State<f64>, _: &mut Record| {
            let (u, v) = state.parameters.split_at(512);
            let norms = (dot(u, u) + dot(v, v)) / n;
            let measured = top_ntk(&task, state.parameters);
            assert!((measured / norms - 1.0).abs() < 1e-12, "the kernel of {measured} is not {norms}");
            assert!((measured / lambda - 1.0).abs() < 1e-12, "c = {c}, step {}: lambda", state.step);
            // f is compared in units of its largest value so far: it crosses zero.
            let scale = (n.sqrt() / eta).max(f.abs());
            worst = worst.max((dot(u, v) / n.sqrt() - f).abs() / scale);
            (f, lambda) = (
                f * (1.0 - eta * lambda + eta * eta * f * f / n),
                lambda + eta * f * f / n * (eta * lambda - 4.0),
            );
        });
        assert_eq!(trajectory.steps, steps, "c = {c}");
        assert!(worst < 1e-12, "c = {c}: f differs by {worst:e}");
        let catapult = trajectory.peak_loss > 10.0 * trajectory.first_loss;
        assert_eq!(
            catapult,
            c > 2.0,
            "c = {c}: peak {} from {}",
            trajectory.peak_loss,
            trajectory.first_loss
        );
    }
}
