//! `etalon find`: the maximal initial learning rate, and the rate to use.

use crate::args::Job;
use crate::context::{Context, Failure, Verdict};
use crate::output::table;
use etalon::record::Record;
use etalon::search::{EtaStarSummary, Found, Recommendation};
use etalon::units::significant;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Find the largest learning rate at which a fresh network trains, and the rate to use
///
/// The last line has the rate to use; with --quiet it is the only one, and the number alone.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let spec = self.job.spec(context.seed)?;
        let seeds: Vec<u64> =
            (0..spec.search.seeds as u64).map(|index| spec.seed.wrapping_add(index)).collect();
        let directory = context.run_directory(Some(&spec), &seeds)?;
        let spinner = context.progress.spinner("measuring curvature");
        let (started, steps, trials) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let found = spec.find(&|probe| {
            let steps = steps.fetch_add(probe.steps, Ordering::Relaxed) + probe.steps;
            let trials = trials.fetch_add(1, Ordering::Relaxed) + 1;
            let eta = significant(probe.eta, 3);
            spinner.set_message(format!("{trials} trials, {steps} gradient steps, the last at eta = {eta}"));
            ControlFlow::Continue(())
        })?;
        drop(spinner);
        let found = Found { seconds: Some(started.elapsed().as_secs_f64()), ..found };
        let record = Record::from(found.clone());
        if let Some(folder) = directory {
            folder.write_record(&record)?;
        }
        let found = &found;
        advise(context, found);
        let rate = found.recommended.as_ref().map(|recommended| recommended.eta);
        // eta* is an edge, not a rate to use: alone it would be taken for one.
        if !context.quiet || context.json {
            context.output.show_record(&record, || text(found))?;
        } else if let Some(rate) = rate {
            context.output.print(&rate.to_string())?;
        }
        let answered = rate.or(found.eta_star.median).is_some();
        Ok(if answered { Verdict::Done } else { Verdict::Negative })
    }
}

fn advise(context: &Context, found: &Found) {
    for warning in &found.warnings {
        context.progress.say("warning", warning);
    }
    if let Some(reason) = &found.eta_star.reason {
        context.progress.say("warning", reason);
    }
    if found.eta_star.with_islands > 0 {
        let (islands, seeds) = (found.eta_star.with_islands, found.eta_star.seeds);
        let text = format!(
            "{islands} of {seeds} seeds also train somewhere above their eta*; such islands do not count"
        );
        context.progress.say("note", &text);
    }
}

fn text(found: &Found) -> String {
    let mut text = eta_star(&found.eta_star);
    let (ratio, limit) = match &found.limit {
        Some(limit) => (found.eta_star_over_limit, limit.as_str()),
        None => (found.eta_star_over_2_lambda, "2/lambda"),
    };
    if let (Some(ratio), Some(lambda)) = (ratio, found.lambda.median) {
        let of = found.lambda.of;
        let (ratio, lambda) = (significant(ratio, 3), significant(lambda, 4));
        text += &format!(
            "     = {ratio} x {limit}, with lambda = {lambda}, the {of}'s largest eigenvalue at the start\n"
        );
    }
    text += &format!("trained means: {}\n", found.criterion);
    if let Some(evidence) = &found.phase_evidence {
        text += &format!("just below it, over the full budget: {}, {}\n", evidence.phase, evidence.why);
    }
    if let Some(choice) = &found.choice {
        text += &format!("\n{}\n", curve(choice));
    }
    text += &format!(
        "{} gradient steps in {} s\n",
        found.gradient_steps,
        found.seconds.map_or("?".into(), |seconds| significant(seconds, 3))
    );
    match (&found.recommended, &found.no_recommendation) {
        (Some(recommended), _) => {
            text += &format!("{}\nuse eta = {}\n", recommended.why, significant(recommended.eta, 3));
        }
        (None, Some(reason)) => text += &format!("no rate to use: {reason}\n"),
        (None, None) => {}
    }
    text
}

fn eta_star(summary: &EtaStarSummary) -> String {
    let number = |value: Option<f64>| value.map_or("?".into(), |value| significant(value, 3));
    let EtaStarSummary { median, low, high, coverage, seeds, censored, undefined, .. } = summary;
    let mut text = match median {
        Some(median) => format!("eta* = {}", significant(*median, 3)),
        None => "eta* was not found".into(),
    };
    if *seeds > 1 {
        let percent = (100.0 * coverage).round();
        text += &format!(
            "   ({} to {}, {percent} % interval of the median of {seeds} seeds)",
            number(*low),
            number(*high)
        );
    }
    if censored + undefined > 0 {
        text += &format!("; {censored} seeds trained up to the end of the range, {undefined} at no rate");
    }
    text + "\n"
}

fn curve(choice: &Recommendation) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let rows = choice.curve.iter().map(|point| {
        let chosen = if Some(point.eta) == choice.eta { "<- use this" } else { "" };
        let spread = match (point.low, point.high) {
            (Some(low), Some(high)) => format!("{} to {}", significant(low, 4), significant(high, 4)),
            _ => "-".into(),
        };
        [significant(point.eta, 3), number(point.median), spread, chosen.into()]
    });
    table(["eta", &choice.metric.replace('_', " "), "over seeds", ""], rows)
}
