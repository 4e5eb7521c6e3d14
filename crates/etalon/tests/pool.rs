//! Whose threads a job takes. Alone in its file: the global pool belongs to the process.

use etalon::jobs::{FindSettings, MeasureSettings, Problem, TrainSettings, find, measure, train, unheard};
use etalon::nn::Loss;
use etalon::nn::kernels::activation::Activation;
use etalon::nn::network::{Initialisation, Mlp, Parametrization};
use etalon::search::ClimbSettings;
use etalon::train::Budget;
use rayon::ThreadPoolBuilder;

fn problem() -> Problem<f32> {
    let network = Mlp {
        inputs: 4,
        hidden: vec![64],
        outputs: 1,
        activation: Activation::Relu,
        parametrization: Parametrization::Ntk,
        initialisation: Initialisation::He,
        output_gain: 1.0,
        bias: true,
        residual: false,
        normalizer: None,
    };
    let inputs: Vec<f32> = (0..400).map(|k| (k as f32 * 0.7548777).fract() - 0.5).collect();
    let targets: Vec<f32> = inputs.chunks_exact(4).map(|x| x[0] - x[1] * x[2]).collect();
    Problem::builder(network.build().unwrap(), Loss::Mse)
        .train(inputs.clone(), targets.clone())
        .held_out(inputs, targets)
        .budget(Budget::Steps(100))
        .build()
        .unwrap()
}

#[test]
fn a_job_takes_its_threads_from_the_pool_it_is_called_in_and_leaves_the_global_one_alone() {
    let climb = ClimbSettings { trainings: 3, ..ClimbSettings::default() };
    let settings = FindSettings { seeds: vec![1, 2, 3], climb: Some(climb), ..FindSettings::default() };
    let jobs = || {
        let problem = problem();
        let found = find(&problem, &settings, &unheard).unwrap();
        let measured = measure(&problem, &MeasureSettings::default()).unwrap();
        let (report, _) = train(&problem, &TrainSettings::at(0.1), &mut |_, _| {}).unwrap();
        let texts =
            [serde_json::to_string(&found), serde_json::to_string(&measured), serde_json::to_string(&report)];
        texts.map(Result::unwrap)
    };
    let [one, three] = [1, 3].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(jobs)
    });
    assert_eq!(one, three);
    // The global pool can be started once only: nobody has.
    ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
}
