use super::*;
use crate::train::Stop;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::kernels::convolution::Convolution;
use etalon_nn::kernels::pooling::Windows;
use etalon_nn::layers::{Conv2d, Dense, Kept, Normalization, Normalizer, Over, Pool2d};
use etalon_nn::network::NetworkBuilder;

/// A small normalised network on two clouds, and what is asked beside.
fn spec(more: &str) -> Spec {
    let clouds = "data.name=two-gaussians data.dimension=6 data.margin=-0.5 data.train=2048 data.encoding=one_hot \
                  network.depth=2 network.width=24 network.normalizer=batch";
    spec_of(&format!("{clouds} {more}"))
}

/// A small convolutional network on real images.
fn image_spec(more: &str) -> Spec {
    spec_of(&format!("data.name=fashion-mini data.train=128 network.width=4 {more}"))
}

fn spec_of(text: &str) -> Spec {
    let base = "loss=cross_entropy network.normalizer_epsilon=0 train.batch=16 train.check_samples=32 \
                train.steps=600 optimizer.eta=0.05 optimizer.momentum=0.9 optimizer.weight_decay=5e-4";
    let overrides: Vec<String> =
        [base, text].iter().flat_map(|text| text.split_whitespace()).map(String::from).collect();
    Spec::load(None, &overrides).unwrap()
}

fn compared<T: Scalar>(spec: &Spec, conversion: Conversion) -> Compared {
    compare_spec::<T>(spec, Precision::F64, conversion, 1e-11, &mut |_, _| {}).unwrap()
}

#[test]
fn a_course_has_the_largest_difference_of_every_stretch() {
    let mut course = Course::new(900);
    for step in 0..900 {
        let rounding = (step < 500).then_some(1e-16);
        course.add(Apart { step, between: if step == 31 { 1.0 } else { 0.1 }, rounding });
    }
    let stretches = course.stretches;
    assert_eq!((stretches.len(), stretches[0].step, stretches[299].step), (300, 2, 899));
    assert_eq!((stretches[10].between, stretches[11].between), (1.0, 0.1));
    assert_eq!((stretches[166].rounding, stretches[167].rounding), (Some(1e-16), None));
}

/// The differences in f64 must be rounding.
fn assert_same(what: &str, agreement: &Agreement) {
    let Agreement { loss, direction, logits, norm, ended, .. } = agreement;
    assert!(*direction < 1e-11 && *norm < 1e-11, "{what}: {agreement:?}");
    assert!(*loss < 1e-11 && *logits < 1e-10 && ended.is_none(), "{what}: {agreement:?}");
}

/// One hidden layer: with two, strong decay and momentum make training chaotic, and rounding alone parts any two runs by
/// 1e-9 within 600 steps.
#[test]
fn every_schedule_momentum_and_decay_has_its_equivalent_behind_every_normaliser() {
    for normalizer in ["batch", "layer", "group network.groups=2", "instance"] {
        for schedule in [
            "",
            "schedule.kind=step schedule.milestones=[200,400]",
            "schedule.kind=cosine",
            "schedule.kind=cosine schedule.warmup=50",
        ] {
            for momentum in [0.0, 0.9] {
                for decay in [5e-4, 1e-2] {
                    let more = format!(
                        "network.depth=1 network.normalizer={normalizer} optimizer.momentum={momentum} {schedule} \
                         optimizer.weight_decay={decay}"
                    );
                    // Instances are normalised over their positions, of which only an image has more than one.
                    let spec = if normalizer == "instance" {
                        image_spec(&format!("network.kind=cnn {more}"))
                    } else {
                        spec(&more)
                    };
                    let found = compared::<f64>(&spec, Conversion::Exact);
                    assert_same(&more, &found.agreement);
                }
            }
        }
    }
}

