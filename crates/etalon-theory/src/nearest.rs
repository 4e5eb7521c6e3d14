//! The point of a cone that is nearest to a given one: non-negative least squares by active sets.
//!
//! Source: Lawson and Hanson, Solving Least Squares Problems, chapter 23, with the orthogonal factor updated by a
//! column at a time (Golub and Van Loan, Matrix Computations, 6.5).

use rayon::prelude::*;

/// A column whose part outside of the active ones is smaller than this, relative to it, lies in their span.
const DEPENDENT: f64 = 1e-12;
/// Where a column's product with the residual is at most this share of both norms, the column does not help.
const OPTIMAL: f64 = 1e-11;
/// A residual below this, for columns and a target of order one, is zero.
const ZERO: f64 = 1e-14;
/// From this many numbers on, products with all columns run on rayon's threads.
const PARALLEL: usize = 1 << 16;

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// `y += factor x`.
pub(super) fn add(y: &mut [f64], factor: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x);
}

/// The columns in use, as an orthonormal basis times a triangle.
#[derive(Default)]
struct Factor {
    basis: Vec<Vec<f64>>,
    /// Column `j` has its first `j + 1` entries.
    triangle: Vec<Vec<f64>>,
}

impl Factor {
    /// Takes in a column; refuses one that is in the span of the others.
    fn append(&mut self, column: &[f64]) -> bool {
        let mut rest = column.to_vec();
        let mut entries = vec![0.0; self.basis.len() + 1];
        // Twice is enough for orthogonality to rounding.
        for _ in 0..2 {
            for (entry, direction) in entries.iter_mut().zip(&self.basis) {
                let along = dot(direction, &rest);
                add(&mut rest, -along, direction);
                *entry += along;
            }
        }
        let length = norm(&rest);
        if length <= DEPENDENT * norm(column) {
            return false;
        }
        rest.iter_mut().for_each(|x| *x /= length);
        entries[self.basis.len()] = length;
        self.basis.push(rest);
        self.triangle.push(entries);
        true
    }

    /// Drops column `index`: rotations of neighbouring rows make the rest triangular again.
    fn remove(&mut self, index: usize) {
        self.triangle.remove(index);
        for row in index..self.triangle.len() {
            let (above, below) = (self.triangle[row][row], self.triangle[row][row + 1]);
            let length = above.hypot(below);
            // Two zeros need no rotation.
            let (c, s) = if length == 0.0 { (1.0, 0.0) } else { (above / length, below / length) };
            for column in &mut self.triangle[row..] {
                let (x, y) = (column[row], column[row + 1]);
                (column[row], column[row + 1]) = (c * x + s * y, c * y - s * x);
            }
            let (first, second) = self.basis.split_at_mut(row + 1);
            for (x, y) in first[row].iter_mut().zip(&mut second[0]) {
                (*x, *y) = (c * *x + s * *y, c * *y - s * *x);
            }
            self.triangle[row].truncate(row + 1);
        }
        self.basis.pop();
    }

    /// The least-squares coefficients of `target`.
    fn solve(&self, target: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = self.basis.iter().map(|direction| dot(direction, target)).collect();
        for j in (0..x.len()).rev() {
            x[j] /= self.triangle[j][j];
            let (above, value) = (&self.triangle[j][..j], x[j]);
            add(&mut x[..j], -value, above);
        }
        x
    }
}

/// Non-negative coefficients of columns, all others being zero.
pub(super) struct Combination {
    /// Columns in use, in the order in which they came.
    pub active: Vec<usize>,
    /// Their coefficients.
    pub coefficients: Vec<f64>,
    /// What is left of the target.
    pub residual: Vec<f64>,
}

