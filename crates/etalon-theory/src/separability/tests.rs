use super::*;
use crate::fixed_cases;
use etalon_nn::random::{Purpose, stream};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};

fn normal(count: usize, index: u64) -> Vec<f64> {
    let mut generator = stream(7, Purpose::Data, index);
    (0..count).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn classes(dim: usize, inputs: &[f64], labels: &[f64], bias: bool) -> TwoClasses {
    TwoClasses::new(dim, inputs, labels, bias).unwrap()
}

/// The combination adds up to one, is positive, and is as long as it says.
fn check(set: &TwoClasses, separation: &Separation) {
    let mut point = vec![0.0; set.dim];
    let mut sum = 0.0;
    for &(sample, weight) in &separation.combination {
        assert!(weight > 0.0);
        sum += weight;
        add(&mut point, weight, &set.rows[sample * set.dim..(sample + 1) * set.dim]);
    }
    assert!((sum - 1.0).abs() < 1e-12 && (norm(&point) - separation.bound).abs() < 1e-12 * separation.scale);
    match separation.verdict {
        Separability::Separable => {
            let (direction, margin) = (separation.direction.as_ref().unwrap(), separation.margin.unwrap());
            assert!((norm(direction) - 1.0).abs() < 1e-14 && margin > 0.0);
            assert!((set.margin(direction) - margin).abs() < 1e-14 * separation.scale);
            assert!(margin <= separation.bound * (1.0 + 1e-12), "a margin above its bound");
        }
        Separability::Inseparable => assert!(separation.bound <= 1e-10 * separation.scale),
        Separability::Undecided => {}
    }
}

#[test]
fn the_largest_margin_of_four_points_is_the_one_on_paper() {
    // Two points on each side of the vertical axis, the nearest at distance 1 and 2: without a bias the margin is
    // the distance of the nearest from the plane through the origin.
    let inputs = [1.0, 3.0, 1.0, -3.0, -2.0, 1.0, -4.0, 0.0];
    let set = classes(2, &inputs, &[1.0, 1.0, -1.0, -1.0], false);
    let separation = set.separate();
    check(&set, &separation);
    assert_eq!(separation.verdict, Separability::Separable);
    let direction = separation.direction.unwrap();
    assert!((direction[0] - 1.0).abs() < 1e-12 && direction[1].abs() < 1e-12);
    assert!((separation.margin.unwrap() - 1.0).abs() < 1e-12 && (separation.bound - 1.0).abs() < 1e-12);
    assert_eq!(separation.combination.len(), 2);
}

#[test]
fn a_bias_separates_what_a_plane_through_the_origin_cannot() {
    let (inputs, labels) = ([1.0, 2.0, 4.0, 5.0], [-1.0, -1.0, 1.0, 1.0]);
    let without = classes(1, &inputs, &labels, false);
    check(&without, &without.separate());
    assert_eq!(without.separate().verdict, Separability::Inseparable);
    let with = classes(1, &inputs, &labels, true);
    let separation = with.separate();
    check(&with, &separation);
    assert_eq!(separation.verdict, Separability::Separable);
    // The plane is at -b / w = 3; the margin that of 2 and 4: (4, 1) and (-2, -1) from (1, -3) / sqrt(10).
    let direction = separation.direction.unwrap();
    assert!((-direction[1] / direction[0] - 3.0).abs() < 1e-12);
    assert!((separation.margin.unwrap() - 1.0 / 10f64.sqrt()).abs() < 1e-12);
}

#[test]
fn exclusive_or_and_opposite_labels_cannot_be_separated() {
    let corners = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let set = classes(2, &corners, &[-1.0, 1.0, 1.0, -1.0], true);
    let separation = set.separate();
    check(&set, &separation);
    assert_eq!((separation.verdict, separation.combination.len()), (Separability::Inseparable, 4));
    assert!(separation.combination.iter().all(|&(_, weight)| (weight - 0.25).abs() < 1e-12));
    // Degenerate data: every input the same, both labels.
    let set = classes(1, &[1.0; 5], &[1.0, 1.0, -1.0, 1.0, 1.0], false);
    assert_eq!(set.separate().verdict, Separability::Inseparable);
    assert_eq!(set.parts().inseparable, [0, 1, 2, 3, 4]);
    // One label alone.
    assert_eq!(classes(1, &[1.0; 5], &[1.0; 5], false).separate().verdict, Separability::Separable);
    // An input of zero has margin zero.
    assert_eq!(classes(1, &[1.0, 0.0], &[1.0, 1.0], false).separate().verdict, Separability::Inseparable);
}

#[test]
fn random_labels_are_separable_below_twice_the_dimension_and_not_above() {
    // Cover 1965: N points in general position in d dimensions are separable with probability 1/2 at N = 2d.
    let dim = 30;
    for (samples, expected) in
        [(20, Separability::Separable), (30, Separability::Separable), (120, Separability::Inseparable)]
    {
        let labels: Vec<f64> = normal(samples, 1).iter().map(|x| x.signum()).collect();
        let set = classes(dim, &normal(samples * dim, samples as u64), &labels, false);
        let separation = set.separate();
        check(&set, &separation);
        assert_eq!(separation.verdict, expected, "{samples} samples: bound {:e}", separation.bound);
        if expected == Separability::Separable {
            let gap = 1.0 - separation.margin.unwrap() / separation.bound;
            assert!(gap < 1e-10, "a gap of {gap:e}");
        }
    }
}

#[test]
fn a_mixed_set_is_cut_where_it_was_glued() {
    // Samples 0 to 9 live in the first two dimensions with both labels at each place; the others have a third
    // coordinate of their label's sign, and anything in the first two.
    let noise = normal(40, 3);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for pair in 0..5 {
        for label in [1.0, -1.0] {
            inputs.extend([noise[2 * pair], noise[2 * pair + 1], 0.0]);
            labels.push(label);
        }
    }
    for sample in 5..20 {
        let label = if sample % 2 == 0 { 1.0 } else { -1.0 };
        inputs.extend([noise[2 * sample], noise[2 * sample + 1], label * (0.1 + sample as f64)]);
        labels.push(label);
    }
    let set = classes(3, &inputs, &labels, false);
    assert_eq!(set.separate().verdict, Separability::Inseparable);
    let parts = set.parts();
    assert!(parts.decided && parts.leak < 1e-12, "{parts:?}");
    assert_eq!(parts.inseparable, (0..10).collect::<Vec<_>>());
    assert_eq!(parts.separable, (10..25).collect::<Vec<_>>());
    assert!((parts.margin.unwrap() - 5.1).abs() < 1e-10);
    let direction = parts.direction.unwrap();
    assert!((cosine(&direction, &[0.0, 0.0, 1.0]) - 1.0).abs() < 1e-12);
}

#[test]
fn a_separable_set_is_all_separable_and_an_inseparable_one_in_general_position_none() {
    let labels: Vec<f64> = normal(60, 1).iter().map(|x| x.signum()).collect();
    let few = classes(40, &normal(20 * 40, 8), &labels[..20], false).parts();
    assert_eq!((few.separable.len(), few.inseparable.len(), few.decided), (20, 0, true));
    let many = classes(5, &normal(60 * 5, 9), &labels, false).parts();
    assert_eq!((many.separable.len(), many.inseparable.len(), many.margin), (0, 60, None));
}

#[test]
fn lists_that_do_not_fit_are_refused() {
    let text = |result: Result<TwoClasses, TheoryError>| result.unwrap_err().to_string();
    assert_eq!(text(TwoClasses::new(2, &[1.0; 3], &[1.0, -1.0], false)), "inputs has 3 elements, expected 4");
    assert_eq!(text(TwoClasses::new(1, &[1.0], &[0.5], false)), "label = 0.5: it must be +1 or -1");
    assert_eq!(text(TwoClasses::new(1, &[f64::NAN], &[1.0], false)), "input = NaN: it must be finite");
    assert!(TwoClasses::new(1, &[], &[], true).is_err());
}

proptest! {
    #![proptest_config(fixed_cases(256))]
    /// In the plane, without a bias, a set is separable exactly when the angles of the `y x` leave a gap above pi.
    #[test]
    fn in_the_plane_the_gap_between_angles_decides(
        points in prop::collection::vec((0.0..std::f64::consts::TAU, 0.1..10.0f64, any::<bool>()), 1..7),
    ) {
        let sign = |flag: bool| if flag { 1.0 } else { -1.0 };
        let labels: Vec<f64> = points.iter().map(|p| sign(p.2)).collect();
        // The angle is that of y x.
        let inputs: Vec<f64> = points
            .iter()
            .flat_map(|&(angle, length, flag)| [sign(flag) * length * angle.cos(), sign(flag) * length * angle.sin()])
            .collect();
        let mut angles: Vec<f64> = points.iter().map(|p| p.0).collect();
        angles.sort_by(f64::total_cmp);
        let last = angles[0] + std::f64::consts::TAU;
        let next = angles.iter().skip(1).chain([&last]);
        let gap = angles.iter().zip(next).map(|(a, b)| b - a).fold(0.0, f64::max);
        prop_assume!((gap - std::f64::consts::PI).abs() > 1e-6);
        let set = classes(2, &inputs, &labels, false);
        let separation = set.separate();
        check(&set, &separation);
        let expected = if gap > std::f64::consts::PI { Separability::Separable } else { Separability::Inseparable };
        prop_assert_eq!(separation.verdict, expected);
    }
}
