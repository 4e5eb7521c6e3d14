//! Each path (a basis or none) in each space (`f32`, `f64`, one that is not ours), and operators that cannot be relied on.

use super::*;
use crate::curvature::{ApplyError, Memory};
use etalon_nn::Scalar;
use std::cell::Cell;
use std::marker::PhantomData;

/// A closure on vectors of `T`, by way of `f64`, that may fail.
struct Product<T, F> {
    dim: usize,
    product: F,
    number: PhantomData<T>,
}

impl<T: Scalar, F: FnMut(&[f64], &mut [f64]) -> Result<(), ApplyError>> Operator for Product<T, F> {
    type Space = Memory<T>;

    fn space(&self) -> Memory<T> {
        Memory::new(self.dim)
    }

    fn apply(&mut self, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), ApplyError> {
        let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let mut product = vec![0.0; self.dim];
        (self.product)(&x, &mut product)?;
        y.iter_mut().zip(product).for_each(|(y, product)| *y = T::from_f64(product));
        Ok(())
    }
}

fn operator<T: Scalar>(
    dim: usize,
    product: impl FnMut(&[f64], &mut [f64]) -> Result<(), ApplyError>,
) -> impl Operator<Space = Memory<T>> {
    Product { dim, product, number: PhantomData }
}

fn diagonal<T: Scalar>(values: &[f64]) -> impl Operator<Space = Memory<T>> {
    operator(values.len(), move |x, y| {
        y.iter_mut().zip(x).zip(values).for_each(|((y, x), value)| *y = value * x);
        Ok(())
    })
}

fn matrix<T: Scalar>(dim: usize, entries: &[f64]) -> impl Operator<Space = Memory<T>> {
    operator(dim, move |x, y| {
        let rows = entries.chunks_exact(dim);
        y.iter_mut().zip(rows).for_each(|(y, row)| *y = row.iter().zip(x).map(|(a, x)| a * x).sum());
        Ok(())
    })
}

/// Settings under which exactly this basis fits.
fn settings<T>(dim: usize, basis: Basis, tolerance: f64) -> LanczosSettings
where
    Memory<T>: Space,
{
    let settings =
        LanczosSettings { ends: Ends::Both, tolerance, max_iterations: 1000, ..LanczosSettings::default() };
    LanczosSettings { memory: Some(settings.bytes(&Memory::<T>::new(dim), basis)), ..settings }
}

/// Both ends on both paths, each converged, within `error`.
fn check<T: Scalar>(
    operator: &mut impl Operator<Space = Memory<T>>,
    ends: (f64, f64),
    tolerance: f64,
    error: f64,
) {
    for basis in [Basis::Full, Basis::None] {
        let settings = settings::<T>(operator.space().dim(), basis, tolerance);
        let spectrum = lanczos(operator, &settings, None).unwrap();
        assert_eq!((spectrum.basis, Some(spectrum.bytes)), (basis, settings.memory));
        assert!(spectrum.converged() && spectrum.repeats_checked, "{basis:?}: {spectrum:?}");
        assert_eq!(spectrum.applications, spectrum.iterations + usize::from(basis == Basis::None));
        assert_close(&values(&spectrum.smallest), &[ends.0], error);
        assert_close(&values(&spectrum.largest), &[ends.1], error);
    }
}

#[test]
fn all_paths_find_the_ends_of_a_diagonal() {
    let mut values: Vec<f64> = (0..500).map(|i| (f64::from(i) * 0.7).sin()).collect();
    values[3] = -2.5;
    values[77] = 4.0;
    check(&mut diagonal::<f64>(&values), (-2.5, 4.0), 1e-10, 1e-11);
    check(&mut diagonal::<f32>(&values), (-2.5, 4.0), 1e-5, 1e-5);
    // All of them negative, and spaces so small that they are exhausted.
    check(&mut diagonal::<f64>(&[-3.0, -1.0, -2.0]), (-3.0, -1.0), 1e-10, 1e-14);
    check(&mut diagonal::<f32>(&[-3.0, -1.0, -2.0]), (-3.0, -1.0), 1e-5, 1e-6);
    check(&mut diagonal::<f64>(&[0.0; 4]), (0.0, 0.0), 1e-10, 0.0);
    check(&mut diagonal::<f64>(&[2.0; 30]), (2.0, 2.0), 1e-10, 1e-14);
    check(&mut diagonal::<f32>(&[7.0; 2]), (7.0, 7.0), 1e-5, 1e-6);
}

