//! `etalon reproduce`: the papers' claims, each with what was measured and the verdict.

mod kept;
mod text;

use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use etalon::claims::{Judgement, Size, Verdict};
use etalon::record::{Meta, Record, RunFolder};
use etalon_papers::{Claim, Outcome, Runner, catalogue, find, page};
use serde::Serialize;
use std::path::PathBuf;

/// Run the papers' claims: what each says, what is measured, and whether it holds
///
/// `etalon reproduce list` has them all. A claim that takes hours is run only where it is named. With --out, every claim
/// keeps its judgement, its curves and its spec in a folder of its name. The exit code is 1 where a claim is refuted.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `list`, or claims such as A-4, or papers such as A
    #[arg(value_name = "list | CLAIM")]
    names: Vec<String>,

    /// Every claim
    #[arg(long)]
    all: bool,

    /// How large: seconds, minutes, or the paper's own size
    #[arg(long, value_name = "SIZE", default_value = "quick")]
    size: Sizes,

    /// Tell what would be run, with the specs, and run nothing
    #[arg(long)]
    show: bool,

    /// Print a page of Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    /// Run nothing, and take the judgements that --out kept in this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with_all = ["out", "show"])]
    from: Option<PathBuf>,
}

/// The sizes, as arguments.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Sizes {
    /// Seconds a claim
    Quick,
    /// Minutes a claim
    Standard,
    /// That of the paper: minutes to days
    Paper,
}

impl From<Sizes> for Size {
    fn from(size: Sizes) -> Size {
        match size {
            Sizes::Quick => Size::Quick,
            Sizes::Standard => Size::Standard,
            Sizes::Paper => Size::Paper,
        }
    }
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Printed<'a> {
    claims: &'a [Judgement],
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.names.iter().any(|name| name == "list") {
            return match &self.names[..] {
                [_] => text::list(context),
                _ => Err("`list` stands alone; to see some claims, give their names and --show".into()),
            };
        }
        let wanted = self.wanted()?;
        if self.show {
            return text::show(context, &wanted, self.size.into());
        }
        let (judgements, meta, left) = match &self.from {
            Some(folder) => {
                let (judgements, meta) = kept::read(folder, &wanted)?;
                (judgements, meta, 0)
            }
            None => self.judge(context, &wanted)?,
        };
        if self.markdown {
            context.output.print(&page(&judgements, &text::facts(&meta)))?;
        } else if context.json {
            context.output.show(&Printed { claims: &judgements }, String::new)?;
        } else if wanted.len() > 1 || self.from.is_some() {
            context.output.print(&text::table_of(&judgements))?;
        }
        if left > 0 {
            let all = wanted.len();
            return Err(format!("stopped with {left} of {all} claims left; name them to go on").into());
        }
        let refuted = judgements.iter().any(|judgement| judgement.verdict == Verdict::Refuted);
        Ok(if refuted { Exit::Negative } else { Exit::Done })
    }

    /// The claims that are meant, each once, in the order of the catalogue.
    fn wanted(&self) -> Result<Vec<&'static Claim>, Failure> {
        if self.all || (self.from.is_some() && self.names.is_empty()) {
            if !self.names.is_empty() {
                return Err("--all is every claim; leave the names out, or --all".into());
            }
            return Ok(catalogue().iter().collect());
        }
        if self.names.is_empty() {
            return Err("which claims? Name some, such as A-4, or papers, such as A, or give --all; `etalon reproduce \
                        list` has them all"
                .into());
        }
        let mut ids = Vec::new();
        for name in &self.names {
            let of_paper = catalogue().iter().filter(|claim| name.eq_ignore_ascii_case(&claim.paper.letter));
            let before = ids.len();
            ids.extend(of_paper.map(|claim| &claim.id));
            if ids.len() == before {
                ids.push(&find(name)?.id);
            }
        }
        Ok(catalogue().iter().filter(|claim| ids.contains(&&claim.id)).collect())
    }

    /// Runs the claims; also the facts of this run, and how many claims a stop has left.
    fn judge(
        &self,
        context: &Context,
        wanted: &[&'static Claim],
    ) -> Result<(Vec<Judgement>, Meta, usize), Failure> {
        let (size, seed) = (self.size.into(), context.seed.unwrap_or(0));
        let directory = context.run_directory(None, &[seed])?;
        let stop = interrupt::listen(&context.progress)?;
        let spinner = context.progress.spinner("claims");
        let prefix = std::sync::Mutex::new(String::new());
        let say = |what: &str| {
            if let Ok(prefix) = prefix.lock() {
                spinner.set_message(format!("{}: {what}", *prefix));
            }
        };
        let (runner, program) = (Runner::new(seed, &stop, &say), text::program(&context.meta()));
        let mut judgements = Vec::new();
        for (index, claim) in wanted.iter().enumerate() {
            if let Ok(mut prefix) = prefix.lock() {
                *prefix = format!("claim {} of {}, {}", index + 1, wanted.len(), claim.id);
            }
            say("preparing");
            // Among others a claim may not take days; named alone it is meant.
            let declined = runner.too_long(claim, size).filter(|_| self.all);
            let outcome = match declined {
                Some(judgement) => Ok(Outcome { judgement, curves: Vec::new() }),
                None => runner.judge(claim, size),
            };
            let Ok(mut outcome) = outcome else { break };
            outcome.judgement.program.clone_from(&program);
            if let Some(directory) = &directory {
                keep(directory, &outcome)?;
            }
            if !context.json && !self.markdown {
                spinner.suspend(|| context.output.print(&text::block(&outcome.judgement)))?;
            }
            judgements.push(outcome.judgement);
        }
        let left = wanted.len() - judgements.len();
        Ok((judgements, context.meta(), left))
    }
}

/// Leaves a claim's judgement, its curves and its resolved spec in a folder of its own.
fn keep(directory: &RunFolder, outcome: &Outcome) -> Result<(), Failure> {
    let Outcome { judgement, curves } = outcome;
    let id = &judgement.id;
    if let Some(spec) = judgement.resolved_spec()? {
        directory.write(&format!("{id}/spec.toml"), spec.as_bytes())?;
    }
    for curve in curves {
        directory.write(&format!("{id}/{}.csv", curve.name), curve.csv().as_bytes())?;
    }
    let record = Record::from(judgement.clone());
    Ok(directory.write(&format!("{id}/{}", record.file()), record.to_json()?.as_bytes())?)
}
