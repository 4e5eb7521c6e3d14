//! Into how many parts a sweep is cut.

use crate::spec::Spec;
use crate::sweep::{Cell, Grid, Job};

/// How long a part should last, in seconds: cluster managers turn over about one job a second, and sites frown on more
/// than some ten starts a minute.
const LASTING: f64 = 600.0;

/// The most parts that are chosen unasked: sites limit the jobs of a user.
const MOST: usize = 1000;

/// Multiplications and additions a second of one core. Low for large networks, high for tiny ones.
const SPEED: f64 = 2e10;

/// Trials whose cost is looked at.
const SAMPLES: usize = 8;

/// Probes that a search makes for a seed, besides those of the rates it chooses from; of a boundary too.
const PROBES: usize = 12;

/// A number of parts such that each lasts some minutes, by a rough estimate of what these trials of a grid cost on one
/// core. At least 1, and at most one a trial. What a trainer takes is not known: a part has as many trials as run side by side.
pub fn shards(grid: &Grid, cells: &[&Cell]) -> usize {
    let spec = cells.first().and_then(|cell| grid.spec(cell).ok()).filter(|spec| spec.trainer.is_given());
    if let Some(spec) = spec {
        let together = if grid.job() == Job::Find { 1 } else { spec.trainer.slots.max(1) };
        return cells.len().div_ceil(together).min(MOST);
    }
    let step = cells.len().div_ceil(SAMPLES).max(1);
    let costs: Vec<f64> =
        cells.iter().step_by(step).filter_map(|cell| seconds(&grid.spec(cell).ok()?, grid.job())).collect();
    // Where none can be estimated, they fail at once or the data is not here: about a second each.
    let mean = if costs.is_empty() { 1.0 } else { costs.iter().sum::<f64>() / costs.len() as f64 };
    let parts = (mean * cells.len() as f64 / LASTING).ceil() as usize;
    parts.clamp(1, cells.len().clamp(1, MOST))
}

/// What a trial takes on one core, to within a small factor; none where its spec does not work out.
fn seconds(spec: &Spec, job: Job) -> Option<f64> {
    let task = spec.task::<f32>().ok()?;
    let plan = spec.plan(&task).ok()?;
    let steps = plan.steps(spec.optimizer.eta, task.train.len).ok()?;
    let trials = match job {
        Job::Train { .. } => 1,
        Job::Find => spec.search.seeds * PROBES + spec.search.trainings,
        Job::Boundaries => 3 * PROBES,
    };
    // A weight meets each sample in one product forwards and two backwards, each a multiplication and an addition.
    let operations = 6.0 * task.network.parameters() as f64 * plan.batch as f64;
    Some(operations * steps as f64 * trials as f64 / SPEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seeds: usize, steps: u64) -> usize {
        let text = format!(
            "[data]\nname = \"teacher\"\ntrain = 100\ntest = 4\ndimension = 1000\n[network]\ndepth = 1\nwidth = 1000\n\
             [train]\nbatch = \"full\"\nsteps = {steps}\n[grid]\nseed = {{ linear = [1, {seeds}], points = {seeds} }}\n"
        );
        let grid = Grid::parse(&format!("loss = \"mse\"\n{text}")).unwrap();
        let cells: Vec<_> = grid.cells().iter().collect();
        shards(&grid, &cells)
    }

    #[test]
    fn parts_last_minutes_and_hold_at_least_one_trial() {
        // 1,002,001 parameters and 100 samples: 0.03 s a step.
        assert_eq!(parts(10, 1), 1, "0.3 s in all");
        assert_eq!(parts(20, 10_000), 11, "20 trials of 301 s in parts of 600 s");
        assert_eq!(parts(3, 10_000_000), 3, "trials of days");
        assert_eq!(parts(2000, 100_000), 1000, "not more than sites take");
    }

    #[test]
    fn a_part_has_as_many_trainings_as_run_side_by_side() {
        for (job, expected) in [("train", 3), ("find", 8), ("boundaries", 3)] {
            let text = format!(
                "trainer.command = \"t {{eta}} {{seed}}\"\ntrainer.slots = 3\n[grid]\njob = \"{job}\"\n\
                 seed = [1, 2, 3, 4, 5, 6, 7, 8]\n"
            );
            let grid = Grid::parse(&text).unwrap();
            assert_eq!(shards(&grid, &grid.cells().iter().collect::<Vec<_>>()), expected, "{job}");
        }
    }
}
