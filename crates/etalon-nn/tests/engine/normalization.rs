//! Networks with normalisation layers: every derivative against values that JAX computed in f64 by dense automatic
//! differentiation, on every kernel path; identities; and the bits of a batch however it is run.

use crate::reference::Values;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{Dense, Normalization, Normalizer, Over};
use etalon_nn::network::{
    Family, Fan, Image, Initialisation, NetworkBuilder, Parametrization, ResNet, Skip, Style,
};
use etalon_nn::random::{Purpose, stream};
use etalon_nn::{Batch, Cpu, Linearization, Loss, Network, Scalar, Workspace};
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    normalizer: String,
    groups: usize,
    affine: bool,
    epsilon: f64,
    positions: usize,
    channels: usize,
    samples: usize,
    activation: String,
    output_size: usize,
    rich: bool,
    #[serde(flatten)]
    values: Values,
    state: Vec<f64>,
    evaluated: Vec<f64>,
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    Dense {
        inputs,
        outputs,
        weight_multiplier: 1.0,
        weight_deviation: (inputs as f64).powf(-0.5),
        bias_multiplier: Some(1.0),
    }
}

/// Two hidden layers, each normalised before its activation; where `rich`, the input is normalised too and the second
/// hidden layer is a residual sum.
fn network<T: Scalar>(
    normalizer: Normalizer,
    (positions, channels): (usize, usize),
    outputs: usize,
    activation: Activation,
    rich: bool,
) -> Network<T> {
    let layer = Normalization { normalizer, positions, channels, multiplier: 1.0 };
    network_around(layer, outputs, activation, rich)
}

fn network_around<T: Scalar>(
    layer: Normalization,
    outputs: usize,
    activation: Activation,
    rich: bool,
) -> Network<T> {
    let width = layer.positions * layer.channels;
    let mut builder = NetworkBuilder::new(width).unwrap();
    let mut value = builder.input();
    if rich {
        value = builder.normalize(layer, value).unwrap();
    }
    for index in 0..2 {
        let hidden = builder.dense(dense(width, width), value).unwrap();
        let hidden = builder.normalize(layer, hidden).unwrap();
        let hidden = builder.activation(activation, hidden).unwrap();
        value = if rich && index == 1 { builder.sum(hidden, value).unwrap() } else { hidden };
    }
    builder.dense(dense(width, outputs), value).unwrap();
    builder.build().unwrap()
}

fn network_of(case: &Case) -> Network<f64> {
    let over = match case.normalizer.as_str() {
        "batch" => Over::Batch,
        "layer" => Over::Layer,
        "group" => Over::Groups(case.groups),
        "instance" => Over::Instance,
        other => panic!("unknown normaliser {other}"),
    };
    let known = [Activation::Identity, Activation::Tanh, Activation::Gelu];
    let activation = crate::reference::named(&case.activation, &known, Activation::name);
    let normalizer = Normalizer { over, affine: case.affine, epsilon: case.epsilon };
    network(normalizer, (case.positions, case.channels), case.output_size, activation, case.rich)
}

#[test]
fn all_derivatives_agree_with_dense_automatic_differentiation() {
    let cases: Vec<Case> = crate::reference::cases("normalization.json");
    let mut worst = 0.0f64;
    for case in &cases {
        worst = worst.max(case.values.check(&case.name, || network_of(case)));
        for cpu in Cpu::available() {
            let network = network_of(case).on(*cpu);
            let Values { params, inputs, .. } = &case.values;
            let mut workspace = Workspace::new(&network, case.samples, false);
            network.gradient(params, case.values.batch(), case.values.loss(), &mut workspace);
            let mut state: Vec<f64> = network.state_layout().initialise(0);
            network.track(&workspace, &mut state);
            let mut evaluated = vec![f64::NAN; case.evaluated.len()];
            let mut workspace = Workspace::for_outputs(&network, case.samples, false);
            network.outputs(params, &state, inputs, &mut workspace, &mut evaluated);
            for (what, ours, expected) in
                [("running statistics", &state, &case.state), ("evaluation", &evaluated, &case.evaluated)]
            {
                let error = crate::reference::difference(ours, expected);
                assert!(error < 1e-10, "{} on {}: {what} differs by {error:e}", case.name, cpu.name());
                worst = worst.max(error);
            }
        }
    }
    println!("{} cases, largest relative difference {worst:e}", cases.len());
    assert!(cases.len() >= 26, "every normaliser, with and without affine part, at one position and several");
}

