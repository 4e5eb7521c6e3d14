//! Texts with names in them, `$width`, for which a claim has a value at each size.

use toml::{Table, Value};

/// A text in which every `$name` that has a value is replaced by it; strings stand there without their quotation marks.
/// What has no value stays as it is.
pub(crate) fn fill<'a>(text: &str, value: impl Fn(&str) -> Option<&'a Value>) -> String {
    let mut filled = String::new();
    for (before, name, whole) in parts(text) {
        filled += before;
        match value(name) {
            Some(Value::String(text)) => filled += text,
            Some(value) => filled += &value.to_string(),
            None => filled += whole,
        }
    }
    filled
}

/// The names that a text mentions.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    parts(text).map(|(_, name, _)| name).filter(|name| !name.is_empty())
}

/// What stands before each `$name`, the name, and the name with its `$`; at last the rest, with no name.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((before, after)) = text.split_once('$') else { return Some((text, "", "")) };
        let end = after.find(|character| !is_name(character)).unwrap_or(after.len());
        rest = Some(&after[end..]);
        Some((before, &after[..end], &text[before.len()..before.len() + 1 + end]))
    })
}

/// The entries of a table and of another, which come first.
pub(crate) fn merged(first: &Table, then: &Table) -> Table {
    then.iter().chain(first).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_what_has_no_value_stays() {
        let values: Table = "width = 64\nkind = 'a\"b'\nrates = [0.5, 1.0]\ntime = 20.0".parse().unwrap();
        let fill = |text: &str| fill(text, |name| values.get(name));
        assert_eq!(fill("$width x$width, $kind; $rates at $time."), "64 x64, a\"b; [0.5, 1.0] at 20.0.");
        assert_eq!(fill("$depth $"), "$depth $");
        assert_eq!(fill(""), "");
        assert_eq!(names("a $b_c$d e$").collect::<Vec<_>>(), ["b_c", "d"]);
    }
}
