use super::*;
use crate::search::{Progress, Scored, Verdict, silent};
use std::convert::Infallible;
use std::ops::ControlFlow;

const SEEDS: [u64; 5] = [0, 1, 2, 3, 4];

type Answer = Result<Scored, Infallible>;

/// A network whose metric peaks at `peak`, diverges from `limit` on; seeds differ by `noise`.
fn peaked(peak: f64, limit: f64, noise: f64) -> impl Fn(f64, u64) -> Answer + Sync {
    move |eta, seed| {
        let distance = (eta / peak).log2();
        let metric = 0.9 - 0.01 * distance * distance + noise * (seed as f64 - 2.0);
        let verdict = if eta < limit { Verdict::Trained } else { Verdict::TooFast("loss 1e9".into()) };
        Ok(Scored { verdict, metric, loss: 1.0 - metric, steps: 100 })
    }
}

fn pick(score: &impl Score, ceiling: f64) -> Recommendation {
    recommend(score, ceiling, &SEEDS, &LadderSettings::default(), &silent).unwrap()
}

#[test]
fn the_interior_optimum_is_chosen() {
    let picked = pick(&peaked(0.25, 10.0, 1e-4), 1.0);
    assert_eq!((picked.eta, picked.curve.len()), (Some(0.25), 8));
    assert_eq!((picked.median, picked.low, picked.high), (Some(0.9), Some(0.8998), Some(0.9002)));
    assert_eq!((picked.coverage, picked.gradient_steps), (0.9375, 4000));
    assert!(picked.curve.windows(2).all(|pair| pair[0].eta < pair[1].eta));
    assert_eq!(
        picked.why,
        "best median held-out metric 0.9 (0.9 to 0.9 over 5 seeds) of 8 rates from 0.0625 to 0.707; next best \
         0.898 at 0.177"
    );
}

#[test]
fn rates_at_which_a_seed_failed_are_excluded() {
    let peak = peaked(0.5, 10.0, 1e-4);
    // One seed alone fails at the two highest rates, in different ways.
    let score = |eta: f64, seed: u64| -> Answer {
        let mut scored = peak(eta, seed)?;
        match seed {
            3 if eta > 0.6 => scored.metric = f64::NAN,
            3 if eta > 0.45 => scored.verdict = Verdict::TooFast("loss 3e7 at step 12".into()),
            _ => (),
        }
        Ok(scored)
    };
    let picked = pick(&score, 1.0);
    assert!((picked.eta.unwrap() - 0.5f64.powf(1.5)).abs() < 1e-15);
    assert_eq!(picked.curve[6].excluded.as_deref(), Some("loss 3e7 at step 12"));
    assert_eq!(picked.curve[7].excluded.as_deref(), Some("metric NaN"));
    assert_eq!((picked.curve[7].median, picked.curve[7].metric[3]), (None, None));
    assert!(picked.why.ends_with("2 excluded (at 0.5: loss 3e7 at step 12)"), "{}", picked.why);
}

#[test]
fn the_ladder_goes_down_until_the_best_is_inside() {
    let picked = pick(&peaked(2f64.powi(-7), 10.0, 1e-4), 1.0);
    assert_eq!((picked.eta, picked.curve.len()), (Some(2f64.powi(-7)), 16));
    // Out of reach: it ends, and says so.
    let picked = pick(&peaked(1e-9, 10.0, 1e-4), 1.0);
    assert_eq!((picked.eta, picked.curve.len()), (Some(2f64.powi(-12)), 24));
    assert!(picked.why.ends_with("it is the lowest rate tried, lower ones may be better"));
    assert_eq!(picked.gradient_steps, 100 * 24 * 5);
}

#[test]
fn ties_within_the_seed_noise_go_to_the_lower_loss() {
    let score = |noise: f64| {
        let peak = peaked(0.25, 10.0, noise);
        // Loss prefers rates an octave lower than the metric does.
        move |eta: f64, seed: u64| -> Answer {
            Ok(Scored { loss: 0.3 + (eta / 0.125).log2().powi(2), ..peak(eta, seed)? })
        }
    };
    // Standard error of the median: 1.2533 * 1.5811 * noise / sqrt(5) = 0.886 noise; half an octave costs
    // 0.0025 of the metric, a whole one 0.01.
    assert_eq!(pick(&score(0.0028), 1.0).eta, Some(0.25));
    let half_an_octave_lower = pick(&score(0.0029), 1.0).eta.unwrap();
    assert!((half_an_octave_lower * 2f64.sqrt() / 0.25 - 1.0).abs() < 1e-15);
    let picked = pick(&score(0.012), 1.0);
    assert_eq!(picked.eta, Some(0.125));
    assert!(picked.why.contains("within the seed noise (0.0106)"), "{}", picked.why);
    assert!(picked.why.contains("(0.9 at 0.25), and the lower held-out loss (0.3 against 1.3)"));
}

#[test]
fn a_metric_can_be_an_error() {
    struct TestError;
    impl Score for TestError {
        type Error = Infallible;

        fn score(&self, eta: f64, _seed: u64) -> Answer {
            let error = 0.1 + (eta / 0.25).log2().powi(2);
            Ok(Scored { verdict: Verdict::Trained, metric: error, loss: error, steps: 1 })
        }
        fn metric(&self) -> &str {
            "test error"
        }
        fn higher_is_better(&self) -> bool {
            false
        }
    }
    let picked = pick(&TestError, 1.0);
    assert_eq!((picked.eta, picked.median), (Some(0.25), Some(0.1)));
    assert!(picked.why.starts_with("best median test error 0.1 "));
}