fn normal(len: usize, index: u64) -> Vec<f64> {
    let mut generator = stream(17, Purpose::Data, index);
    (0..len).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn check_identities(network: &Network<f64>, m: usize, what: &str) {
    let (w, x) = (network.layout().initialise::<f64>(5), normal(network.input_len() * m, 1));
    let y = normal(network.output_len() * m, 2);
    let batch = Batch { inputs: &x, targets: &y };
    let mut at = Linearization::new(network, &w, batch, Loss::Mse, true);
    let (a, b, u) = (normal(w.len(), 3), normal(w.len(), 4), normal(y.len(), 5));
    let (mut ja, mut jtu) = (vec![0.0; u.len()], vec![0.0; w.len()]);
    at.jvp(&a, &mut ja);
    at.vjp(&u, &mut jtu);
    let error = (dot(&u, &ja) - dot(&jtu, &a)).abs();
    assert!(error < 1e-12 * (dot(&u, &u) * dot(&ja, &ja)).sqrt(), "{what}: adjointness, {error:e}");
    let (mut ha, mut hb) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    at.hvp(&a, &mut ha);
    at.hvp(&b, &mut hb);
    let error = (dot(&b, &ha) - dot(&a, &hb)).abs();
    assert!(error < 1e-12 * (dot(&ha, &ha) * dot(&b, &b)).sqrt(), "{what}: symmetry, {error:e}");
}

#[test]
fn jacobian_products_are_adjoint_and_the_hessian_is_symmetric_across_slices() {
    for over in [Over::Batch, Over::Layer, Over::Groups(3), Over::Instance] {
        let normalizer = Normalizer { over, affine: true, epsilon: 1e-5 };
        // Three slices, the last short, in three lanes.
        let network = network::<f64>(normalizer, (2, 9), 3, Activation::Tanh, true);
        check_identities(&network, 600, &format!("{over:?}"));
        // Four slices of images: positions share weights, so that slices are short.
        let image = Image { height: 6, width: 5, channels: 3 };
        let style = Style {
            normalizer: Some(normalizer),
            activation: Activation::Tanh,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::LeCun,
            fan: Fan::In,
            output_gain: 1.0,
            bias: true,
        };
        let (family, skip) = (Family::PreResNet, Skip::Projection);
        let network = ResNet { image, family, depth: 8, channels: 6, widen: 1, skip, outputs: 2, style };
        check_identities(&network.build().unwrap(), 90, &format!("residual network, {over:?}"));
    }
}

#[test]
fn slices_lanes_and_threads_do_not_change_a_bit() {
    // Nine slices in eight lanes, the last slice short.
    let m = 2300;
    let normalizer = Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 };
    let network = network::<f32>(normalizer, (1, 12), 3, Activation::Gelu, true);
    let narrow = |numbers: Vec<f64>| numbers.into_iter().map(|x| x as f32).collect::<Vec<_>>();
    let w: Vec<f32> = network.layout().initialise(3);
    let (x, y, v) = (narrow(normal(12 * m, 6)), narrow(normal(3 * m, 7)), narrow(normal(w.len(), 8)));
    let batch = Batch { inputs: &x, targets: &y };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut workspace = Workspace::new(&network, m, threads > 1);
            let value = network.gradient(&w, batch, Loss::Mse, &mut workspace);
            let mut state: Vec<f32> = network.state_layout().initialise(0);
            network.track(&workspace, &mut state);
            let mut outputs = vec![0.0; 3 * m];
            network.outputs(&w, &state, &x, &mut workspace, &mut outputs);
            let mut at = Linearization::new(&network, &w, batch, Loss::Mse, threads > 1);
            let (mut gradient, mut hvp) = (vec![0.0; w.len()], vec![0.0; w.len()]);
            at.hvp(&v, &mut hvp);
            at.gradient(&mut gradient);
            assert_eq!(gradient, workspace.gradient());
            assert_eq!(value.to_bits(), at.value().to_bits());
            (value.to_bits(), state, outputs, gradient, hvp)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
    // A workspace for more samples gives the same bits on fewer.
    let mut larger = Workspace::new(&network, 3 * m, false);
    network.gradient(&w, batch, Loss::Mse, &mut larger);
    assert_eq!(larger.gradient(), one.3);
}