#[test]
fn few_distinct_eigenvalues_are_found_although_the_recurrence_breaks_down() {
    // After three iterations what is left is rounding, long before the least number of iterations.
    for dim in 10..60 {
        let values: Vec<f64> = (0..dim).map(|i| 0.3 + 1.1 * f64::from(i % 3)).collect();
        check(&mut diagonal::<f64>(&values), (0.3, 2.5), 1e-10, 1e-13);
        check(&mut diagonal::<f32>(&values), (0.3, 2.5), 1e-5, 1e-5);
        // An operator of fewer digits than the vectors: its rounding goes on as the next vector.
        let mut coarse = operator::<f32>(values.len(), |x, y| {
            let grid = 2f64.powi(18);
            y.iter_mut()
                .zip(x)
                .zip(&values)
                .for_each(|((y, x), value)| *y = (value * x * grid).round() / grid);
            Ok(())
        });
        check(&mut coarse, (0.3, 2.5), 1e-4, 1e-4);
    }
}

#[test]
fn all_paths_find_the_ends_of_the_laplacian() {
    let n = 60;
    let laplacian = |x: &[f64], y: &mut [f64]| {
        for i in 0..n {
            let at = |i: Option<usize>| i.and_then(|i| x.get(i)).copied().unwrap_or(0.0);
            y[i] = 2.0 * x[i] - at(i.checked_sub(1)) - at(Some(i + 1));
        }
        Ok(())
    };
    let form = |k: usize| 2.0 - 2.0 * (k as f64 * PI / (n as f64 + 1.0)).cos();
    check(&mut operator::<f64>(n, laplacian), (form(1), form(n)), 1e-10, 1e-9);
    check(&mut operator::<f32>(n, laplacian), (form(1), form(n)), 1e-5, 2e-5);
}

#[test]
fn all_paths_agree_with_a_dense_solver() {
    for seed in 0..6 {
        let dim = 20 + 5 * seed as usize;
        let mut generator = stream(seed, Purpose::Data, 2);
        let mut a = vec![0.0; dim * dim];
        for i in 0..dim {
            for j in 0..=i {
                a[i * dim + j] = StandardNormal.sample(&mut generator);
                a[j * dim + i] = a[i * dim + j];
            }
        }
        let reference = jacobi(dim, &a);
        let ends = (reference[0], reference[dim - 1]);
        check(&mut matrix::<f64>(dim, &a), ends, 1e-10, 1e-8);
        check(&mut matrix::<f32>(dim, &a), ends, 1e-5, 1e-4);
    }
}

#[test]
fn without_a_basis_no_ghost_is_offered_and_what_would_need_one_is_refused() {
    // The top converges within a dozen iterations and comes back many times before the bottom does.
    let mut eigenvalues: Vec<f64> = (0..400).map(|i| f64::from(i) / 400.0).collect();
    eigenvalues.push(1e3);
    let dim = eigenvalues.len();
    let settings = settings::<f64>(dim, Basis::None, 1e-9);
    let spectrum = lanczos(&mut diagonal::<f64>(&eigenvalues), &settings, None).unwrap();
    assert!(spectrum.iterations > 50 && spectrum.converged(), "{spectrum:?}");
    assert_close(&values(&spectrum.largest), &[1e3], 1e-9);
    assert_close(&values(&spectrum.smallest), &[0.0], 1e-5);
    let refused = |settings: LanczosSettings| {
        lanczos(&mut diagonal::<f64>(&eigenvalues), &settings, None).unwrap_err().to_string()
    };
    let message = refused(LanczosSettings { count: 2, ..settings.clone() });
    assert!(message.starts_with("count = 2 needs a full basis, which takes 1305656 bytes"), "{message}");
    let message = refused(LanczosSettings { vectors: true, ..settings.clone() });
    assert!(message.starts_with("vectors = true needs a full basis"), "{message}");
    let least = 3 * 8 * dim as u64;
    let message = refused(LanczosSettings { memory: Some(least - 1), ..settings });
    assert_eq!(
        message,
        format!(
            "the least that Lanczos can do with is {least} bytes, and memory = {}: allow that much",
            least - 1
        )
    );
}

