//! Whether a spec's two classes can be separated, and how far a network is from the direction that does it best.

use super::ModelError;
use crate::error::Error;
use crate::memory;
use crate::spec::Spec;
use crate::theory::{Parts, Separability, Separation, TwoClasses, cosine};
use crate::train::Task;
use etalon_nn::{Scalar, Workspace};
use serde::{Deserialize, Serialize};

/// What is known of a spec's training set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeparabilityReport {
    /// Whether a linear predictor separates the classes; none where the numbers do not decide.
    pub separable: Option<bool>,
    /// Samples.
    pub samples: usize,
    /// Numbers of a direction; with a bias, one more than an input's.
    pub dimension: usize,
    /// Whether the predictor has a bias.
    pub bias: bool,
    /// The largest margin of a unit direction; none where none separates.
    pub margin: Option<f64>,
    /// No unit direction has a margin above this.
    #[serde(deserialize_with = "crate::units::number")]
    pub bound: f64,
    /// `1 - margin / bound`: how far from the best the direction may be.
    pub gap: Option<f64>,
    /// The length of the shortest direction whose margins are all at least one, `1 / margin`.
    pub direction_norm: Option<f64>,
    /// The proof that no direction separates.
    pub certificate: Option<Certificate>,
    /// Samples that determine the answer: support vectors, or those of the certificate.
    pub support: usize,
    /// The two parts of the set.
    pub parts: PartSizes,
}

/// A convex combination of the `y_a x_a` that is zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Samples in it.
    pub samples: usize,
    /// Its length, in units of the longest input: zero but for rounding.
    #[serde(deserialize_with = "crate::units::number")]
    pub residual: f64,
}

/// The sizes of the two parts (Ji and Telgarsky 2018, section 2), and their evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartSizes {
    /// Samples that some direction without a negative margin gives a positive one.
    pub separable: usize,
    /// Samples that every such direction gives the margin zero.
    pub inseparable: usize,
    /// The largest margin on the first among directions that are zero on the second.
    pub margin: Option<f64>,
    /// How far from zero that direction is on the second, relative: rounding.
    #[serde(deserialize_with = "crate::units::number")]
    pub leak: f64,
    /// Whether every step of the cut was decided.
    pub decided: bool,
}

/// The training set of a task as two classes.
fn classes<T: Scalar>(task: &Task<T>, bias: bool) -> Result<TwoClasses, Error> {
    let numbers = |values: &[T]| values.iter().map(|value| value.to_f64()).collect::<Vec<f64>>();
    let labels = numbers(&task.train.targets);
    if !task.classes || task.network.output_len() != 1 || labels.iter().any(|label| label.abs() != 1.0) {
        return Err(ModelError::NoSigns.into());
    }
    Ok(TwoClasses::new(task.network.input_len(), &numbers(&task.train.inputs), &labels, bias)?)
}

/// Decides whether the spec's training set can be separated by a linear predictor with a bias as `network.bias` says,
/// and cuts it into its two parts.
///
/// # Errors
/// When the spec makes no task with two classes, or memory does not suffice.
pub fn separability(spec: &Spec) -> Result<(SeparabilityReport, Separation, Parts), Error> {
    let task = spec.task::<f64>()?;
    let bias = spec.network.bias;
    let needed = TwoClasses::bytes(task.train.len, task.network.input_len() + 1);
    memory::check("this test", needed, "take fewer samples (data.train)")?;
    let set = classes(&task, bias)?;
    let (found, parts) = (set.separate(), set.parts());
    let certificate = || Certificate {
        samples: found.combination.len(),
        residual: if found.scale > 0.0 { found.bound / found.scale } else { 0.0 },
    };
    let margin = found.margin.filter(|_| found.verdict == Separability::Separable);
    let report = SeparabilityReport {
        separable: match found.verdict {
            Separability::Separable => Some(true),
            Separability::Inseparable => Some(false),
            Separability::Undecided => None,
        },
        samples: set.len(),
        dimension: set.dim(),
        bias,
        margin,
        bound: found.bound,
        gap: margin.map(|margin| 1.0 - margin / found.bound),
        direction_norm: margin.map(|margin| 1.0 / margin),
        certificate: (found.verdict == Separability::Inseparable).then(certificate),
        support: found.combination.len(),
        parts: PartSizes {
            separable: parts.separable.len(),
            inseparable: parts.inseparable.len(),
            margin: parts.margin,
            leak: parts.leak,
            decided: parts.decided,
        },
    };
    Ok((report, found, parts))
}