#[test]
fn a_large_mean_costs_no_digits_and_a_constant_channel_no_numbers() {
    let normalizer = Normalizer { over: Over::Batch, affine: false, epsilon: 0.0 };
    let mut builder = NetworkBuilder::new(2).unwrap();
    let input = builder.input();
    let layer = Normalization { normalizer, positions: 1, channels: 2, multiplier: 1.0 };
    let value = builder.normalize(layer, input).unwrap();
    builder.dense(Dense { bias_multiplier: None, ..dense(2, 1) }, value).unwrap();
    let network = builder.build().unwrap();
    let m = 500;
    // One channel of deviation 1 about a million, in f64; the other constant.
    let noise = normal(m, 9);
    let x: Vec<f64> = noise.iter().flat_map(|x| [1e6 + x, 3.0]).collect();
    let y = vec![0.0; m];
    let w = [1.0, 1.0];
    let mut at = Linearization::new(&network, &w, Batch { inputs: &x, targets: &y }, Loss::Mse, false);
    let mut outputs = vec![0.0; m];
    at.outputs(&mut outputs);
    let mean = noise.iter().sum::<f64>() / m as f64;
    let deviation = (noise.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / m as f64).sqrt();
    for (output, x) in outputs.iter().zip(&noise) {
        assert!((output - (x - mean) / deviation).abs() < 1e-9, "{output}");
    }
}

#[test]
fn a_multiplier_of_scale_and_shift_is_a_change_of_coordinates() {
    /// A power of two, so that it commutes with rounding and the two networks agree to the bit.
    const MULTIPLIER: f64 = 4.0;
    for (over, positions) in
        [(Over::Batch, 1), (Over::Batch, 3), (Over::Layer, 1), (Over::Groups(2), 3), (Over::Instance, 3)]
    {
        let normalizer = Normalizer { over, affine: true, epsilon: 1e-5 };
        let make = |multiplier| {
            let layer = Normalization { normalizer, positions, channels: 4, multiplier };
            network_around::<f64>(layer, 2, Activation::Tanh, true)
        };
        let (scaled, plain) = (make(MULTIPLIER), make(1.0));
        let factors: Vec<f64> = scaled
            .layout()
            .segments()
            .iter()
            .flat_map(|segment| vec![segment.multiplier; segment.range.len()])
            .collect();
        assert_eq!(factors.iter().filter(|&&factor| factor == MULTIPLIER).count(), 3 * 2 * 4);
        let across = |v: &[f64]| v.iter().zip(&factors).map(|(v, factor)| v * factor).collect::<Vec<_>>();
        let start: Vec<f64> = scaled.layout().initialise(5);
        assert_eq!(across(&start), plain.layout().initialise::<f64>(5), "both start with scales of 1");
        let m = 300;
        let (x, y) = (normal(scaled.input_len() * m, 1), normal(2 * m, 2));
        let w: Vec<f64> = start.iter().zip(normal(start.len(), 3)).map(|(w, z)| w + 0.1 * z).collect();
        let (v, u) = (normal(w.len(), 4), normal(y.len(), 5));
        let run = |network: &Network<f64>, w: &[f64], v: &[f64]| {
            let batch = Batch { inputs: &x, targets: &y };
            let mut at = Linearization::new(network, w, batch, Loss::Mse, false);
            let [mut outputs, mut jvp] = [vec![0.0; u.len()], vec![0.0; u.len()]];
            let [mut gradient, mut vjp, mut hvp, mut gauss_newton] = [(); 4].map(|()| vec![0.0; w.len()]);
            at.outputs(&mut outputs);
            at.gradient(&mut gradient);
            at.jvp(v, &mut jvp);
            at.vjp(&u, &mut vjp);
            at.hvp(v, &mut hvp);
            at.gauss_newton(v, &mut gauss_newton);
            let mut workspace = Workspace::new(network, m, false);
            network.gradient(w, batch, Loss::Mse, &mut workspace);
            assert_eq!(workspace.gradient(), gradient);
            let mut state: Vec<f64> = network.state_layout().initialise(0);
            network.track(&workspace, &mut state);
            let mut evaluated = vec![0.0; u.len()];
            network.outputs(w, &state, &x, &mut workspace, &mut evaluated);
            ([outputs, jvp, state, evaluated], [gradient, vjp, hvp, gauss_newton])
        };
        let (values, covectors) = run(&scaled, &w, &v);
        let (expected, pulled_back) = run(&plain, &across(&w), &across(&v));
        assert_eq!(values, expected, "{over:?}");
        assert_eq!(covectors, pulled_back.map(|vector| across(&vector)), "{over:?}");
    }
}
