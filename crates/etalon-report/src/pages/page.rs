//! The page.

use super::content::{Content, Numbers, Section, count};
use super::folder::Folder;
use crate::figure::{script, style};
use etalon::record::{Machine, Meta};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// More columns than this are set closer.
const DENSE: usize = 7;
/// Letters of a claim's name at most, with a comma.
const NAME: usize = 5;
/// Broken trials that the page names one by one.
const NAMED: usize = 20;

/// What the page may load and run: nothing but its own script, which is known by its hash.
fn policy() -> String {
    let hash = base64(&Sha256::digest(script().0));
    format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; img-src data:")
}

/// The page of some results, with those of their figures that can be drawn, in order.
pub(super) fn page(
    folders: &[Folder],
    contents: &[Content],
    figures: &[Markup],
    sections: &[(&Section, Vec<Markup>)],
) -> String {
    let name = folders.iter().map(name).collect::<Vec<_>>().join(", ");
    let first = if sections.is_empty() || !figures.is_empty() { "#figures" } else { "#numbers" };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(policy());
                link rel="icon" href="data:,";
                title { (contents[0].answer) " – " (name) }
                style { (style()) (PreEscaped(include_str!("report.css"))) }
            }
            body {
                a.skip href=(first) { "Go to the " (first.trim_start_matches('#')) }
                @for (index, content) in contents.iter().enumerate() { (verdict(content, &name, index == 0)) }
                (skipped(folders))
                nav aria-label="Sections" {
                    @if first == "#figures" { a href="#figures" { "Figures" } " " }
                    a href="#numbers" { "Numbers" }
                    " "
                    a href="#provenance" { "Provenance" }
                }
                main {
                    @if sections.is_empty() || !figures.is_empty() {
                        section #figures {
                            h2 { "Figures" }
                            @for figure in figures { (figure) }
                            @if figures.is_empty() { p { "This result has no figure; its numbers are below." } }
                        }
                    }
                    section #numbers {
                        h2 { "Numbers" }
                        @for numbers in contents.iter().flat_map(|content| &content.tables) { (table(numbers, sections)) }
                        @for note in contents.iter().flat_map(|content| &content.notes) { p.note { (note) } }
                    }
                    @for (section, figures) in sections { (part(section, figures)) }
                    (provenance(folders))
                }
                script { (script()) }
            }
        }
    };
    page.into_string() + "\n"
}

/// What a folder is called.
fn name(folder: &Folder) -> String {
    let path = folder.root.canonicalize().ok();
    let name = path.as_deref().unwrap_or(&folder.root).file_name();
    name.map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned())
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place > chunk.len() { '=' } else { letter.into() });
        }
    }
    text
}

fn verdict(content: &Content, name: &str, first: bool) -> Markup {
    let answer = content.answer.replace(" = ", "\u{a0}=\u{a0}");
    html! {
        header {
            p.kind { (content.kind) span { " · " (name) } }
            @if first { h1.answer { (words(&answer)) } } @else { h2.answer { (words(&answer)) } }
            @if !content.interval.is_empty() { p.interval { (content.interval) } }
            @if !content.facts.is_empty() { (list(&content.facts)) }
            @if !content.doubts.is_empty() {
                section.doubts {
                    h2 { "In doubt" }
                    ul { @for doubt in &content.doubts { li { (doubt) } } }
                }
            }
        }
    }
}

/// A text in which no line ends within `-q`, `--out`, `1e-9` or `A-12`.
fn words(text: &str) -> Markup {
    let is_broken = |word: &str| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        let is_name = word.len() <= NAME
            && word.contains('-')
            && word.starts_with(|first: char| first.is_ascii_uppercase());
        is_name || (word.len() > 1 && word.starts_with('-')) || (is_number && word.contains("e-"))
    };
    html! {
        @for (index, word) in text.split(' ').enumerate() {
            @if index > 0 { " " }
            @if is_broken(word) { span.word { (word) } } @else { (word) }
        }
    }
}

/// Names and what belongs to them.
fn list(facts: &[(impl AsRef<str>, String)]) -> Markup {
    html! {
        dl { @for (name, text) in facts { div { dt { (name.as_ref()) } dd { (words(text)) } } } }
    }
}

/// What could not be read.
fn skipped(folders: &[Folder]) -> Markup {
    let faults: Vec<&String> = folders.iter().flat_map(|folder| &folder.skipped).collect();
    let number = faults.len();
    html! {
        @if number > 0 {
            section.doubts #skipped {
                h2 { (count(number, "file")) " left out" }
                ul {
                    @for fault in faults.iter().take(NAMED) { li { (fault) } }
                    @if number > NAMED { li { "and " (number - NAMED) " more" } }
                }
                p { "They cannot be read; running the same command again makes them anew." }
            }
        }
    }
}

