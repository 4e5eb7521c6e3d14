//! Held-out accuracy against the rate.

use super::PAPER;
use crate::rates::{Rate, best, keep, rates, reading};
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};

/// Rates over a decade and more about 2 / lambda_0; `more` are lines of the schedule and of the budget.
fn grid(size: Size, seed: u64, more: &str) -> String {
    let data = size.of([
        "name = \"fashion-mini\"\ntrain = 2000\ntest = 500",
        "name = \"fashion-mini\"\ntrain = 2000\ntest = 500",
        "name = \"fashion-mnist\"\ntrain = \"all\"\ntest = \"all\"",
    ]);
    let seeds: Vec<String> = (0..size.of([2, 5, 5])).map(|index| (seed + index).to_string()).collect();
    format!(
        "loss = \"mse\"\n[data]\n{data}\n[network]\ndepth = 3\nwidth = {}\n{more}\n[measure]\nsamples = 256\n[grid]\n\"optimizer.eta\" = {{ \
         log = [0.002, 0.064], points = {} }}\nseed = [{}]\ncurvature = true\n",
        size.of([128, 256, 2048]),
        size.of([11, 16, 21]),
        seeds.join(", ")
    )
}

fn setting(size: Size, spec: String, what: &str, seconds: [f64; 3]) -> Setting {
    let words = format!(
        "a fully connected ReLU network with three hidden layers, squared loss, SGD with batches of 64 at a constant rate; lambda_0 is \
         the NTK's largest eigenvalue; medians over seeds; {what}"
    );
    Setting::network(size.of(seconds), spec, words)
}

fn at_equal_steps(size: Size, seed: u64) -> String {
    grid(size, seed, &format!("[train]\nsteps = {}", size.of([320, 640, 20_000])))
}

pub(super) const EQUAL_STEPS: Claim = Claim {
    id: "A-6",
    paper: &PAPER,
    place: "section 5, figures 3 and 5a",
    statement: "After equally many steps, held-out accuracy is best at a rate above 2 / lambda_0, near the largest that trains.",
    certainty: Certainty::Found,
    quantities: ABOVE,
    setting: |size, seed| setting(size, at_equal_steps(size, seed), "equal steps", [15.0, 120.0, 3e5]),
    measure: |bench| above(bench, &at_equal_steps(bench.size(), bench.seed())),
};

/// Where the best rate of a sweep lies.
pub(super) const ABOVE: &[Quantity] = &[
    Quantity::new("c", "eta lambda_0 at the highest held-out accuracy").at_least(2.0),
    Quantity::new("below", "that rate over the lowest at which most seeds diverged").between(0.1, 0.999),
    Quantity::new("best", "the accuracy there"),
    Quantity::new("lazy", "the highest accuracy at eta lambda_0 up to 2"),
];

/// Measures that.
pub(super) fn above(bench: &mut Bench<'_>, sweep: &str) -> Result<(), ClaimError> {
    let found = rates(&bench.sweep(sweep)?, None)?;
    keep(bench, "rates", &found);
    let edge = found.iter().find(|rate| rate.diverged > 0.5).map_or(f64::NAN, |rate| rate.eta);
    let highest = best(&found);
    bench.read("c", reading(highest, |rate| rate.c));
    bench.read("below", Reading::one(highest.map_or(f64::NAN, |rate| rate.eta / edge)));
    bench.read("best", reading(highest, |rate| rate.accuracy));
    bench.read("lazy", reading(best(found.iter().filter(|rate| rate.c <= 2.0)), |rate| rate.accuracy));
    Ok(())
}

/// Equal sums of rates; then, or not, so many steps at a low rate that is the same for all.
fn at_equal_time(size: Size, seed: u64, last_steps: u64) -> String {
    let more = format!(
        "[schedule]\nlast_steps = {last_steps}\nlast_eta = 0.002\n[train]\nphysical_time = {}",
        size.of([1.28, 2.56, 100.0])
    );
    grid(size, seed, &more)
}

fn last_steps(size: Size) -> u64 {
    size.of([160, 320, 5000])
}

pub(super) const EQUAL_TIME: Claim = Claim {
    id: "A-7",
    paper: &PAPER,
    place: "section 5, figure 5b",
    statement: "After equal physical time, steps times rate, held-out accuracy of a fully connected or plain convolutional network hardly \
                depends on the rate up to the largest that trains; a low rate at the end, common to all, changes little.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "spread",
            "the highest less the lowest accuracy over the rates at which no seed diverged",
        )
        .at_most(0.05),
        Quantity::new("spread_after", "the same after a low rate common to all").at_most(0.05),
        Quantity::new("change", "the largest change by that low rate"),
        Quantity::new("to", "the largest eta lambda_0 among them"),
    ],
    setting: |size, seed| {
        let what = "equal physical time, then none or some steps at a low rate common to all; the spec is that without";
        setting(size, at_equal_time(size, seed, 0), what, [30.0, 300.0, 6e5])
    },
    measure: |bench| {
        let (size, seed) = (bench.size(), bench.seed());
        let before = rates(&bench.sweep(&at_equal_time(size, seed, 0))?, None)?;
        let after = rates(&bench.sweep(&at_equal_time(size, seed, last_steps(size)))?, None)?;
        keep(bench, "rates", &before);
        keep(bench, "rates-after", &after);
        let trained: Vec<(&Rate, &Rate)> = before
            .iter()
            .zip(&after)
            .take_while(|(before, after)| before.diverged + after.diverged == 0.0)
            .collect();
        let spread = |of: &dyn Fn(&(&Rate, &Rate)) -> f64| {
            let fold = |start, pick: fn(f64, f64) -> f64| trained.iter().map(of).fold(start, pick);
            fold(f64::NEG_INFINITY, f64::max) - fold(f64::INFINITY, f64::min)
        };
        bench.read("spread", Reading::one(spread(&|pair| pair.0.accuracy)));
        bench.read("spread_after", Reading::one(spread(&|pair| pair.1.accuracy)));
        let changes: Vec<f64> =
            trained.iter().map(|(before, after)| after.accuracy - before.accuracy).collect();
        bench.read("change", Reading::farthest(&changes, 0.0));
        bench.read("to", Reading::one(trained.last().map_or(f64::NAN, |pair| pair.0.c)));
        Ok(())
    },
};
