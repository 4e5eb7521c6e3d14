//! Which schedule a verb is about.

use crate::args::Job;
use crate::context::{Context, Failure};
use etalon::equivalence::{Rates, Stretch};
use etalon::schedule::{Conversion, ConversionError};
use etalon::spec::Spec;
use etalon::units::significant;

/// A spec, or the few flags that make one.
#[derive(clap::Args)]
pub(super) struct Source {
    #[command(flatten)]
    job: Job,
    /// Learning rate; the same as optimizer.eta=X
    #[arg(long, value_name = "X")]
    lr: Option<f64>,
    /// Momentum; optimizer.momentum
    #[arg(long, value_name = "X")]
    momentum: Option<f64>,
    /// Coupled weight decay; optimizer.weight_decay
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// Kind of schedule; schedule.kind [default: step with --milestones, exponential with --growth, else constant]
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Steps at which the rate is multiplied by --factor, separated by commas; schedule.milestones
    #[arg(long, value_name = "STEPS", value_delimiter = ',')]
    milestones: Vec<u64>,
    /// What it is multiplied by; schedule.factor
    #[arg(long, value_name = "X")]
    factor: Option<f64>,
    /// What it is multiplied by at every step; schedule.growth
    #[arg(long, value_name = "X")]
    growth: Option<f64>,
    /// Rate at the end in units of --lr; schedule.end
    #[arg(long, value_name = "X")]
    end: Option<f64>,
    /// Steps of warm-up; schedule.warmup
    #[arg(long, value_name = "N")]
    warmup: Option<u64>,
    /// Steps in all; train.steps [default: with --milestones, twice as many as the last one]
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Steps an epoch, to tell growth by epochs
    #[arg(long, value_name = "N")]
    steps_per_epoch: Option<f64>,
    /// The optimiser that it is for
    #[arg(long, value_name = "NAME", default_value = "sgd")]
    optimizer: Optimizer,
}

/// What a schedule may be meant for.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Optimizer {
    /// SGD with weight decay added to the gradient, as torch.optim.SGD
    Sgd,
    /// The same with Nesterov momentum
    Nesterov,
    /// SGD with decoupled weight decay
    Sgdw,
    /// Adam with decoupled weight decay
    Adamw,
    /// Adam
    Adam,
}

/// The names of the conversions.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Method {
    /// The recursion that holds for any schedule, from a momentum buffer that starts at zero
    Exact,
    /// The closed form: exponential between changes of the rate, with corrections of the buffer at them
    Phases,
    /// The closed form without the drop at a change of the rate: only the growth changes; not equivalent
    GrowthOnly,
}

impl Source {
    /// The spec, for the optimiser that was named.
    pub(super) fn spec(&self, context: &Context) -> Result<Spec, Failure> {
        let mut overrides = self.overrides();
        overrides.extend(match self.optimizer {
            Optimizer::Sgd => None,
            Optimizer::Nesterov => Some("optimizer.nesterov=true".into()),
            Optimizer::Adamw | Optimizer::Adam => Some("optimizer.kind=adamw".into()),
            Optimizer::Sgdw => return Err(ConversionError::Decoupled.into()),
        });
        Ok(self.job.spec_and(&[], &overrides, context.seed)?)
    }

    /// The spec of a job that converts.
    pub(super) fn convertible(&self, context: &Context) -> Result<Spec, Failure> {
        self.convertible_with(&[], context)
    }

    /// The same; where no file is given, `defaults` come before the user's keys.
    pub(super) fn convertible_with(&self, defaults: &[&str], context: &Context) -> Result<Spec, Failure> {
        match self.optimizer {
            Optimizer::Sgd => Ok(self.job.spec_and(defaults, &self.overrides(), context.seed)?),
            Optimizer::Nesterov => Err(ConversionError::Nesterov.into()),
            Optimizer::Sgdw | Optimizer::Adamw => Err(ConversionError::Decoupled.into()),
            Optimizer::Adam => Err(ConversionError::Adaptive.into()),
        }
    }

