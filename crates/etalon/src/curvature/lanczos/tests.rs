//! Closed forms first, then an independent dense solver (Jacobi rotations), then traps.

mod spaces;
mod starts;

use super::*;
use crate::curvature::fixed_cases;
use crate::curvature::{DenseOperator, FnOperator, Memory};
use etalon_nn::random::{Purpose, stream};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::PI;

fn exact(ends: Ends, count: usize) -> LanczosSettings {
    LanczosSettings {
        ends,
        count,
        tolerance: 1e-10,
        verify: true,
        vectors: true,
        ..LanczosSettings::default()
    }
}

fn values(estimates: &[Eigenvalue]) -> Vec<f64> {
    estimates.iter().map(|e| e.value).collect()
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{got:?} against {expected:?}");
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance, "{got:?} against {expected:?}");
    }
}

/// A random symmetric matrix with the given eigenvalues: a product of reflections around their diagonal.
fn with_spectrum(eigenvalues: &[f64], seed: u64) -> DenseOperator {
    let dim = eigenvalues.len();
    let mut a = vec![0.0; dim * dim];
    (0..dim).for_each(|i| a[i * dim + i] = eigenvalues[i]);
    let mut generator = stream(seed, Purpose::Data, 0);
    for _ in 0..3 {
        let v: Vec<f64> = (0..dim).map(|_| StandardNormal.sample(&mut generator)).collect();
        let square: f64 = v.iter().map(|x| x * x).sum();
        // H A H with H = 1 - 2 v v^T / v.v, from p = A v and v.p.
        let p: Vec<f64> = (0..dim).map(|i| (0..dim).map(|j| a[i * dim + j] * v[j]).sum()).collect();
        let vp: f64 = v.iter().zip(&p).map(|(a, b)| a * b).sum();
        for i in 0..dim {
            for j in 0..dim {
                a[i * dim + j] +=
                    -2.0 / square * (v[i] * p[j] + p[i] * v[j]) + 4.0 * vp / square.powi(2) * v[i] * v[j];
            }
        }
    }
    DenseOperator::new(dim, a).unwrap()
}