#[test]
fn an_operator_that_fails_is_told_with_its_product_and_its_own_error() {
    for basis in [Basis::Full, Basis::None] {
        for fails_at in 1..8 {
            let mut calls = 0;
            let mut failing = operator::<f64>(40, |x, y| {
                calls += 1;
                if calls == fails_at {
                    return Err(ApplyError::failed(std::io::Error::other("device lost")));
                }
                y.iter_mut().zip(x).enumerate().for_each(|(i, (y, x))| *y = i as f64 * x);
                Ok(())
            });
            let error = lanczos(&mut failing, &settings::<f64>(40, basis, 1e-8), None).unwrap_err();
            assert_eq!(error.to_string(), format!("the operator failed at product {fails_at}: device lost"));
            let LanczosError::Operator { product, source } = error else { panic!("{error}") };
            assert!(product == fails_at && source.is::<std::io::Error>());
        }
        let mut interrupted = operator::<f32>(40, |_, _| Err(ApplyError::Interrupted));
        let error = lanczos(&mut interrupted, &settings::<f32>(40, basis, 1e-5), None).unwrap_err();
        assert!(matches!(error, LanczosError::Interrupted { product: 1 }), "{error}");
    }
}

#[test]
fn an_operator_that_answers_differently_each_time_is_an_error_without_a_basis_at_once() {
    // One part in a thousand, spread over all directions: far too little for neighbours in the recurrence to show.
    let calls = Cell::new(0.0);
    let mut random = operator::<f64>(1000, |x, y| {
        calls.set(calls.get() + 1.0);
        let noise = |i: usize| 1e-3 * (i as f64 * calls.get()).sin();
        y.iter_mut().zip(x).enumerate().for_each(|(i, (y, x))| *y = (1.0 + i as f64 * 1e-3 + noise(i)) * x);
        Ok(())
    });
    let error = lanczos(&mut random, &settings::<f64>(1000, Basis::None, 1e-5), None).unwrap_err();
    assert!(matches!(error, LanczosError::Inconsistent { product: 2, .. }), "{error}");
    let message = "the operator answers differently for the same vector (dropout? shuffled batches?)";
    assert!(error.to_string().starts_with(message), "{error}");
    // Where no more than a percent is asked for it does not matter.
    assert!(lanczos(&mut random, &settings::<f64>(1000, Basis::None, 1e-2), None).is_ok());
}

#[test]
fn an_operator_that_is_not_symmetric_is_noticed_with_a_basis_and_an_error_without() {
    let dim = 30;
    let mut a = vec![0.0; dim * dim];
    (0..dim).for_each(|i| a[i * dim + i] = i as f64);
    for (i, j) in [(3, 20), (29, 8), (15, 28)] {
        (a[i * dim + j], a[j * dim + i]) = (1.0, -1.0);
    }
    let spectrum =
        lanczos(&mut matrix::<f64>(dim, &a), &settings::<f64>(dim, Basis::Full, 1e-8), None).unwrap();
    assert!(spectrum.asymmetry > 1e-3, "{}", spectrum.asymmetry);
    for error in [
        lanczos(&mut matrix::<f64>(dim, &a), &settings::<f64>(dim, Basis::None, 1e-8), None).unwrap_err(),
        lanczos(&mut matrix::<f32>(dim, &a), &settings::<f32>(dim, Basis::None, 1e-5), None).unwrap_err(),
    ] {
        assert!(matches!(error, LanczosError::Asymmetric { asymmetry } if asymmetry > 1e-4), "{error}");
    }
}

#[test]
fn a_product_of_another_length_or_one_that_is_not_finite_is_told() {
    struct Short;
    impl Operator for Short {
        type Space = Memory<f64>;
        fn space(&self) -> Memory<f64> {
            Memory::new(3)
        }
        fn apply(&mut self, _: &Vec<f64>, y: &mut Vec<f64>) -> Result<(), ApplyError> {
            *y = vec![1.0; 2];
            Ok(())
        }
    }
    for basis in [Basis::Full, Basis::None] {
        let error = lanczos(&mut Short, &settings::<f64>(3, basis, 1e-8), None).unwrap_err();
        assert!(matches!(error, LanczosError::ProductLength { product: 1, expected: 3, got: 2 }), "{error}");
        let mut calls = 0;
        let mut broken = operator::<f64>(50, |x, y| {
            calls += 1;
            y.iter_mut().zip(x).enumerate().for_each(|(i, (y, x))| *y = i as f64 * x);
            y[17] = if calls == 6 { f64::NAN } else { y[17] };
            Ok(())
        });
        let spectrum = lanczos(&mut broken, &settings::<f64>(50, basis, 1e-8), None).unwrap();
        // Without a basis the second product is the first one's repetition.
        let iteration = if basis == Basis::None { 5 } else { 6 };
        assert_eq!(spectrum.stop, StopReason::NotFinite(iteration));
        assert!(!spectrum.largest[0].converged && spectrum.largest[0].value < 49.0);
    }
}

