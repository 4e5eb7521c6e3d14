//! Held-out accuracy of wide residual networks against the rate.

use super::PAPER;
use super::performance::{ABOVE, above};
use crate::rates::{best, keep, rates, reading};
use crate::{Certainty, Claim, Quantity, Reading, Setting, Size};

/// Rates over a decade and more about 2 / lambda_0, trained for a budget; `axes` are more lines of the grid.
fn grid(size: Size, seed: u64, budget: &str, axes: &str) -> String {
    let data = size.of([
        "name = \"fashion-mini\"\ntrain = 1000\ntest = 500\nshrink = 2\naugment = { flip = true }",
        "name = \"cifar10\"\ntrain = 5000\ntest = 2000\nshrink = 2\naugment = { flip = true, crop = 2 }",
        "name = \"cifar10\"\ntrain = \"all\"\ntest = \"all\"\naugment = { flip = true, crop = 4 }",
    ]);
    let (depth, widen, width) = size.of([(10, 1, 8), (10, 2, 8), (28, 10, 16)]);
    let (low, high, points) = size.of([(0.02, 1.28, 7), (0.05, 0.8, 9), (0.02, 2.56, 15)]);
    let seeds: Vec<String> = (0..size.of([1, 2, 1])).map(|index| (seed + index).to_string()).collect();
    format!(
        "loss = \"mse\"\n[data]\n{data}\n[network]\nkind = \"wrn\"\ndepth = {depth}\nwiden = {widen}\nwidth = \
         {width}\n[optimizer]\nweight_decay = 5e-4\n[schedule]\nlast_eta = {}\n[train]\nbatch = {}\ncheck_every = \
         1000000\n{budget}\n[measure]\nsamples = 128\n[grid]\n\"optimizer.eta\" = {{ log = [{low:?}, {high:?}], points = {points} \
         }}\n{axes}seed = [{}]\ncurvature = true\n",
        size.of([0.02, 0.05, 0.035]),
        size.of([128, 256, 1024]),
        seeds.join(", ")
    )
}

fn setting(size: Size, spec: String, what: &str, seconds: [f64; 3]) -> Setting {
    let words = format!(
        "a wide residual network, squared loss, SGD at a constant rate with weight decay 5e-4 and augmented images; lambda_0 is the \
         NTK's largest eigenvalue; medians over seeds; {what}"
    );
    Setting::network(size.of(seconds), spec, words)
}

fn at_equal_steps(size: Size, seed: u64) -> String {
    grid(size, seed, &format!("steps = {}", size.of([100, 300, 12_000])), "")
}

pub(super) const EQUAL_STEPS: Claim = Claim {
    id: "A-8",
    paper: &PAPER,
    place: "section 5, figure 5c",
    statement: "A wide residual network with weight decay and augmentation, too, is best at a rate above 2 / lambda_0 after equally many \
                steps.",
    certainty: Certainty::Found,
    quantities: ABOVE,
    setting: |size, seed| setting(size, at_equal_steps(size, seed), "equal steps", [10.0, 150.0, 4e6]),
    measure: |bench| above(bench, &at_equal_steps(bench.size(), bench.seed())),
};

fn last_steps(size: Size) -> u64 {
    size.of([100, 200, 4800])
}

fn at_equal_time(size: Size, seed: u64) -> String {
    let budget = format!("physical_time = {:?}", size.of([8.0, 30.0, 3360.0]));
    grid(size, seed, &budget, &format!("\"schedule.last_steps\" = [0, {}]\n", last_steps(size)))
}

pub(super) const EQUAL_TIME: Claim = Claim {
    id: "A-9",
    paper: &PAPER,
    place: "section 5, figure 5d",
    statement: "After equal physical time, steps times rate, and some steps at a low rate that is the same for all, a wide residual network \
                is best at a rate above 2 / lambda_0.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("c", "eta lambda_0 at the highest held-out accuracy after the low rate").at_least(2.0),
        Quantity::new("best", "the accuracy there"),
        Quantity::new("lazy", "the highest accuracy at eta lambda_0 up to 2"),
        Quantity::new("before", "eta lambda_0 at the highest accuracy before the low rate"),
        Quantity::new("change", "the highest accuracy after the low rate less that before"),
    ],
    setting: |size, seed| {
        let what = "equal physical time, then none or some steps at a low rate common to all";
        setting(size, at_equal_time(size, seed), what, [30.0, 300.0, 2e7])
    },
    measure: |bench| {
        let table = bench.sweep(&at_equal_time(bench.size(), bench.seed()))?;
        let at = |steps: u64| rates(&table, Some(("schedule.last_steps", steps as f64)));
        let (before, after) = (at(0)?, at(last_steps(bench.size()))?);
        keep(bench, "rates", &before);
        keep(bench, "rates-after", &after);
        let highest = best(&after);
        bench.read("c", reading(highest, |rate| rate.c));
        bench.read("best", reading(highest, |rate| rate.accuracy));
        bench.read("lazy", reading(best(after.iter().filter(|rate| rate.c <= 2.0)), |rate| rate.accuracy));
        bench.read("before", reading(best(&before), |rate| rate.c));
        let gain = best(&after).zip(best(&before)).map(|(after, before)| after.accuracy - before.accuracy);
        bench.read("change", Reading::one(gain.unwrap_or(f64::NAN)));
        Ok(())
    },
};