#[test]
fn seeds_that_end_too_slow_are_mentioned() {
    let score = |_: f64, seed: u64| -> Answer {
        let verdict = if seed < 2 { Verdict::TooSlow } else { Verdict::Trained };
        Ok(Scored { verdict, metric: 0.5, loss: 1.0, steps: 1 })
    };
    let settings = LadderSettings { rates: 1, octaves: 1.0, max_rates: 1 };
    let picked = recommend(&score, 1.0, &SEEDS, &settings, &silent).unwrap();
    assert_eq!((picked.eta, picked.curve[0].too_slow), (Some(0.5), 2));
    assert!(picked.why.ends_with("2 of 5 seeds did not reach the threshold here"), "{}", picked.why);
}

#[test]
fn nothing_usable_recommends_nothing() {
    let picked = pick(&peaked(0.25, 0.0, 0.0), 1.0);
    assert_eq!((picked.eta, picked.median, picked.curve.len()), (None, None, 24));
    assert!(
        picked.why.starts_with("none of 24 rates from 0.000244 to 0.707 is usable; at the lowest: loss 1e9")
    );
    // Rates that underflow are not tried.
    let picked = pick(&peaked(0.25, 0.0, 0.0), f64::MIN_POSITIVE * 2.5);
    assert_eq!(picked.curve.len(), 2);
}

#[test]
fn threads_change_nothing() {
    let score = peaked(0.01, 0.4, 0.003);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| pick(&score, 1.0))
    };
    let one = with(1);
    assert_eq!(one, with(2));
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Recommendation>(&text).unwrap(), one);
}

#[test]
fn bad_input_is_refused_before_any_training() {
    let never = |_: f64, _: u64| -> Answer { panic!("trained") };
    let run = |ceiling, seeds: &[u64], settings: &LadderSettings| {
        recommend(&never, ceiling, seeds, settings, &silent).unwrap_err()
    };
    let ok = LadderSettings::default();
    assert!(matches!(run(f64::NAN, &SEEDS, &ok), SearchError::Rate { .. }));
    assert!(matches!(run(-1.0, &SEEDS, &ok), SearchError::Rate { .. }));
    assert_eq!(run(1.0, &[], &ok), SearchError::NoSeeds);
    assert_eq!(run(1.0, &[1, 1], &ok), SearchError::DuplicateSeed(1));
    assert!(matches!(run(1.0, &SEEDS, &LadderSettings { rates: 0, ..ok }), SearchError::Ladder { .. }));
    let stop = |_: &Progress<'_>| ControlFlow::Break(());
    let cancelled = recommend(&peaked(1.0, 1.0, 0.0), 1.0, &SEEDS, &LadderSettings::default(), &stop);
    assert_eq!(cancelled, Err(SearchError::Cancelled));
}

#[test]
fn a_ladder_that_is_told_answers_in_any_order_chooses_the_same() {
    let score = peaked(2f64.powi(-7), 10.0, 0.003);
    let settings = LadderSettings::default();
    let mut ladder = Ladder::new(1.0, &SEEDS, &settings, true).unwrap();
    let mut rounds = 0;
    while ladder.result("held-out metric").is_none() {
        let mut asked = ladder.ask();
        assert!(!asked.is_empty());
        // As if the last had been asked of the fastest machine.
        asked.reverse();
        for (eta, seed) in asked {
            let scored = score(eta, seed).unwrap();
            assert_eq!(ladder.tell(1.1 * eta, seed, scored.clone()), Err(SearchError::NotAsked(1.1 * eta)));
            assert_eq!(ladder.tell(eta, 99, scored.clone()), Err(SearchError::NotAsked(eta)));
            ladder.tell(eta, seed, scored.clone()).unwrap();
            assert_eq!(ladder.tell(eta, seed, scored), Err(SearchError::NotAsked(eta)));
        }
        rounds += 1;
    }
    assert_eq!((rounds, ladder.ask()), (3, vec![]));
    assert_eq!(ladder.result("held-out metric").unwrap(), pick(&score, 1.0));
}

#[test]
fn a_score_that_fails_ends_the_choice_with_an_error_that_names_rate_and_seed() {
    let score = |eta: f64, seed: u64| match (eta < 0.3, seed) {
        (true, 2) => Err(std::io::Error::other("disk full")),
        _ => Ok(Scored { verdict: Verdict::Trained, metric: 0.5, loss: 1.0, steps: 1 }),
    };
    let error = recommend(&score, 1.0, &SEEDS, &LadderSettings::default(), &silent).unwrap_err();
    let SearchError::Failed { eta, seed: 2, source } = error else { panic!("{error}") };
    assert!(eta < 0.3);
    assert!(source.get().downcast_ref::<std::io::Error>().is_some());
}

#[test]
fn rungs_of_the_same_rate_are_all_answered() {
    let settings = LadderSettings { rates: 2, octaves: 1e-20, max_rates: 2 };
    let picked = recommend(&peaked(1.0, 10.0, 0.0), 1.0, &SEEDS, &settings, &silent).unwrap();
    assert_eq!((picked.curve.len(), picked.gradient_steps), (2, 1000));
}