/// All eigenvalues, ascending, by cyclic Jacobi rotations.
fn jacobi(dim: usize, matrix: &[f64]) -> Vec<f64> {
    let mut a = matrix.to_vec();
    for _ in 0..60 {
        for p in 0..dim {
            for q in p + 1..dim {
                if a[p * dim + q] == 0.0 {
                    continue;
                }
                let theta = (a[q * dim + q] - a[p * dim + p]) / (2.0 * a[p * dim + q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let (c, s) = (1.0 / t.hypot(1.0), t / t.hypot(1.0));
                for k in 0..dim {
                    let (x, y) = (a[k * dim + p], a[k * dim + q]);
                    (a[k * dim + p], a[k * dim + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..dim {
                    let (x, y) = (a[p * dim + k], a[q * dim + k]);
                    (a[p * dim + k], a[q * dim + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..dim).map(|i| a[i * dim + i]).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn algebraic_order_not_magnitude() {
    let mut operator = DenseOperator::diagonal(&[-10.0, -4.0, 0.5, 1.0, 2.0, 3.0]);
    let spectrum = lanczos(&mut operator, &exact(Ends::Both, 1), None).unwrap();
    assert_close(&values(&spectrum.largest), &[3.0], 1e-12);
    assert_close(&values(&spectrum.smallest), &[-10.0], 1e-12);
    assert!((spectrum.scale - 10.0).abs() < 1e-12);
    assert!(spectrum.converged());
    // And in a space too large to be exhausted.
    let mut many: Vec<f64> = (0..400).map(|i| 3.0 * (i as f64 / 399.0)).collect();
    many[7] = -10.0;
    let mut operator = DenseOperator::diagonal(&many);
    let settings = LanczosSettings { max_iterations: 300, ..exact(Ends::Both, 1) };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    assert_close(&values(&spectrum.largest), &[3.0], 1e-10);
    assert_close(&values(&spectrum.smallest), &[-10.0], 1e-10);
    assert_eq!(spectrum.stop, StopReason::Converged);
}

#[test]
fn the_laplacian_has_its_closed_form_and_true_residuals() {
    let n = 300;
    let mut operator = FnOperator::new(n, |x: &[f64], y: &mut [f64]| {
        for i in 0..n {
            let left = if i > 0 { x[i - 1] } else { 0.0 };
            let right = if i + 1 < n { x[i + 1] } else { 0.0 };
            y[i] = 2.0 * x[i] - left - right;
        }
    });
    let settings = LanczosSettings { tolerance: 1e-9, max_iterations: 300, ..exact(Ends::Both, 2) };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    let form = |k: usize| 2.0 - 2.0 * (k as f64 * PI / (n as f64 + 1.0)).cos();
    assert_close(&values(&spectrum.largest), &[form(n), form(n - 1)], 1e-12);
    assert_close(&values(&spectrum.smallest), &[form(1), form(2)], 1e-12);
    assert!(spectrum.largest.iter().chain(&spectrum.smallest).all(|e| e.residual < 1e-8 && e.converged));
    assert!(spectrum.asymmetry < 1e-13, "{}", spectrum.asymmetry);
}

#[test]
fn a_cluster_is_resolved() {
    let mut eigenvalues: Vec<f64> = (0..200).map(|i| -1.0 + i as f64 / 100.0).collect();
    eigenvalues.extend([5.0, 5.0 - 1e-6, 5.0 - 2e-6, 4.9]);
    let mut operator = with_spectrum(&eigenvalues, 1);
    let spectrum = lanczos(&mut operator, &exact(Ends::Largest, 4), None).unwrap();
    assert_close(&values(&spectrum.largest), &[5.0, 5.0 - 1e-6, 5.0 - 2e-6, 4.9], 1e-9);
    assert!(spectrum.converged() && spectrum.repeats_checked);
}

#[test]
fn repeated_eigenvalues_are_found_as_often_as_they_occur() {
    let mut eigenvalues: Vec<f64> = (0..300).map(|i| i as f64 / 100.0).collect();
    eigenvalues.extend([7.0, 7.0, 7.0, -5.0, -5.0]);
    let mut operator = with_spectrum(&eigenvalues, 2);
    let settings = LanczosSettings { max_iterations: 1000, ..exact(Ends::Both, 3) };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    assert_close(&values(&spectrum.largest), &[7.0; 3], 1e-10);
    assert_close(&values(&spectrum.smallest), &[-5.0, -5.0, 0.0], 1e-10);
    assert!(spectrum.converged() && spectrum.repeats_checked);
    for (i, a) in spectrum.largest_vectors.iter().enumerate() {
        for (j, b) in spectrum.largest_vectors.iter().enumerate() {
            let dot: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            assert!((dot - f64::from(i == j)).abs() < 1e-9);
        }
    }
}

#[test]
fn a_krylov_space_shows_one_copy_and_the_result_says_so() {
    let mut eigenvalues: Vec<f64> = (0..300).map(|i| i as f64 / 300.0).collect();
    eigenvalues.extend([7.0, 7.0, 4.0]);
    let mut operator = with_spectrum(&eigenvalues, 7);
    let settings = LanczosSettings { count: 2, repeats: false, ..LanczosSettings::default() };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    assert_close(&values(&spectrum.largest), &[7.0, 4.0], 1e-6);
    assert!(spectrum.converged() && !spectrum.repeats_checked);
    let settings = LanczosSettings { repeats: true, ..settings };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    assert_close(&values(&spectrum.largest), &[7.0, 7.0], 1e-6);
    assert!(spectrum.converged() && spectrum.repeats_checked);
}

#[test]
fn few_distinct_eigenvalues_break_down_and_go_on() {
    // Krylov spaces of this operator have two dimensions.
    let mut eigenvalues = vec![1.0; 57];
    eigenvalues.extend([4.0; 3]);
    let mut operator = with_spectrum(&eigenvalues, 3);
    let spectrum = lanczos(&mut operator, &exact(Ends::Both, 4), None).unwrap();
    assert_close(&values(&spectrum.largest), &[4.0, 4.0, 4.0, 1.0], 1e-12);
    assert_close(&values(&spectrum.smallest), &[1.0; 4], 1e-12);
}

#[test]
fn the_zero_operator_has_zero_eigenvalues() {
    let mut operator = FnOperator::new(1000, |_: &[f64], y: &mut [f64]| y.fill(0.0));
    let spectrum = lanczos(&mut operator, &exact(Ends::Both, 2), None).unwrap();
    assert_eq!(values(&spectrum.largest), [0.0, 0.0]);
    assert_eq!(values(&spectrum.smallest), [0.0, 0.0]);
    assert!(spectrum.converged() && spectrum.scale == 0.0);
}

#[test]
fn sizes_one_and_two() {
    let mut operator = DenseOperator::diagonal(&[-2.5]);
    let spectrum = lanczos(&mut operator, &exact(Ends::Both, 3), None).unwrap();
    assert_eq!((values(&spectrum.largest), values(&spectrum.smallest)), (vec![-2.5], vec![-2.5]));
    assert_eq!(spectrum.stop, StopReason::SubspaceExhausted);
    assert_eq!(spectrum.largest_vectors, [[1.0]]);
    let mut operator = DenseOperator::new(2, vec![0.0, 1.0, 1.0, 0.0]).unwrap();
    let spectrum = lanczos(&mut operator, &exact(Ends::Both, 1), Some(&vec![1.0, 0.0])).unwrap();
    assert_close(&values(&spectrum.largest), &[1.0], 1e-15);
    assert_close(&values(&spectrum.smallest), &[-1.0], 1e-15);
    // Two applications to search the space, two to verify.
    assert_eq!((spectrum.iterations, spectrum.applications), (2, 4));
}

#[test]
fn a_warm_start_needs_fewer_iterations() {
    let eigenvalues: Vec<f64> = (0..500).map(|i| 10.0 * (i as f64 / 499.0).powi(6)).collect();
    let mut operator = with_spectrum(&eigenvalues, 4);
    let settings = LanczosSettings { vectors: true, tolerance: 1e-4, ..LanczosSettings::default() };
    let cold = lanczos(&mut operator, &settings, None).unwrap();
    let warm = lanczos(&mut operator, &settings, Some(&cold.largest_vectors[0])).unwrap();
    assert!(cold.converged() && warm.converged());
    assert!(warm.iterations < cold.iterations, "{} against {}", warm.iterations, cold.iterations);
}

#[test]
fn a_start_at_another_eigenvector_is_no_trap() {
    for dim in [3, 20, 400] {
        let mut eigenvalues: Vec<f64> = (0..dim).map(|i| i as f64 / dim as f64).collect();
        eigenvalues[0] = 3.0;
        eigenvalues[1] = 2.0;
        let mut operator = DenseOperator::diagonal(&eigenvalues);
        let mut start = vec![0.0; dim];
        start[1] = 1e9;
        let spectrum = lanczos(&mut operator, &LanczosSettings::default(), Some(&start)).unwrap();
        assert_close(&values(&spectrum.largest), &[3.0], 1e-8);
        assert!(spectrum.converged());
    }
    // A start of zeros is no start.
    let mut operator = DenseOperator::diagonal(&[1.0, 2.0]);
    let spectrum = lanczos(&mut operator, &LanczosSettings::default(), Some(&vec![0.0, 0.0])).unwrap();
    assert_close(&values(&spectrum.largest), &[2.0], 1e-14);
}

#[test]
fn an_operator_that_is_not_finite_is_reported_with_its_iteration() {
    let mut broken = FnOperator::new(50, |_: &[f64], y: &mut [f64]| y.fill(f64::NAN));
    let spectrum = lanczos(&mut broken, &exact(Ends::Both, 2), None).unwrap();
    assert_eq!(spectrum.stop, StopReason::NotFinite(1));
    assert!(spectrum.largest.is_empty() && !spectrum.converged());
    let mut calls = 0;
    let mut later = FnOperator::new(50, |x: &[f64], y: &mut [f64]| {
        calls += 1;
        y.iter_mut().zip(x).enumerate().for_each(|(i, (y, x))| *y = i as f64 * x);
        if calls == 4 {
            y[17] = f64::INFINITY;
        }
    });
    let spectrum = lanczos(&mut later, &exact(Ends::Largest, 1), None).unwrap();
    assert_eq!(spectrum.stop, StopReason::NotFinite(4));
    let best = spectrum.largest[0];
    assert!(best.value > 24.5 && best.value < 49.0 && !best.converged && !spectrum.converged());
}

#[test]
fn an_unconverged_eigenvalue_says_so() {
    let eigenvalues: Vec<f64> = (0..300).map(|i| i as f64).collect();
    let mut operator = DenseOperator::diagonal(&eigenvalues);
    let settings = LanczosSettings { max_iterations: 9, verify: true, ..LanczosSettings::default() };
    let spectrum = lanczos(&mut operator, &settings, None).unwrap();
    assert_eq!(spectrum.stop, StopReason::MaxIterations(9));
    let best = spectrum.largest[0];
    assert!(!best.converged && best.value < 298.9);
    let (low, high) = spectrum.interval(&best);
    let nearest = eigenvalues.iter().filter(|e| (low..=high).contains(*e)).count();
    assert!(nearest > 0, "no eigenvalue between {low} and {high}");
}

#[test]
fn the_estimated_residual_is_the_true_one() {
    let eigenvalues: Vec<f64> = (0..200).map(|i| (i as f64 * 0.7).sin() * 4.0).collect();
    let mut operator = with_spectrum(&eigenvalues, 5);
    let settings = LanczosSettings { max_iterations: 25, ..exact(Ends::Both, 2) };
    let measured = lanczos(&mut operator, &settings, None).unwrap();
    let estimated = lanczos(&mut operator, &LanczosSettings { verify: false, ..settings }, None).unwrap();
    for (m, e) in measured.largest.iter().zip(&estimated.largest) {
        assert!(m.residual > 1e-6 && (m.residual / e.residual - 1.0).abs() < 1e-6);
    }
}

#[test]
fn an_operator_that_changes_from_call_to_call_is_noticed() {
    let mut calls = 0.0;
    let mut random = FnOperator::new(100, |x: &[f64], y: &mut [f64]| {
        calls += 1.0;
        y.iter_mut()
            .zip(x)
            .enumerate()
            .for_each(|(i, (y, x))| *y = (i as f64 + (i as f64 * calls).sin()) * x);
    });
    let error = lanczos(&mut random, &exact(Ends::Largest, 1), None).unwrap_err();
    assert!(matches!(error, LanczosError::Inconsistent { difference, .. } if difference > 1e-3), "{error}");
}

#[test]
fn the_same_request_gives_the_same_bits() {
    let eigenvalues: Vec<f64> = (0..120).map(|i| (i as f64).sqrt()).collect();
    let mut operator = with_spectrum(&eigenvalues, 6);
    let first = lanczos(&mut operator, &exact(Ends::Both, 2), None).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let second = pool.install(|| lanczos(&mut operator, &exact(Ends::Both, 2), None).unwrap());
    assert_eq!(first, second);
}

#[test]
fn bad_requests_are_refused_with_advice() {
    let mut operator = DenseOperator::diagonal(&[1.0, 2.0]);
    let mut ask = |settings: LanczosSettings, start: Option<&Vec<f64>>| {
        lanczos(&mut operator, &settings, start).unwrap_err().to_string()
    };
    let settings = LanczosSettings::default();
    assert_eq!(
        ask(LanczosSettings { count: 0, ..settings.clone() }, None),
        "count = 0: it must be at least 1"
    );
    assert_eq!(
        ask(LanczosSettings { tolerance: f64::NAN, ..settings.clone() }, None),
        "tolerance = NaN: it must be a finite number, at least 0"
    );
    assert!(
        ask(LanczosSettings { max_iterations: 0, ..settings.clone() }, None).starts_with("max_iterations")
    );
    assert_eq!(
        ask(settings.clone(), Some(&vec![1.0])),
        "the start vector has 1 elements, the operator 2: pass one vector of that size, or none"
    );
    assert!(ask(settings.clone(), Some(&vec![f64::NAN, 1.0])).contains("no finite norm"));
    let error = lanczos(&mut DenseOperator::diagonal(&[]), &settings, None).unwrap_err();
    assert!(matches!(error, LanczosError::Empty));
}

#[test]
fn memory_follows_its_formula() {
    let settings = LanczosSettings::default();
    let full = |dim: usize, settings: &LanczosSettings| settings.bytes(&Memory::<f64>::new(dim), Basis::Full);
    assert_eq!(full(1_000_000, &settings), 8 * 1_000_000 * 102);
    assert_eq!(settings.bytes(&Memory::<f32>::new(1_000_000), Basis::Full), 4 * 1_000_000 * 102);
    assert_eq!(settings.bytes(&Memory::<f32>::new(1_000_000), Basis::None), 4 * 1_000_000 * 3);
    let settings = LanczosSettings { ends: Ends::Both, count: 3, ..settings };
    assert_eq!(full(1_000_000, &settings), 8 * 1_000_000 * 108);
    assert_eq!(full(5, &settings), 8 * 5 * (5 + 2 + 5));
}

proptest! {
    #![proptest_config(fixed_cases(48))]
    #[test]
    fn random_matrices_agree_with_a_dense_solver(
        dim in 1usize..24,
        count in 1usize..5,
        seed in 0u64..1_000_000,
        kept in 0.05..1.0f64,
    ) {
        // Entries are dropped at random: sparse ones fall into blocks and have repeated zeros.
        let mut generator = stream(seed, Purpose::Data, 1);
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        let mut a = vec![0.0; dim * dim];
        for i in 0..dim {
            for j in 0..=i {
                let entry = if normal().abs() < 2.0 * kept { normal() } else { 0.0 };
                a[i * dim + j] = entry;
                a[j * dim + i] = entry;
            }
        }
        let reference = jacobi(dim, &a);
        let mut operator = DenseOperator::new(dim, a).unwrap();
        let spectrum = lanczos(&mut operator, &exact(Ends::Both, count), None).unwrap();
        let count = count.min(dim);
        let top: Vec<f64> = reference.iter().rev().take(count).copied().collect();
        assert_close(&values(&spectrum.largest), &top, 1e-9);
        assert_close(&values(&spectrum.smallest), &reference[..count], 1e-9);
        prop_assert!(spectrum.converged());
        prop_assert!(spectrum.largest.iter().chain(&spectrum.smallest).all(|e| e.residual < 1e-10));
    }
}
