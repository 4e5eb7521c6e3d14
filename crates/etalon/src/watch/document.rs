//! A whole document of JSON whose rows are the objects of a list, as transformers' `trainer_state.json` has them.

use super::tail::LONGEST;

/// Finds the rows of a document as it comes: objects that are elements of a list, which is the document or stands under a
/// key of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Open brackets.
    depth: usize,
    /// The first two of them.
    outer: [u8; 2],
    in_string: bool,
    escaped: bool,
    /// The row so far, and the brackets open at its start.
    row: Vec<u8>,
    start: Option<usize>,
}

impl Rows {
    /// Takes some bytes more; hands out each row that they end. False where a row is longer than any is.
    pub(super) fn push(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> bool {
        for &byte in bytes {
            if self.start.is_some() {
                self.row.push(byte);
                if self.row.len() > LONGEST {
                    return false;
                }
            }
            if self.in_string {
                self.in_string = byte != b'"' || self.escaped;
                self.escaped = byte == b'\\' && !self.escaped;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    let in_list = matches!((self.depth, &self.outer), (1, [b'[', _]) | (2, b"{["));
                    if byte == b'{' && in_list && self.start.is_none() {
                        self.row.push(byte);
                        self.start = Some(self.depth);
                    }
                    if let Some(outer) = self.outer.get_mut(self.depth) {
                        *outer = byte;
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.start.is_some_and(|start| self.depth <= start) {
                        sink(&self.row);
                        (self.row, self.start) = (Vec::new(), None);
                    }
                }
                _ => {}
            }
        }
        true
    }

    /// Whether all that was begun has ended.
    pub(super) fn is_whole(&self) -> bool {
        self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(document: &str) -> (Vec<String>, bool) {
        let (mut rows, mut found) = (Rows::default(), Vec::new());
        for byte in document.bytes() {
            assert!(rows.push(&[byte], |row| found.push(String::from_utf8(row.to_vec()).unwrap())));
        }
        (found, rows.is_whole())
    }

    #[test]
    fn rows_are_the_objects_of_a_list_at_the_top_or_under_a_key() {
        let (one, two) = (r#"{"a": "]}\"", "b": {"c": [{}]}}"#, "{}");
        let list = format!("[{one}, 7, {two}]");
        assert_eq!(rows(&list), (vec![one.into(), two.into()], true));
        let state = format!(r#"{{"best": null, "other": {{"x": [{{"y": 1}}]}}, "log_history": {list}}}"#);
        assert_eq!(rows(&state), (vec![one.into(), two.into()], true));
        assert_eq!(rows(&state[..state.len() - 5]), (vec![one.into()], false));
        assert_eq!(rows("]]}{[{}]}"), (vec!["{}".into()], true));
    }

    #[test]
    fn a_row_without_an_end_takes_little_memory() {
        let mut rows = Rows::default();
        assert!(rows.push(b"[{", |_| {}) && !rows.push(&vec![b' '; 2 * LONGEST], |_| {}));
        assert!(rows.row.len() <= LONGEST + 1);
    }
}
