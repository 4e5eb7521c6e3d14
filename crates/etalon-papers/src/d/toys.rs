//! Normalisation and weight decay in the plane and in a linear classifier.

use super::PAPER;
use crate::{Certainty, Claim, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::models::{Toy, toy_runs};
use etalon::theory::scale_invariant::Training;

pub(super) const CLAIM: Claim = Claim {
    id: "D-5",
    paper: &PAPER,
    place: "section on normalisation with weight decay",
    statement: "Normalisation and weight decay together never let training converge, where either one alone does; in the long run only \
                eta lambda matters.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("alone", "the largest final loss of x^2/(x^2 + y^2) without weight decay and of x^2 with it").at_most(1e-9),
        Quantity::new("bursts", "the fewest bursts of the loss of x^2/(x^2 + y^2) with weight decay, in 1e5 steps").at_least(100.0),
        Quantity::new("same", "the largest over the least stationary loss at the same eta lambda, with noise").at_most(1.1),
        Quantity::new("classifier", "the error of a normalised classifier with weight decay, over that of the worse of the two with one of them")
            .at_least(2.0),
    ],
    setting: |size, _| {
        let words = format!(
            "x^2/(x^2 + y^2) and x^2 in the plane, 1e5 steps, eta = 0.1, 0.05, 0.02, weight decay 0.1; with noise 1e-3 at eta lambda = 1e-3, 2e5 \
             steps; a linear classifier of 20 Gaussian inputs, batches of 16, eta = 0.1, weight decay 0.01, {} steps",
            steps(size)
        );
        Setting::model(size.of([2.0, 10.0, 60.0]), words)
    },
    measure: |bench| {
        let training = |normalized, eta, weight_decay| Training { normalized, eta, weight_decay };
        let seed = bench.seed();
        let run = |toy, trainings: &[Training], steps| toy_runs(toy, trainings, steps, seed, 0).map_err(Error::from);
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let plain = Toy::Ratio { noise: 0.0 };
        let alone = run(plain, &[training(true, 0.1, 0.0), training(false, 0.1, 0.1)], 100_000)?;
        bench.read("alone", Reading::most(&alone.iter().map(|run| number(run.mean)).collect::<Vec<_>>()));
        let both = [0.1, 0.05, 0.02].map(|eta| training(true, eta, 0.1));
        let bursts: Vec<f64> = run(plain, &both, 100_000)?.iter().map(|run| run.bursts as f64).collect();
        bench.read("bursts", Reading::least(&bursts));
        bench.at("with noise")?;
        let pairs = [(0.1, 0.01), (0.05, 0.02), (0.01, 0.1)].map(|(eta, decay)| training(true, eta, decay));
        let means: Vec<f64> = run(Toy::Ratio { noise: 1e-3 }, &pairs, 200_000)?.iter().map(|run| number(run.mean)).collect();
        let ratio = number(Reading::most(&means).value) / number(Reading::least(&means).value);
        bench.read("same", Reading::interval(ratio, [f64::NAN; 2], means.len()));
        bench.at("a classifier")?;
        let three = [training(true, 0.1, 0.01), training(true, 0.1, 0.0), training(false, 0.1, 0.01)];
        let errors: Vec<f64> = run(Toy::Classifier { batch: 16, dimension: 20 }, &three, steps(bench.size()))?
            .iter()
            .map(|run| number(run.mean))
            .collect();
        bench.read("classifier", Reading::one(errors[0] / errors[1].max(errors[2])));
        Ok(())
    },
};

fn steps(size: Size) -> u64 {
    size.of([60_000, 300_000, 2_000_000])
}
