//! What a misspelt name was meant to be.

/// The known name nearest to `name`, if any is near. Names in the same section are compared without it; of others the last
/// part counts too, for a right name in the wrong section is the commonest slip.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = strsim::normalized_damerau_levenshtein;
    let (section, last) = parts(name);
    let likeness = |other: &str| match parts(other) {
        (there, key) if there == section => alike(last, key),
        (_, key) => alike(name, other).max(0.95 * alike(last, key)),
    };
    // Of right names in several sections, the one whose section is nearer.
    let rated = known.into_iter().map(|other| (likeness(other), alike(name, other), other));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    best.filter(|(likeness, ..)| *likeness > 0.6).map(|(.., other)| other)
}

/// The section of a dotted name, and the rest.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_met_in_its_section_and_in_another_and_another_key_is_none() {
        let known = ["network.width", "optimizer.eta", "seed", "train.steps", "trainer.steps"];
        for (name, near) in [
            ("network.widht", Some("network.width")),
            ("netwrk.width", Some("network.width")),
            ("width", Some("network.width")),
            ("train.eta", Some("optimizer.eta")),
            ("trian.steps", Some("train.steps")),
            ("network.depth", None),
            ("loss", None),
        ] {
            assert_eq!(nearest(name, known), near, "{name}");
        }
    }
}
