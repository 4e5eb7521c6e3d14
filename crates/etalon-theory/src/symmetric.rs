//! The largest eigenvalue of a small symmetric matrix.

/// The largest algebraic eigenvalue of a symmetric `size x size` matrix, row-major: cyclic Jacobi rotations
/// until the off-diagonal part is lost in rounding. `O(size^3)` a sweep, about ten sweeps; NaN for a matrix that
/// is empty or not finite.
pub fn largest_eigenvalue(size: usize, mut a: Vec<f64>) -> f64 {
    if size == 0 || !a.iter().all(|x| x.is_finite()) {
        return f64::NAN;
    }
    let total: f64 = a.iter().map(|x| x * x).sum();
    // Convergence is quadratic: fifty sweeps are never reached, and bound the time if rounding stalls.
    for _ in 0..50 {
        let off: f64 = (0..size).map(|p| (0..p).map(|q| a[p * size + q].powi(2)).sum::<f64>()).sum();
        if off <= f64::EPSILON.powi(2) * total {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(size, &mut a, p, q);
            }
        }
    }
    (0..size).map(|i| a[i * size + i]).fold(f64::NEG_INFINITY, f64::max)
}

/// The rotation in the plane `(p, q)` that makes entry `(p, q)` zero.
fn rotate(size: usize, a: &mut [f64], p: usize, q: usize) {
    let entry = a[p * size + q];
    if entry == 0.0 {
        return;
    }
    let theta = (a[q * size + q] - a[p * size + p]) / (2.0 * entry);
    let t = 1.0f64.copysign(theta) / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..size {
        let (x, y) = (a[k * size + p], a[k * size + q]);
        (a[k * size + p], a[k * size + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..size {
        let (x, y) = (a[p * size + k], a[q * size + k]);
        (a[p * size + k], a[q * size + k]) = (c * x - s * y, s * x + c * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        assert_eq!(largest_eigenvalue(1, vec![-3.0]), -3.0);
        assert!((largest_eigenvalue(2, vec![1.0, 2.0, 2.0, 1.0]) - 3.0).abs() < 1e-15);
        assert_eq!(largest_eigenvalue(2, vec![-10.0, 0.0, 0.0, 3.0]), 3.0);
        // The Laplacian of a path: 2 - 2 cos(n pi / (n + 1)).
        let n = 30;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i > 0 {
                a[i * n + i - 1] = -1.0;
                a[(i - 1) * n + i] = -1.0;
            }
        }
        let expected = 2.0 - 2.0 * (n as f64 * std::f64::consts::PI / (n as f64 + 1.0)).cos();
        assert!((largest_eigenvalue(n, a) - expected).abs() < 1e-13);
        assert!(largest_eigenvalue(0, Vec::new()).is_nan());
        assert!(largest_eigenvalue(1, vec![f64::INFINITY]).is_nan());
    }
}
