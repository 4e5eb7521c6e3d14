//! Two patterns and two groups of neurons.

use super::PAPER;
use crate::{Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::models::pq::{Algorithm, PqRun, PqSetting, pq_runs};

pub(super) const CLAIM: Claim = Claim {
    id: "E-5",
    paper: &PAPER,
    place: "section 4",
    statement: "A large rate, lowered later, learns a noisy linear pattern before a clustered one, a small rate the clustered one first; \
                the small rate then fails where there is the linear pattern alone.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new(
            "large_p",
            "the largest test error on the linear pattern alone when the large rate is lowered",
        )
        .at_most(0.05),
        Quantity::new("large_q", "the least test error on the clustered pattern alone then").at_least(0.25),
        Quantity::new(
            "small_q",
            "the largest test error on the clustered pattern alone when the small rate has fitted it",
        )
        .at_most(0.01),
        Quantity::new("small_p", "the least test error on the linear pattern alone then").at_least(0.15),
        Quantity::new(
            "gap",
            "the small rate's over the large one's mean test error on the linear pattern alone, at the end",
        )
        .at_least(3.0),
        Quantity::new("end_large", "that error at the end, of the large rate"),
        Quantity::new("end_small", "that error at the end, of the small rate"),
    ],
    setting: |size, _| {
        let words = format!(
            "5000 samples of two patterns in 1000 dimensions, 2 % with the linear one alone, 20 % with the clustered one alone; 40 and 600 \
             neurons with fixed signs; the rate 15 until the loss where the linear pattern is alone is 0.3, then 0.1, against 0.1 \
             throughout; {} seeds",
            seeds(size)
        );
        Setting::model(size.of([20.0, 60.0, 120.0]), words)
    },
    measure: |bench| {
        let seeds = bench.seeds(seeds(bench.size()));
        let run = |what: &str, algorithm| -> Result<Vec<PqRun>, ClaimError> {
            bench.at(what)?;
            Ok(pq_runs(&PqSetting::default(), &[algorithm], &seeds, 0).map_err(Error::from)?)
        };
        let large = run("a large rate", Algorithm::LargeSmall)?;
        let small = run("a small rate", Algorithm::Small)?;
        // By kind: the linear pattern alone, the clustered one alone, both.
        let at_boundary = |runs: &[PqRun], kind: usize| -> Vec<f64> {
            runs.iter().map(|run| run.boundary.test_errors[kind]).collect()
        };
        let at_end = |runs: &[PqRun]| -> Vec<f64> { runs.iter().map(|run| run.end.test_errors[0]).collect() };
        let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
        bench.read("large_p", Reading::most(&at_boundary(&large, 0)));
        bench.read("large_q", Reading::least(&at_boundary(&large, 1)));
        bench.read("small_q", Reading::most(&at_boundary(&small, 1)));
        bench.read("small_p", Reading::least(&at_boundary(&small, 0)));
        let (of_large, of_small) = (at_end(&large), at_end(&small));
        bench.read("gap", Reading::one(mean(&of_small) / mean(&of_large)));
        bench.read("end_large", Reading::median(&of_large));
        bench.read("end_small", Reading::median(&of_small));
        Ok(())
    },
};

fn seeds(size: Size) -> u64 {
    size.of([2, 5, 10])
}
