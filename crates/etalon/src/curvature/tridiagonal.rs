//! Eigenvalues of a symmetric tridiagonal matrix, with the rows of the eigenvector matrix that are needed.

use std::ops::Range;

/// The eigenvalues of a symmetric tridiagonal matrix and some rows of its orthogonal eigenvector matrix `S`
/// (column `i` belongs to `values[i]`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TridiagonalEigen {
    /// All eigenvalues, ascending.
    pub values: Vec<f64>,
    /// The rows of `S` that were asked for, in order; each as long as `values`.
    pub rows: Vec<Vec<f64>>,
}

/// The eigenvalues of the matrix with the given `diagonal` (`m` numbers) and `off_diagonal` (`m - 1`), with
/// the given rows of the eigenvector matrix: `0..m` for whole eigenvectors, `m - 1..m` for the last components
/// alone, which are all that a Lanczos residual needs and make the work `O(m^2)` instead of `O(m^3)`.
///
/// Implicit QL with Wilkinson's shift (Golub and Van Loan, Matrix Computations, section 8.3). Eigenvalues are
/// right to about `m * eps * ||T||`; repeated ones come out as often as they occur.
///
/// `None` for a matrix with an infinity or NaN, for lengths or rows that do not fit, and if an eigenvalue takes
/// more than 60 sweeps (no finite matrix is known that does).
pub(super) fn eigen(diagonal: &[f64], off_diagonal: &[f64], rows: Range<usize>) -> Option<TridiagonalEigen> {
    let m = diagonal.len();
    if off_diagonal.len() != m.saturating_sub(1) || rows.end > m || rows.start > rows.end {
        return None;
    }
    if !diagonal.iter().chain(off_diagonal).all(|x| x.is_finite()) {
        return None;
    }
    let mut d = diagonal.to_vec();
    let mut e = off_diagonal.to_vec();
    e.push(0.0);
    let mut z: Vec<Vec<f64>> = rows.map(|row| (0..m).map(|i| f64::from(i == row)).collect()).collect();
    for l in 0..m {
        let mut sweeps = 0;
        loop {
            let end = (l..m - 1).find(|&i| negligible(e[i], d[i], d[i + 1])).unwrap_or(m - 1);
            if end == l {
                break;
            }
            sweeps += 1;
            if sweeps > 60 {
                return None;
            }
            ql_sweep(&mut d, &mut e, &mut z, l, end);
        }
    }
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    Some(TridiagonalEigen {
        values: order.iter().map(|&i| d[i]).collect(),
        rows: z.iter().map(|row| order.iter().map(|&i| row[i]).collect()).collect(),
    })
}

/// Whether an off-diagonal entry is lost in the rounding of its neighbours on the diagonal.
fn negligible(e: f64, left: f64, right: f64) -> bool {
    e.abs() <= f64::EPSILON * (left.abs() + right.abs()) || e.abs() < f64::MIN_POSITIVE
}

