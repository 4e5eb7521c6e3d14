//! The page.

use super::content::{Content, Numbers, count};
use super::folder::Folder;
use crate::figure::{escape, script, style};
use crate::record::Machine;

/// Broken trials that the page names one by one.
const NAMED: usize = 20;

/// The page of some results. `figures` are those that can be drawn, by their names.
pub fn page(folder: &Folder, contents: &[Content], figures: &[(String, String)]) -> String {
    let name = folder.root.canonicalize().ok();
    let name =
        name.as_deref().unwrap_or(&folder.root).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "run".into());
    let title = escape(&format!("{} – {name}", contents[0].answer));
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{}\n{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#figures\">Go to the figures</a>\n",
        style(),
        include_str!("report.css"),
    );
    for (index, content) in contents.iter().enumerate() {
        html += &verdict(content, &name, index == 0);
    }
    html += &skipped(folder);
    html += "<nav aria-label=\"Sections\"><a href=\"#figures\">Figures</a> <a href=\"#numbers\">Numbers</a> \
             <a href=\"#provenance\">Provenance</a></nav>\n<main>\n<section id=\"figures\">\n<h2>Figures</h2>\n";
    let mut any = false;
    for figure in contents.iter().flat_map(|content| &content.figures) {
        if let Some((_, part)) = figures.iter().find(|(name, _)| *name == figure.name) {
            html += part;
            any = true;
        }
    }
    if !any {
        html += "<p>This result has no figure; its numbers are below.</p>\n";
    }
    html += "</section>\n<section id=\"numbers\">\n<h2>Numbers</h2>\n";
    for content in contents {
        content
            .tables
            .iter()
            .filter(|numbers| !numbers.rows.is_empty())
            .for_each(|numbers| html += &table(numbers));
    }
    let notes: Vec<&String> = contents.iter().flat_map(|content| &content.notes).collect();
    html += &notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", escape(note))).collect::<String>();
    html += "</section>\n";
    html += &provenance(folder);
    html += &format!("</main>\n<script>\n{}</script>\n</body>\n</html>\n", script());
    html
}

fn verdict(content: &Content, name: &str, first: bool) -> String {
    let heading = if first { "h1" } else { "h2" };
    let mut html = format!(
        "<header>\n<p class=\"kind\">{}<span> · {}</span></p>\n<{heading} class=\"answer\">{}</{heading}>\n",
        escape(&content.kind),
        escape(name),
        escape(&content.answer).replace(" = ", "\u{a0}=\u{a0}")
    );
    if !content.interval.is_empty() {
        html += &format!("<p class=\"interval\">{}</p>\n", escape(&content.interval));
    }
    if !content.facts.is_empty() {
        html += "<dl>\n";
        for (name, text) in &content.facts {
            html += &format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(text));
        }
        html += "</dl>\n";
    }
    if !content.doubts.is_empty() {
        html += "<section class=\"doubts\">\n<h2>In doubt</h2>\n<ul>\n";
        for doubt in &content.doubts {
            html += &format!("<li>{}</li>\n", escape(doubt));
        }
        html += "</ul>\n</section>\n";
    }
    html + "</header>\n"
}

/// What could not be read.
fn skipped(folder: &Folder) -> String {
    if folder.skipped.is_empty() {
        return String::new();
    }
    let number = folder.skipped.len();
    let mut html = format!(
        "<section class=\"doubts\" id=\"skipped\">\n<h2>{} left out</h2>\n<ul>\n",
        count(number, "file")
    );
    for fault in folder.skipped.iter().take(NAMED) {
        html += &format!("<li>{}</li>\n", escape(fault));
    }
    if number > NAMED {
        html += &format!("<li>and {} more</li>\n", number - NAMED);
    }
    html + "</ul>\n<p>They cannot be read; running the same command again makes them anew.</p>\n</section>\n"
}

fn table(numbers: &Numbers) -> String {
    let mut html = format!(
        "<h3>{title}</h3>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{title}\">\n<table role=\"table\">\n<thead><tr role=\"row\">",
        title = escape(&numbers.title)
    );
    for column in &numbers.columns {
        html += &format!("<th role=\"columnheader\" scope=\"col\">{}</th>", escape(column));
    }
    html += "</tr></thead>\n<tbody>\n";
    for row in &numbers.rows {
        html += "<tr role=\"row\">";
        for (index, cell) in row.iter().enumerate() {
            let is_number =
                cell.split(' ').all(|word| word == "to" || word == "–" || word.parse::<f64>().is_ok());
            let class = match (is_number, cell.chars().count() > 40) {
                (true, _) => " class=\"number\"",
                (_, true) => " class=\"long\"",
                _ => "",
            };
            let column = numbers.columns.get(index).map_or("", String::as_str);
            html +=
                &format!("<td{class} role=\"cell\" data-column=\"{}\">{}</td>", escape(column), escape(cell));
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table>\n</div>\n";
    if !numbers.note.is_empty() {
        html += &format!("<p class=\"note\">{}</p>\n", escape(&numbers.note));
    }
    html
}

/// Where the results came from.
fn provenance(folder: &Folder) -> String {
    let mut html = "<section id=\"provenance\">\n<h2>Provenance</h2>\n".to_string();
    let mut rows: Vec<(&str, String)> = vec![("folder", folder.root.display().to_string())];
    if let Some(meta) = &folder.meta {
        let commit = meta.commit.as_ref().map_or(String::new(), |commit| format!(", commit {commit}"));
        rows.push(("Etalon", format!("{}{commit}", meta.etalon)));
        let words = meta.command.iter().map(|word| quoted(word)).collect::<Vec<_>>();
        rows.extend((!words.is_empty()).then(|| ("command", words.join(" "))));
        rows.extend(meta.started.clone().map(|started| ("started", started)));
        rows.extend(meta.spec.as_ref().map(|hash| ("spec", format!("{hash} (hash of spec.toml)"))));
        let seeds = meta.seeds.iter().map(ToString::to_string).collect::<Vec<_>>();
        rows.extend((!seeds.is_empty()).then(|| ("seeds", seeds.join(", "))));
        if let Some(Machine { cpu, kernels, cores, threads, memory_bytes, os }) = &meta.machine {
            rows.push((
                "machine",
                format!("{cpu}, {cores} cores, {threads} threads used, {kernels} kernels"),
            ));
            rows.push(("memory", crate::units::bytes(*memory_bytes)));
            rows.push(("system", os.clone()));
        }
    } else {
        html += "<p class=\"note\">There is no meta.json that can be read: version, machine and command are not known.</p>\n";
    }
    html += "<dl>\n";
    for (name, text) in rows {
        html += &format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&text));
    }
    html += "</dl>\n";
    if let Some(spec) = &folder.spec_text {
        html += &format!(
            "<details><summary>spec.toml</summary>\n<pre tabindex=\"0\">{}</pre></details>\n",
            escape(spec)
        );
    }
    html + &format!(
        "<p class=\"note\">This page was made by Etalon {}. It asks no network for anything.</p>\n</section>\n",
        env!("CARGO_PKG_VERSION")
    )
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
