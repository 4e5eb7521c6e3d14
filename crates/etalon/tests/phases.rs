//! A one-hidden-layer ReLU network under MSE has the phases of the catapult paper (2003.02218): 2/lambda0 is where the
//! loss begins to rise, and the largest rate that trains is about twice that.

use etalon::jobs::{FindSettings, find, unheard};
use etalon::phase::{Phase, PhaseVerdict, observe};
use etalon::search::{Boundary, Curved};
use etalon::spec::Spec;
use etalon::train::{Task, Trial};

const SPEC: &str = "loss = \"mse\"\n\
    [data]\nname = \"teacher\"\ntrain = 100\ntest = 50\n\
    [network]\ndepth = 1\nwidth = 512\nparametrization = \"ntk\"\nbias = false\n\
    [train]\nbatch = \"full\"\nsteps = 200\n\
    [search]\nmetric = \"train_loss\"\nthreshold = 0.45\nseeds = 8\neta_star = \"only\"\n";

#[test]
fn eta_star_is_about_twice_the_lazy_limit() {
    let spec = Spec::parse(SPEC).unwrap();
    let problem = spec.problem::<f32>().unwrap();
    let settings = FindSettings { phase: true, ..spec.find_settings(problem.task()).unwrap() };
    let found = find(&problem, &settings, &unheard).unwrap();
    let (star, lambda) = (found.eta_star.unwrap(), found.lambda.unwrap());
    assert_eq!((star.censored, star.undefined), (0, 0));
    assert_eq!(lambda.of, Curved::Ntk);
    for (seed, lambda) in found.search.unwrap().seeds.iter().zip(&lambda.seeds) {
        let Boundary::Found { low, high } = seed.boundary else { panic!("{:?}", seed.boundary) };
        let ratio = (low * high).sqrt() * lambda.unwrap() / 2.0;
        assert!((1.7..=2.6).contains(&ratio), "seed {}: eta* is {ratio} x 2/lambda0", seed.seed);
    }
    assert_eq!(found.phase, Some(Phase::Catapult));
}

/// What happens at `c / lambda0`.
fn at(spec: &Spec, task: &Task<f32>, seed: u64, c: f64) -> PhaseVerdict {
    let plan = spec.plan(task).unwrap();
    let instrument = spec.instrument(task, false).unwrap();
    let start = task.network.layout().initialise(seed);
    let lambda0 = instrument.at(&start).ntk().unwrap().largest[0].value;
    let trial = Trial::new(task, &plan, c / lambda0, seed, false).unwrap();
    observe(trial, &instrument, 0, &mut |_, _| {}).verdict
}

#[test]
fn the_loss_begins_to_rise_at_two_over_lambda() {
    let spec = Spec::parse(SPEC).unwrap();
    let task = spec.task::<f32>().unwrap();
    for seed in 0..8 {
        let lazy = at(&spec, &task, seed, 1.8);
        assert_eq!((lazy.phase, lazy.peak_step), (Phase::Lazy, 0), "seed {seed}: {}", lazy.why);
        let catapult = at(&spec, &task, seed, 2.2);
        assert_eq!(catapult.phase, Phase::Catapult, "seed {seed}: {}", catapult.why);
        assert!(catapult.peak_loss > Some(catapult.first_loss), "seed {seed}: {}", catapult.why);
        assert!(
            catapult.ntk_end < catapult.ntk_start.map(|start| 0.9 * start),
            "seed {seed}: {}",
            catapult.why
        );
        let divergent = at(&spec, &task, seed, 6.0);
        assert_eq!(divergent.phase, Phase::Divergent, "seed {seed}: {}", divergent.why);
    }
}