/// One implicit QL sweep over the block `l..=end`, rotating the columns of `z` along.
fn ql_sweep(d: &mut [f64], e: &mut [f64], z: &mut [Vec<f64>], l: usize, end: usize) {
    let half_gap = (d[l + 1] - d[l]) / (2.0 * e[l]);
    let length = half_gap.hypot(1.0);
    let mut g = d[end] - d[l] + e[l] / (half_gap + length.copysign(half_gap));
    let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
    for i in (l..end).rev() {
        let (f, b) = (s * e[i], c * e[i]);
        let r = f.hypot(g);
        e[i + 1] = r;
        if r == 0.0 {
            // The rotation underflowed: the block splits here, and the next sweep sees two blocks.
            d[i + 1] -= p;
            e[end] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        let t = (d[i] - g) * s + 2.0 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
        for row in z.iter_mut() {
            let (left, right) = (row[i], row[i + 1]);
            row[i + 1] = s * left + c * right;
            row[i] = c * left - s * right;
        }
    }
    d[l] -= p;
    e[l] = g;
    e[end] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curvature::fixed_cases;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    #[test]
    fn the_laplacian_has_its_closed_form() {
        // d = 2, e = -1: lambda_k = 2 - 2 cos(k pi / (m + 1)), s_k(j) ~ sin(j k pi / (m + 1)).
        let m = 100;
        let result = eigen(&vec![2.0; m], &vec![-1.0; m - 1], m - 1..m).unwrap();
        let angle = PI / (m as f64 + 1.0);
        for k in 0..m {
            let phase = (k as f64 + 1.0) * angle;
            assert!((result.values[k] - (2.0 - 2.0 * phase.cos())).abs() < 1e-13);
            let last = (2.0 / (m as f64 + 1.0)).sqrt() * (m as f64 * phase).sin();
            assert!((result.rows[0][k].abs() - last.abs()).abs() < 1e-12, "{k}");
        }
    }

    #[test]
    fn blocks_that_do_not_touch_give_repeated_eigenvalues() {
        // Three copies of [[1, 2], [2, 1]], eigenvalues -1 and 3.
        let result = eigen(&[1.0; 6], &[2.0, 0.0, 2.0, 0.0, 2.0], 0..6).unwrap();
        for (value, expected) in result.values.iter().zip([-1.0, -1.0, -1.0, 3.0, 3.0, 3.0]) {
            assert!((value - expected).abs() < 1e-14);
        }
        check_vectors(&[1.0; 6], &[2.0, 0.0, 2.0, 0.0, 2.0], &result);
    }

    #[test]
    fn wilkinsons_pairs_are_told_apart_or_equal_to_rounding() {
        // W21+: the two largest agree to 14 digits, 10.746194182903393 and ...322.
        let d: Vec<f64> = (0..21).map(|i| (10.0 - i as f64).abs()).collect();
        let result = eigen(&d, &[1.0; 20], 0..21).unwrap();
        assert!((result.values[20] - 10.746194182903393).abs() < 1e-13);
        assert!((result.values[19] - 10.746194182903322).abs() < 1e-13);
        check_vectors(&d, &[1.0; 20], &result);
    }

    #[test]
    fn small_and_degenerate_sizes() {
        assert_eq!(eigen(&[], &[], 0..0).unwrap().values, Vec::<f64>::new());
        assert_eq!(
            eigen(&[3.0], &[], 0..1).unwrap(),
            TridiagonalEigen { values: vec![3.0], rows: vec![vec![1.0]] }
        );
        assert_eq!(eigen(&[0.0; 4], &[0.0; 3], 3..4).unwrap().values, vec![0.0; 4]);
        let two = eigen(&[0.0, 0.0], &[1.0], 0..2).unwrap();
        assert!((two.values[0] + 1.0).abs() < 1e-15 && (two.values[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert!(eigen(&[1.0, f64::NAN], &[1.0], 0..1).is_none());
        assert!(eigen(&[1.0, 1.0], &[f64::INFINITY], 0..1).is_none());
        assert!(eigen(&[1.0, 1.0], &[], 0..1).is_none());
        assert!(eigen(&[1.0, 1.0], &[1.0], 0..3).is_none());
    }

    /// `T s = theta s` and `S S^T = 1`, entry by entry.
    fn check_vectors(d: &[f64], e: &[f64], result: &TridiagonalEigen) {
        let m = d.len();
        let scale = result.values.iter().fold(1e-300, |a: f64, v| a.max(v.abs()));
        for k in 0..m {
            for i in 0..m {
                let s = |j: usize| result.rows[j][k];
                let below = if i + 1 < m { e[i] * s(i + 1) } else { 0.0 };
                let above = if i > 0 { e[i - 1] * s(i - 1) } else { 0.0 };
                let residual = d[i] * s(i) + below + above - result.values[k] * s(i);
                assert!(residual.abs() < 1e-13 * scale, "{residual}");
                let dot: f64 = (0..m).map(|j| result.rows[i][j] * result.rows[k][j]).sum();
                assert!((dot - f64::from(i == k)).abs() < 1e-13);
            }
        }
    }

    proptest! {
        #![proptest_config(fixed_cases(64))]
        #[test]
        fn random_matrices_satisfy_the_eigenvalue_equation(
            entries in prop::collection::vec((-10.0..10.0f64, -3.0..3.0f64), 1..30),
            scale in prop::sample::select(vec![1e-150, 1.0, 1e150]),
        ) {
            let d: Vec<f64> = entries.iter().map(|e| e.0 * scale).collect();
            let e: Vec<f64> = entries[1..].iter().map(|e| e.1 * scale).collect();
            let result = eigen(&d, &e, 0..d.len()).unwrap();
            prop_assert!(result.values.is_sorted());
            check_vectors(&d, &e, &result);
        }
    }
}
