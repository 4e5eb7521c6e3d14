//! Networks of images, trained at rates from below 2/lambda0 to above 12/lambda0.

use super::PAPER;
use crate::network::{Start, Subject, settled, trained};
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::phase::Observed;
use etalon::theory::Range;
use rayon::prelude::*;

/// One trial, with `c = eta lambda_0`.
pub(super) struct Ran<T> {
    pub(super) seed: u64,
    pub(super) c: f64,
    pub(super) observed: Observed<T>,
}

impl<T> Ran<T> {
    /// `eta lambda` at the end.
    pub(super) fn final_c(&self) -> f64 {
        self.c * self.fall()
    }

    /// Curvature at the end over that at the start.
    pub(super) fn fall(&self) -> f64 {
        let verdict = &self.observed.verdict;
        verdict.ntk_end.unwrap_or(f64::NAN) / verdict.ntk_start.unwrap_or(f64::NAN)
    }

    pub(super) fn settled(&self) -> bool {
        settled(self.observed.verdict.phase)
    }

    fn row(&self) -> Vec<f64> {
        let verdict = &self.observed.verdict;
        let peak = verdict.peak_loss.unwrap_or(f64::NAN);
        let end = verdict.final_loss.unwrap_or(f64::NAN);
        vec![
            self.seed as f64,
            self.c,
            verdict.first_loss,
            peak,
            verdict.peak_step as f64,
            end,
            self.final_c(),
        ]
    }
}

/// The columns of [`Ran::row`].
const COLUMNS: &[&str] = &["seed", "c", "first_loss", "peak_loss", "peak_step", "final_loss", "final_c"];

/// Trains from each start at each rate for so much `c t`.
pub(super) fn trials(
    bench: &Bench<'_>,
    subject: &Subject<f32>,
    starts: &[Start<f32>],
    rates: &[f64],
    (time, every): (f64, u64),
) -> Result<Vec<Ran<f32>>, ClaimError> {
    let jobs: Vec<(&Start<f32>, f64)> =
        starts.iter().flat_map(|start| rates.iter().map(move |&c| (start, c))).collect();
    let run = |(start, c): (&Start<f32>, f64)| {
        bench.go_on()?;
        let observed = subject.observe(&subject.lasting(time, start), start, c, every)?;
        Ok(Ran { seed: start.seed, c, observed })
    };
    jobs.into_par_iter().map(run).collect()
}

/// Networks of these seeds.
pub(super) fn starts(
    bench: &Bench<'_>,
    subject: &Subject<f32>,
    count: u64,
) -> Result<Vec<Start<f32>>, ClaimError> {
    bench.at("curvature at the start")?;
    bench.seeds(count).into_par_iter().map(|seed| subject.start(seed)).collect()
}