/// Vectors in two pieces of different precision, with no more than what must be there.
struct Pieces;

impl Space for Pieces {
    type Vector = (Vec<f32>, Vec<f64>);

    fn dim(&self) -> usize {
        100
    }

    fn length(&self, vector: &Self::Vector) -> usize {
        vector.0.len() + vector.1.len()
    }

    fn bytes(&self) -> u64 {
        40 * 4 + 60 * 8
    }

    fn epsilon(&self) -> f64 {
        f64::from(f32::EPSILON)
    }

    fn zeros(&self) -> Self::Vector {
        (vec![0.0; 40], vec![0.0; 60])
    }

    fn copy(&self, from: &Self::Vector, to: &mut Self::Vector) {
        to.clone_from(from);
    }

    fn random(&self, normals: &mut Normals, to: &mut Self::Vector) {
        to.0.iter_mut().for_each(|x| *x = normals.next().unwrap() as f32);
        let mut own = Normals::new(normals.seed());
        to.1.iter_mut().for_each(|x| *x = own.next().unwrap());
    }

    fn dot(&self, a: &Self::Vector, b: &Self::Vector) -> f64 {
        let first: f64 = a.0.iter().zip(&b.0).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        first + a.1.iter().zip(&b.1).map(|(a, b)| a * b).sum::<f64>()
    }

    fn axpy(&self, factor: f64, x: &Self::Vector, y: &mut Self::Vector) {
        y.0.iter_mut().zip(&x.0).for_each(|(y, x)| *y += factor as f32 * x);
        y.1.iter_mut().zip(&x.1).for_each(|(y, x)| *y += factor * x);
    }

    fn scale(&self, factor: f64, x: &mut Self::Vector) {
        x.0.iter_mut().for_each(|x| *x *= factor as f32);
        x.1.iter_mut().for_each(|x| *x *= factor);
    }
}

/// `diag(-3, .., 5)`, evenly spaced but for the last, which is 6.
struct Ramp;

impl Operator for Ramp {
    type Space = Pieces;

    fn space(&self) -> Pieces {
        Pieces
    }

    fn apply(&mut self, x: &(Vec<f32>, Vec<f64>), y: &mut (Vec<f32>, Vec<f64>)) -> Result<(), ApplyError> {
        let value = |i: usize| if i == 99 { 6.0 } else { -3.0 + 8.0 * i as f64 / 99.0 };
        (0..40).for_each(|i| y.0[i] = value(i) as f32 * x.0[i]);
        (0..60).for_each(|i| y.1[i] = value(40 + i) * x.1[i]);
        Ok(())
    }
}

#[test]
fn a_space_of_ones_own_serves_on_both_paths() {
    for basis in [Basis::Full, Basis::None] {
        let settings =
            LanczosSettings { ends: Ends::Both, max_iterations: 300, tolerance: 1e-5, ..Default::default() };
        let settings = LanczosSettings { memory: Some(settings.bytes(&Pieces, basis)), ..settings };
        let start = Pieces.zeros();
        let spectrum = lanczos(&mut Ramp, &settings, Some(&start)).unwrap();
        assert!(spectrum.converged() && spectrum.basis == basis, "{spectrum:?}");
        assert_close(&values(&spectrum.largest), &[6.0], 1e-5);
        assert_close(&values(&spectrum.smallest), &[-3.0], 1e-4);
    }
    let exact = LanczosSettings { count: 2, vectors: true, verify: true, ..Default::default() };
    let spectrum = lanczos(&mut Ramp, &exact, None).unwrap();
    assert_close(&values(&spectrum.largest), &[6.0, 5.0 - 8.0 / 99.0], 1e-4);
    assert!((spectrum.largest_vectors[0].1[59].abs() - 1.0).abs() < 1e-5, "{spectrum:?}");
}
