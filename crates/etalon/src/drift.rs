//! Where two values of JSON differ.

use serde_json::Value;

/// The first place at which what was read is not what would have been written.
pub(crate) fn difference(read: &Value, written: &Value) -> Option<String> {
    at("", read, written)
}

fn at(place: &str, read: &Value, written: &Value) -> Option<String> {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            let within =
                |name: &str| if place.is_empty() { name.to_string() } else { format!("{place}.{name}") };
            let unknown = read.keys().find(|name| !written.contains_key(*name));
            if let Some(name) = unknown {
                return Some(format!("unknown field `{}`", within(name)));
            }
            let missing = written.keys().find(|name| !read.contains_key(*name));
            if let Some(name) = missing {
                return Some(format!("missing field `{}`", within(name)));
            }
            read.iter().find_map(|(name, value)| at(&within(name), value, &written[name]))
        }
        (Value::Array(read), Value::Array(written)) if read.len() == written.len() => {
            let mut pairs = read.iter().zip(written).enumerate();
            pairs.find_map(|(index, (read, written))| at(&format!("{place}[{index}]"), read, written))
        }
        (Value::Number(read), Value::Number(written)) if read.as_f64() == written.as_f64() => None,
        (read, written) if read == written => None,
        _ => Some(format!("`{place}` has a value of another form")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_told_by_its_place() {
        let written = json!({ "a": { "b": [1.0, null] }, "c": 1 });
        assert_eq!(difference(&json!({ "a": { "b": [1, null] }, "c": 1.0 }), &written), None);
        for (read, place) in [
            (json!({ "a": { "b": [1.0, null] } }), "missing field `c`"),
            (json!({ "a": { "B": [] }, "c": 1 }), "unknown field `a.B`"),
            (json!({ "a": { "b": [1.0, 2.0] }, "c": 1 }), "`a.b[1]` has a value of another form"),
            (json!({ "a": { "b": [1.0] }, "c": 1 }), "`a.b` has a value of another form"),
        ] {
            assert_eq!(difference(&read, &written).as_deref(), Some(place));
        }
    }
}