/// A part with its facts, its first figure, and the others on demand.
fn part(section: &Section, figures: &[Markup]) -> Markup {
    html! {
        section.part id=(section.id) {
            h2 { a href={ "#" (section.id) } { (section.title) } }
            p.interval { (section.lead) }
            @if !section.facts.is_empty() { (list(&section.facts)) }
            @if let Some((first, others)) = figures.split_first() {
                (first)
                @if !others.is_empty() {
                    details {
                        summary { (count(others.len(), "more figure")) }
                        @for figure in others { (figure) }
                    }
                }
            }
            p.back { a href="#numbers" { "Back to the table" } }
        }
    }
}

/// A table; a cell that names a part of the page leads there.
fn table(numbers: &Numbers, sections: &[(&Section, Vec<Markup>)]) -> Markup {
    let is_part = |cell: &str| sections.iter().any(|(section, _)| section.id == cell);
    let dense = numbers.columns.len() > DENSE;
    let column = |index: usize| numbers.columns.get(index).map_or("", String::as_str);
    html! {
        @if !numbers.rows.is_empty() {
            h3 { (numbers.title) }
            div.wide role="region" tabindex="0" aria-label=(numbers.title) {
                table.dense[dense] role="table" {
                    thead {
                        tr role="row" {
                            @for column in &numbers.columns { th role="columnheader" scope="col" { (column) } }
                        }
                    }
                    tbody {
                        @for row in &numbers.rows {
                            tr role="row" {
                                @for (index, cell) in row.iter().enumerate() {
                                    td class=[class(cell)] role="cell" data-column=(column(index)) {
                                        @if is_part(cell) { a href={ "#" (cell) } { (cell) } } @else { (cell) }
                                    }
                                }
                            }
                            "\n"
                        }
                    }
                }
            }
            @if !numbers.note.is_empty() { p.note { (numbers.note) } }
        }
    }
}

/// How a cell of a table is set.
fn class(cell: &str) -> Option<&'static str> {
    let is_number = cell.split(' ').all(|word| word == "to" || word == "–" || word.parse::<f64>().is_ok());
    let is_long = cell.chars().count() > 40;
    if is_number { Some("number") } else { is_long.then_some("long") }
}

/// Where the results came from.
fn provenance(folders: &[Folder]) -> Markup {
    let facts = |folder: &Folder| {
        let mut rows = vec![("folder", folder.root.display().to_string())];
        rows.extend(folder.meta.iter().flat_map(run));
        rows
    };
    html! {
        section #provenance {
            h2 { "Provenance" }
            @for folder in folders {
                @if folder.meta.is_none() {
                    p.note { "There is no meta.json that can be read: version, machine and command are not known." }
                }
                (list(&facts(folder)))
                @if let Some(spec) = &folder.spec_text {
                    details { summary { "spec.toml" } pre tabindex="0" { (spec) } }
                }
            }
            p.note { "This page was made by Etalon " (env!("CARGO_PKG_VERSION")) ". It asks no network for anything." }
        }
    }
}

/// How the run was made, by name.
fn run(meta: &Meta) -> Vec<(&'static str, String)> {
    let commit = meta.commit.as_ref().map_or(String::new(), |commit| format!(", commit {commit}"));
    let mut rows = vec![("Etalon", format!("{}{commit}", meta.etalon))];
    let words = meta.command.iter().map(|word| quoted(word)).collect::<Vec<_>>();
    rows.extend((!words.is_empty()).then(|| ("command", words.join(" "))));
    rows.extend(meta.started.clone().map(|started| ("started", started)));
    rows.extend(meta.spec.as_ref().map(|hash| ("spec", format!("{hash} (hash of spec.toml)"))));
    let seeds = meta.seeds.iter().map(ToString::to_string).collect::<Vec<_>>();
    rows.extend((!seeds.is_empty()).then(|| ("seeds", seeds.join(", "))));
    if let Some(Machine { cpu, kernels, cores, threads, memory_bytes, os }) = &meta.machine {
        let [cores, threads] = [count(*cores, "core"), count(*threads, "thread")];
        rows.push(("machine", format!("{cpu}, {cores}, {threads} used, {kernels} kernels")));
        rows.push(("memory", etalon::units::bytes(*memory_bytes)));
        rows.push(("system", os.clone()));
    }
    rows
}

/// A word as a shell needs it.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./=,:+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_standard_has_them() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn no_script_but_the_pages_own_may_run() {
        let policy = policy();
        let scripts = policy.split(';').find_map(|rule| rule.trim().strip_prefix("script-src ")).unwrap();
        // 32 bytes are 44 letters of base64.
        assert!(
            scripts.starts_with("'sha256-") && scripts.len() == 53 && scripts.ends_with("='"),
            "{scripts}"
        );
    }
}
