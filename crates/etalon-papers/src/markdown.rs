//! Judgements as a page.

use crate::runner::duration;
use etalon::claims::{Judgement, Measured, Verdict};

/// A page of judgements: a table of all, then each with what was measured. `facts` tells the machine and the version.
pub fn page(judgements: &[Judgement], facts: &str) -> String {
    let count = |verdict: Verdict| judgements.iter().filter(|judgement| judgement.verdict == verdict).count();
    let mut text = format!(
        "# The papers' claims, measured\n\nMade by `etalon reproduce --markdown` from results: {} claims hold, {} do not, {} are not \
         decided. A verdict follows from the numbers and the rule below it alone; the rule is the same at every size. Times are wall-clock \
         times; trials that claims share are run once and count for each.\n\n{facts}.\n\n| claim | setting | measured | verdict | time |\n|---|---|---|---|---|\n",
        count(Verdict::Holds),
        count(Verdict::DoesNotHold),
        count(Verdict::NotDecided)
    );
    for judgement in judgements {
        let Judgement { id, verdict, seconds, size, .. } = judgement;
        let anchor = id.to_lowercase();
        let told = deciding(judgement)
            .map_or_else(|| "-".into(), |measured| cell(&format!("{}: {}", measured.what, measured.text())));
        text += &format!(
            "| [{id}](#{anchor}) | {} | {told} | {} | {} |\n",
            size.name(),
            marked(*verdict),
            duration(*seconds)
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

/// A verdict that does not hold stands out.
fn marked(verdict: Verdict) -> String {
    if verdict == Verdict::Holds { verdict.to_string() } else { format!("**{verdict}**") }
}

/// The number that decided: the first that does not meet its condition, or the first of all.
fn deciding(judgement: &Judgement) -> Option<&Measured> {
    let fails = |measured: &&Measured| {
        let condition = judgement.condition(&measured.name);
        condition.zip(measured.value).is_some_and(|(condition, value)| !condition.holds(value))
    };
    let known = || judgement.measured.iter().filter(|measured| measured.value.is_some());
    known().find(fails).or_else(|| known().next())
}

fn section(judgement: &Judgement) -> String {
    let Judgement { id, statement, place, certainty, setting, verdict, reason, command, seconds, .. } =
        judgement;
    let mut text = format!(
        "\n### {id}\n\n{statement} ({place}; {certainty}.)\n\nSetting: {setting}.\n\n    {command}\n\n| measured | | must be |\n|---|---|---|\n"
    );
    for measured in &judgement.measured {
        let must = judgement.condition(&measured.name).map_or(String::new(), |condition| condition.bounds());
        text += &format!("| {} | {} | {must} |\n", cell(&measured.what), cell(&measured.text()));
    }
    let why = reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    text + &format!("\nVerdict: {}{why}, after {}.\n", marked(*verdict), duration(*seconds))
}

/// Text that a cell of a table can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
