use super::*;
use crate::search::Answer::{self, TooFast, TooSlow, Trained};
use etalon_nn::random::{Purpose, stream};
use proptest::prelude::*;
use rand::Rng;

fn fast() -> Answer {
    TooFast("loss 1e9 above its limit 1e4".into())
}

/// Answers every question; checks on the way that none is asked twice or out of bounds.
fn search(start: f64, settings: &Settings, verdict: impl Fn(f64) -> Answer) -> SeedResult {
    let mut search = SeedSearch::new(start, settings).unwrap();
    let [lowest, highest] = search.ground.bounds;
    loop {
        let asked = search.ask();
        if asked.is_empty() {
            return search.result(0).unwrap();
        }
        assert!(search.result(0).is_none());
        for eta in asked {
            assert!(lowest <= eta && eta <= highest);
            assert!(search.probes.iter().all(|probed| probed.eta != eta), "{eta} was asked twice");
            search.tell(eta, Outcome { verdict: verdict(eta), steps: 10 }).unwrap();
        }
    }
}

fn trained_if(success: bool) -> Answer {
    if success { Trained } else { fast() }
}

fn bracket(result: &SeedResult) -> (f64, f64) {
    match result.boundary {
        Boundary::Found { low, high } => (low, high),
        other => panic!("no boundary: {other:?}"),
    }
}

#[test]
fn a_threshold_is_found_from_any_start() {
    let threshold = 0.37;
    for octave in -8..=8 {
        let start = threshold * 2f64.powi(octave) * 1.1;
        let result = search(start, &Settings::default(), |eta| trained_if(eta <= threshold));
        let (low, high) = bracket(&result);
        assert!(low <= threshold && threshold < high && high / low <= 1.1);
        assert_eq!(result.stopped, Stopped::Converged { ratio: high / low });
        assert_eq!(result.islands, [0.0; 0]);
        assert_eq!(result.failure.as_deref(), Some("loss 1e9 above its limit 1e4"));
    }
}

#[test]
fn a_good_start_costs_few_probes() {
    // Start, its double, 3 halvings (2^(1/8) = 1.091), at most 4 guards.
    for tenth in 1..10 {
        let threshold = 2f64.powf(f64::from(tenth) / 10.0);
        let result = search(1.0, &Settings::default(), |eta| trained_if(eta <= threshold));
        assert!(result.probes.len() <= 9, "{} probes", result.probes.len());
        assert_eq!(result.gradient_steps(), 10 * result.probes.len() as u64);
        let bare = Settings { guard: 0, guard_above: 0, ..Settings::default() };
        let result = search(1.0, &bare, |eta| trained_if(eta <= threshold));
        assert_eq!(result.probes.len(), 5);
    }
}

#[test]
fn a_start_on_an_island_moves_below_its_hole() {
    // Trains up to 1 and again from 1.6 to 3.
    let verdict = |eta: f64| trained_if(eta <= 1.0 || (1.6..3.0).contains(&eta));
    for start in [0.3, 0.5, 1.0, 2.0, 2.9, 7.0] {
        let result = search(start, &Settings::default(), verdict);
        let (low, high) = bracket(&result);
        assert!(low <= 1.0 && 1.0 < high, "from {start}: {low} to {high}");
        assert!(!result.islands.is_empty());
        assert!(result.islands.iter().all(|eta| (1.6..3.0).contains(eta)));
    }
}

#[test]
fn an_island_above_is_reported_and_changes_nothing() {
    // The start is right below the boundary at 1; an island from 1.3 to 1.5 contains its guard at sqrt(2).
    let with = search(0.9, &Settings::default(), |eta| trained_if(eta <= 1.0 || (1.3..1.5).contains(&eta)));
    let without = search(0.9, &Settings::default(), |eta| trained_if(eta <= 1.0));
    assert_eq!(with.boundary, without.boundary);
    assert_eq!(without.islands, [0.0; 0]);
    assert_eq!(with.islands.len(), 1);
}

