//! Derivatives of regressions against their closed forms, and the identities that every Jacobian and Hessian obeys.
//! These referees share no code with automatic differentiation, ours or anybody's.

use etalon_nn::kernels::activation::Activation;
use etalon_nn::network::{Initialisation, Mlp, Parametrization};
use etalon_nn::random::{Purpose, stream};
use etalon_nn::{Batch, Linearization, Loss, Network, Workspace};
use rand_distr::{Distribution, StandardNormal};

fn normal(len: usize, index: u64) -> Vec<f64> {
    let mut generator = stream(11, Purpose::Data, index);
    (0..len).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE)
}

fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation) -> Network<f64> {
    Mlp {
        inputs,
        hidden: hidden.to_vec(),
        outputs,
        activation,
        parametrization: Parametrization::Standard,
        initialisation: Initialisation::LeCun,
        output_gain: 1.0,
        bias: false,
        residual: false,
        normalizer: None,
    }
    .build()
    .unwrap()
}

/// A linear predictor `f = W x` with weights (outputs, inputs): its gradient is `sum_a g_a x_a^T` and its
/// Hessian product `sum_a (L''_a V x_a) x_a^T`, with the loss's own derivatives written out by hand.
fn check_regression(loss: Loss, outputs: usize, targets: &[f64], slope: Derivative, bend: Bend) {
    let (d, m) = (7, 40);
    let network = mlp(d, &[], outputs, Activation::Identity);
    let (w, v, x) = (normal(outputs * d, 1), normal(outputs * d, 2), normal(m * d, 3));
    let mut at = Linearization::new(&network, &w, Batch { inputs: &x, targets }, loss, false);
    let apply = |matrix: &[f64], x: &[f64]| -> Vec<f64> { matrix.chunks(d).map(|row| dot(row, x)).collect() };
    let (mut gradient, mut product) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    for (x, y) in x.chunks(d).zip(targets.chunks(outputs)) {
        let f = apply(&w, x);
        let (g, h) = (slope(&f, y), bend(&f, y, &apply(&v, x)));
        for k in 0..outputs {
            for j in 0..d {
                gradient[k * d + j] += g[k] * x[j] / m as f64;
                product[k * d + j] += h[k] * x[j] / m as f64;
            }
        }
    }
    let mut ours = vec![0.0; w.len()];
    at.gradient(&mut ours);
    for (ours, theirs) in ours.iter().zip(&gradient) {
        assert!((ours - theirs).abs() < 1e-13, "{loss:?}: gradient {ours} against {theirs}");
    }
    // With a linear predictor the Hessian is its Gauss-Newton part.
    for exact in [true, false] {
        if exact {
            at.hvp(&v, &mut ours)
        } else {
            at.gauss_newton(&v, &mut ours)
        }
        for (ours, theirs) in ours.iter().zip(&product) {
            assert!((ours - theirs).abs() < 1e-13, "{loss:?}: Hessian product {ours} against {theirs}");
        }
    }
}

type Derivative = fn(&[f64], &[f64]) -> Vec<f64>;
type Bend = fn(&[f64], &[f64], &[f64]) -> Vec<f64>;

