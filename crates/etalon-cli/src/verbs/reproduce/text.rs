//! Claims and judgements as text.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::claims::{Judgement, Rule, Size, Verdict};
use etalon::record::{Machine, Meta};
use etalon::units::significant;
use etalon_papers::{Claim, Scale, Setting, catalogue, duration};
use serde::Serialize;
use std::io::IsTerminal;

/// Columns of running text.
const WIDTH: usize = 100;
/// Columns of the names before it.
const INDENT: usize = 11;

/// A claim of the catalogue, as JSON.
#[derive(Serialize)]
struct Entry {
    id: &'static str,
    paper: String,
    place: &'static str,
    statement: &'static str,
    certainty: String,
    rule: Rule,
    sizes: Vec<Sized>,
}

#[derive(Serialize)]
struct Sized {
    size: Size,
    setting: String,
    spec: Option<String>,
    /// Its dimensionless numbers beside the paper's.
    scales: Vec<Scale>,
    /// About how long it takes on two cores.
    seconds: f64,
}

impl Entry {
    fn new(claim: &'static Claim, seed: u64, sizes: &[Size]) -> Entry {
        let sizes = sizes.iter().map(|&size| {
            let setting = claim.setting(size, seed);
            let Setting { words, spec, scales, seconds } = setting;
            Sized { size, setting: words, spec, scales, seconds }
        });
        Entry {
            id: &claim.id,
            paper: claim.paper.to_string(),
            place: &claim.place,
            statement: &claim.statement,
            certainty: claim.certainty.to_string(),
            rule: claim.rule(),
            sizes: sizes.collect(),
        }
    }
}

#[derive(Serialize)]
struct Catalogue {
    claims: Vec<Entry>,
}

/// The catalogue.
pub(super) fn list(context: &Context) -> Result<Exit, Failure> {
    let seed = context.seed.unwrap_or(0);
    let claims: Vec<Entry> = catalogue().iter().map(|claim| Entry::new(claim, seed, &Size::ALL)).collect();
    let catalogue = Catalogue { claims };
    context.output.show(&catalogue, || {
        let time = |entry: &Entry, index: usize| duration(entry.sizes[index].seconds);
        let rows = catalogue.claims.iter().map(|entry| {
            // A program that reads it wants all of it.
            let about = match std::io::stdout().is_terminal() {
                true => shortened(entry.statement, 84),
                false => entry.statement.into(),
            };
            [entry.id.into(), time(entry, 0), time(entry, 1), time(entry, 2), about]
        });
        table(["claim", "quick", "standard", "paper", "what the paper says"], rows)
    })?;
    Ok(Exit::Done)
}

/// Some claims with what would be run.
pub(super) fn show(context: &Context, claims: &[&'static Claim], size: Size) -> Result<Exit, Failure> {
    let seed = context.seed.unwrap_or(0);
    let claims: Vec<Entry> = claims.iter().map(|claim| Entry::new(claim, seed, &[size])).collect();
    let catalogue = Catalogue { claims };
    context.output.show(&catalogue, || {
        let entry = |entry: &Entry| {
            let mut text = format!("{}\n", entry.id);
            text += &line("paper", &format!("{}, {}; {}", entry.paper, entry.place, entry.certainty));
            text += &line("says", entry.statement);
            for sized in &entry.sizes {
                text += &line("setting", &format!("{} (about {})", sized.setting, duration(sized.seconds)));
                for Scale { what, paper, here } in &sized.scales {
                    text += &line("scale", &format!("{what}: {paper} in the paper, {here} here"));
                }
            }
            text += &line("rule", &entry.rule.words);
            for spec in entry.sizes.iter().filter_map(|sized| sized.spec.as_ref()) {
                text += &format!("\n{spec}");
            }
            text
        };
        catalogue.claims.iter().map(entry).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}

/// One judgement.
pub(super) fn block(judgement: &Judgement) -> String {
    let Judgement { id, paper, place, statement, certainty, setting, verdict, reason, seconds, .. } =
        judgement;
    let size = judgement.size.name();
    let mut text = format!("{id}  {verdict}  ({size}, {} s)\n", significant(*seconds, 2));
    text += &line("paper", &format!("{paper}, {place}; {certainty}"));
    text += &line("says", statement);
    text += &line("setting", setting);
    for measured in judgement.measured.iter().filter(|measured| measured.value.is_some()) {
        let condition = judgement.condition(&measured.name);
        let must = condition.map_or(String::new(), |condition| format!("; must be {}", condition.told()));
        let power = condition.and_then(|condition| measured.power(condition));
        let power = power.map_or(String::new(), |power| format!("; {power}"));
        text += &line("measured", &format!("{}: {}{must}{power}", measured.what, measured.text()));
    }
    if let Some(reason) = reason {
        text += &line("reason", reason);
    }
    text + "\n"
}

/// All judgements, one a line.
pub(super) fn table_of(judgements: &[Judgement]) -> String {
    let rows = judgements.iter().map(|judgement| {
        let Judgement { id, verdict, seconds, reason, statement, .. } = judgement;
        let about = reason.clone().unwrap_or_else(|| shortened(statement, 84));
        [id.clone(), verdict.to_string(), format!("{} s", significant(*seconds, 2)), about]
    });
    let table = table(["claim", "verdict", "time", ""], rows);
    format!("{table}\n{} claims: {}\n", judgements.len(), Verdict::counts(judgements))
}

/// The version of a run's program and its commit: `0.1.0 (39f73602698c)`.
pub(super) fn program(meta: &Meta) -> String {
    let commit = meta.commit.as_ref();
    let commit = commit.map_or(String::new(), |commit| format!(" ({})", commit.get(..12).unwrap_or(commit)));
    format!("{}{commit}", meta.etalon)
}

/// The machine and the version, in a sentence.
pub(super) fn facts(meta: &Meta) -> String {
    // A folder's facts may be anyone's: what they lack is not known.
    let started = meta.started.as_deref().unwrap_or("at a time that is unknown");
    let machine = meta.machine.as_ref().map_or("on a machine that is unknown".into(), |machine| {
        let Machine { cpu, threads, kernels, os, .. } = machine;
        format!("on {cpu} with {threads} threads and {kernels} kernels, {os}")
    });
    format!("Etalon {}, {started}, {machine}", program(meta))
}

/// A line of a block: its name, then text that is broken between words.
fn line(name: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut current = format!("  {name:<width$}", width = INDENT - 2);
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && current.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &(current + "\n");
            current = " ".repeat(INDENT);
            is_empty = true;
        }
        if !is_empty {
            current.push(' ');
        }
        current += word;
        is_empty = false;
    }
    lines + &current + "\n"
}

/// The beginning of a text, whole words only.
fn shortened(text: &str, most: usize) -> String {
    let mut short = String::new();
    for word in text.split_whitespace() {
        if short.chars().count() + word.chars().count() >= most {
            return short + " ...";
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short += word;
    }
    short
}