#[test]
fn a_slow_low_end_is_not_the_boundary() {
    let verdict = |eta: f64| match eta {
        _ if eta < 0.9 => TooSlow,
        _ if eta <= 1.2 => Trained,
        _ => fast(),
    };
    for start in [0.01, 0.7, 1.0, 1.15, 3.0, 100.0] {
        let result = search(start, &Settings::default(), verdict);
        let (low, high) = bracket(&result);
        assert!(low <= 1.2 && 1.2 < high && high / low <= 1.1, "from {start}: {low} to {high}");
    }
}

#[test]
fn a_slow_rate_between_successes_is_a_failure() {
    let verdict = |eta: f64| match eta {
        _ if (1.2..1.9).contains(&eta) => TooSlow,
        _ => trained_if(eta <= 3.0),
    };
    let result = search(0.5, &Settings::default(), verdict);
    let (low, high) = bracket(&result);
    assert!(low < 1.2 && 1.2 <= high);
    assert_eq!(
        result.failure.as_deref(),
        Some("the threshold was not reached in 10 steps, all values finite")
    );
}

#[test]
fn an_idling_high_start_finds_its_way_down() {
    let verdict = |eta: f64| if eta <= 0.01 { Trained } else { TooSlow };
    let (low, high) = bracket(&search(1.0, &Settings::default(), verdict));
    assert!(low <= 0.01 && 0.01 < high && high / low <= 1.1);
}

#[test]
fn what_never_trains_is_undefined() {
    let result = search(1.0, &Settings::default(), |_| fast());
    assert_eq!(result.boundary, Boundary::Undefined { lowest: 2f64.powi(-10), highest: 1.0 });
    assert_eq!(result.stopped, Stopped::RangeExhausted);
    assert_eq!((result.eta(), result.probes.len()), (None, 11));
    let result = search(1.0, &Settings::default(), |_| TooSlow);
    assert_eq!(result.boundary, Boundary::Undefined { lowest: 2f64.powi(-10), highest: 2f64.powi(12) });
    assert!(result.failure.is_some());
}

#[test]
fn what_always_trains_is_censored() {
    let result = search(1.0, &Settings::default(), |_| Trained);
    assert_eq!(result.boundary, Boundary::CensoredAbove(4096.0));
    assert_eq!((result.stopped, result.failure.clone()), (Stopped::RangeExhausted, None));
    let range = Settings { range: Some([0.1, 3.0]), ..Settings::default() };
    assert_eq!(search(50.0, &range, |_| Trained).boundary, Boundary::CensoredAbove(3.0));
}

#[test]
fn the_probe_limit_is_kept_and_told() {
    for max_probes in 1..12 {
        let settings = Settings { max_probes, ..Settings::default() };
        let result = search(1.0, &settings, |eta| trained_if(eta <= 100.0));
        assert_eq!((result.probes.len(), result.stopped), (max_probes, Stopped::ProbeLimit(max_probes)));
    }
}

#[test]
fn answers_to_no_question_are_refused() {
    let mut search = SeedSearch::new(1.0, &Settings::default()).unwrap();
    let outcome = Outcome { verdict: Trained, steps: 1 };
    assert_eq!(search.tell(2.0, outcome.clone()), Err(SearchError::NotAsked(2.0)));
    assert!(search.tell(f64::NAN, outcome.clone()).is_err());
    assert_eq!(search.tell(1.0, outcome.clone()), Ok(()));
    assert_eq!(search.tell(1.0, outcome), Err(SearchError::NotAsked(1.0)));
    assert_eq!(search.ask(), [2.0]);
    assert!(SeedSearch::new(f64::NAN, &Settings::default()).is_err());
}

