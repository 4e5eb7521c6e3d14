//! Progress and advice on stderr. Results never go this way.

use crate::output::visible;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Bars that show how far the work is, and lines that advise. Cheap to share between threads.
#[derive(Clone)]
pub(crate) struct Progress {
    bars: MultiProgress,
    quiet: bool,
}

impl Progress {
    /// Bars are drawn on a terminal only, and neither when `quiet` nor when `hidden`; `quiet` silences advice too.
    pub(crate) fn new(quiet: bool, hidden: bool) -> Self {
        let shown = !quiet && !hidden && io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Progress { bars: MultiProgress::with_draw_target(target), quiet }
    }

    /// A bar for work of `length` parts; advance it with `inc`. It vanishes when it is dropped.
    pub(crate) fn bar(&self, task: impl Into<String>, length: u64) -> ProgressBar {
        self.draw(ProgressBar::new(length), "{msg} [{bar:30}] {pos}/{len} {elapsed}", task.into())
    }

    /// A sign of life for work of unknown length. It vanishes when it is dropped.
    pub(crate) fn spinner(&self, task: impl Into<String>) -> ProgressBar {
        self.draw(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}", task.into())
    }

    /// A line such as `advice: ...` or `note: ...`, above the bars; nothing with `--quiet`.
    pub(crate) fn say(&self, label: &str, text: &str) {
        if !self.quiet {
            self.insist(label, text);
        }
    }

    /// The same, even with `--quiet`: for what changes the meaning of the answer.
    pub(crate) fn insist(&self, label: &str, text: &str) {
        // A stderr that takes nothing leaves no place to complain.
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr(), "{label}: {}", visible(text));
        });
    }

    fn draw(&self, bar: ProgressBar, template: &str, task: String) -> ProgressBar {
        let bar = self.bars.add(bar.with_finish(ProgressFinish::AndClear)).with_message(task);
        // Templates are constants above; one that cannot be read would fall back to indicatif's own.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        // Long parts would otherwise look like standstill.
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}
