//! Figures of trajectories.

use super::folder::Folder;
use super::trials::{Measured, Step, taken};
use crate::figure::{Axis, Colour, Figure, Group, Look, Panel, Place, Point, Reference, Series, bands, thin};

/// Points at most of a curve: more would be lost in a pixel.
pub const POINTS: usize = 900;

/// A trial: its loss, curvature with the lines 2/eta and 4/eta, and accuracy.
pub fn trajectory(steps: &[Step], folder: &Folder) -> Figure {
    let unit = folder.loss_unit();
    let mut panels = Vec::new();
    let mut loss = Panel::new(Axis::log("loss").in_unit(unit));
    loss.series.push(line("loss of the step's batch", Colour::Blue, taken(steps), |step| step.loss));
    loss.series.push(marked("training set", Colour::Green, steps, |step| step.train_loss));
    loss.series.push(marked("held-out set", Colour::Vermilion, steps, |step| step.test_loss));
    panels.push(loss);
    let measured = |of: fn(&Step) -> f64| steps.iter().any(|step| of(step) > 0.0);
    if measured(|step| step.ntk) || measured(|step| step.hessian) {
        let mut curvature = Panel::new(Axis::log("largest eigenvalue λ"));
        curvature.weight = 0.8;
        for (name, factor, dashed) in [("2/η", 2.0, true), ("4/η", 4.0, false)] {
            let points = steps.iter().map(|step| (step.step, factor / step.eta));
            let place = match steps.iter().all(|step| step.eta == steps[0].eta) {
                true => Place::Level(factor / steps[0].eta),
                false => Place::Through(points.collect()),
            };
            curvature.lines.push(Reference { name: name.into(), place, dashed });
        }
        curvature.series.push(marked("λ of the NTK", Colour::Purple, steps, |step| step.ntk));
        curvature.series.push(marked("λ of the Hessian", Colour::Orange, steps, |step| step.hessian));
        panels.push(curvature);
    }
    let followed = steps.iter().filter(|step| step.train_accuracy.is_finite()).count();
    if followed > 2 {
        let mut accuracy = Panel::new(Axis::even("accuracy"));
        accuracy.weight = 0.6;
        accuracy.series.push(marked("training set", Colour::Green, steps, |step| step.train_accuracy));
        accuracy.series.push(marked("held-out set", Colour::Vermilion, steps, |step| step.test_accuracy));
        panels.push(accuracy);
    }
    if steps.iter().any(|step| step.eta != steps[0].eta) {
        let mut rate = Panel::new(Axis::log("learning rate η"));
        rate.weight = 0.45;
        rate.series.push(line("learning rate", Colour::Ink, steps, |step| step.eta));
        panels.push(rate);
    }
    let shown = |panel: &mut Panel| panel.series.retain(|series| !series.points.is_empty());
    panels.iter_mut().for_each(shown);
    Figure {
        name: "trajectory".into(),
        title: "The trajectory".into(),
        note: "Where λ lies above 2/η, plain gradient descent is locally unstable; above 4/η a squared loss does not come \
               back."
            .into(),
        x: Axis::steps(),
        panels,
        details: None,
    }
}

/// A curve of every recorded step.
fn line(name: &str, colour: Colour, steps: &[Step], of: fn(&Step) -> f64) -> Series {
    let points: Vec<Point> =
        steps.iter().map(|step| Point { x: step.step, y: of(step), spread: None, hollow: false }).collect();
    Series { points: thin(&points, POINTS), ..Series::plain(name, colour, Look::Line, []) }
}

/// A curve of those steps where there is a value, marked where they are few.
fn marked(name: &str, colour: Colour, steps: &[Step], of: fn(&Step) -> f64) -> Series {
    let points: Vec<Point> = steps
        .iter()
        .filter(|step| of(step).is_finite())
        .map(|step| Point { x: step.step, y: of(step), spread: None, hollow: false })
        .collect();
    let look = if points.len() > 60 { Look::Line } else { Look::Both };
    Series { points: thin(&points, POINTS), ..Series::plain(name, colour, look, []) }
}

/// What is learnt when: the metrics of groups of samples by step. None where there are no groups.
pub fn learning_order(groups: &[(String, Vec<Measured>)], folder: &Folder) -> Option<Figure> {
    let panel = |axis: Axis, of: fn(&Measured) -> f64| {
        let group = |(name, measured): &(String, Vec<Measured>)| Group {
            name: name.replace('_', " "),
            curves: vec![measured.iter().map(|at| (at.step as u64, of(at))).collect()],
        };
        let series = bands(&groups.iter().map(group).collect::<Vec<_>>());
        Panel { series, ..Panel::new(axis) }
    };
    let mut panels = vec![panel(Axis::log("loss").in_unit(folder.loss_unit()), |at| at.loss)];
    if groups.iter().flat_map(|(_, measured)| measured).any(|at| at.accuracy.is_finite()) {
        panels.push(panel(Axis::even("accuracy"), |at| at.accuracy));
    }
    (!groups.is_empty()).then(|| Figure {
        name: "learning-order".into(),
        title: "What is learnt when".into(),
        note: "The metrics of each group of samples.".into(),
        x: Axis::steps(),
        panels,
        details: None,
    })
}
