//! The names of keys and columns as a figure has them.

/// Symbols of the field, by the columns of results and the keys of a spec.
const SYMBOLS: [(&str, &str); 12] = [
    ("eta_star", "η*"),
    ("optimizer.eta", "η"),
    ("eta", "η"),
    ("optimizer.weight_decay", "weight decay λ"),
    ("optimizer.momentum", "momentum"),
    ("network.init_sigma", "σ"),
    ("lambda0", "λ₀"),
    ("lambda_ntk", "λ of the NTK"),
    ("lambda_hessian", "λ of the Hessian"),
    ("c_star", "c*"),
    ("train.physical_time", "steps × η"),
    ("train.batch", "batch size"),
];

/// The symbol or the word for a column: `η*` for `eta_star`, `depth` for `network.depth`.
pub fn symbol(column: &str) -> String {
    let known = SYMBOLS.iter().find(|(name, _)| *name == column);
    known.map_or_else(
        || column.rsplit('.').next().unwrap_or(column).replace('_', " "),
        |(_, symbol)| (*symbol).into(),
    )
}

#[cfg(test)]
mod tests {
    use super::symbol;

    #[test]
    fn a_key_is_its_symbol_or_its_last_word() {
        let names = ["eta_star", "network.depth", "optimizer.eta", "test_accuracy"].map(symbol);
        assert_eq!(names, ["η*", "depth", "η", "test accuracy"]);
    }
}
