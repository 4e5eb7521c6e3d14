//! Problems made in code.

use etalon::jobs::{
    After, Architecture, BoundarySettings, FindSettings, JobError, MeasureSettings, Problem, ProblemBuilder,
    Target, TrainSettings, boundaries, find, measure, train, unheard,
};
use etalon::nn::kernels::activation::Activation;
use etalon::nn::network::{Initialisation, Mlp, Parametrization};
use etalon::nn::optim::{AdamW, Rule, Sgd};
use etalon::nn::{Loss, Network};
use etalon::spec::Spec;
use etalon::train::{BatchSize, Budget, Metric};

fn network(outputs: usize) -> Network<f64> {
    let mlp = Mlp {
        inputs: 3,
        hidden: vec![16],
        outputs,
        activation: Activation::Tanh,
        parametrization: Parametrization::Ntk,
        initialisation: Initialisation::He,
        output_gain: 1.0,
        bias: true,
        residual: false,
        normalizer: None,
    };
    mlp.build().unwrap()
}

fn builder(loss: Loss, outputs: usize, target: f64) -> ProblemBuilder<f64> {
    let inputs: Vec<f64> = (0..30).map(|k| (k as f64 * 0.618).sin()).collect();
    let targets = vec![target; 10 * outputs];
    Problem::builder(network(outputs), loss)
        .train(inputs.clone(), targets.clone())
        .held_out(inputs[..6].to_vec(), targets[..2 * outputs].to_vec())
}

