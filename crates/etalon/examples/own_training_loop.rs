//! A training loop of one's own, which need be no network of Etalon's: the largest rate at which it trains.
//!
//! `cargo run --release -p etalon --example own_training_loop`

use etalon::search::{Answer, EtaStar, Outcome, SearchError, Settings, maximal_rate, silent};

const WIDTH: usize = 64;

/// Gradient descent on `(f - 1)^2 / 2` with `f = u . v / sqrt(width)`. A trainer that is a process, or a node of a
/// cluster, would fail with `?` where it cannot tell.
fn train(eta: f64, seed: u64) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
    // Numbers of variance 1: at the start, the curvature is about 2.
    let number =
        |k: usize| 12f64.sqrt() * ((seed as f64 + 1.0) * (k as f64 + 1.0).sqrt()).fract() - 3f64.sqrt();
    let (mut u, mut v): (Vec<f64>, Vec<f64>) = (0..WIDTH).map(|k| (number(k), number(k + WIDTH))).unzip();
    let scale = (WIDTH as f64).sqrt().recip();
    for steps in 1..=1000 {
        let residual = scale * u.iter().zip(&v).map(|(u, v)| u * v).sum::<f64>() - 1.0;
        // So written that NaN is too fast.
        if !(residual.abs() <= 1e6) {
            return Ok(Outcome { verdict: Answer::TooFast(format!("off by {residual:.1e}")), steps });
        }
        if residual.abs() < 1e-3 {
            return Ok(Outcome { verdict: Answer::Trained, steps });
        }
        for (u, v) in u.iter_mut().zip(&mut v) {
            (*u, *v) = (*u - eta * scale * residual * *v, *v - eta * scale * residual * *u);
        }
    }
    Ok(Outcome { verdict: Answer::TooSlow, steps: 1000 })
}

/// eta* of five seeds.
pub(crate) fn run() -> Result<EtaStar, SearchError> {
    let starts = [0, 1, 2, 3, 4].map(|seed| (seed, 0.1));
    maximal_rate(&train, &starts, &Settings::default(), &silent)
}

fn main() -> Result<(), SearchError> {
    let found = run()?;
    println!("eta* = {:?}, {:?} to {:?} over seeds", found.median, found.low, found.high);
    Ok(())
}
