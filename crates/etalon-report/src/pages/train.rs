//! The page of `etalon train`.

use super::content::{Content, Numbers, count, shown};
use super::curves::{POINTS, learning_order, trajectory};
use super::doubts::doubts;
use super::folder::Folder;
use crate::figure::LossKind;
use etalon::phase::TrialReport;
use etalon::train::{Record, Stop};

/// What a trial says.
pub(super) fn content(report: &TrialReport, folder: &mut Folder) -> Content {
    let mut content = Content { kind: "One trial".into(), trials: Some(1), ..Content::default() };
    let evidence = &report.evidence;
    content.answer = format!("{} at η = {}", report.phase, shown(Some(report.eta), 3));
    content.interval = evidence.why.clone();
    content.fact(
        "c = η λ₀",
        report.c.map(|c| {
            let lambda = shown(evidence.ntk_start, 4);
            let note = match folder.loss_kind() {
                LossKind::Other => ", which is no curvature of this loss",
                LossKind::Squared | LossKind::Unknown => "",
            };
            format!("{}, with λ₀ = {lambda} the NTK's at the start{note}", shown(Some(c), 4))
        }),
    );
    let unit = folder.loss_unit();
    let last = &report.last;
    // Of a trainer that is not Etalon's there is one metric and no held-out set.
    let sets = if folder.spec.contains_key("trainer") { 1 } else { 2 };
    for (name, loss, accuracy) in [
        ("training set", last.train_loss, last.train_accuracy),
        ("held-out set", last.test_loss, last.test_accuracy),
    ]
    .into_iter()
    .take(sets)
    {
        let accuracy =
            accuracy.map_or(String::new(), |accuracy| format!(", accuracy {}", shown(Some(accuracy), 3)));
        let loss = loss.map_or("loss that is no finite number".into(), |loss| {
            format!("loss {} {unit}", shown(Some(loss), 4))
        });
        content.fact(&format!("{name} at the end"), Some(loss.trim_end().to_string() + &accuracy));
    }
    if let Some(metric) = &report.metric {
        content.fact(&format!("{} at the end", metric.name), Some(shown(metric.value, 4)));
    }
    let constant = Some(evidence.constant_loss).filter(|loss| loss.is_finite());
    content.fact(
        "best constant prediction",
        constant.map(|loss| format!("loss {} {unit}", shown(Some(loss), 4))),
    );
    content.fact("stopped", Some(stop(report)));
    content.doubts = doubts(folder);
    if evidence.ntk_start.is_none() {
        content
            .doubts
            .push("Curvature was not measured at the start, so the phase rests on the loss alone.".into());
    }
    let file = format!("trials/{}.jsonl", report.trial);
    match Record::read(&folder.root.join(&file)) {
        Ok(steps) if !steps.is_empty() => {
            content.figures.push(trajectory(&steps, folder));
            content.figures.extend(learning_order(&steps, folder));
            content.tables.push(curvature(&steps));
            if steps.len() > POINTS {
                content.notes.push(format!(
                    "Curves show at most {POINTS} of the {} recorded steps: the ends, and of every stretch the lowest and the \
                     highest, so that no peak is lost.",
                    steps.len()
                ));
            }
        }
        Ok(_) => folder.skip(&file, "it has no steps"),
        Err(reason) => folder.skip(&file, &reason),
    }
    content
}

fn stop(report: &TrialReport) -> String {
    let steps = count(report.steps as usize, "step");
    match report.stop {
        Stop::Interrupted { total, .. } => format!("interrupted after {steps} of {total}"),
        Stop::Budget { .. } => format!("the budget of {steps} was spent"),
        Stop::Goal { .. } => format!("the goal was reached after {steps}"),
        Stop::Diverged { .. } => format!("diverged after {steps}"),
        Stop::NotFinite { .. } => format!("an output was no finite number after {steps}"),
        Stop::Shown { .. } => format!("ended after {steps}, as the log showed divergence"),
        Stop::Dead { .. } => format!("dead after {steps}: every sample had the same outputs"),
    }
}

/// Where curvature was measured.
fn curvature(steps: &[Record]) -> Numbers {
    let mut table = Numbers::new("Curvature", ["step", "η", "NTK", "Hessian", "η × NTK"]);
    let measured: Vec<&Record> =
        steps.iter().filter(|step| step.ntk.is_some() || step.hessian.is_some()).collect();
    let stride = measured.len().div_ceil(20).max(1);
    let finite = |value: f64| value.is_finite().then_some(value);
    for (index, step) in measured.iter().enumerate() {
        if index % stride != 0 && index + 1 != measured.len() {
            continue;
        }
        let product = step.ntk.and_then(|ntk| finite(step.eta * ntk));
        table.row([
            step.step.to_string(),
            shown(finite(step.eta), 4),
            shown(step.ntk, 4),
            shown(step.hessian, 4),
            shown(product, 4),
        ]);
    }
    if stride > 1 {
        table.note = format!(
            "One of every {stride} of {} measurements; the figure's numbers have more.",
            measured.len()
        );
    }
    table
}
