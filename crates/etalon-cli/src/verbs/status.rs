//! `etalon status`: how far a sweep is.

use crate::context::{Context, Failure, Verdict};
use crate::output::table;
use etalon::sweep::{Status, Store, status};
use etalon::units::significant;
use std::path::PathBuf;

/// Most failures that the text lists; JSON has all.
const LISTED: usize = 10;

/// Say how far a sweep is: done, running, failed, stuck
///
/// Stuck are trials whose process died; running the sweep again does them.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of a sweep
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let status = status(&Store::read_only(&self.folder)?)?;
        context.output.show(&status, || text(&status))?;
        Ok(Verdict::Done)
    }
}

fn text(status: &Status) -> String {
    let Status { cells, done, failed, running, stuck, waiting, failures, working } = status;
    let numbers =
        [("done", done), ("failed", failed), ("running", running), ("stuck", stuck), ("waiting", waiting)];
    let rows = numbers.map(|(name, number)| [name.to_string(), number.to_string()]);
    let mut text = table([&cells.to_string(), "trials"], rows);
    if let Some(oldest) = working.first() {
        text += &format!(
            "\nthe oldest running, {}, began {} s ago\n",
            oldest.trial,
            significant(oldest.seconds, 3)
        );
    }
    if !failures.is_empty() {
        let rows = failures.iter().take(LISTED).map(|failed| [failed.trial.clone(), failed.error.clone()]);
        text += &format!("\n{}", table(["failed", "error"], rows));
        if failures.len() > LISTED {
            text += &format!("and {} more; --json lists all\n", failures.len() - LISTED);
        }
    }
    text
}