#[test]
fn how_far_it_reaches_is_known_once_a_rate_has_failed() {
    let reach_after = |verdicts: &[Answer]| {
        let mut search = SeedSearch::new(0.5, &Settings::default()).unwrap();
        for verdict in verdicts {
            search.tell(search.ask()[0], Outcome { verdict: verdict.clone(), steps: 1 }).unwrap();
        }
        search.reach()
    };
    assert_eq!(reach_after(&[]), None);
    assert_eq!(reach_after(&[Trained, Trained]), None);
    assert_eq!(reach_after(&[Trained, Trained, fast()]), Some(2.0));
    // Bisection makes it finer.
    assert_eq!(reach_after(&[Trained, Trained, fast(), Trained]), Some(8f64.sqrt()));
    assert_eq!(reach_after(&[fast(), fast()]), None);
    assert_eq!(reach_after(&[fast(), Trained]), Some(0.5));
    // What trains up to the end of the range reaches that.
    assert_eq!(reach_after(&vec![Trained; 14]), Some(4096.0));
    assert_eq!(reach_after(&vec![fast(); 11]), None);
}

/// A verdict drawn for each rate: success sets without any order.
fn scattered(salt: u64, eta: f64) -> Answer {
    match stream(salt ^ eta.to_bits(), Purpose::Direction, 0).next_u32() % 4 {
        0 | 1 => Trained,
        2 => fast(),
        _ => TooSlow,
    }
}

proptest! {
    #[test]
    fn a_monotone_threshold_is_bracketed(
        threshold in -10.0..10.0f64,
        start in -20.0..20.0f64,
        tolerance in 1e-3..1.0f64,
        factor in 1.5..10.0f64,
        sections in 1..6usize,
        idles in any::<bool>(),
    ) {
        let threshold = threshold.exp2();
        let range = Some([2f64.powi(-12), 2f64.powi(12)]);
        let settings = Settings { tolerance, factor, sections, range, ..Settings::default() };
        let result = search(start.exp2(), &settings, |eta| match eta <= threshold {
            true => Trained,
            false if idles => TooSlow,
            false => fast(),
        });
        let (low, high) = bracket(&result);
        prop_assert!(low <= threshold && threshold < high && high / low <= 1.0 + tolerance);
        let eta = result.eta().unwrap();
        prop_assert!(low <= eta && eta <= high);
        prop_assert!(result.islands.is_empty());
    }

    #[test]
    fn scattered_successes_end_in_a_boundary_true_to_its_definition(
        salt in any::<u64>(),
        sections in 1..4usize,
        guard in 0..6usize,
    ) {
        let settings = Settings { sections, guard, ..Settings::default() };
        let result = search(1.0, &settings, |eta| scattered(salt, eta));
        prop_assert!(result.probes.len() <= settings.max_probes);
        let trained = |eta: f64| scattered(salt, eta) == Trained;
        if let Boundary::Found { low, high } = result.boundary {
            prop_assert!(trained(low) && !trained(high));
            let base = result.probes.iter().find(|probed| probed.trained()).unwrap().eta;
            let run = result.probes.iter().filter(|probed| base <= probed.eta && probed.eta <= low);
            prop_assert!(run.clone().all(Probed::trained));
            prop_assert!(result.probes.iter().all(|probed| probed.eta <= low || probed.eta >= high));
            if let Stopped::Converged { ratio } = result.stopped {
                prop_assert!(ratio <= 1.1);
            }
        }
        prop_assert!(result.islands.iter().all(|&eta| trained(eta)));
    }

    #[test]
    fn the_order_of_tells_does_not_matter(salt in any::<u64>(), shuffle in any::<u64>()) {
        let settings = Settings { sections: 4, ..Settings::default() };
        let expected = search(1.0, &settings, |eta| scattered(salt, eta));
        let mut other = SeedSearch::new(1.0, &settings).unwrap();
        let mut turn = 0;
        while let asked @ [_, ..] = &other.ask()[..] {
            turn += 1;
            let first = (shuffle.rotate_left(turn) % asked.len() as u64) as usize;
            // Only the first of a shuffled round: the rest must still be asked.
            let eta = asked[first];
            other.tell(eta, Outcome { verdict: scattered(salt, eta), steps: 10 }).unwrap();
            prop_assert!(asked.len() == 1 || other.ask().len() == asked.len() - 1);
        }
        prop_assert_eq!(other.result(0).unwrap(), expected);
    }
}
