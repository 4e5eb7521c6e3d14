//! Which columns of a log are the step, the loss, the learning rate, the curvature and a metric.

/// Names of columns, as a user gives them; those not given are recognised by their usual names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// The column of the step, or of the update.
    pub step: Option<String>,
    /// The column of the training loss.
    pub loss: Option<String>,
    /// The column of the learning rate.
    pub rate: Option<String>,
    /// The learning rate of rows that have none themselves.
    pub constant_rate: Option<f64>,
    /// The column of the curvature: see [`Point::curvature`](super::Point::curvature).
    pub curvature: Option<String>,
    /// The norm of the weights whose scale does not matter, or its square.
    pub norm: Option<String>,
    /// A metric, which has no usual name: a row has it where it is named here.
    pub metric: Option<String>,
    /// Whether the curvature is to be that in the coordinates of the optimiser's preconditioner.
    pub preconditioned: bool,
    /// The run, of a log that has several: one of [`runs`](super::runs).
    pub run: Option<String>,
}

/// What a column can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Step,
    Loss,
    Rate,
    Curvature,
    Norm,
    Metric,
}

/// A row's numbers in the order of [`Kind::ALL`].
pub(super) type Numbers = [Option<f64>; Kind::COUNT];

impl Kind {
    pub(super) const COUNT: usize = 6;
    pub(super) const ALL: [Kind; Kind::COUNT] =
        [Kind::Step, Kind::Loss, Kind::Rate, Kind::Curvature, Kind::Norm, Kind::Metric];

    /// The flag that names it.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Kind::Step => "step",
            Kind::Loss => "loss",
            Kind::Rate => "rate",
            Kind::Curvature => "curvature",
            Kind::Norm => "norm",
            Kind::Metric => "metric",
        }
    }

    /// Usual names, in lower case without `_`, `-`, `/`, `.` and spaces; the first that a log has is taken.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Kind::Step => &[
                "step",
                "globalstep",
                "trainerglobalstep",
                "trainglobalstep",
                "iteration",
                "iter",
                "batch",
                "update",
                "updates",
                "numupdates",
                EPOCH,
            ],
            Kind::Loss => &[
                "trainloss",
                "loss",
                "trainingloss",
                "lossstep",
                "trainlossstep",
                "losstrain",
                "trainlossepoch",
                "batchloss",
                "epochloss",
            ],
            Kind::Rate => &[
                "lr",
                "eta",
                "learningrate",
                "trainlr",
                "trainlearningrate",
                "lrpg0",
                "lrabs",
                "lrsgd",
                "rate",
                "epochlearningrate",
            ],
            Kind::Curvature => &[
                "hessian",
                "sharpness",
                "lambdamax",
                "hessianmax",
                "hessiantop",
                "topeigenvalue",
                "maxeigenvalue",
                "curvature",
                "trainsharpness",
                "ntk",
                "lambda",
            ],
            Kind::Norm => &[
                "weightnorm",
                "weightsnorm",
                "weightnormsquared",
                "squaredweightnorm",
                "paramnorm",
                "paramsnorm",
                "parameternorm",
            ],
            Kind::Metric => &[],
        }
    }
}

/// Usual names of the curvature in the coordinates of an optimiser's preconditioner.
const PRECONDITIONED: [&str; 3] = ["preconditioned", "preconditionedhessian", "preconditionedsharpness"];

/// What parts a run from a metric in an export of Weights & Biases.
const RUN: &str = " - ";
const EPOCH: &str = "epoch";

/// A name in lower case without signs and spaces.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a row with this name sums up a run, as the last one that transformers' `Trainer` logs: its loss is the run's mean.
pub(super) fn sums_up(name: &str) -> bool {
    plain(name) == "trainruntime"
}