#[test]
fn without_biases_the_affine_part_is_traded_too() {
    let found = compared::<f64>(&spec("network.bias=false"), Conversion::Exact);
    assert_same("no biases", &found.agreement);
    assert_eq!(found.scaled, ["layers.0.weight", "layers.1.weight", "layers.1.bias", "layers.2.weight"]);
    let last: Vec<&str> = found.others.iter().map(|kept| kept.segment.as_str()).collect();
    assert_eq!(last, ["layers.3.weight", "layers.3.bias", "layers.4.weight"]);
    let found = compared::<f64>(&spec(""), Conversion::Exact);
    let reason = &found.others[0].reason;
    assert!(reason.ends_with("the running mean there holds a bias that is not scaled"), "{reason}");
}

#[test]
fn a_fixed_last_layer_stays_where_it_is() {
    let spec = spec("optimizer.factors={\"layers.4.weight\"=0.0,\"layers.4.bias\"=0.0}");
    assert_same("fixed", &compared::<f64>(&spec, Conversion::Exact).agreement);
    let task = spec.task::<f64>().unwrap();
    let plan = Plan { conversion: Some(Conversion::Exact), ..spec.plan(&task).unwrap() };
    let mut trial = Trial::new(&task, &plan, 0.05, 0, false).unwrap();
    let last = task.network.layout().find("layers.4.weight").unwrap().range.clone();
    let start = trial.parameters()[last.clone()].to_vec();
    (0..20).for_each(|_| {
        trial.step();
    });
    assert_eq!(trial.parameters()[last], start);
}

#[test]
fn weights_are_brought_back_when_they_have_grown_and_metrics_are_the_same() {
    let spec = spec("optimizer.weight_decay=1e-2 train.steps=600");
    let found = compared::<f64>(&spec, Conversion::Exact);
    assert!(found.agreement.log_taken > 2.0, "{}", found.agreement.log_taken);
    // With the running statistics of batch normalisation, which remember shorter weights.
    let task = spec.task::<f64>().unwrap();
    let plain = spec.plan(&task).unwrap();
    let grown = Plan { conversion: Some(Conversion::Exact), ..plain.clone() };
    let metrics = |plan: &Plan| {
        let trajectory = crate::train::run(&task, plan, 0.05, 0, false).unwrap();
        (trajectory.train.loss, trajectory.test.loss)
    };
    let (one, other) = (metrics(&plain), metrics(&grown));
    assert!((one.0 - other.0).abs() < 1e-11 && (one.1 - other.1).abs() < 1e-11, "{one:?} {other:?}");
}

#[test]
fn single_precision_follows_for_two_hundred_steps() {
    for normalizer in ["batch", "layer"] {
        let more = format!("network.normalizer={normalizer} train.steps=200");
        let found = compared::<f32>(&spec(&more), Conversion::Exact);
        let Agreement { loss, direction, logits, norm, ended, .. } = &found.agreement;
        let all = [loss, direction, logits, norm];
        assert!(
            all.iter().all(|&&apart| apart < 1e-3) && ended.is_none(),
            "{normalizer}: {:?}",
            found.agreement
        );
    }
}

#[test]
fn the_closed_form_is_corrected_and_growth_alone_is_not_enough() {
    let spec = spec("schedule.kind=step schedule.milestones=[200,400]");
    assert_same("closed form", &compared::<f64>(&spec, Conversion::Phases).agreement);
    let parted = compared::<f64>(&spec, Conversion::GrowthOnly).agreement;
    assert!(parted.parted.is_some() && parted.direction > 1e-3, "{parted:?}");
    assert_eq!(parted.decides(), Some(false), "{parted:?}");
}

/// Images of clothes have dark rows, whose instances hardly vary: dividing by that makes training chaotic.
#[test]
fn what_rounding_alone_parts_is_not_decided() {
    let spec = image_spec("network.kind=cnn network.depth=2 network.normalizer=instance network.bias=false");
    let found = compared::<f64>(&spec, Conversion::Exact).agreement;
    assert!(found.parted.is_some() && found.rounding > 1e-13, "{found:?}");
    assert_eq!(found.decides(), None, "{found:?}");
}

