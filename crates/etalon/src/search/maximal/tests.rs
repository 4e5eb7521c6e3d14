use super::*;
use crate::search::{Answer, Outcome, Progress, silent};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

const STARTS: [(u64, f64); 5] = [(0, 0.1), (1, 1.0), (2, 5.0), (3, 0.3), (4, 40.0)];

type Probing = Result<Outcome, Infallible>;

/// Seed s trains up to thresholds[s].
fn thresholds(thresholds: &'static [f64]) -> impl Fn(f64, u64) -> Probing + Sync {
    move |eta, seed| {
        let verdict = match eta <= thresholds[seed as usize] {
            true => Answer::Trained,
            false => Answer::TooFast("diverged".into()),
        };
        Ok(Outcome { verdict, steps: 7 })
    }
}

fn find(probe: &impl Probe, starts: &[(u64, f64)]) -> EtaStar {
    maximal_rate(probe, starts, &Settings::default(), &silent).unwrap()
}

#[test]
fn the_median_of_five_seeds_has_an_interval() {
    let found = find(&thresholds(&[0.9, 1.5, 1.0, 0.7, 1.1]), &STARTS);
    let (median, low, high) = (found.median.unwrap(), found.low.unwrap(), found.high.unwrap());
    assert!((median - 1.0).abs() < 0.05);
    assert!((0.65..=0.7).contains(&low) && (1.5..1.6).contains(&high));
    assert_eq!((found.coverage, found.censored, found.undefined), (0.9375, 0, 0));
    assert_eq!((found.reason.clone(), found.tolerance, found.definition), (None, 0.1, DEFINITION_VERSION));
    assert_eq!(found.seeds.iter().map(|result| result.seed).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(found.gradient_steps, 7 * found.probes as u64);
}

#[test]
fn an_even_number_of_seeds_takes_the_geometric_mean_of_the_middle_two() {
    let found = find(&thresholds(&[0.01, 1.0, 4.0, 90.0]), &STARTS[..4]);
    let middle = found.seeds[1].eta().unwrap() * found.seeds[2].eta().unwrap();
    assert!((found.median.unwrap().powi(2) / middle - 1.0).abs() < 1e-12);
}

#[test]
fn a_minority_without_a_boundary_is_counted_and_leaves_a_median() {
    let found = find(&thresholds(&[0.0, 1.5, f64::INFINITY, 0.7, 1.1]), &STARTS);
    assert_eq!((found.censored, found.undefined), (1, 1));
    assert!((found.median.unwrap() / 1.1 - 1.0).abs() < 0.05);
    assert_eq!((found.low, found.high), (None, None));
}

#[test]
fn a_majority_without_a_boundary_leaves_a_reason() {
    let found = find(&thresholds(&[f64::INFINITY; 5]), &STARTS);
    assert_eq!((found.median, found.low, found.high, found.censored), (None, Some(409.6), None, 5));
    assert_eq!(
        found.reason.unwrap(),
        "5 of 5 seeds trained at every rate up to the highest tried (4.096e2): raise the upper end of \
         the range of rates"
    );
    let found = find(&thresholds(&[0.0; 5]), &STARTS);
    assert_eq!((found.median, found.low, found.high, found.undefined), (None, None, None, 5));
    assert!(found.reason.unwrap().starts_with("5 of 5 seeds trained at no rate from 9.766e-5 to 4.000e1"));
    // The middle two: one found, one censored.
    let found = find(&thresholds(&[1.0, f64::INFINITY]), &STARTS[..2]);
    assert_eq!((found.median, found.censored), (None, 1));
}

#[test]
fn a_search_that_was_given_up_does_not_blame_the_range() {
    let settings = Settings { max_probes: 3, ..Settings::default() };
    for (limit, censored) in [(f64::INFINITY, 2), (0.0, 0)] {
        let probe = |eta: f64, _: u64| -> Probing {
            let verdict = if eta < limit { Answer::Trained } else { Answer::TooSlow };
            Ok(Outcome { verdict, steps: 1 })
        };
        let found = maximal_rate(&probe, &STARTS[..2], &settings, &silent).unwrap();
        assert_eq!((found.median, found.censored, found.undefined), (None, censored, 2 - censored));
        let reason = found.reason.unwrap();
        assert!(reason.starts_with("2 of 2 searches were given up after 3 probes"), "{reason}");
        assert!(!reason.contains("raise") && !reason.contains("threshold"), "{reason}");
    }
}

#[test]
fn threads_change_nothing() {
    // Success sets with holes, so that every path of the search is taken.
    let probe = |eta: f64, seed: u64| -> Probing {
        let verdict = match ((eta.log2() * 3.0).floor() as i64 + seed as i64).rem_euclid(7) {
            0..4 => Answer::Trained,
            4 => Answer::TooSlow,
            _ => Answer::TooFast("dead".into()),
        };
        Ok(Outcome { verdict, steps: 3 })
    };
    let settings = Settings { sections: 3, ..Settings::default() };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| maximal_rate(&probe, &STARTS, &settings, &silent)).unwrap()
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(1), with(5));
}