/// A spec, and the same network, data and numbers without one.
#[test]
fn a_problem_made_in_code_is_that_of_a_spec() {
    let text = "loss=mse precision=f64 seed=3 data.name=teacher data.dimension=3 data.train=40 data.test=20 \
                data.normalize=none network.depth=1 network.width=16 network.activation=tanh \
                network.parametrization=ntk network.init=he optimizer.momentum=0.5 optimizer.input_factor=0.5 \
                optimizer.weight_decay=0.001 train.batch=10 train.steps=60 train.check_every=20 measure.samples=30 \
                search.metric=train_loss search.threshold=0.3 search.seeds=2 search.trainings=2 optimizer.eta=0.2 \
                boundaries.range=[0.5,8.0] boundaries.points=3";
    let arguments: Vec<String> = text.split_whitespace().map(Into::into).collect();
    let spec = Spec::load(None, &arguments).unwrap();
    let task = spec.task::<f64>().unwrap();
    let architecture = Architecture { hidden_layers: 1, width: 16, activation: Activation::Tanh, bias: true };
    let problem = Problem::builder(network(1), Loss::Mse)
        .train(task.train.inputs.clone(), task.train.targets.clone())
        .held_out(task.test.inputs.clone(), task.test.targets.clone())
        .optimizer(Rule::Sgd(Sgd { momentum: 0.5, nesterov: false }))
        .weight_decay(0.001)
        .factor("layers.0.weight", 0.5)
        .factor("layers.0.bias", 0.5)
        .batch(BatchSize::Samples(10))
        .budget(Budget::Steps(60))
        .check(20, 1000)
        .architecture(architecture)
        .build()
        .unwrap();
    assert_eq!(*problem.plan(), spec.plan(&task).unwrap());

    let curvature = spec.curvature_settings();
    let settings = FindSettings {
        target: Target { metric: Some(Metric::TrainLoss), threshold: Some(0.3), ..Target::default() },
        ..spec.find_settings(&task).unwrap()
    };
    let found = find(&problem, &settings, &unheard).unwrap();
    assert_eq!(json(&found), json(&spec.find(None, &unheard).unwrap()));
    assert!(found.recommended.is_some());

    let measured =
        measure(&problem, &MeasureSettings { curvature: curvature.clone(), ..Default::default() }).unwrap();
    assert_eq!(json(&measured), json(&spec.measure(&Default::default()).unwrap()));

    let at =
        TrainSettings { seed: 3, name: spec.hash(), curvature: curvature.clone(), ..TrainSettings::at(0.2) };
    let (report, trajectory) = train(&problem, &at, &mut |_, _| {}).unwrap();
    let (of_spec, its_trajectory) = spec.train(&Default::default(), &mut |_, _| {}).unwrap();
    assert_eq!(json(&report), json(&of_spec));
    assert_eq!(json(&trajectory.records), json(&its_trajectory.records));

    let range = BoundarySettings { seeds: vec![3, 4], ..spec.boundary_settings() };
    assert_eq!(json(&boundaries(&problem, &range).unwrap()), json(&spec.boundaries(&[3, 4]).unwrap()));
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn parts_that_do_not_go_together_are_refused_in_words_of_their_own() {
    let text = |builder: ProblemBuilder<f64>| builder.build().unwrap_err().to_string();
    let mse = || builder(Loss::Mse, 1, 0.5);
    assert!(mse().build().is_ok());
    let cases = [
        (
            text(mse().train(vec![0.0; 7], vec![0.0; 2])),
            "the training inputs are 7 numbers, and the network takes 3",
        ),
        (text(mse().train(vec![], vec![])), "at least one sample"),
        (
            text(mse().held_out(vec![0.0; 6], vec![0.0; 3])),
            "the held-out targets are 3 numbers, and 2 samples",
        ),
        (text(mse().held_out(vec![], vec![])), "the held-out inputs are 0 numbers"),
        (text(mse().train(vec![0.0, f64::NAN, 0.0], vec![0.0])), "number 1 of the training inputs is NaN"),
        (text(mse().train(vec![0.0; 3], vec![f64::INFINITY])), "number 0 of the training targets is inf"),
        (text(builder(Loss::Logistic, 2, 1.0)), "takes one output, and the network has 2"),
        (
            text(builder(Loss::Logistic, 1, 0.0)),
            "takes targets +1 and -1, and sample 0 of the training targets",
        ),
        (
            text(builder(Loss::CrossEntropy, 1, 1.0)),
            "takes one output a class, at least 2, and the network has 1",
        ),
        (text(builder(Loss::CrossEntropy, 2, 1.0)), "probabilities of the classes, which add up to 1"),
        (text(mse().batch(BatchSize::Samples(11))), "a batch of 11 cannot be drawn from 10 training samples"),
        (text(mse().batch(BatchSize::Samples(0))), "a batch of 0 cannot be drawn"),
        (
            text(mse().weight_decay(f64::NAN)),
            "the weight decay is NaN: it must be a finite number, 0 or above",
        ),
        (text(mse().limit(1.0)), "the limit of divergence is 1: it must be above 1"),
        (text(mse().check(0, 5)), "the number of steps between two looks is 0"),
        (
            text(mse().factor("layers.9.weight", 1.0)),
            "`layers.9.weight`; the network's segments are layers.0.weight",
        ),
        (text(mse().factor("layers.0.weight", -1.0)), "a learning-rate factor is -1"),
        (text(mse().optimizer(Rule::Sgd(Sgd { momentum: 1.0, nesterov: false }))), "momentum"),
        (text(mse().optimizer(Rule::AdamW(AdamW { beta1: 1.5, ..AdamW::default() }))), "beta1"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{text:?} should contain {expected:?}");
    }
}

#[test]
fn jobs_refuse_in_words_of_the_library() {
    let problem = builder(Loss::Mse, 1, 0.5).build().unwrap();
    let settings = FindSettings::default();
    let text = |settings: &FindSettings| find(&problem, settings, &unheard).unwrap_err().to_string();
    // Ten equal targets.
    assert!(text(&settings).contains("there is nothing to learn"), "{}", text(&settings));
    let target = Target { metric: Some(Metric::TestAccuracy), ..Target::default() };
    assert!(text(&FindSettings { target, ..settings.clone() }).contains("the targets are values"));
    let unseeded = FindSettings { seeds: vec![], ..settings };
    assert!(text(&unseeded).contains("no seed was given"));
    let adamw = builder(Loss::Mse, 1, 0.5).optimizer(Rule::AdamW(AdamW::default())).build().unwrap();
    let error = boundaries(&adamw, &BoundarySettings::default()).unwrap_err();
    assert!(
        matches!(error, JobError::Plan(_)) && error.to_string().contains("use gradient descent"),
        "{error}"
    );
    let error = train(&problem, &TrainSettings::at(f64::NAN), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().starts_with("the learning rate of a trial is NaN"), "{error}");
}

#[test]
fn thresholds_that_depend_on_an_unknown_structure_are_left_out_with_the_reason() {
    let known = Architecture { hidden_layers: 1, width: 16, activation: Activation::Tanh, bias: true };
    let measured =
        |builder: ProblemBuilder<f64>| measure(&builder.build().unwrap(), &Default::default()).unwrap();
    let has =
        |found: &etalon::curvature::Measurement| found.thresholds.iter().any(|t| t.name == "catapult-limit");
    let (unknown, known) =
        (measured(builder(Loss::Mse, 1, 0.5)), measured(builder(Loss::Mse, 1, 0.5).architecture(known)));
    assert!(has(&known) && !has(&unknown));
    assert!(unknown.thresholds.iter().any(|t| t.name == "lazy-limit"));
    let omitted = unknown.omitted.iter().find(|omitted| omitted.name == "catapult-limit").unwrap();
    assert!(omitted.reason.contains("not known of this network"), "{}", omitted.reason);
}

#[test]
fn seeds_beyond_those_given_start_where_the_others_do() {
    let inputs: Vec<f64> = (0..120).map(|k| (k as f64 * 0.618).sin()).collect();
    let targets: Vec<f64> = inputs.chunks_exact(3).map(|x| x[0] - x[1] * x[2]).collect();
    let problem = Problem::builder(network(1), Loss::Mse)
        .train(inputs.clone(), targets.clone())
        .held_out(inputs, targets)
        .budget(Budget::Steps(30))
        .build()
        .unwrap();
    // The choice takes three seeds: here one is given and two follow on it.
    let choice = |seeds: &[u64]| {
        let after = Some(After { epochs: 5.0, eta: 0.1 });
        let settings = FindSettings { seeds: seeds.to_vec(), search: None, after, ..FindSettings::default() };
        find(&problem, &settings, &unheard).unwrap().recommended.unwrap()
    };
    let (one, all) = (choice(&[1]), choice(&[1, 2, 3, 4]));
    assert!(one.curve.iter().any(|point| point.seed == 2), "{one:?}");
    assert_eq!(json(&one), json(&all));
}
