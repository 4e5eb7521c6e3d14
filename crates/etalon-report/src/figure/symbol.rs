//! The names of keys and columns as a figure has them.

/// Symbols of the field, by the columns of results and the keys of a spec.
const SYMBOLS: [(&str, &str); 14] = [
    ("eta_star", "η*"),
    ("optimizer.eta", "η"),
    ("eta", "η"),
    ("optimizer.weight_decay", "weight decay λ"),
    ("optimizer.momentum", "momentum"),
    ("network.init_sigma", "σ"),
    ("lambda0", "λ₀"),
    ("lambda_ntk", "λ of the NTK"),
    ("lambda_hessian", "λ of the Hessian"),
    ("eta_lambda", "η λ"),
    ("final_lambda", "λ at the end"),
    ("c_star", "c*"),
    ("train.physical_time", "steps × η"),
    ("train.batch", "batch size"),
];

/// The symbol or the word for a column: `η*` for `eta_star`, `depth` for `network.depth`.
pub fn symbol(column: &str) -> String {
    let known = SYMBOLS.iter().find(|(name, _)| *name == column);
    known.map_or_else(
        || in_symbols(&column.rsplit('.').next().unwrap_or(column).replace('_', " ")),
        |(_, symbol)| (*symbol).into(),
    )
}

/// Symbols of words in a text for people.
const WORDS: [(&str, &str); 7] = [
    ("eta", "η"),
    ("eta_star", "η*"),
    ("lambda", "λ"),
    ("lambda0", "λ₀"),
    ("lambda_0", "λ₀"),
    ("lambda_H", "λ_H"),
    ("lambda_NTK", "λ_NTK"),
];

/// A text with symbols for the words that stand for them; keys, flags and commands, which a reader may type, stay as
/// they are.
pub(crate) fn in_symbols(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let text = text.replace("R^2", "R²");
    let (mut found, mut rest, mut before) = (String::with_capacity(text.len()), text.as_str(), ' ');
    while let Some(first) = rest.chars().next() {
        let length =
            if is_part(first) { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(length);
        let mut next = after.chars();
        let is_key = matches!(before, '.' | '-' | '`' | '"' | '{')
            || match next.next() {
                Some('=' | '`' | '"' | '}') => true,
                Some('.') => next.next().is_some_and(is_part),
                _ => false,
            };
        let symbol = WORDS.iter().find(|(name, _)| *name == word && !is_key);
        found += symbol.map_or(word, |(_, symbol)| symbol);
        before = word.chars().next_back().unwrap_or(first);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{in_symbols, symbol};

    #[test]
    fn words_of_a_text_become_symbols_and_keys_stay() {
        for (text, shown) in [
            ("eta lambda went from 2 to 1.5", "η λ went from 2 to 1.5"),
            ("the limit 2 / lambda_H, and eta* = 0.3", "the limit 2 / λ_H, and η* = 0.3"),
            ("(eta_star) 2/eta, R^2.", "(η*) 2/η, R²."),
            ("λ is beta, theta or etas", "λ is beta, theta or etas"),
            (
                "optimizer.eta = 3, eta=3, `eta`, --eta 3, {eta}",
                "optimizer.eta = 3, eta=3, `eta`, --eta 3, {eta}",
            ),
        ] {
            assert_eq!(in_symbols(text), shown);
        }
    }

    #[test]
    fn a_key_is_its_symbol_or_its_last_word() {
        let names = ["eta_star", "network.depth", "optimizer.eta", "test_accuracy", "lambda_4"].map(symbol);
        assert_eq!(names, ["η*", "depth", "η", "test accuracy", "λ 4"]);
    }
}
