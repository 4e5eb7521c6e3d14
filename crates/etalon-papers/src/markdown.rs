//! Judgements as a page.

use crate::catalogue::find;
use crate::claim::Scale;
use crate::runner::duration;
use etalon::claims::{Answer, Judgement, Measured, Verdict};
use std::collections::BTreeMap;

/// A page of judgements: a table of all, then each with what was measured. `facts` tells the machine and the version.
pub fn page(judgements: &[Judgement], facts: &str) -> String {
    let mut text = format!(
        "# The papers' claims, measured\n\nMade by `etalon reproduce --markdown` from results: of {} claims {}. A verdict follows from the \
         numbers and the rule below it alone; the rule is the same at every size. An estimate, which has an interval of 95 %, meets a bound \
         where all of the interval does, and is refuted where none of it does; between, the claim is underpowered, and the reason says about \
         how many seeds or images would decide. What is no estimate is about all that was run. Bounds whose source is not named are ours. Times \
         are by the clock on the wall, beside other work on the machine; CPU times are of all threads together, where they were counted. \
         Trials that claims share are run once and count for each; together all took {}. Each claim names the \
         program that measured it.\n\n{facts}.\n\n| claim | setting | measured | verdict | time | CPU |\n|---|---|---|---|---|---|\n",
        judgements.len(),
        Verdict::counts(judgements),
        duration(together(judgements))
    );
    for judgement in judgements {
        let Judgement { id, verdict, seconds, cpu_seconds, size, .. } = judgement;
        let anchor = id.to_lowercase();
        let told = deciding(judgement)
            .map_or_else(|| "-".into(), |measured| cell(&format!("{}: {}", measured.what, measured.text())));
        text += &format!(
            "| [{id}](#{anchor}) | {} | {told} | {} | {} | {} |\n",
            size.name(),
            marked(*verdict),
            duration(*seconds),
            cpu_seconds.map_or_else(|| "-".into(), duration)
        );
    }
    let mut paper = "";
    for judgement in judgements {
        if judgement.paper != paper {
            paper = &judgement.paper;
            text += &format!("\n## {paper}\n");
        }
        text += &section(judgement);
    }
    text
}

/// The seconds of all, those that share the trials of a spec counted once.
fn together(judgements: &[Judgement]) -> f64 {
    let mut of: BTreeMap<&str, f64> = BTreeMap::new();
    for Judgement { id, spec, seconds, .. } in judgements {
        let longest = of.entry(spec.as_deref().unwrap_or(id)).or_default();
        *longest = longest.max(*seconds);
    }
    of.values().sum()
}

/// A verdict that does not hold stands out.
fn marked(verdict: Verdict) -> String {
    if verdict == Verdict::Holds { verdict.to_string() } else { format!("**{verdict}**") }
}

/// The number that decided: the first that does not meet its condition, or the first of all.
fn deciding(judgement: &Judgement) -> Option<&Measured> {
    let fails = |measured: &&Measured| {
        let condition = judgement.condition(&measured.name);
        condition
            .and_then(|condition| measured.answer(condition))
            .is_some_and(|answer| answer != Answer::Meets)
    };
    let known = || judgement.measured.iter().filter(|measured| measured.value.is_some());
    known().find(fails).or_else(|| known().next())
}

fn section(judgement: &Judgement) -> String {
    let Judgement {
        id,
        statement,
        place,
        certainty,
        setting,
        verdict,
        reason,
        command,
        program,
        seconds,
        cpu_seconds,
        ..
    } = judgement;
    let mut text = format!(
        "\n### {id}\n\n{statement} ({place}; {certainty}.)\n\nSetting: {setting}.\n\n{}    {command}\n\n| measured | | must be | power |\n|---|---|---|---|\n",
        scales(judgement)
    );
    for measured in &judgement.measured {
        let condition = judgement.condition(&measured.name);
        let must = condition.map_or(String::new(), |condition| condition.told());
        let power = condition.and_then(|condition| measured.power(condition)).unwrap_or_default();
        text += &format!("| {} | {} | {must} | {power} |\n", cell(&measured.what), cell(&measured.text()));
    }
    let why = reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    let computed = cpu_seconds.map_or(String::new(), |cpu| format!(" ({} of CPU time)", duration(cpu)));
    text + &format!(
        "\nVerdict: {}{why}, after {}{computed}, by Etalon {program}.\n",
        marked(*verdict),
        duration(*seconds)
    )
}

/// The dimensionless numbers of the setting beside the paper's, as a table.
fn scales(judgement: &Judgement) -> String {
    let Ok(claim) = find(&judgement.id) else { return String::new() };
    let scales = claim.setting(judgement.size, judgement.seed).scales;
    if scales.is_empty() {
        return String::new();
    }
    let rows = scales.iter().map(|Scale { what, paper, here }| {
        format!("| {} | {} | {} |\n", cell(what), cell(paper), cell(here))
    });
    format!("| dimensionless | in the paper | here |\n|---|---|---|\n{}\n", rows.collect::<String>())
}

/// Text that a cell of a table can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
