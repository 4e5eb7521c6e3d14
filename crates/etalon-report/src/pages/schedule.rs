//! The pages of `etalon schedule`.

use super::content::{Content, Numbers, shown};
use crate::figure::{Axis, Colour, Figure, Panel, RatePicture, Reference, Series, Stroke};
use etalon::equivalence::{Agreement, Converted, Rates, Undone, Verification};
use std::f64::consts::LN_10;

/// A rate by its natural logarithm.
fn power(log_eta: Option<&f64>) -> String {
    match log_eta {
        Some(&log_eta) if log_eta.abs() < 600.0 => shown(Some(log_eta.exp()), 4),
        Some(&log_eta) if log_eta.is_finite() => {
            let power = log_eta / LN_10;
            format!("{}e{}", shown(Some(10f64.powf(power - power.floor())), 3), power.floor())
        }
        _ => "0".into(),
    }
}

/// What a schedule says.
pub(super) fn shown_alone(rates: &Rates) -> Content {
    let drive = |step: usize| shown(rates.drive.get(step).copied().filter(|drive| drive.is_finite()), 7);
    let mut content = content(&[("learning rate", &rates.log_eta)], ("B to the next", &drive));
    content.tables[0].note =
        "B is what the schedule does to the effective rate of weights whose scale does not matter: under plain gradient \
         descent that rate falls, whatever the gradient, where B is at most 1."
            .into();
    let ends = [rates.log_eta.first(), rates.log_eta.last()].map(power);
    content.answer = format!("from η = {} to {}", ends[0], ends[1]);
    constants(&mut content, rates, rates.weight_decay);
    content
}

/// What a schedule and its equivalent without weight decay say.
pub(super) fn converted(converted: &Converted) -> Content {
    let Converted { rates, without, .. } = converted;
    let curves = [("with weight decay", &rates.log_eta), ("without, the same functions", &without.log_eta)];
    let mut content = content(&curves, (curves[1].0, &|step| power(without.log_eta.get(step))));
    content.answer = format!("without weight decay the rate ends at η = {}", power(without.log_eta.last()));
    content.fact("conversion", Some(converted.conversion.to_string()));
    constants(&mut content, rates, rates.weight_decay);
    let leaves = [("leaves f32 at step", converted.leaves_f32), ("leaves f64 at step", converted.leaves_f64)];
    leaves.iter().for_each(|(name, step)| content.fact(name, step.map(|step| step.to_string())));
    content
}

/// What a schedule without weight decay and its equivalent with it say.
pub(super) fn undone(Undone { given, weight_decay, log_eta }: &Undone) -> Content {
    let curves = [("without weight decay", &given.log_eta), ("with, the same functions", log_eta)];
    let mut content = content(&curves, (curves[1].0, &|step| power(log_eta.get(step))));
    content.answer = format!("with weight decay the rate ends at η = {}", power(log_eta.last()));
    constants(&mut content, given, *weight_decay);
    content
}

/// What does not change from step to step.
fn constants(content: &mut Content, rates: &Rates, weight_decay: f64) {
    content.fact("momentum", Some(rates.momentum.to_string()));
    content.fact("weight decay", Some(weight_decay.to_string()));
}

/// One schedule, or a pair of them, and what the table has beside the first.
fn content(curves: &[(&str, &Vec<f64>)], (beside, at): (&str, &dyn Fn(usize) -> String)) -> Content {
    let first = curves[0].1;
    let mut content = Content { kind: "Schedule of learning rates".into(), ..Content::default() };
    content.interval = format!("in {} steps", first.len());
    let picture = RatePicture {
        title: "Learning rates step by step".into(),
        curves: curves.iter().map(|&(name, rates)| (name, &rates[..])).collect(),
    };
    content.figures.extend(
        picture.figure_with_difference().map(|figure| Figure { name: "learning-rates".into(), ..figure }),
    );
    let mut table = Numbers::new("Learning rates", ["step", curves[0].0, beside]);
    let stride = first.len().div_ceil(12).max(1);
    for step in (0..first.len()).filter(|step| step % stride == 0 || step + 1 == first.len()) {
        table.row([step.to_string(), power(first.get(step)), at(step)]);
    }
    content.tables.push(table);
    content
}

