//! The two-layer linear network on many samples.

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::models::{LinearRun, linear_runs};
use etalon::theory::Axis;
use etalon::units::significant;

/// Where the user gives no spec file: a small regression.
const DEFAULTS: [&str; 4] = ["loss=mse", "data.name=teacher", "data.train=8", "network.width=500"];

/// `etalon theory linear`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Learning rates, as c = eta x lambda0 (the NTK's, not the sharpness): a list
    #[arg(long, value_name = "LIST", default_value = "1,1.9,2.5,3,3.5,5", allow_hyphen_values = true)]
    c: Axis,
    /// Steps at most
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: u64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec_with(&DEFAULTS, context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        let task = format!("running the linear model at {} rates", self.c.len());
        let spinner = context.progress.spinner(task);
        let runs = linear_runs(&spec, &self.c, self.steps as usize)?;
        drop(spinner);
        let number = |value: Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
        let cells = |run: &LinearRun| {
            [
                significant(run.c, 4),
                run.phase.to_string(),
                significant(run.peak_loss, 4),
                run.peak_step.to_string(),
                number(run.final_loss),
                number(run.final_lambda),
                number(run.final_c),
                run.steps.to_string(),
            ]
        };
        let headings =
            ["c", "phase", "peak loss", "at step", "final loss", "final lambda", "final c", "steps"];
        context.leave(directory, &runs, |runs| {
            format!(
                "width {}, {} samples in {} dimensions, lambda0 = {}\n\n{}",
                runs.width,
                runs.samples,
                runs.dimension,
                significant(runs.lambda0, 4),
                table(headings, runs.runs.iter().map(cells))
            )
        })?;
        Ok(Exit::Done)
    }
}