#[test]
fn results_survive_json() {
    let found = find(&thresholds(&[0.0, 1.5, f64::INFINITY, 0.7, 1.1]), &STARTS);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<EtaStar>(&text).unwrap(), found);
}

#[test]
fn the_observer_sees_every_probe_and_can_cancel() {
    let probe = thresholds(&[0.9, 1.5, 1.0, 0.7, 1.1]);
    let seen = AtomicU64::new(0);
    let count = |progress: &Progress<'_>| {
        seen.fetch_add(progress.steps, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let found = maximal_rate(&probe, &STARTS, &Settings::default(), &count).unwrap();
    assert_eq!(found.gradient_steps, seen.load(Ordering::Relaxed));
    let made = AtomicU64::new(0);
    let counted = |eta: f64, seed: u64| {
        made.fetch_add(1, Ordering::Relaxed);
        probe(eta, seed)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let stop = |_: &Progress<'_>| ControlFlow::Break(());
    let cancelled = pool.install(|| maximal_rate(&counted, &STARTS, &Settings::default(), &stop));
    assert_eq!(cancelled, Err(SearchError::Cancelled));
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

#[test]
fn bad_input_is_refused_before_any_probe() {
    let never = |_: f64, _: u64| -> Probing { panic!("probed") };
    let run = |starts: &[(u64, f64)], settings: &Settings| maximal_rate(&never, starts, settings, &silent);
    let ok = Settings::default();
    assert_eq!(run(&[], &ok), Err(SearchError::NoSeeds));
    assert_eq!(run(&[(3, 1.0), (1, 1.0), (3, 2.0)], &ok), Err(SearchError::DuplicateSeed(3)));
    assert!(matches!(run(&[(0, 1.0), (1, f64::NAN)], &ok), Err(SearchError::Rate { .. })));
    assert!(run(&[(0, 1.0)], &Settings { tolerance: f64::NAN, ..ok }).is_err());
    assert_eq!(EtaStar::from_seeds(Vec::new(), 0.05), Err(SearchError::NoSeeds));
}

#[test]
fn a_probe_that_fails_ends_the_search_with_an_error_that_names_rate_and_seed() {
    let made = AtomicU64::new(0);
    let probe = |eta: f64, seed: u64| {
        made.fetch_add(1, Ordering::Relaxed);
        match (seed, eta > 0.5) {
            (3, true) => Err("node 7 is gone"),
            _ => Ok(Outcome { verdict: Answer::Trained, steps: 1 }),
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let error = pool
        .install(|| maximal_rate(&probe, &[(3, 0.3), (4, 0.3)], &Settings::default(), &silent))
        .unwrap_err();
    let SearchError::Failed { eta, seed, ref source } = error else { panic!("{error}") };
    assert!(eta > 0.5 && seed == 3);
    assert_eq!(source.get().to_string(), "node 7 is gone");
    let text = error.to_string();
    assert_eq!(text, format!("training at the rate {eta:e} with seed 3 could not be tried: node 7 is gone"));
    // 0.3 and 0.6; the other seed is not begun.
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[test]
fn seeds_after_the_first_two_begin_where_these_failed() {
    let starts = [(0, 0.01), (1, 0.02), (2, 0.01), (3, 0.05), (4, 0.01)];
    let found = find(&thresholds(&[1.0, 1.8, 1.1, 1.0, 0.4]), &starts);
    let lowest: Vec<f64> = found.seeds.iter().map(|seed| seed.probes[0].eta).collect();
    assert_eq!(lowest[..2], [0.01, 0.02]);
    // Its first rate is as far beyond its start as the less far of the two, and then its guards lie an octave below.
    assert!(lowest[2..].iter().all(|&lowest| lowest > 0.15), "{lowest:?}");
    let probes: Vec<usize> = found.seeds.iter().map(|seed| seed.probes.len()).collect();
    assert!(probes[2..].iter().all(|&count| count + 2 < probes[0]), "{probes:?}");
    for (result, threshold) in found.seeds.iter().zip([1.0, 1.8, 1.1, 1.0, 0.4]) {
        assert!((result.eta().unwrap() / threshold - 1.0).abs() < 0.05);
    }
    // The range is that of a seed's own start.
    let far = find(&thresholds(&[f64::INFINITY; 3]), &starts[..3]);
    assert_eq!(far.seeds[2].boundary, Boundary::CensoredAbove(40.96));
}

#[test]
fn seeds_go_on_in_turn() {
    let told = Mutex::new(Vec::new());
    let listen = |progress: &Progress<'_>| {
        told.lock().unwrap().push(progress.seed);
        ControlFlow::Continue(())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let starts = [0, 1, 2, 3, 4].map(|seed| (seed, 0.8));
    let probe = thresholds(&[1.0; 5]);
    pool.install(|| maximal_rate(&probe, &starts, &Settings::default(), &listen)).unwrap();
    let told = told.into_inner().unwrap();
    let first = |seed| told.iter().position(|&one| one == seed).unwrap();
    let last = |seed| told.iter().rposition(|&one| one == seed).unwrap();
    // One after another, the last would begin when all the others have ended.
    assert!((0..4).all(|seed| first(4) < last(seed)), "{told:?}");
}
