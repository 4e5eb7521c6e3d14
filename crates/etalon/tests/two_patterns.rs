//! The order in which two patterns are learnt, and what is left of it (Li, Wei and Ma 2019, 1907.04595, section 4), in the
//! setting that is the default.

use etalon::models::pq::{Algorithm, PqRun, PqSetting, pq_runs};

const SEEDS: [u64; 2] = [0, 1];

fn mean(runs: &[PqRun], of: impl Fn(&PqRun) -> f64) -> f64 {
    runs.iter().map(of).sum::<f64>() / runs.len() as f64
}

/// A large rate fits the noisy pattern first, a small one the clustered pattern; annealed, the large one has both, and the
/// small one fails where there is the noisy pattern alone.
#[test]
#[ignore = "takes minutes; ./check runs it"]
fn a_large_rate_learns_p_first_and_a_small_one_never_quite_does() {
    let runs = |algorithm| pq_runs(&PqSetting::default(), &[algorithm], &SEEDS, 0).unwrap();
    let large = runs(Algorithm::LargeSmall);
    for run in &large {
        let [p, q, _] = run.boundary.test_errors;
        assert!(run.boundary.reached && p <= 0.05 && q >= 0.25, "{run:?}");
    }
    let small = runs(Algorithm::Small);
    for run in &small {
        let [p, q, _] = run.boundary.test_errors;
        assert!(run.boundary.reached && p >= 0.15 && q <= 0.01, "{run:?}");
    }
    let p = |run: &PqRun| run.end.test_errors[0];
    let (of_large, of_small) = (mean(&large, p), mean(&small, p));
    assert!(of_small >= 0.1 && of_large <= 0.03 && of_small >= 3.0 * of_large, "{of_large} {of_small}");
    for run in large.iter().chain(&small) {
        let [_, q, both] = run.end.test_errors;
        assert!(q <= 0.01 && both <= 0.01, "{run:?}");
    }
    assert!(mean(&small, |run| run.end.test_error) > mean(&large, |run| run.end.test_error));
}
