//! `etalon sweep`: many trials, in a folder in which running again is resuming.

use crate::args::Job;
use crate::context::{Context, Failure, Verdict};
use etalon::sweep::{Event, Options, Report, Store, run};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Run every trial of a spec's [grid]; the same command again goes on where it stopped
///
/// The folder of --out keeps one file a trial (trials/) and one row a trial (summary.csv). Ctrl-C finishes the trials
/// under way; a second Ctrl-C drops them.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let Some(out) = &context.out else {
            return Err("a sweep keeps its trials in a folder; give one with --out DIR".into());
        };
        let grid = self.job.grid(context.seed)?;
        let store = Store::open(out, &grid, context.facts()?)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, progress) = (stop.clone(), context.progress.clone());
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                // Files are written aside and renamed, so that dropping everything leaves no half of one.
                std::process::exit(130);
            }
            progress.say("note", "finishing the trials under way; press Ctrl-C again to drop them");
        })
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
        let bar = context.progress.bar("trials", grid.cells().len() as u64);
        let options = Options { threads: rayon::current_num_threads(), stop: &stop };
        let report = run(&store, &grid, &options, &|event| {
            bar.inc(1);
            if let Event::Failed(error) = event {
                bar.set_message(format!("trials (one failed: {error})"));
            }
        })?;
        drop(bar);
        advise(context, &report, out);
        context.output.show(&report, || text(&report))?;
        if report.left > 0 {
            let (left, cells) = (report.left, report.cells);
            return Err(
                format!("stopped with {left} of {cells} trials left; the same command goes on").into()
            );
        }
        Ok(if report.failed > 0 { Verdict::Negative } else { Verdict::Done })
    }
}

fn advise(context: &Context, report: &Report, out: &Path) {
    if let Some(error) = &report.first_failure {
        let text = format!(
            "{} trials failed, the first one with: {error}; `etalon status {}` lists all, the same command tries them again",
            report.failed,
            out.display()
        );
        context.progress.say("warning", &text);
    }
    if report.elsewhere > 0 {
        let text = format!(
            "{} trials are under way in another process; run the same command when it has ended",
            report.elsewhere
        );
        context.progress.say("note", &text);
    }
}

fn text(report: &Report) -> String {
    let Report { cells, kept, done, failed, .. } = report;
    format!("{cells} trials: {done} done now, {kept} before, {failed} failed\n")
}
