//! Which columns of a log are the step, the loss, the learning rate, the curvature and a metric.

/// Names of columns, as a user gives them; those not given are recognised by their usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The step.
    pub step: Option<String>,
    /// The training loss.
    pub loss: Option<String>,
    /// The learning rate.
    pub rate: Option<String>,
    /// The curvature.
    pub curvature: Option<String>,
    /// A metric, which has no usual name: a row has it where it is named here.
    pub metric: Option<String>,
    /// Whether the curvature is to be that in the coordinates of the optimiser's preconditioner.
    pub preconditioned: bool,
}

/// What a column can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Step,
    Loss,
    Rate,
    Curvature,
    Metric,
}

/// A row's numbers in the order of [`Kind::ALL`].
pub(super) type Numbers = [Option<f64>; 5];

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Step, Kind::Loss, Kind::Rate, Kind::Curvature, Kind::Metric];

    /// The flag that names it.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Kind::Step => "step",
            Kind::Loss => "loss",
            Kind::Rate => "rate",
            Kind::Curvature => "curvature",
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
                "epoch",
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
            Kind::Metric => &[],
        }
    }
}

/// Usual names of the curvature in the coordinates of an optimiser's preconditioner.
const PRECONDITIONED: [&str; 3] = ["preconditioned", "preconditionedhessian", "preconditionedsharpness"];

impl Columns {
    /// The name that the user gave.
    pub(super) fn given(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Step => self.step.as_deref(),
            Kind::Loss => self.loss.as_deref(),
            Kind::Rate => self.rate.as_deref(),
            Kind::Curvature => self.curvature.as_deref(),
            Kind::Metric => self.metric.as_deref(),
        }
    }

    /// How well a column of that name serves: 0 is best, none not at all.
    pub(super) fn rank(&self, kind: Kind, name: &str) -> Option<usize> {
        if let Some(given) = self.given(kind) {
            return (given == name).then_some(0);
        }
        let plain: String =
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let usual = match kind {
            Kind::Curvature if self.preconditioned => &PRECONDITIONED,
            kind => kind.usual(),
        };
        usual.iter().position(|&usual| usual == plain)
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
        assert_eq!(Kind::ALL.map(|kind| find(&usual, kind)), [Some(4), Some(2), Some(3), None, None]);
        let given = Columns { loss: Some("val/loss".into()), rate: Some("eta".into()), ..usual };
        assert_eq!((find(&given, Kind::Loss), find(&given, Kind::Rate)), (Some(1), None));
        let curvatures = ["hessian", "preconditioned"];
        let find = |columns: &Columns| columns.find(Kind::Curvature, curvatures.into_iter());
        assert_eq!(find(&Columns::default()), Some(0));
        assert_eq!(find(&Columns { preconditioned: true, ..Columns::default() }), Some(1));
    }
}