impl Columns {
    /// The name that the user gave.
    pub(super) fn given(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Step => self.step.as_deref(),
            Kind::Loss => self.loss.as_deref(),
            Kind::Rate => self.rate.as_deref(),
            Kind::Curvature => self.curvature.as_deref(),
            Kind::Norm => self.norm.as_deref(),
            Kind::Metric => self.metric.as_deref(),
        }
    }

    /// How well a column of that name serves: 0 is best, none not at all.
    ///
    /// Weights & Biases exports columns as `run - metric`.
    pub(super) fn rank(&self, kind: Kind, name: &str) -> Option<usize> {
        self.rank_alone(kind, name).or_else(|| {
            let (run, metric) = name.rsplit_once(RUN)?;
            let chosen = self.run.as_ref().is_none_or(|chosen| chosen == run);
            self.rank_alone(kind, metric).filter(|_| chosen)
        })
    }

    fn rank_alone(&self, kind: Kind, name: &str) -> Option<usize> {
        if let Some(given) = self.given(kind) {
            return (given == name).then_some(0);
        }
        let plain = plain(name);
        let usual = match kind {
            Kind::Curvature if self.preconditioned => &PRECONDITIONED,
            kind => kind.usual(),
        };
        usual.iter().position(|&usual| usual == plain)
    }

    /// Whether the step is named by the epoch, which others than it come before.
    pub(super) fn is_epoch(&self, name: &str) -> bool {
        self.step.is_none() && plain(name) == EPOCH
    }

    /// The runs whose losses stand beside each other under these names; none where a loss has no run's name.
    pub(super) fn runs<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
        if names.clone().any(|name| self.rank_alone(Kind::Loss, name).is_some()) {
            return Vec::new();
        }
        let loss = |&(_, metric): &(&str, &str)| self.rank_alone(Kind::Loss, metric).is_some();
        let mut runs: Vec<&str> =
            names.filter_map(|name| name.rsplit_once(RUN)).filter(loss).map(|(run, _)| run).collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    /// The place of the column that serves best.
    pub(super) fn find<'a>(&self, kind: Kind, names: impl Iterator<Item = &'a str>) -> Option<usize> {
        let ranked = names.enumerate().filter_map(|(place, name)| Some((self.rank(kind, name)?, place)));
        ranked.min().map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_recognised_and_given_ones_win() {
        let names = ["epoch", "val/loss", "train/loss", "Learning Rate", "global_step"];
        let find = |columns: &Columns, kind| columns.find(kind, names.into_iter());
        let usual = Columns::default();
        assert_eq!(Kind::ALL.map(|kind| find(&usual, kind)), [Some(4), Some(2), Some(3), None, None, None]);
        let given = Columns { loss: Some("val/loss".into()), rate: Some("eta".into()), ..usual };
        assert_eq!((find(&given, Kind::Loss), find(&given, Kind::Rate)), (Some(1), None));
        let curvatures = ["hessian", "preconditioned"];
        let find = |columns: &Columns| columns.find(Kind::Curvature, curvatures.into_iter());
        assert_eq!(find(&Columns::default()), Some(0));
        assert_eq!(find(&Columns { preconditioned: true, ..Columns::default() }), Some(1));
    }

    #[test]
    fn a_metric_may_stand_behind_its_run() {
        let names = ["Step", "a - b - train/loss", "a - b - train/loss__MIN", "c - train/loss", "c - lr"];
        let find = |columns: &Columns, kind| columns.find(kind, names.into_iter());
        let of = |run: &str| Columns { run: Some(run.into()), ..Columns::default() };
        assert_eq!(Columns::default().runs(names.into_iter()), ["a - b", "c"]);
        assert_eq!((find(&of("a - b"), Kind::Loss), find(&of("a - b"), Kind::Rate)), (Some(1), None));
        assert_eq!((find(&of("c"), Kind::Loss), find(&of("c"), Kind::Rate)), (Some(3), Some(4)));
        assert_eq!(find(&of("c"), Kind::Step), Some(0));
        // These are no runs.
        let names = ["val - loss", "train - loss"];
        assert_eq!(Columns::default().find(Kind::Loss, names.into_iter()), Some(1));
        assert!(Columns::default().runs(names.into_iter()).is_empty());
    }
}
