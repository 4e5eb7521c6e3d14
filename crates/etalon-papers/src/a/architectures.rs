//! Other nonlinearities and depths.

use super::PAPER;
use super::networks::{Ran, trials};
use crate::network::Subject;
use crate::{Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::curvature::Ends;
use rayon::prelude::*;

pub(super) const CLAIM: Claim = Claim {
    id: "A-11",
    paper: &PAPER,
    place: "supplementary material",
    statement: "Other nonlinearities and depths have the same phases, and the largest eigenvalues of kernel and Hessian agree \
                at large width.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("lazy_rise", "the largest rise of the loss over its start at eta lambda0 = 1")
            .at_most(1.001),
        Quantity::new("rise", "the least rise of the loss over its start at eta lambda0 = 3").at_least(1.05),
        Quantity::new("final_c", "the largest eta lambda at the end there").at_most(2.05),
        Quantity::new(
            "hessian_over_ntk",
            "the farthest from 1 of the Hessian's largest eigenvalue over the kernel's at the start",
        )
        .between(0.9, 1.1),
    ],
    setting: |size, seed| {
        let Sizes { widths, samples, hessian_width } = sizes(size);
        let words = format!(
            "linear, ReLU and tanh networks of 1, 2 and 3 hidden layers, two classes, {samples} images in one batch, widths {widths:?}, \
             eta t = 60 / lambda0; eigenvalues at width {hessian_width}. The spec is the first of them"
        );
        Setting::network(size.of([12.0, 150.0, 3000.0]), spec(size, seed, KINDS[0], (1, widths[0])), words)
    },
    measure: |bench| {
        let size = bench.size();
        let Sizes { widths, hessian_width, .. } = sizes(size);
        let (mut rows, mut lazy, mut rises, mut ends, mut ratios) = (vec![], vec![], vec![], vec![], vec![]);
        for (index, kind) in KINDS.into_iter().enumerate() {
            for depth in [1, 2, 3] {
                bench.at(&format!("{} networks of {depth} hidden layers", kind.0))?;
                for &width in widths {
                    let subject = Subject::<f32>::new(&spec(size, bench.seed(), kind, (depth, width)))?;
                    let start = [subject.start(bench.seed())?];
                    // 60 steps at a rate of 1.
                    for ran in trials(bench, &subject, &start, &[1.0, 3.0], (60.0, 0))? {
                        let verdict = &ran.observed.verdict;
                        let rise = verdict.peak_loss.unwrap_or(f64::NAN) / verdict.first_loss;
                        if ran.c < 2.0 {
                            lazy.push(rise);
                        } else {
                            rises.push(rise);
                            ends.push(ran.final_c());
                        }
                        let numbers = [index, depth, width].map(|number| number as f64);
                        rows.push([&numbers[..], &[ran.c, rise, Ran::fall(&ran), ran.final_c()]].concat());
                    }
                }
            }
        }
        bench.at("eigenvalues at large width")?;
        let wide = [1, 2, 3].into_par_iter().map(|depth| {
            let subject = Subject::<f32>::new(&spec(size, bench.seed(), KINDS[1], (depth, hessian_width)))?;
            let start = subject.start(bench.seed())?;
            let hessian =
                subject.instrument()?.at(&start.parameters).hessian(Ends::Largest, 1).map_err(Error::from)?;
            Ok(hessian.largest.first().map_or(f64::NAN, |top| top.value) / start.lambda)
        });
        ratios.extend(wide.collect::<Result<Vec<f64>, ClaimError>>()?);
        bench.read("lazy_rise", Reading::most(&lazy));
        bench.read("rise", Reading::least(&rises));
        bench.read("final_c", Reading::most(&ends));
        bench.read("hessian_over_ntk", Reading::farthest(&ratios, 1.0));
        bench.curve("trials", &["kind", "depth", "width", "c", "rise", "fall", "final_c"], rows);
        Ok(())
    },
};

/// Nonlinearities with their initial values.
const KINDS: [(&str, &str); 3] = [("identity", "lecun"), ("relu", "he"), ("tanh", "lecun")];

struct Sizes {
    widths: &'static [usize],
    samples: usize,
    hessian_width: usize,
}

fn sizes(size: Size) -> Sizes {
    size.of([
        Sizes { widths: &[512], samples: 60, hessian_width: 2048 },
        Sizes { widths: &[512, 768], samples: 80, hessian_width: 2048 },
        Sizes { widths: &[512, 2048, 8192], samples: 500, hessian_width: 8192 },
    ])
}

fn spec(size: Size, seed: u64, (activation, init): (&str, &str), (depth, width): (usize, usize)) -> String {
    let Sizes { samples, .. } = sizes(size);
    format!(
        "seed = {seed}\nloss = \"mse\"\n[data]\nname = \"fashion-mini\"\nclasses = [0, 6]\ntrain = {samples}\ntest = 20\n[network]\n\
         depth = {depth}\nwidth = {width}\nactivation = \"{activation}\"\ninit = \"{init}\"\nparametrization = \"ntk\"\nbias = false\n\
         [train]\nbatch = \"full\"\nsteps = 100\ncheck_every = 1000000\n[measure]\nsamples = {samples}\n"
    )
}