pub(super) const FULLY_CONNECTED: Claim = Claim {
    id: "A-4",
    paper: &PAPER,
    place: "figure 2a-c",
    statement: "A fully connected ReLU network of three hidden layers, trained with squared loss, keeps its curvature below \
                2/lambda0; above, the loss rises for fewer than ten steps and curvature ends below 2/eta; training ends at \
                about 12/lambda0.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "lazy_change",
            "the median relative change of curvature at eta lambda0 = 1, four times as wide",
        )
        .at_most(0.15),
        Quantity::new("lazy_narrowing", "that change over the one at the width itself").at_most(0.5),
        Quantity::new("settled", "the share of runs at eta lambda0 from 2.5 to 6 that end trained")
            .at_least(1.0),
        Quantity::new("final_c", "the largest eta lambda at the end of those").at_most(2.05),
        Quantity::new("peak_step", "the latest step of the largest loss above 2/lambda0")
            .in_unit("steps")
            .at_most(10.0),
        Quantity::new("c_max", "the median eta lambda0 up to which it trains").between(8.0, 16.0),
    ],
    setting: |size, seed| {
        let Layers { width, samples, seeds, data, .. } = layers(size);
        let words = format!(
            "three hidden layers of {width}, ReLU, NTK parametrisation without biases, {samples} images of {data} in one batch, \
             {seeds} seeds, and once four times as wide; curvature at eta t = 80 / lambda0 (250 in the paper, where 2/lambda0 is 6.25)"
        );
        Setting::network(size.of([8.0, 120.0, 50_000.0]), fully_connected(size, seed, 1), words)
    },
    measure: |bench| {
        let (size, seed) = (bench.size(), bench.seed());
        let Layers { seeds, catapult, .. } = layers(size);
        let subject = Subject::new(&fully_connected(size, seed, 1))?;
        let starts = starts(bench, &subject, seeds)?;
        bench.at("trials at rates around 2/lambda0")?;
        let rates = [&[1.0], catapult].concat();
        let mut ran = trials(bench, &subject, &starts, &rates, (80.0, 0))?;
        bench.at("a wider network")?;
        let wide = Subject::new(&fully_connected(size, seed, 4))?;
        let wide_ran = trials(bench, &wide, &[wide.start(seed)?], &[1.0], (80.0, 0))?;
        let change = |ran: &Ran<f32>| (ran.fall() - 1.0).abs();
        let (low, high): (Vec<&Ran<f32>>, Vec<&Ran<f32>>) = ran.iter().partition(|ran| ran.c < 2.0);
        let same: Vec<f64> = low.iter().filter(|ran| ran.seed == seed).map(|ran| change(ran)).collect();
        let wider: Vec<f64> = wide_ran.iter().map(change).collect();
        let narrowing = Reading::median(&wider).value.zip(Reading::median(&same).value);
        let trained_ones: Vec<&&Ran<f32>> = high.iter().filter(|ran| ran.settled()).collect();
        let ends: Vec<f64> = trained_ones.iter().map(|ran| ran.final_c()).collect();
        let peaks: Vec<f64> = trained_ones.iter().map(|ran| ran.observed.verdict.peak_step as f64).collect();
        let all_settled = Reading::share(&high.iter().map(|ran| ran.settled()).collect::<Vec<_>>());
        bench.at("the largest rate that trains")?;
        let range = Range { low: 6.0, high: 32.0, steps: 6, tolerance: 0.1 };
        let limits = starts.par_iter().map(|start| subject.change(start, &range, trained));
        let limits = limits.collect::<Result<Vec<f64>, ClaimError>>()?;
        bench.read("lazy_change", Reading::median(&wider));
        bench
            .read("lazy_narrowing", Reading::one(narrowing.map_or(f64::NAN, |(wide, narrow)| wide / narrow)));
        bench.read("settled", all_settled);
        bench.read("final_c", Reading::most(&ends));
        bench.read("peak_step", Reading::most(&peaks));
        bench.read("c_max", Reading::median(&limits));
        ran.extend(wide_ran);
        bench.curve("trials", COLUMNS, ran.iter().map(Ran::row).collect());
        Ok(())
    },
};

struct Layers {
    data: &'static str,
    samples: usize,
    width: usize,
    seeds: u64,
    catapult: &'static [f64],
}

fn layers(size: Size) -> Layers {
    let catapult = &[2.5, 3.0, 4.0, 5.0, 6.0];
    size.of([
        Layers { data: "fashion-mini", samples: 100, width: 256, seeds: 2, catapult: &[2.5, 4.0, 6.0] },
        Layers { data: "fashion-mini", samples: 200, width: 512, seeds: 3, catapult },
        Layers { data: "mnist", samples: 10_000, width: 2048, seeds: 3, catapult },
    ])
}

fn fully_connected(size: Size, seed: u64, wider: usize) -> String {
    let Layers { data, samples, width, .. } = layers(size);
    let width = wider * width;
    format!(
        "seed = {seed}\nloss = \"mse\"\n[data]\nname = \"{data}\"\ntrain = {samples}\ntest = 100\n[network]\ndepth = 3\nwidth = \
         {width}\nactivation = \"relu\"\nparametrization = \"ntk\"\nbias = false\n[train]\nbatch = \"full\"\nsteps = 40\n\
         check_every = 1000000\n[measure]\nsamples = {samples}\n"
    )
}