#[test]
fn images_under_instance_and_batch_normalisation() {
    let spec = spec("data.dimension=36 train.steps=100 train.batch=8 optimizer.weight_decay=5e-3");
    for over in [Over::Instance, Over::Batch] {
        let mut builder = NetworkBuilder::new(36).unwrap();
        let mut value = builder.input();
        for (inputs, size) in [(1, 6), (3, 5)] {
            let shape = Convolution {
                height: size,
                width: size,
                inputs,
                outputs: 3,
                kernel: 3,
                stride: 1,
                padding: 1,
            };
            let layer =
                Conv2d { shape, weight_multiplier: 1.0, weight_deviation: 0.3, bias_multiplier: None };
            value = builder.convolution(layer, value).unwrap();
            let kept = if inputs == 1 { Kept::Maximum } else { Kept::Average };
            let windows = Windows { height: size, width: size, channels: 3, window: [2; 2], stride: 1 };
            value = builder.pool(Pool2d { windows, kept }, value).unwrap();
            let normalizer = Normalizer { over, affine: false, epsilon: 0.0 };
            let positions = (size - 1) * (size - 1);
            let layer = Normalization { normalizer, positions, channels: 3, multiplier: 1.0 };
            value = builder.normalize(layer, value).unwrap();
            value = builder.activation(Activation::Gelu, value).unwrap();
        }
        let last = Dense {
            inputs: 48,
            outputs: 2,
            weight_multiplier: 1.0,
            weight_deviation: 0.1,
            bias_multiplier: Some(1.0),
        };
        builder.dense(last, value).unwrap();
        let task = Task { network: builder.build().unwrap(), ..spec.task::<f64>().unwrap() };
        let plan = spec.plan(&task).unwrap();
        let found = compare(&task, plan, (0.05, 0), Conversion::Exact, 1e-11, &mut |_, _| {}).unwrap();
        assert_same(&format!("{over:?}"), &found.agreement);
        assert_eq!(found.scaled.len(), 2);
    }
}

#[test]
fn a_residual_network_trades_all_of_its_convolutions() {
    let spec = image_spec("network.kind=preresnet network.depth=8 train.steps=60");
    let found = compared::<f64>(&spec, Conversion::Exact);
    assert_same("preresnet", &found.agreement);
    let convolutions = |names: &[String]| names.iter().filter(|name| name.contains("conv")).count();
    assert_eq!(convolutions(&found.scaled), 7);
    assert!(found.others.iter().all(|kept| !kept.segment.contains("conv")));
}

#[test]
fn a_rate_that_grows_beyond_all_numbers_trains_on() {
    // Without weight decay, and the last layer fixed: every trained weight may grow.
    let more = "network.affine=false network.bias=false schedule.kind=exponential schedule.growth=1.05 \
                optimizer.momentum=0 optimizer.weight_decay=0 optimizer.factors={\"layers.4.weight\"=0.0} \
                train.steps=16000";
    let spec = spec(more);
    let task = spec.task::<f32>().unwrap();
    let plan = spec.plan(&task).unwrap();
    // ln of the last rate: beyond f64 too.
    assert!(plan.schedule.log_rate(0.05, 16_000, 16_000) > f64::MAX.ln());
    let trial = Trial::new(&task, &plan, 0.05, 0, false).unwrap();
    let mut last = Vec::new();
    let trajectory = trial.run(&mut |state, _| last = state.parameters.to_vec());
    assert_eq!(trajectory.stop, Stop::Budget { steps: 16_000 });
    assert!(last.iter().all(|w: &f32| w.is_finite() && w.abs() < 1e3) && trajectory.train.loss < 1.0);
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    for (more, expected) in [
        ("network.normalizer=none", "this network has none (layers.0.weight: "),
        ("network.normalizer_epsilon=1e-5", "but for its epsilon of 0.00001; exactly with 0"),
        ("optimizer.input_factor=0.5", "layers.0.weight has the factor 0.5"),
        ("optimizer.nesterov=true", "Nesterov momentum is not covered"),
        ("optimizer.eta=10", "the factor a of the exact recursion"),
    ] {
        let error = verify(&spec(more), Conversion::Exact, 1e-8, &mut |_, _| {}).unwrap_err().to_string();
        assert!(error.contains(expected), "{more}: {error}");
    }
}
