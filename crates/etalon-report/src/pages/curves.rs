//! Figures of trajectories.

use super::folder::Folder;
use super::trials::taken;
use crate::figure::{
    Axis, Colour, Figure, Group, LossKind, Panel, Place, Point, Reference, Series, Stroke, bands, thin,
};
use etalon::train::{Groups, Metrics, Record};

/// Points at most of a curve: more would be lost in a pixel.
pub(super) const POINTS: usize = 900;

/// A trial: its loss, curvature with the lines 2/eta and 4/eta, and accuracy.
pub(super) fn trajectory(steps: &[Record], folder: &Folder) -> Figure {
    let unit = folder.loss_unit();
    let mut panels = Vec::new();
    let mut loss = Panel::new(Axis::log("loss").in_unit(unit));
    loss.series.push(line("loss of the step's batch", Colour::Blue, taken(steps), |step| known(step.loss)));
    loss.series.push(marked("training set", Colour::Green, steps, |step| loss_of(step.train)));
    loss.series.push(marked("held-out set", Colour::Vermilion, steps, |step| loss_of(step.test)));
    panels.push(loss);
    let measured = |of: fn(&Record) -> f64| steps.iter().any(|step| of(step) > 0.0);
    if measured(|step| known(step.ntk)) || measured(|step| known(step.hessian)) {
        // Of other losses the NTK's eigenvalue is no curvature: 2/η says nothing of it.
        let squared = folder.loss_kind() == LossKind::Squared;
        let mut curvature = Panel::new(Axis::log("largest eigenvalue λ"));
        curvature.weight = 0.8;
        let lines = [("2/η", 2.0, true), ("4/η", 4.0, false)];
        for (name, factor, dashed) in lines.into_iter().take(if squared { 2 } else { 1 }) {
            let points = steps.iter().map(|step| (step.step as f64, factor / step.eta));
            let place = match steps.iter().all(|step| step.eta == steps[0].eta) {
                true => Place::Level(factor / steps[0].eta),
                false => Place::Through(points.collect()),
            };
            curvature.lines.push(Reference { name: name.into(), place, dashed });
        }
        let ntk = marked("λ of the NTK", Colour::Purple, steps, |step| known(step.ntk));
        let hessian = marked("λ of the Hessian", Colour::Orange, steps, |step| known(step.hessian));
        let mut kernel = Panel::new(Axis::log("λ of the NTK"));
        kernel.weight = 0.5;
        (if squared { &mut curvature } else { &mut kernel }).series.push(ntk);
        curvature.series.push(hessian);
        panels.extend(
            [curvature, kernel]
                .into_iter()
                .filter(|panel| panel.series.iter().any(|series| !series.points.is_empty())),
        );
    }
    let followed = steps.iter().filter(|step| accuracy_of(step.train).is_finite()).count();
    if followed > 2 {
        let mut accuracy = Panel::new(Axis::even("accuracy"));
        accuracy.weight = 0.6;
        accuracy.series.push(marked("training set", Colour::Green, steps, |step| accuracy_of(step.train)));
        accuracy.series.push(marked("held-out set", Colour::Vermilion, steps, |step| accuracy_of(step.test)));
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
        note: match folder.loss() {
            "mse" => {
                "Where λ lies above 2/η, plain gradient descent is locally unstable; above 4/η a squared loss does not come back."
            }
            _ => "Where λ of the Hessian lies above 2/η, plain gradient descent is locally unstable.",
        }
        .into(),
        x: Axis::steps(),
        panels,
        details: None,
    }
}

/// A curve of every recorded step.
fn line(name: &str, colour: Colour, steps: &[Record], of: fn(&Record) -> f64) -> Series {
    let points: Vec<Point> = steps.iter().map(|step| point(step, of)).collect();
    Series { points: thin(&points, POINTS), ..Series::plain(name, colour, Stroke::Line, []) }
}

/// A curve of those steps where there is a value, marked where they are few.
fn marked(name: &str, colour: Colour, steps: &[Record], of: fn(&Record) -> f64) -> Series {
    let points: Vec<Point> =
        steps.iter().filter(|step| of(step).is_finite()).map(|step| point(step, of)).collect();
    let look = if points.len() > 60 { Stroke::Line } else { Stroke::Both };
    Series { points: thin(&points, POINTS), ..Series::plain(name, colour, look, []) }
}

fn point(step: &Record, of: fn(&Record) -> f64) -> Point {
    Point { x: step.step as f64, y: of(step), spread: None, hollow: false }
}

/// A number, NaN where there is none.
fn known(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}

fn loss_of(metrics: Option<Metrics>) -> f64 {
    known(metrics.map(|metrics| metrics.loss))
}

fn accuracy_of(metrics: Option<Metrics>) -> f64 {
    known(metrics.and_then(|metrics| metrics.accuracy))
}

/// A group of samples: its name, and its metrics at the steps from the first one on that has them.
type Followed = (&'static str, Vec<(u64, Option<Metrics>)>);

/// The groups that are followed, in the order in which they first come, else in that of the alphabet.
fn followed(steps: &[Record]) -> Vec<Followed> {
    let looks = || steps.iter().filter_map(|step| step.groups.map(|groups: Groups| (step.step, groups)));
    let group = |(index, name): (usize, &'static str)| {
        let metrics = looks().map(|(step, groups)| (step, groups.named()[index].1));
        (name, metrics.skip_while(|(_, metrics)| metrics.is_none()).collect())
    };
    let names = Groups::default().named().map(|(name, _)| name);
    let mut groups: Vec<Followed> = names.into_iter().enumerate().map(group).collect();
    groups.retain(|(_, metrics)| !metrics.is_empty());
    groups.sort_by_key(|(name, metrics)| (metrics[0].0, *name));
    groups
}

/// What is learnt when: the metrics of groups of samples by step. None where there are no groups.
pub(super) fn learning_order(steps: &[Record], folder: &Folder) -> Option<Figure> {
    let groups = followed(steps);
    let panel = |axis: Axis, of: fn(Option<Metrics>) -> f64| {
        let group = |(name, metrics): &Followed| Group {
            name: name.replace('_', " "),
            curves: vec![metrics.iter().map(|&(step, metrics)| (step, of(metrics))).collect()],
        };
        let series = bands(&groups.iter().map(group).collect::<Vec<_>>());
        Panel { series, ..Panel::new(axis) }
    };
    let mut panels = vec![panel(Axis::log("loss").in_unit(folder.loss_unit()), loss_of)];
    if groups.iter().flat_map(|(_, metrics)| metrics).any(|&(_, at)| accuracy_of(at).is_finite()) {
        panels.push(panel(Axis::even("accuracy"), accuracy_of));
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
