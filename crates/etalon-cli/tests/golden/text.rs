//! What lasts of an output: without times, machines and folders.

use std::path::Path;

/// The text without what another run or another machine has otherwise.
pub(crate) fn lasting(text: &str, folder: &Path) -> String {
    let mut lines: Vec<String> =
        text.replace(&folder.display().to_string(), "HERE").lines().map(line).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// A line without the seconds that something took, the program's commit, and the length of a page, which has its folder's
/// path.
fn line(line: &str) -> String {
    for key in ["\"seconds\": ", "\"cpu_seconds\": ", "\"bytes\": ", "\"program\": "] {
        if let Some((before, _)) = line.split_once(key) {
            return format!("{before}{key}#");
        }
    }
    let words: Vec<&str> = line.split(' ').collect();
    let is_time = |index: usize| {
        let unit =
            words.get(index + 1).is_some_and(|unit| ["s", "ms", "min", "s,", "s.", "s)"].contains(unit));
        unit && words[index].parse::<f64>().is_ok()
    };
    let shown = words.iter().enumerate().map(|(index, word)| if is_time(index) { "#" } else { word });
    shown.collect::<Vec<_>>().join(" ")
}

/// A long text by its beginning and a checksum of all of it.
pub(crate) fn abridged(text: &str) -> String {
    const BYTES: usize = 12_000;
    const LINES: usize = 60;
    if text.len() <= BYTES {
        return text.into();
    }
    // FNV-1a: enough to tell that something has changed.
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let shown = |line: &str| line.chars().take(500).collect::<String>();
    let begin: Vec<String> = text.lines().take(LINES).map(shown).collect();
    format!("{}\n... {} lines, checksum {sum:016x}\n", begin.join("\n"), text.lines().count())
}

/// The words of a page: without pictures, styles, scripts, and what it says of the machine.
pub(crate) fn of_page(html: &str) -> String {
    let mut text = html.split("id=\"provenance\"").next().unwrap_or_default().to_string();
    for tag in ["svg", "style", "script"] {
        text = without(&text, tag);
    }
    let text = text.replace("</", "\n</").replace("><", ">\n<");
    let visible = text.lines().map(|line| {
        let mut inside = false;
        let keep = |character: &char| {
            match character {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    return false;
                }
                _ => {}
            }
            !inside
        };
        line.chars().filter(keep).collect::<String>()
    });
    let lines: Vec<String> =
        visible.map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect();
    lines.join("\n") + "\n"
}

/// The text without elements of a tag.
fn without(text: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(open.as_str()) {
        kept += before;
        rest = after.split_once(close.as_str()).map_or("", |(_, after)| after);
    }
    kept + rest
}