#[test]
fn linear_logistic_and_softmax_regression() {
    fn softmax(f: &[f64]) -> Vec<f64> {
        let mass: f64 = f.iter().map(|f| f.exp()).sum();
        f.iter().map(|f| f.exp() / mass).collect()
    }
    let signs: Vec<f64> = (0..40).map(|i| if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
    let one_hot: Vec<f64> = (0..120).map(|i| f64::from(i % 3 == (i / 3) % 3)).collect();
    check_regression(
        Loss::Mse,
        3,
        &normal(120, 9),
        |f, y| f.iter().zip(y).map(|(f, y)| f - y).collect(),
        |_, _, v| v.to_vec(),
    );
    check_regression(
        Loss::Logistic,
        1,
        &signs,
        |f, y| vec![-y[0] / (1.0 + (y[0] * f[0]).exp())],
        |f, _, v| vec![v[0] / (2.0 + f[0].exp() + (-f[0]).exp())],
    );
    check_regression(
        Loss::Exponential,
        1,
        &signs,
        |f, y| vec![-y[0] * (-y[0] * f[0]).exp()],
        |f, y, v| vec![v[0] * (-y[0] * f[0]).exp()],
    );
    check_regression(
        Loss::CrossEntropy,
        3,
        &one_hot,
        |f, y| softmax(f).iter().zip(y).map(|(p, y)| p - y).collect(),
        |f, _, v| {
            let p = softmax(f);
            let mean = dot(&p, v);
            p.iter().zip(v).map(|(p, v)| p * (v - mean)).collect()
        },
    );
}

#[test]
fn jacobian_products_are_adjoint_and_the_hessian_is_symmetric() {
    for (index, activation) in Activation::ALL.into_iter().enumerate() {
        for loss in Loss::ALL {
            let outputs = if matches!(loss, Loss::Mse | Loss::CrossEntropy) { 3 } else { 1 };
            let network = Mlp {
                inputs: 9,
                hidden: vec![16, 16],
                outputs,
                activation,
                parametrization: Parametrization::Ntk,
                initialisation: Initialisation::He,
                output_gain: 1.0,
                bias: true,
                residual: index % 2 == 1,
                normalizer: None,
            }
            .build::<f64>()
            .unwrap();
            let m = 33;
            let (w, x) = (network.layout().initialise::<f64>(5), normal(9 * m, 20));
            let y: Vec<f64> = match loss {
                Loss::Mse => normal(m * outputs, 21),
                Loss::CrossEntropy => (0..m * 3).map(|i| f64::from(i % 3 == (i / 3) % 3)).collect(),
                _ => (0..m).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect(),
            };
            let mut at = Linearization::new(&network, &w, Batch { inputs: &x, targets: &y }, loss, false);
            let (a, b, u) = (normal(w.len(), 22), normal(w.len(), 23), normal(m * outputs, 24));
            let (mut ja, mut jtu) = (vec![0.0; u.len()], vec![0.0; w.len()]);
            at.jvp(&a, &mut ja);
            at.vjp(&u, &mut jtu);
            assert!(relative(dot(&u, &ja), dot(&jtu, &a)) < 1e-12, "{activation:?} {loss:?}: adjointness");
            let (mut ha, mut hb) = (vec![0.0; w.len()], vec![0.0; w.len()]);
            at.hvp(&a, &mut ha);
            at.hvp(&b, &mut hb);
            let scale = (dot(&ha, &ha) * dot(&b, &b)).sqrt();
            assert!((dot(&b, &ha) - dot(&a, &hb)).abs() < 1e-12 * scale, "{activation:?} {loss:?}: symmetry");
            at.gauss_newton(&a, &mut ha);
            assert!(dot(&a, &ha) >= 0.0, "Gauss-Newton is positive semi-definite");
        }
    }
}

#[test]
fn slices_lanes_and_threads_do_not_change_a_bit() {
    // 2,300 samples are nine slices in eight lanes, the last slice short.
    let network = mlp(12, &[20, 20], 3, Activation::Gelu);
    let m = 2300;
    let (w, x, y) = (network.layout().initialise::<f64>(3), normal(12 * m, 30), normal(3 * m, 31));
    let (batch, v) = (Batch { inputs: &x, targets: &y }, normal(w.len(), 32));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut workspace = Workspace::new(&network, m, threads > 1);
            let value = network.gradient(&w, batch, Loss::Mse, &mut workspace);
            let mut outputs = vec![0.0; 3 * m];
            network.outputs(&w, &[], &x, &mut workspace, &mut outputs);
            let mut at = Linearization::new(&network, &w, batch, Loss::Mse, threads > 1);
            let (mut gradient, mut hvp) = (vec![0.0; w.len()], vec![0.0; w.len()]);
            at.gradient(&mut gradient);
            at.hvp(&v, &mut hvp);
            assert_eq!(gradient, workspace.gradient());
            assert_eq!(value.to_bits(), at.value().to_bits());
            (value.to_bits(), outputs, gradient, hvp)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
    // And the sum is the mean over samples, whatever the slices.
    let mut workspace = Workspace::new(&network, 1, false);
    let single: f64 = (0..m)
        .map(|i| {
            let one = Batch { inputs: &x[i * 12..(i + 1) * 12], targets: &y[i * 3..(i + 1) * 3] };
            network.gradient(&w, one, Loss::Mse, &mut workspace)
        })
        .sum();
    assert!(relative(single / m as f64, f64::from_bits(one.0)) < 1e-13);
}
