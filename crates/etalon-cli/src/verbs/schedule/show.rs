//! A schedule as a table and as a picture.

use super::source::{Source, exponential, heading, phases, shown};
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use crate::picture::{Picture, StyleArguments};
use etalon::equivalence::{Rates, constant_equivalent};
use etalon::units::significant;
use etalon_nn::optim::{Rule, Sgd};
use etalon_report::figure::RatePicture;

/// Show a schedule step by step, and what it means for weights whose scale does not matter
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Draw the rate over the steps, as SVG, PNG or PDF, and write its numbers as CSV beside it
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_hint = clap::ValueHint::FilePath)]
    figure: Option<Picture>,

    #[command(flatten)]
    style: StyleArguments,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.source.spec(context)?;
        let rates = Rates::new(&spec, self.source.steps_per_epoch()?)?;
        if let Some(file) = &self.figure {
            let curves = vec![("learning rate", &rates.log_eta[..])];
            let title = format!("Learning rate over {} steps", rates.steps);
            let figure = RatePicture { title, curves }.figure()?;
            file.write(&figure, &self.style, &figure.table().to_csv())?;
        }
        let late = spec.schedule.milestones.iter().filter(|&&step| step >= rates.steps);
        for step in late {
            let text =
                format!("the milestone {step} lies behind the last of {} steps; give --steps", rates.steps);
            context.progress.say("warning", &text);
        }
        let directory = context.run_directory(Some(&spec), &[])?;
        context.leave(directory, &rates, |rates| {
            let mut text = heading(rates) + "\n" + &phases(rates);
            if rates.phases.is_empty() {
                let drive = |step| rates.drive.get(step).map_or("-".into(), |drive| significant(*drive, 7));
                let row = |step: usize| [step.to_string(), exponential(rates.log_eta[step]), drive(step)];
                text += &table(["step", "eta", "B"], shown(&rates.log_eta).into_iter().map(row));
            }
            text += &what_drives(rates, spec.optimizer.rule());
            if !matches!(spec.optimizer.rule(), Rule::Sgd(Sgd { nesterov: false, .. })) {
                text += "\nwhat a rate and weight decay come to where scale does not matter is known of plain SGD alone\n";
            }
            if let Some(intrinsic) = constant_equivalent(&spec) {
                text += &format!(
                    "\nwhere scale does not matter, the same as a constant rate with eta x weight_decay = {}\n",
                    significant(intrinsic, 4)
                );
            }
            text
        })?;
        Ok(Exit::Done)
    }
}

/// What `B` is, and how often it is at most 1; nothing where it is not known.
fn what_drives(rates: &Rates, rule: Rule) -> String {
    let law = match rule {
        Rule::Sgd(Sgd { momentum: 0.0, .. }) => {
            "Phi = eta / (a |w|^2), a = 1 - eta x decay: it becomes B Phi / (1 + Phi^2 |g|^2), and falls, whatever\n\
             the gradient, where B is at most 1,"
        }
        Rule::Sgd(_) => {
            "eta / |w|^2 of the equivalent training without decay: it becomes B times itself over\n\
             the square of how much longer a step makes those weights; B is at most 1"
        }
        Rule::AdamW(_) => {
            "Phi = eta / (a |w|), a = 1 - eta x decay: it becomes B Phi over how much longer a step makes the\n\
             weights, decay apart; B is at most 1"
        }
    };
    let low = rates.drive.iter().filter(|&&drive| drive <= 1.0).count();
    match rates.drive.len() {
        0 => String::new(),
        steps => format!(
            "\nB is what the schedule does to the effective rate of weights whose scale does not matter,\n{law} at {low} of {steps} \
             steps\n"
        ),
    }
}
