use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Points whose logarithms are the given numbers.
fn exponentials(rows: &[(&[f64], f64)]) -> Vec<Point> {
    let point = |(x, y): &(&[f64], f64)| Point {
        label: format!("{x:?}"),
        x: x.iter().map(|x| x.exp()).collect(),
        y: y.exp(),
    };
    rows.iter().map(point).collect()
}

fn close(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} +- {tolerance}");
}

fn grid(law: impl Fn(f64, f64) -> f64) -> Vec<Point> {
    let sizes = [2.0, 3.0, 5.0, 7.0].map(|depth| [64.0, 128.0, 256.0].map(|width| (depth, width)));
    let point = |&(depth, width): &(f64, f64)| Point {
        label: format!("{depth}x{width}"),
        x: vec![depth, width],
        y: law(depth, width),
    };
    sizes.as_flattened().iter().map(point).collect()
}

#[test]
fn an_exact_law_is_found_exactly() {
    let x = names(&["depth", "width"]);
    let law =
        power_law("eta", &x, &grid(|d, n| 3.0 * (d * n).powf(-0.55)), vec![], &Options::default()).unwrap();
    let joint = &law.joint;
    close(joint.exponents[0].value, -0.55, 1e-12);
    close(joint.intercept.value, 3f64.ln(), 1e-11);
    assert_eq!(
        (joint.exponents[0].name.as_str(), joint.degrees_of_freedom, law.sizes),
        ("depth * width", 10, 12)
    );
    assert!(joint.r_squared.unwrap() > 1.0 - 1e-12 && joint.exponents[0].standard_error < 1e-12);
    let free = power_law("eta", &x, &grid(|d, n| d.powf(-0.65) * n.powf(-0.5)), vec![], &Options::default())
        .unwrap()
        .free
        .unwrap();
    close(free.exponents[0].value, -0.65, 1e-12);
    close(free.exponents[1].value, -0.5, 1e-12);
}

#[test]
fn anscombes_first_set() {
    // Anscombe 1973; the values are R's `lm`, the quantile of 9 degrees of freedom is 2.262157.
    let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
    let points: Vec<Point> = x.iter().zip(y).flat_map(|(&x, y)| exponentials(&[(&[x], y)])).collect();
    let law = power_law("y", &names(&["x"]), &points, vec![], &Options::default()).unwrap();
    let (a, b) = (&law.joint.intercept, &law.joint.exponents[0]);
    close(b.value, 0.500090909, 1e-9);
    close(b.standard_error, 0.117905501, 1e-9);
    close(a.value, 3.000090909, 1e-8);
    close(a.standard_error, 1.124746791, 1e-8);
    close(b.low, 0.500090909 - 2.262157163 * 0.117905501, 1e-8);
    close(b.high, 0.500090909 + 2.262157163 * 0.117905501, 1e-8);
    close(law.joint.r_squared.unwrap(), 0.666542460, 1e-8);
    close(law.joint.residual_deviation, 1.236603323, 1e-8);
    assert_eq!(law.free, None);
    assert!(law.no_free.unwrap().contains("one size"));
}

#[test]
fn the_stack_loss_data() {
    // Brownlee 1965, as in R's `stackloss`; R prints four decimals.
    let air = [80, 80, 75, 62, 62, 62, 62, 62, 58, 58, 58, 58, 58, 58, 50, 50, 50, 50, 50, 56, 70];
    let water = [27, 27, 25, 24, 22, 23, 24, 24, 23, 18, 18, 17, 18, 19, 18, 18, 19, 19, 20, 20, 20];
    let acid = [89, 88, 90, 87, 87, 87, 93, 93, 87, 80, 89, 88, 82, 93, 89, 86, 72, 79, 80, 82, 91];
    let loss = [42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14, 13, 11, 12, 8, 7, 8, 8, 9, 15, 15];
    let points: Vec<Point> = (0..21)
        .flat_map(|i| {
            let x = [air[i], water[i], acid[i]].map(f64::from);
            exponentials(&[(&x, f64::from(loss[i]))])
        })
        .collect();
    let law = power_law("loss", &names(&["air", "water", "acid"]), &points, vec![], &Options::default());
    let free = law.unwrap().free.unwrap();
    let expected = [(0.7156, 0.1349), (1.2953, 0.3680), (-0.1521, 0.1563)];
    for (coefficient, (value, error)) in free.exponents.iter().zip(expected) {
        close(coefficient.value, value, 5e-5);
        close(coefficient.standard_error, error, 5e-5);
    }
    close(free.intercept.value, -39.9197, 5e-5);
    close(free.intercept.standard_error, 11.8960, 5e-5);
    close(free.r_squared.unwrap(), 0.9136, 5e-5);
    close(free.residual_deviation, 3.243, 5e-4);
}

