//! Etalon's side of the benchmarks: `bench WORK --repeats N --threads T` prints one line of JSON. `bench WORK --save FOLDER`
//! writes what the work is done on instead, for the other programs.

mod own;
mod problem;
mod works;

use problem::Problem;
use serde_json::json;
use std::error::Error;
use std::time::Instant;

const USAGE: &str = "usage: bench w1|w2|w3|w4|w5|w5-loop|w5-steps|w6|w6-cnn|w7|w11|w13 [--repeats N] [--threads T] | --save FOLDER";

/// Seconds of each of so many calls, after some to warm up.
fn timed(repeats: usize, warm_up: usize, mut work: impl FnMut()) -> Vec<f64> {
    (0..warm_up).for_each(|_| work());
    let time = |()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    std::iter::repeat_n((), repeats).map(time).collect()
}

/// The unit of a work, its samples in it, and the number that other programs must agree on.
fn run(work: &str, repeats: usize) -> Option<(&'static str, Vec<f64>, Option<f64>)> {
    let own = match work {
        "w5" => Some(("s", own::sweep(repeats))),
        "w5-loop" => Some(("s", own::trials(repeats))),
        "w5-steps" => Some(("s", own::steps(repeats))),
        "w6" => Some(("%", own::patches_dense(repeats))),
        "w6-cnn" => Some(("%", own::patches_convolutional(repeats))),
        _ => None,
    };
    if let Some((unit, samples)) = own {
        return Some((unit, samples, None));
    }
    let (shared, unit): (fn(&Problem, usize) -> works::Done, _) = match work {
        "w1" => (works::step, "ms"),
        "w2" => (works::rates, "s"),
        "w3" => (works::momentum_step, "ms"),
        "w4" | "w7" => (works::product, "ms"),
        "w11" | "w13" => (works::sharpness, "s"),
        _ => return None,
    };
    let (seconds, check) = shared(&Problem::of(work)?, repeats);
    let scale = if unit == "ms" { 1e3 } else { 1.0 };
    Some((unit, seconds.iter().map(|seconds| seconds * scale).collect(), Some(check)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let number = |name: &str, default: usize| option(name).map_or(Ok(default), |text| text.parse());
    let work = arguments.first().ok_or(USAGE)?;
    if let Some(folder) = option("--save") {
        return Problem::of(work).ok_or(USAGE)?.save(folder.as_ref());
    }
    let (repeats, threads) = (number("--repeats", 10)?, number("--threads", 2)?);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    // Inside the pool, so that handing work over costs no trip between threads.
    let (unit, samples, check) = rayon::scope(|_| run(work, repeats)).ok_or(USAGE)?;
    println!("{}", json!({ "work": work, "unit": unit, "samples": samples, "check": check }));
    Ok(())
}
