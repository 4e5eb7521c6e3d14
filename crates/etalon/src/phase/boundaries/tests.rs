use super::*;

const MSE: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

fn range(steps: usize) -> Range {
    Range { low: 0.3, high: 16.0, steps, tolerance: 1e-4 }
}

#[test]
fn on_a_wide_map_the_loss_rises_at_two_and_training_ends_at_four() {
    let start = MapState { f: 0.01, lambda: 2.0 };
    let found =
        map_boundaries(MSE, 1e6, start, &range(100), &RunSettings { max_steps: 5000, ..Default::default() })
            .unwrap();
    // f is tiny, so that the Hessian's top is that of the NTK.
    assert!((found.sharpness.unwrap() - 2.0).abs() < 1e-4);
    assert!((found.c_h_loss.middle().unwrap() - 2.0).abs() < 1e-3);
    assert!((found.c_h_max.middle().unwrap() - 4.0).abs() < 1e-3);
    // In ten steps a wide network's loss has not grown to where its curvature answers: only close to four has it.
    let sharp = found.c_h_sharp.middle().unwrap();
    assert!(sharp > 2.0 && sharp < 4.0, "{sharp}");
    assert_eq!(found.seed, None);
}

fn of_logistic(width: f64, range: &Range) -> Boundaries {
    let start = MapState { f: 0.1, lambda: 2.0 };
    let settings = RunSettings { max_steps: 10_000, ..RunSettings::default() };
    map_boundaries(ScalarLoss::Logistic { positive: 0.5 }, width, start, range, &settings).unwrap()
}

#[test]
fn what_happens_at_the_lower_end_already_has_no_bracket() {
    let fine = Range { low: 0.1, high: 100.0, steps: 200, tolerance: 1e-6 };
    let sharp = |range: &Range| of_logistic(10.0, range).c_h_sharp;
    let Boundary::Outside { side: Side::Below, reason } = sharp(&fine) else { panic!("{:?}", sharp(&fine)) };
    assert_eq!(reason, "sharpness rises already at c_h = 0.1, the lower end of the range");
    // The loss and divergence from the other side: what holds at the lower end and ceases above is no boundary.
    let late = of_logistic(10.0, &Range { low: 5.62, high: 5.64, steps: 40, tolerance: 1e-6 });
    for boundary in [&late.c_h_loss, &late.c_h_max] {
        assert!(matches!(boundary, Boundary::Outside { side: Side::Below, .. }), "{late:?}");
    }
}

#[test]
fn a_bracket_has_its_accepted_end_below() {
    for width in [4.0, 10.0, 100.0] {
        for low in [0.1, 0.5, 2.5, 5.6] {
            let found = of_logistic(width, &Range { low, high: 30.0, steps: 50, tolerance: 1e-6 });
            for boundary in [&found.c_h_loss, &found.c_h_sharp, &found.c_h_max] {
                if let Boundary::Between(Bracket { accepted, refused }) = boundary {
                    assert!(accepted < refused && *accepted >= low, "{found:?}");
                }
            }
        }
    }
}

#[test]
fn divergence_starts_below_the_edge_that_a_walk_finds_and_has_islands_above() {
    let range = Range { low: 0.1, high: 100.0, steps: 200, tolerance: 1e-6 };
    let found = of_logistic(10.0, &range);
    let map = |c_h: f64| {
        let loss = ScalarLoss::Logistic { positive: 0.5 };
        let settings = RunSettings { max_steps: 10_000, ..RunSettings::default() };
        let map = Map::new(loss, c_h / found.sharpness.unwrap(), 10.0).unwrap();
        map.run(MapState { f: 0.1, lambda: 2.0 }, &settings).unwrap().phase
    };
    let Boundary::Between(edge) = &found.c_h_max else { panic!("{found:?}") };
    // Bisection alone ends at 5.6747.
    assert!(edge.refused > 5.5 && edge.refused < 5.537, "{edge:?}");
    assert!(map(edge.refused) == Phase::Divergent && map(edge.accepted) != Phase::Divergent);
    let seen = found.divergence.as_ref().unwrap();
    assert!(seen.islands.len() >= 8 && seen.runs > 900, "{seen:?}");
    // The same values one by one: those that survive are those in the windows.
    let inside = |c_h: f64| seen.islands.iter().any(|&[from, to]| (from..=to).contains(&c_h));
    let values = (0..).map(|index| range.low * seen.resolution.powf(f64::from(index)));
    let above = values.skip_while(|&c_h| c_h < edge.refused).take_while(|&c_h| c_h <= seen.scanned[1]);
    for c_h in above {
        assert_eq!(map(c_h) != Phase::Divergent, inside(c_h), "{c_h}");
    }
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| of_logistic(10.0, &range)), found);
}

#[test]
fn under_squared_loss_the_edge_is_four_exactly_and_has_no_islands() {
    for width in [10.0, 1e3] {
        let start = MapState { f: 0.7, lambda: 2.0 };
        let fine = Range { tolerance: 1e-9, ..range(100) };
        let settings = RunSettings { max_steps: 10_000, ..RunSettings::default() };
        let found = map_boundaries(MSE, width, start, &fine, &settings).unwrap();
        // In units of the NTK's curvature.
        let c = found.c_h_max.middle().unwrap() * 2.0 / found.sharpness.unwrap();
        assert!((c / 4.0 - 1.0).abs() < 1e-8, "{c} at width {width}");
        assert_eq!(found.divergence.unwrap().islands, [[0.0; 2]; 0]);
    }
}

#[test]
fn a_boundary_beyond_the_range_is_none() {
    let narrow = Range { low: 0.3, high: 1.0, steps: 5, tolerance: 1e-2 };
    let start = MapState { f: 1.0, lambda: 2.0 };
    let found = map_boundaries(MSE, 1e4, start, &narrow, &RunSettings::default()).unwrap();
    for boundary in [&found.c_h_loss, &found.c_h_sharp, &found.c_h_max] {
        assert!(matches!(boundary, Boundary::Outside { side: Side::Above, .. }), "{found:?}");
    }
    assert_eq!(found.divergence, None);
}

#[test]
fn starts_and_ranges_that_mean_nothing_are_refused() {
    let ask = |f: f64, lambda: f64, range: &Range| {
        map_boundaries(MSE, 100.0, MapState { f, lambda }, range, &RunSettings::default())
            .unwrap_err()
            .to_string()
    };
    assert!(ask(100.0, 2.0, &range(5)).contains("no network of width 100"));
    assert!(ask(1.0, 2.0, &Range { low: -1.0, ..range(5) }).contains("low = -1"));
    assert!(ask(0.0, 0.0, &range(5)).contains("sharpness = 0"));
}
