//! Both schedules on a network.

use super::source::{Method, Source, exponential};
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::equivalence::{Agreement, Verification, verify};
use etalon::units::significant;

/// Where the user gives no spec file: a small normalised network.
const DEFAULTS: [&str; 9] = [
    "network.normalizer=batch",
    "network.normalizer_epsilon=0",
    "network.width=64",
    "data.train=1000",
    "train.steps=200",
    "train.check_samples=200",
    "optimizer.momentum=0.9",
    "optimizer.weight_decay=5e-4",
    "optimizer.eta=0.1",
];

/// Train a network with weight decay and under the equivalent schedule without, and compare; exit code 1 where they differ
///
/// The verdict is that of f64: in f32 rounding parts the two after some hundred steps, as it parts any two runs. Where it
/// does so in f64, too, which a third run tells whose start differs in the last digit, nothing is decided, and the exit code
/// is 1 as well.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// How [default: schedule.conversion of the spec, or exact]
    #[arg(long, value_name = "HOW")]
    conversion: Option<Method>,
    /// The largest difference in f64 that counts as none
    #[arg(long, value_name = "X", default_value_t = 1e-8)]
    tolerance: f64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            return Err(format!("--tolerance is {}; it must be above 0", self.tolerance).into());
        }
        let spec = self.source.convertible_with(&DEFAULTS, context)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        let bar = context.progress.bar("training three times", 0);
        let conversion = Method::of(self.conversion, &spec);
        let found = verify(&spec, conversion, self.tolerance, &mut |step, total| {
            bar.set_length(total);
            bar.set_position(step);
        })?;
        drop(bar);
        context.leave(directory, &found, text)?;
        Ok(if found.equivalent == Some(true) { Exit::Done } else { Exit::Negative })
    }
}

fn text(found: &Verification) -> String {
    let row = |agreement: &Agreement| {
        let number = |value: f64| significant(value, 3);
        [
            agreement.precision.clone(),
            number(agreement.loss),
            number(agreement.direction),
            number(agreement.logits),
            number(agreement.norm),
            number(agreement.rounding),
            agreement.parted.map_or("never".into(), |step| format!("step {step}")),
        ]
    };
    let verdict = match found.equivalent {
        Some(true) => "equivalent",
        Some(false) => "not equivalent",
        None => "not decided, for rounding alone parts two runs of this training",
    };
    let mut text = format!(
        "{verdict}: {} steps, differences in f64 up to {} count as none\n\n",
        found.steps,
        significant(found.tolerance, 3)
    );
    let headings = [
        "largest difference in",
        "loss",
        "direction",
        "logits",
        "log norm",
        "by rounding alone",
        "passes its limit",
    ];
    text += &table(headings, found.agreement.iter().map(row));
    text += &format!("\nweights grow {}-fold: {}\n", exponential(found.log_growth), found.scaled.join(", "));
    for kept in found.others.chunk_by(|a, b| a.reason == b.reason) {
        let names: Vec<&str> = kept.iter().map(|kept| kept.segment.as_str()).collect();
        text += &format!("with plain rate and weight decay: {} ({})\n", names.join(", "), kept[0].reason);
    }
    if found.equivalent.is_none() {
        text += "to decide it, take fewer steps, a smaller rate or less momentum\n";
    }
    for agreement in &found.agreement {
        if let Some(ended) = &agreement.ended {
            text += &format!("{} ended early: {ended}\n", agreement.precision);
        }
    }
    text += &match found.leaves_f32 {
        Some(step) => {
            format!("plain f32 would have overflowed at step {step}; weights and rate were rescaled\n")
        }
        None => "plain f32 would not have overflowed\n".to_string(),
    };
    text
}
