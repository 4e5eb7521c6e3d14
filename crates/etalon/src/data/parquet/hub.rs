//! What Hugging Face's library keeps about the columns in a Parquet file.

use parquet::file::metadata::KeyValue;
use serde_json::Value;

/// The names of the classes whose numbers a column has; empty where nothing says them.
pub(super) fn class_names(metadata: Option<&Vec<KeyValue>>, column: &str) -> Vec<String> {
    let text = metadata.into_iter().flatten().find(|entry| entry.key == "huggingface");
    let Some(text) = text.and_then(|entry| entry.value.as_deref()) else { return Vec::new() };
    let told: Value = serde_json::from_str(text).unwrap_or_default();
    let feature = &told["info"]["features"][column];
    let names = feature["names"].as_array().filter(|_| feature["_type"] == "ClassLabel");
    let names = names.and_then(|names| names.iter().map(|name| Some(name.as_str()?.into())).collect());
    names.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_names_where_the_hub_has_told_them() {
        let names = |value: &str, column: &str| {
            let entry = KeyValue::new("huggingface".into(), Some(value.into()));
            class_names(Some(&vec![entry]), column)
        };
        let told = r#"{"info": {"features": {"image": {"_type": "Image"},
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "name": {"_type": "Value"}}}}"#;
        assert_eq!(names(told, "label"), ["cat", "dog"]);
        for column in ["image", "name", "other"] {
            assert!(names(told, column).is_empty(), "{column}");
        }
        assert!(names("{\"info\": [", "label").is_empty() && class_names(None, "label").is_empty());
    }
}
