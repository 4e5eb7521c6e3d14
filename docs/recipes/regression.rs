//! Linear regression by gradient descent, with nothing but the standard library: regression RATE SEED LOG.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let (rate, seed): (f64, u64) = (words[1].parse()?, words[2].parse()?);
    let mut log = std::fs::File::create(&words[3])?;
    // Numbers between -1 and 1, by a linear congruence.
    let mut state = seed;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let samples: Vec<[f64; 4]> = (0..100).map(|_| [random(), random(), random(), random()]).collect();
    let error = |weights: &[f64; 4], x: &[f64; 4]| {
        x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() - x.iter().sum::<f64>()
    };
    let mut weights = [0.0; 4];
    for step in 0..=60 {
        let loss: f64 = samples.iter().map(|x| error(&weights, x).powi(2) / 200.0).sum();
        // A loss that is no number stands in quotes, as JSON has no word for it.
        writeln!(log, "{{\"step\": {step}, \"loss\": \"{loss}\"}}")?;
        let mut gradient = [0.0; 4];
        for x in &samples {
            let error = error(&weights, x);
            gradient.iter_mut().zip(x).for_each(|(g, x)| *g += error * x / 100.0);
        }
        weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * g);
    }
    Ok(())
}