/// Whether two schedules train the same functions.
pub(super) fn equivalence(found: &Verification) -> Content {
    let mut content =
        Content { kind: "Do two schedules train the same functions?".into(), ..Content::default() };
    content.answer = match found.equivalent {
        Some(true) => "equivalent".into(),
        Some(false) => "not equivalent".into(),
        None => "not decided: rounding alone parts two runs of this training".into(),
    };
    let tolerance = shown(Some(found.tolerance), 2);
    content.interval = format!("over {} steps, to a relative {tolerance} in f64", found.steps);
    content.fact("conversion", Some(found.conversion.to_string()));
    let scaled = &found.scaled;
    content.fact("whose scale does not matter", (!scaled.is_empty()).then(|| scaled.join(", ")));
    let mut table = Numbers::new(
        "Agreement",
        ["precision", "loss", "directions", "outputs", "norms", "limit", "parted at step"],
    );
    for Agreement { precision, loss, direction, logits, norm, limit, parted, .. } in &found.agreement {
        let two = |number: &f64| shown(Some(*number).filter(|number| number.is_finite()), 2);
        let parted = parted.map_or("–".into(), |step| step.to_string());
        table.row([precision.clone(), two(loss), two(direction), two(logits), two(norm), two(limit), parted]);
    }
    table.note = "The largest relative difference over all steps.".into();
    content.tables.push(table);
    let mut table = Numbers::new("Parts whose scale matters", ["part", "why"]);
    found.others.iter().for_each(|kept| table.row([kept.segment.clone(), kept.reason.clone()]));
    if !table.rows.is_empty() {
        content.doubts.push(format!(
            "The scale of {} parts matters (listed below): they keep their rate and their weight decay.",
            table.rows.len()
        ));
    }
    content.tables.push(table);
    content.figures.extend(parting(&found.agreement));
    content
}

/// How the difference of two runs grew, in each precision.
fn parting(agreement: &[Agreement]) -> Option<Figure> {
    let mut panel = Panel::new(Axis::log("largest difference"));
    let colours = [(Colour::Blue, Colour::Sky), (Colour::Vermilion, Colour::Orange)];
    for (Agreement { precision, course, limit, .. }, (plain, pale)) in agreement.iter().zip(colours) {
        let between = course.iter().map(|at| (at.step as f64, at.between)).filter(|at| at.1.is_finite());
        let rounding = course.iter().filter_map(|at| Some((at.step as f64, at.rounding?)));
        panel.series.push(Series::plain(
            format!("{precision}, the two schedules"),
            plain,
            Stroke::Line,
            between,
        ));
        panel.series.push(Series::plain(
            format!("{precision}, rounding alone"),
            pale,
            Stroke::Line,
            rounding,
        ));
        panel.lines.push(Reference::level("below, it counts as none", *limit));
    }
    let any = panel.series.iter().any(|series| series.points.len() > 1);
    any.then(|| Figure {
        name: "difference".into(),
        title: "How far the two runs are from each other".into(),
        note: "The largest difference of the loss, of the weights' directions and of their norms. Rounding alone: the run with \
               weight decay beside one whose start differs in the last digit, until the two schedules have parted."
            .into(),
        x: Axis::steps(),
        panels: vec![panel],
        details: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon::equivalence::Apart;
    use etalon::schedule::Conversion;

    #[test]
    fn an_undecided_comparison_is_neither_equal_nor_unequal_and_its_course_is_drawn() {
        let apart = |step, between, rounding| Apart { step, between, rounding };
        let agreement = Agreement {
            precision: "f64".into(),
            loss: 1e-3,
            direction: 1e-3,
            logits: 1e-3,
            norm: 1e-3,
            parted: Some(1),
            rounding: 4e-4,
            limit: 1e-8,
            log_taken: 0.0,
            ended: None,
            course: vec![apart(0, 1e-16, Some(2e-16)), apart(1, 1e-3, Some(4e-4)), apart(2, 2e-3, None)],
        };
        let found = |equivalent| Verification {
            conversion: Conversion::Exact,
            equivalent,
            tolerance: 1e-8,
            steps: 3,
            scaled: Vec::new(),
            others: Vec::new(),
            agreement: vec![agreement.clone()],
            log_growth: 0.0,
            leaves_f32: None,
            leaves_f64: None,
        };
        let answer = |equivalent| self::equivalence(&found(equivalent)).answer;
        assert_eq!(answer(Some(true)), "equivalent");
        assert_eq!(answer(Some(false)), "not equivalent");
        let undecided = equivalence(&found(None));
        assert!(undecided.answer.starts_with("not decided"), "{}", undecided.answer);
        let panel = &undecided.figures[0].panels[0];
        let lengths: Vec<usize> = panel.series.iter().map(|series| series.points.len()).collect();
        assert_eq!((lengths, panel.lines.len()), (vec![3, 2], 1));
    }
}
