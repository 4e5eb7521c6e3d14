//! The page of the boundaries of a solvable model.

use super::content::{Content, Numbers, shown, size};
use crate::figure::{Band, BandPicture, Curve, Figure};
use etalon::phase::boundaries::EVENTS;
use etalon::phase::{Boundaries, Boundary, MapBoundaries, Side};
use etalon::sweep::Scale;

/// What the boundaries of a solvable model say.
pub(super) fn content(MapBoundaries { definition, boundaries: found, .. }: &MapBoundaries) -> Content {
    let mut content = Content { kind: "Theory: boundaries of early training".into(), ..Content::default() };
    if let Some(widest) = found.last() {
        content.answer = match &widest.c_h_max {
            Boundary::Between(edge) => {
                format!("training diverges at c_h = {}", shown(Some(edge.middle()), 4))
            }
            Boundary::Outside { reason, .. } => reason.clone(),
        };
        content.interval = format!("at width {}, c_h = η × sharpness at the start", size(Some(widest.width)));
    }
    let mut table = Numbers::new(
        "Boundaries",
        ["width", "sharpness", "c_h_loss", "c_h_sharp", "c_h_max", "islands above", "up to"],
    );
    for one in found {
        let islands = one.divergence.as_ref().map(|seen| &seen.islands);
        let cell = |boundary: &Boundary| match boundary {
            Boundary::Between(edge) => shown(Some(edge.middle()), 6),
            Boundary::Outside { side: Side::Below, .. } => "below".into(),
            Boundary::Outside { side: Side::Above, .. } => "above".into(),
            Boundary::Outside { side: Side::Unknown, .. } => "?".into(),
        };
        let [loss, sharp, most] = one.each().map(cell);
        table.row([
            size(Some(one.width)),
            shown(one.sharpness, 5),
            loss,
            sharp,
            most,
            islands.map_or("–".into(), |islands| islands.len().to_string()),
            shown(islands.and_then(|islands| Some(islands.last()?[1])), 6),
        ]);
    }
    table.note = "Below and above: outside the range, on that side. Islands are windows of survival above c_h_max, as far \
                  as a scan has seen them. A dash: none, or not known."
        .into();
    content.tables.push(table);
    let meanings = [&definition.c_h_loss, &definition.c_h_sharp, &definition.c_h_max];
    for (name, meaning) in Scale::Sharpness.columns().into_iter().zip(meanings) {
        content.fact(name, Some(meaning.as_ref()));
    }
    let curve = |(index, name): (usize, &str)| {
        let band = |one: &Boundaries| match one.each()[index] {
            Boundary::Between(edge) => {
                let (low, high) = (edge.accepted, edge.refused);
                Some(Band { size: one.width, low, median: edge.middle(), high })
            }
            Boundary::Outside { .. } => None,
        };
        Curve { name: format!("{name}: {}", EVENTS[index]), bands: found.iter().filter_map(band).collect() }
    };
    let curves: Vec<Curve> = Scale::Sharpness.columns().into_iter().enumerate().map(curve).collect();
    let picture = BandPicture {
        title: "Boundaries of early training".into(),
        right: Scale::Sharpness.meaning(),
        up: "width n",
        curves: &curves,
    };
    content
        .figures
        .extend(picture.figure().map(|figure| Figure { name: "early-boundaries".into(), ..figure }));
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon::phase::{DEFINITION, Divergence};
    use etalon::theory::{Bracket, ScalarLoss, State};

    #[test]
    fn boundaries_outside_the_range_are_shown_with_their_side_and_reason() {
        let at = |value: f64| Boundary::Between(Bracket { accepted: value, refused: value });
        let outside = |side| Boundary::Outside { side, reason: "why".into() };
        let islands = vec![[4.5, 4.6], [5.0, 6.0]];
        let scan = Divergence { islands, scanned: [4.0, 6.5], resolution: 1.00005, runs: 10 };
        let row = |width, c_h_sharp, c_h_max, divergence| Boundaries {
            seed: None,
            width,
            sharpness: Some(2.0),
            resolution: 1.03,
            c_h_loss: at(4.0),
            c_h_sharp,
            c_h_max,
            divergence,
        };
        let mut found = MapBoundaries {
            definition: DEFINITION,
            loss: ScalarLoss::Logistic { positive: 0.5 },
            start: State { f: 0.1, lambda: 2.0 },
            boundaries: vec![
                row(10.0, outside(Side::Below), outside(Side::Above), None),
                row(20.0, at(4.0), at(4.0), Some(scan)),
            ],
        };
        let page = content(&found);
        assert_eq!(page.answer, "training diverges at c_h = 4.000");
        assert_eq!(page.tables[0].rows[0][2..], ["4.00000", "below", "above", "–", "–"]);
        assert_eq!(page.tables[0].rows[1][4..], ["4.00000", "2", "6.00000"]);
        found.boundaries.pop();
        assert_eq!(content(&found).answer, "why");
    }
}