#[test]
fn outliers_move_least_squares_and_not_theil_sen() {
    let mut points = grid(|d, n| (d * n).powf(-0.5));
    points[0].y *= 100.0;
    points[11].y /= 30.0;
    let options = Options { robust: true, ..Options::default() };
    let law = power_law("eta", &names(&["d", "n"]), &points, vec![], &options).unwrap();
    let robust = law.robust.unwrap();
    assert!(law.joint.exponents[0].value < -1.2, "{:?}", law.joint);
    close(robust.exponent, -0.5, 1e-9);
    close(robust.intercept, 0.0, 1e-9);
    assert!((robust.low..=robust.high).contains(&-0.5), "{robust:?}");
}

#[test]
fn sens_interval_in_a_case_worked_by_hand() {
    // n = 10 gives a deviation of sqrt(125) = 11.18; 45 pairs -+ 1.96 x 11.18 = 21.91 are the 12th and the 12th last.
    let y = [0.0, 2.0, 1.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0, 9.0];
    let x: Vec<f64> = (0..10).map(f64::from).collect();
    let robust = theil_sen::fit(&x, &y, 0.95);
    let mut slopes = Vec::new();
    for i in 0..10 {
        for j in i + 1..10 {
            slopes.push((y[j] - y[i]) / (x[j] - x[i]));
        }
    }
    slopes.sort_by(f64::total_cmp);
    assert_eq!((robust.low, robust.exponent, robust.high), (slopes[11], slopes[22], slopes[33]));
}

#[test]
fn sens_interval_accounts_for_the_equal_products_of_a_grid() {
    // Depths x widths have products in groups of 1, 2, 3, 3, 2, 1: 58 pairs have a slope, and Sen's variance is
    // (12 x 11 x 29 - 2 x 2 x 1 x 9 - 2 x 3 x 2 x 11) / 18 = 203.3. The values are those of scipy 1.17, theilslopes(y, x,
    // 0.95), which agrees with the ranks of that formula where no y are tied. Without the ties the upper end is 0.0779.
    let noise = [0.11, -0.32, 0.27, 0.05, -0.18, 0.41, -0.07, -0.26, 0.33, -0.12, 0.19, -0.38];
    let sizes = [2.0, 4.0, 8.0].map(|depth| [64.0, 128.0, 256.0, 512.0].map(|width| (depth, width)));
    let points: Vec<Point> = sizes
        .as_flattened()
        .iter()
        .zip(noise)
        .map(|(&(depth, width), noise)| Point {
            label: String::new(),
            x: vec![depth, width],
            y: (noise - 0.1 * (depth * width / 512.0f64).ln()).exp(),
        })
        .collect();
    let options = Options { robust: true, ..Options::default() };
    let robust = power_law("eta", &names(&["d", "n"]), &points, vec![], &options).unwrap().robust.unwrap();
    close(robust.exponent, -0.2057976363319642, 1e-9);
    close(robust.low, -0.4823141858358852, 1e-9);
    close(robust.high, 0.06590992970227312, 1e-9);
}

#[test]
fn what_has_no_logarithm_is_left_out_and_told() {
    let mut points = grid(|d, n| 1.0 / (d * n));
    points[1].y = f64::NAN;
    points[2].y = 0.0;
    points[3].x[1] = -1.0;
    points[4].y = f64::INFINITY;
    let before = vec![Excluded { label: "narrow".into(), reason: "asked for".into() }];
    let law = power_law("eta", &names(&["d", "n"]), &points, before, &Options::default()).unwrap();
    let reasons: Vec<&str> = law.excluded.iter().map(|excluded| excluded.reason.as_str()).collect();
    assert_eq!(reasons[..2], ["asked for", "eta is missing"]);
    assert_eq!(reasons[2], "eta is 0, which has no logarithm");
    assert_eq!(reasons[3], "n is -1, which has no logarithm");
    assert_eq!((law.points, law.excluded.len()), (8, 5));
    close(law.joint.exponents[0].value, -1.0, 1e-12);
}

#[test]
fn too_few_sizes_are_refused() {
    let fit = |points: &[Point], level| {
        power_law("y", &names(&["d", "n"]), points, vec![], &Options { level, robust: false })
    };
    // Many points, three distinct products.
    let same: Vec<Point> = [(2.0, 4.0), (4.0, 2.0), (2.0, 2.0), (1.0, 4.0), (4.0, 4.0), (2.0, 8.0)]
        .map(|(d, n)| Point { label: String::new(), x: vec![d, n], y: 1.0 })
        .into();
    let error = fit(&same, 0.95).unwrap_err();
    assert_eq!(error, FitError::TooFewSizes { x: "d * n".into(), found: 3, excluded: 0 });
    assert!(error.to_string().contains("needs 4"), "{error}");
    assert_eq!(fit(&same, 1.0).unwrap_err(), FitError::Level(1.0));
    // Sizes that move together have a joint exponent and no free ones; a constant has no R^2.
    let together: Vec<Point> =
        (1..6).map(|i| Point { label: String::new(), x: vec![f64::from(i), f64::from(i)], y: 2.0 }).collect();
    let law = fit(&together, 0.95).unwrap();
    assert_eq!((&law.free, law.joint.r_squared), (&None, None));
    assert!(law.no_free.unwrap().contains("do not tell"));
}