/// Tells how a linear network's predictor lies: its margin, and its angle to the direction of the largest margin.
#[derive(Debug)]
pub struct Compass<'a, T> {
    task: &'a Task<T>,
    set: TwoClasses,
    best: Option<Vec<f64>>,
    /// Zero, then the unit vectors.
    probes: Vec<T>,
    workspace: Workspace<T>,
}

/// Where a predictor points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alignment {
    /// The smallest margin of a sample, over the length of the predictor.
    pub margin: f64,
    /// The cosine of the angle to the direction of the largest margin; none where the classes cannot be separated.
    pub cosine: Option<f64>,
    /// The length of the predictor.
    pub norm: f64,
}

impl<'a, T: Scalar> Compass<'a, T> {
    /// The compass of a task whose network is linear in its input, of any depth; `bias` says whether it has biases.
    ///
    /// # Errors
    /// When the task has not two classes as signs.
    pub fn new(task: &'a Task<T>, bias: bool) -> Result<Self, Error> {
        let set = classes(task, bias)?;
        let separation = set.separate();
        let best = separation.direction.filter(|_| separation.verdict == Separability::Separable);
        let dim = task.network.input_len();
        let mut probes = vec![T::ZERO; (dim + 1) * dim];
        (0..dim).for_each(|i| probes[(i + 1) * dim + i] = T::ONE);
        let workspace = Workspace::for_outputs(&task.network, dim + 1, false);
        Ok(Compass { task, set, best, probes, workspace })
    }

    /// The largest margin there is; none where the classes cannot be separated.
    pub fn largest_margin(&self) -> Option<f64> {
        self.best.as_ref().map(|direction| self.set.margin(direction))
    }

    /// Where the network points at these parameters.
    pub fn at(&mut self, parameters: &[T]) -> Alignment {
        let dim = self.task.network.input_len();
        let mut outputs = vec![T::ZERO; dim + 1];
        self.task.network.outputs(parameters, &[], &self.probes, &mut self.workspace, &mut outputs);
        let at_zero = outputs[0].to_f64();
        let mut direction: Vec<f64> = outputs[1..].iter().map(|output| output.to_f64() - at_zero).collect();
        direction.extend((self.set.dim() > dim).then_some(at_zero));
        Alignment {
            margin: self.set.margin(&direction),
            cosine: self.best.as_ref().map(|best| cosine(best, &direction)),
            norm: direction.iter().map(|w| w * w).sum::<f64>().sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(more: &[&str]) -> Spec {
        let base = ["loss=logistic", "data.name=two-gaussians", "data.train=200", "data.normalize=none"];
        Spec::load(None, &base.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_gap_is_found_and_measured() {
        let (report, _, parts) = separability(&spec(&["data.margin=1", "network.bias=false"])).unwrap();
        assert_eq!((report.separable, report.samples, report.dimension), (Some(true), 200, 10));
        // The gap's own direction has margin 1/2; the best has at least that.
        assert!(report.margin.unwrap() >= 0.5 - 1e-6 && report.gap.unwrap() < 1e-9, "{report:?}");
        assert_eq!((report.parts.separable, parts.inseparable.len()), (200, 0));
        assert!(report.certificate.is_none());
    }

    #[test]
    fn an_overlap_has_a_certificate() {
        for bias in ["network.bias=false", "network.bias=true"] {
            let (report, ..) = separability(&spec(&["data.margin=-1", bias])).unwrap();
            assert_eq!(report.separable, Some(false));
            assert!(report.certificate.unwrap().residual < 1e-10 && report.margin.is_none());
            assert_eq!(report.parts.inseparable, 200);
        }
    }

    #[test]
    fn images_in_many_dimensions_are_separable() {
        // As many samples as numbers, or fewer: in general position they always are.
        let images = ["data.name=fashion-mini", "data.classes=[0, 6]", "data.train=300", "data.test=50"];
        let (report, ..) = separability(&spec(&images)).unwrap();
        assert_eq!(report.separable, Some(true));
        assert!(report.gap.unwrap() < 1e-6, "{report:?}");
    }

    #[test]
    fn labels_that_are_no_signs_are_refused() {
        let error = separability(&Spec::default()).unwrap_err().to_string();
        assert!(error.contains("not +1 and -1"), "{error}");
    }
}
