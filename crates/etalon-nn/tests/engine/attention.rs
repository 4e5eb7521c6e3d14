//! The example's layer, which is defined outside of the crate: every derivative of networks with it against values that
//! JAX computed in f64, on every kernel path; identities; and the bits of a batch however it is run.

#[path = "../../examples/attention.rs"]
#[allow(dead_code, reason = "the example runs by itself")]
mod example;

use crate::reference::{Values, cases};
use etalon_nn::layers::Dense;
use etalon_nn::network::NetworkBuilder;
use etalon_nn::random::{Purpose, stream};
use etalon_nn::{Batch, Linearization, Loss, Network, Scalar, Workspace};
use example::Attention;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    input_size: usize,
    positions: usize,
    head: usize,
    output_size: usize,
    projected: bool,
    #[serde(flatten)]
    values: Values,
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    let (weight_multiplier, weight_deviation) = (1.0, (inputs as f64).powf(-0.5));
    Dense { inputs, outputs, weight_multiplier, weight_deviation, bias_multiplier: Some(1.0) }
}

/// Each attention of what is before it, the first of the inputs, and a dense layer behind each.
fn stack(attentions: &[Attention], outputs: usize) -> Network<f64> {
    let of = |attention: &Attention| attention.n * attention.h;
    let mut builder = NetworkBuilder::new(3 * of(&attentions[0])).unwrap();
    let mut value = builder.input();
    for (index, attention) in attentions.iter().enumerate() {
        value = builder.push(Box::new(*attention), value).unwrap();
        let outputs = attentions.get(index + 1).map_or(outputs, |next| 3 * of(next));
        value = builder.dense(dense(of(attention), outputs), value).unwrap();
    }
    builder.build().unwrap()
}

fn network(case: &Case) -> Network<f64> {
    let attention = Attention { n: case.positions, h: case.head };
    if case.projected {
        example::network(case.input_size, attention, case.output_size).unwrap()
    } else {
        stack(&[attention], case.output_size)
    }
}

#[test]
fn all_derivatives_agree_with_automatic_differentiation() {
    let cases: Vec<Case> = cases("attention.json");
    let differences = cases.iter().map(|case| case.values.check(&case.name, || network(case)));
    println!("{} cases, largest relative difference {:e}", cases.len(), differences.fold(0.0, f64::max));
    assert_eq!(cases.len(), 5);
}

fn normal<T: Scalar>(len: usize, index: u64) -> Vec<T> {
    let mut generator = stream(29, Purpose::Data, index);
    let numbers = StandardNormal.sample_iter(&mut generator).take(len);
    numbers.map(|x: f64| T::from_f64(x)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn jacobian_products_are_adjoint_and_the_hessian_is_symmetric_across_slices() {
    // Of several sizes, so that they share scratch that is too long for one.
    let network = stack(&[Attention { n: 3, h: 4 }, Attention { n: 5, h: 2 }, Attention { n: 2, h: 1 }], 2);
    let m = 600;
    let (w, x, y) = (network.layout().initialise::<f64>(5), normal(36 * m, 1), normal(2 * m, 2));
    let mut at = Linearization::new(&network, &w, Batch { inputs: &x, targets: &y }, Loss::Mse, true);
    let (a, b, u): (Vec<f64>, Vec<f64>, Vec<f64>) =
        (normal(w.len(), 3), normal(w.len(), 4), normal(y.len(), 5));
    let (mut ja, mut jtu) = (vec![0.0; u.len()], vec![0.0; w.len()]);
    at.jvp(&a, &mut ja);
    at.vjp(&u, &mut jtu);
    let error = (dot(&u, &ja) - dot(&jtu, &a)).abs();
    assert!(error < 1e-12 * (dot(&u, &u) * dot(&ja, &ja)).sqrt(), "adjointness, {error:e}");
    let (mut ha, mut hb) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    at.hvp(&a, &mut ha);
    at.hvp(&b, &mut hb);
    let error = (dot(&b, &ha) - dot(&a, &hb)).abs();
    assert!(error < 1e-12 * (dot(&ha, &ha) * dot(&b, &b)).sqrt(), "symmetry, {error:e}");
}

#[test]
fn slices_lanes_and_threads_do_not_change_a_bit() {
    let network = example::network::<f32>(7, Attention { n: 3, h: 4 }, 2).unwrap();
    // Nine slices in eight lanes, the last slice short.
    let m = 2300;
    let w: Vec<f32> = network.layout().initialise(3);
    let (x, y, v): (Vec<f32>, Vec<f32>, Vec<f32>) = (normal(7 * m, 6), normal(2 * m, 7), normal(w.len(), 8));
    let batch = Batch { inputs: &x, targets: &y };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut workspace = Workspace::new(&network, m, threads > 1);
            network.gradient(&w, batch, Loss::Mse, &mut workspace);
            let mut hvp = vec![0.0; w.len()];
            Linearization::new(&network, &w, batch, Loss::Mse, threads > 1).hvp(&v, &mut hvp);
            (workspace.gradient().to_vec(), hvp)
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn room_for_what_a_layer_saves_is_part_of_the_estimate() {
    let bytes = |n: usize, h: usize| {
        let network = example::network::<f64>(2, Attention { n, h }, 1).unwrap();
        let (rows, parameters) = (10, network.parameters());
        let numbers = |bytes: u64| bytes as usize / size_of::<f64>() - parameters - 2 * n * n;
        let bytes = [Workspace::bytes(&network, rows), Linearization::bytes(&network, rows)];
        // Values of a sample: projections, attention, outputs. A workspace has two tapes, and a point's saved softmax; a
        // linearization two more tapes, and the softmax's change.
        let values = 3 * n * h + n * h + 1;
        assert_eq!(bytes.map(numbers), [rows * (2 * values + n * n), rows * (4 * values + 2 * n * n)]);
    };
    bytes(4, 3);
    bytes(6, 2);
}