/// Minimises `|target - sum_i x_i column_i|` over `x >= 0`; `columns` holds one column after another, each as long
/// as the target, and all of order one.
pub(super) fn nearest(columns: &[f64], target: &[f64]) -> Combination {
    let len = target.len();
    let count = columns.len() / len;
    let column = |index: usize| &columns[index * len..(index + 1) * len];
    let mut factor = Factor::default();
    let mut found = Combination { active: Vec::new(), coefficients: Vec::new(), residual: target.to_vec() };
    let mut blocked = vec![false; count];
    // Each round adds a column; few are dropped again. The bound is for rounding that goes in circles.
    for _ in 0..10 * (count + len) {
        let size = norm(&found.residual);
        if size <= ZERO * norm(target) {
            break;
        }
        let gain = |index: usize| {
            let column = column(index);
            let gain = dot(column, &found.residual);
            if blocked[index] || gain <= OPTIMAL * size * norm(column) { 0.0 } else { gain }
        };
        let best = |a: (usize, f64), b: (usize, f64)| if b.1 > a.1 { b } else { a };
        let (entering, gain) = if columns.len() < PARALLEL {
            (0..count).map(|index| (index, gain(index))).fold((0, 0.0), best)
        } else {
            // Ties go to the smaller index whatever the split, so that threads do not show in the result.
            let gains: Vec<f64> = (0..count).into_par_iter().map(gain).collect();
            gains.into_iter().enumerate().fold((0, 0.0), best)
        };
        if gain == 0.0 {
            break;
        }
        if found.active.contains(&entering) || !factor.append(column(entering)) {
            blocked[entering] = true;
            continue;
        }
        found.active.push(entering);
        found.coefficients.push(0.0);
        let mut fresh = true;
        loop {
            let wanted = factor.solve(target);
            if fresh && wanted.last().is_some_and(|&last| last <= 0.0) {
                // In exact arithmetic a column that helps enters with a positive coefficient.
                drop_column(&mut factor, &mut found, wanted.len() - 1);
                blocked[entering] = true;
                break;
            }
            fresh = false;
            let steps = wanted.iter().zip(&found.coefficients).enumerate();
            let leaving = steps
                .filter(|(_, (wanted, _))| **wanted <= 0.0)
                .map(|(place, (wanted, now))| (place, now / (now - wanted)))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((place, share)) = leaving else {
                found.coefficients = wanted;
                blocked.fill(false);
                break;
            };
            for (now, wanted) in found.coefficients.iter_mut().zip(&wanted) {
                *now += share * (wanted - *now);
            }
            drop_column(&mut factor, &mut found, place);
        }
        found.residual.copy_from_slice(target);
        for (&index, &coefficient) in found.active.iter().zip(&found.coefficients) {
            add(&mut found.residual, -coefficient, column(index));
        }
    }
    found
}

fn drop_column(factor: &mut Factor, found: &mut Combination, place: usize) {
    factor.remove(place);
    found.active.remove(place);
    found.coefficients.remove(place);
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon_nn::random::{Purpose, stream};
    use rand_distr::{Distribution, StandardNormal};

    fn normal(count: usize, index: u64) -> Vec<f64> {
        let mut generator = stream(5, Purpose::Data, index);
        (0..count).map(|_| StandardNormal.sample(&mut generator)).collect()
    }

    #[test]
    fn what_is_in_the_cone_is_met() {
        let columns = normal(12 * 6, 0);
        let mut target = vec![0.0; 6];
        (0..4).for_each(|i| add(&mut target, 0.5 + i as f64, &columns[i * 6..(i + 1) * 6]));
        let found = nearest(&columns, &target);
        assert!(norm(&found.residual) < 1e-13 * norm(&target));
        assert!(found.coefficients.iter().all(|&x| x > 0.0));
    }

    #[test]
    fn the_residual_meets_the_conditions_of_a_minimum() {
        // Karush, Kuhn and Tucker: orthogonal to the columns in use, no positive product with any other.
        for (index, (count, len)) in [(5, 20), (40, 20), (300, 20), (60, 3)].into_iter().enumerate() {
            let columns = normal(count * len, 1 + index as u64);
            let target = normal(len, 100 + index as u64);
            let found = nearest(&columns, &target);
            for i in 0..count {
                let product = dot(&columns[i * len..(i + 1) * len], &found.residual);
                assert!(product <= 1e-9, "{count} x {len}: {product}");
                if found.active.contains(&i) {
                    assert!(product.abs() < 1e-9);
                }
            }
        }
    }
}