    /// `--steps-per-epoch`.
    pub(super) fn steps_per_epoch(&self) -> Result<Option<f64>, Failure> {
        match self.steps_per_epoch {
            Some(steps) if !(steps >= 1.0 && steps.is_finite()) => {
                Err(format!("--steps-per-epoch is {steps}; it must be at least 1").into())
            }
            steps => Ok(steps),
        }
    }

    fn overrides(&self) -> Vec<String> {
        let number = |key: &str, value: Option<f64>| value.map(|value| format!("{key}={value:?}"));
        let whole = |key: &str, value: Option<u64>| value.map(|value| format!("{key}={value}"));
        let implied = if !self.milestones.is_empty() {
            Some("step".to_string())
        } else {
            self.growth.map(|_| "exponential".into())
        };
        let kind = self.kind.clone().or(implied).map(|kind| format!("schedule.kind={kind}"));
        let list =
            (!self.milestones.is_empty()).then(|| format!("schedule.milestones={:?}", self.milestones));
        [
            number("optimizer.eta", self.lr),
            number("optimizer.momentum", self.momentum),
            number("optimizer.weight_decay", self.weight_decay),
            kind,
            list,
            number("schedule.factor", self.factor),
            number("schedule.growth", self.growth),
            number("schedule.end", self.end),
            whole("schedule.warmup", self.warmup),
            whole("train.steps", self.steps.or(self.stretched())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Where nobody says how long to train: as long behind the last milestone as before it.
    fn stretched(&self) -> Option<u64> {
        let last = self.milestones.iter().max()?;
        (!self.job.may_give("train.")).then(|| last.saturating_mul(2))
    }
}

impl Method {
    /// The one asked for, else the spec's, else the exact one.
    pub(super) fn of(method: Option<Method>, spec: &Spec) -> Conversion {
        match method {
            Some(Method::Exact) => Conversion::Exact,
            Some(Method::Phases) => Conversion::Phases,
            Some(Method::GrowthOnly) => Conversion::GrowthOnly,
            None => spec.schedule.conversion.unwrap_or(Conversion::Exact),
        }
    }
}

/// Rows of a table that shows a curve.
const ROWS: usize = 11;

/// The steps that a table of a curve shows: evenly spaced, the first and the last among them; of one that changes at a few
/// steps only, those and the last.
pub(super) fn shown(curve: &[f64]) -> Vec<usize> {
    let steps = curve.len();
    let changes = (0..steps).filter(|&step| step == 0 || curve[step] != curve[step - 1] || step + 1 == steps);
    let changes: Vec<usize> = changes.take(ROWS + 1).collect();
    if changes.len() <= ROWS {
        return changes;
    }
    (0..ROWS).map(|row| row * (steps - 1) / (ROWS - 1)).collect()
}

/// `e^log` with four digits, also where no number holds it.
pub(super) fn exponential(log: f64) -> String {
    if log < 700.0 {
        return significant(log.exp(), 4);
    }
    let power = log / std::f64::consts::LN_10;
    format!("{}e{}", significant(10f64.powf(power.fract()), 4), power.trunc())
}

/// What every text begins with.
pub(super) fn heading(rates: &Rates) -> String {
    let Rates { steps, momentum, weight_decay, .. } = rates;
    format!("{steps} steps, momentum {momentum}, weight decay {weight_decay}\n")
}

/// The stretches of constant rate as a table; empty where the rate changes all the time.
pub(super) fn phases(rates: &Rates) -> String {
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
    let row = |phase: &Stretch| {
        [
            phase.first.to_string(),
            phase.steps.to_string(),
            significant(phase.eta, 4),
            significant(phase.intrinsic_rate, 4),
            number(phase.drive_into, 7),
            number(phase.growth_per_step, 7),
            number(phase.growth_per_epoch, 4),
            number(phase.equilibrium_steps, 3),
            significant(phase.equilibrium_angle, 3),
        ]
    };
    let headings = [
        "from step",
        "steps",
        "eta",
        "eta x decay",
        "B into it",
        "growth a step",
        "growth an epoch",
        "steps to equilibrium",
        "angle a step there",
    ];
    if rates.phases.is_empty() {
        return String::new();
    }
    crate::output::table(headings, rates.phases.iter().map(row))
}
