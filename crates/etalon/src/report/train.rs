//! The page of `etalon train`.

use super::content::{Content, Numbers, count, number, shown, text};
use super::curves::{POINTS, learning_order, trajectory};
use super::doubts::doubts;
use super::folder::Folder;
use super::trials::Trial;
use serde_json::Value;

/// What a trial says.
pub fn content(value: &Value, folder: &mut Folder) -> Content {
    let mut content = Content { kind: "One trial".into(), trials: Some(1), ..Content::default() };
    let phase = text(value, "/phase").unwrap_or("undecided");
    let eta = number(value, "/eta");
    content.answer = format!("{phase} at η = {}", shown(eta, 3));
    content.interval = text(value, "/evidence/why").unwrap_or_default().into();
    content.fact(
        "c = η λ₀",
        number(value, "/c").map(|c| {
            format!(
                "{}, with λ₀ = {} the NTK's at the start",
                shown(Some(c), 4),
                shown(number(value, "/evidence/ntk_start"), 4)
            )
        }),
    );
    let unit = folder.loss_unit();
    for (name, set) in [("training set", "train"), ("held-out set", "test")] {
        let loss = number(value, &format!("/final/{set}_loss"));
        let accuracy = number(value, &format!("/final/{set}_accuracy"));
        let accuracy =
            accuracy.map_or(String::new(), |accuracy| format!(", accuracy {}", shown(Some(accuracy), 3)));
        let loss = loss.map_or("loss that is no finite number".into(), |loss| {
            format!("loss {} {unit}", shown(Some(loss), 4))
        });
        content.fact(&format!("{name} at the end"), Some(loss.trim_end().to_string() + &accuracy));
    }
    content.fact(
        "best constant prediction",
        number(value, "/evidence/constant_loss").map(|loss| format!("loss {} {unit}", shown(Some(loss), 4))),
    );
    content.fact("stopped", stop(value));
    content.doubts = doubts(folder);
    if text(value, "/evidence/phase").is_some() && number(value, "/evidence/ntk_start").is_none() {
        content
            .doubts
            .push("Curvature was not measured at the start, so the phase rests on the loss alone.".into());
    }
    if let Some(name) = text(value, "/trial") {
        let file = format!("trials/{name}.jsonl");
        match Trial::read(&folder.root.join(&file)) {
            Ok(trial) if !trial.steps.is_empty() => {
                content.figures.push(trajectory(&trial.steps, folder));
                content.figures.extend(learning_order(&trial.groups, folder));
                content.tables.push(curvature(&trial));
                if trial.steps.len() > POINTS {
                    content.notes.push(format!(
                        "Curves show at most {POINTS} of the {} recorded steps: the ends, and of every stretch the lowest \
                         and the highest, so that no peak is lost.",
                        trial.steps.len()
                    ));
                }
            }
            Ok(_) => folder.skip(&file, "it has no steps"),
            Err(reason) => folder.skip(&file, &reason),
        }
    }
    content
}

fn stop(value: &Value) -> Option<String> {
    let steps = number(value, "/steps").map_or(String::new(), |steps| count(steps as usize, "step"));
    Some(match text(value, "/stop/reason")? {
        "budget" => format!("the budget of {steps} was spent"),
        "goal" => format!("the goal was reached after {steps}"),
        "diverged" => format!("diverged after {steps}"),
        "not_finite" => format!("an output was no finite number after {steps}"),
        "dead" => format!("dead after {steps}: every sample had the same outputs"),
        other => format!("{other} after {steps}"),
    })
}

/// Where curvature was measured.
fn curvature(trial: &Trial) -> Numbers {
    let mut table = Numbers::new("Curvature", ["step", "η", "NTK", "Hessian", "η × NTK"]);
    let measured: Vec<_> =
        trial.steps.iter().filter(|step| step.ntk.is_finite() || step.hessian.is_finite()).collect();
    let stride = measured.len().div_ceil(20).max(1);
    let finite = |value: f64| value.is_finite().then_some(value);
    for (index, step) in measured.iter().enumerate() {
        if index % stride != 0 && index + 1 != measured.len() {
            continue;
        }
        let product = finite(step.eta * step.ntk);
        table.row([
            step.step.to_string(),
            shown(finite(step.eta), 4),
            shown(finite(step.ntk), 4),
            shown(finite(step.hessian), 4),
            shown(product, 4),
        ]);
    }
    if stride > 1 {
        table.note =
            format!("Every {stride}th of {} measurements; the figure's numbers have more.", measured.len());
    }
    table
}