pub(super) const WIDE_RESIDUAL: Claim = Claim {
    id: "A-5",
    paper: &PAPER,
    place: "figure 2d-f",
    statement: "A wide residual network has the same phases: above 2/lambda0 the loss rises early and curvature ends below \
                2/eta; it first rises a little, then falls.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("lazy_rise", "the largest rise of the loss over its start at eta lambda0 = 1.5")
            .at_most(1.001),
        Quantity::new("rise", "the median rise of the loss over its start above 2/lambda0").at_least(1.05),
        Quantity::new(
            "first_rise",
            "the median of the largest early curvature over that at the start, above 2/lambda0",
        )
        .at_least(1.0),
        Quantity::new("final_c", "the largest eta lambda at the end of catapults").at_most(2.05),
        Quantity::new("settled", "the share of runs above 2/lambda0 that end trained").at_least(1.0),
    ],
    setting: |size, seed| {
        let Residual { depth, widen, width, data: (data, _), samples, seeds, time } = residual(size);
        let words = format!(
            "WRN-{depth}-{widen} on {width} channels, {samples} images of {data} in one batch, {seeds} seeds, eta lambda0 = 1.5, 3 \
             and 4 for eta t = {time} / lambda0"
        );
        Setting::network(size.of([10.0, 250.0, 4e6]), wide_residual(size, seed), words)
    },
    measure: |bench| {
        let Residual { seeds, time, .. } = residual(bench.size());
        let subject = Subject::new(&wide_residual(bench.size(), bench.seed()))?;
        let starts = starts(bench, &subject, seeds)?;
        bench.at("trials at rates around 2/lambda0")?;
        let ran = trials(bench, &subject, &starts, &[1.5, 3.0, 4.0], (time, 1))?;
        let rise = |ran: &Ran<f32>| {
            let verdict = &ran.observed.verdict;
            verdict.peak_loss.unwrap_or(f64::NAN) / verdict.first_loss
        };
        let early = |ran: &Ran<f32>| {
            let curvature = ran.observed.trajectory.records.iter().filter(|record| record.step <= 10);
            let curvature: Vec<f64> = curvature.filter_map(|record| record.ntk).collect();
            let first = curvature.first().copied().unwrap_or(f64::NAN);
            curvature[1.min(curvature.len())..].iter().copied().fold(f64::NAN, f64::max) / first
        };
        let (low, high): (Vec<&Ran<f32>>, Vec<&Ran<f32>>) = ran.iter().partition(|ran| ran.c < 2.0);
        let of = |ran: &[&Ran<f32>], what: &dyn Fn(&Ran<f32>) -> f64| {
            ran.iter().map(|ran| what(ran)).collect::<Vec<_>>()
        };
        let settled: Vec<&Ran<f32>> = high.iter().copied().filter(|ran| ran.settled()).collect();
        bench.read("lazy_rise", Reading::most(&of(&low, &rise)));
        bench.read("rise", Reading::median(&of(&high, &rise)));
        bench.read("first_rise", Reading::median(&of(&high, &early)));
        bench.read("final_c", Reading::most(&of(&settled, &Ran::final_c)));
        bench.read("settled", Reading::share(&high.iter().map(|ran| ran.settled()).collect::<Vec<_>>()));
        bench.curve("trials", COLUMNS, ran.iter().map(Ran::row).collect());
        let steps = ran.iter().flat_map(|ran| {
            let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
            let records = ran.observed.trajectory.records.iter();
            records.map(move |record| {
                vec![ran.seed as f64, ran.c, record.step as f64, number(record.loss), number(record.ntk)]
            })
        });
        bench.curve("steps", &["seed", "c", "step", "loss", "ntk"], steps.collect());
        Ok(())
    },
};

struct Residual {
    depth: usize,
    widen: usize,
    width: usize,
    /// What it is called, and its keys.
    data: (&'static str, &'static str),
    samples: usize,
    seeds: u64,
    time: f64,
}

const FASHION: (&str, &str) = ("fashion-mini", "name = \"fashion-mini\"");
const CIFAR: (&str, &str) = ("cifar10", "name = \"cifar10\"");
const CIFAR_16: (&str, &str) = ("cifar10 made 16 x 16", "name = \"cifar10\"\nshrink = 2");

fn residual(size: Size) -> Residual {
    size.of([
        Residual { depth: 10, widen: 1, width: 8, data: FASHION, samples: 40, seeds: 1, time: 20.0 },
        Residual { depth: 10, widen: 2, width: 16, data: CIFAR_16, samples: 128, seeds: 3, time: 30.0 },
        Residual { depth: 28, widen: 10, width: 16, data: CIFAR, samples: 2000, seeds: 3, time: 333.0 },
    ])
}

fn wide_residual(size: Size, seed: u64) -> String {
    let Residual { depth, widen, width, data: (_, data), samples, .. } = residual(size);
    format!(
        "seed = {seed}\nloss = \"mse\"\n[data]\n{data}\ntrain = {samples}\ntest = 100\n[network]\nkind = \"wrn\"\ndepth = \
         {depth}\nwiden = {widen}\nwidth = {width}\n[train]\nbatch = \"full\"\nsteps = 40\ncheck_every = 1000000\n[measure]\nsamples \
         = {samples}\n"
    )
}
