//! The boundaries of a sweep over a size, folded over seeds.

use super::{BoundariesRow, Rows, Scale, Table};
use crate::statistics::median;

/// Boundaries over one key of the grid, all others but the seed being fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// The other keys and their values, such as `network.depth=2`; empty where there is none.
    pub fixed: String,
    /// What boundaries are told in.
    pub scale: Scale,
    /// The key that is the size.
    pub size: String,
    /// One for each size and boundary, the sizes ascending.
    pub places: Vec<Place>,
}

/// A boundary at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its column, one of [`Scale::columns`].
    pub boundary: &'static str,
    /// The value of [`Diagram::size`] there.
    pub size: f64,
    /// What each seed has, of those that have it.
    pub values: Vec<f64>,
    /// Seeds without: no such change in the range.
    pub missing: usize,
}

impl Place {
    /// The least, the median and the most; none where half of the seeds or more have no such boundary.
    pub fn band(&self) -> Option<[f64; 3]> {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.values.iter().copied().fold(0.0, f64::max);
        (self.values.len() > self.missing).then(|| [least, median(self.values.iter().copied()), most])
    }
}

impl Diagram {
    /// The numbers of the diagram.
    pub fn table(&self) -> Table {
        let columns = [&self.size, "boundary", "median", "least", "most", "seeds", "missing"];
        let row = |place: &Place| {
            let [least, median, most] =
                place.band().map_or_else(Default::default, |band| band.map(|value| value.to_string()));
            let (seeds, missing) = (place.values.len() + place.missing, place.missing);
            [place.size.to_string(), place.boundary.into(), median, least, most]
                .into_iter()
                .chain([seeds, missing].map(|count| count.to_string()))
                .collect()
        };
        Table { columns: columns.map(Into::into).into(), rows: self.places.iter().map(row).collect() }
    }
}

/// The diagrams of a sweep whose job is `boundaries`. The size is `network.width` where the grid runs over it, else
/// `network.depth`, else the first key whose values are numbers; there is a diagram for each combination of the others.
///
/// # Errors
/// When no key has two sizes.
pub fn diagrams(rows: &Rows<BoundariesRow>) -> Result<Vec<Diagram>, String> {
    let Rows { keys, trials } = rows;
    let scale = Scale::of(rows);
    let is_size = |&index: &usize| {
        let first = trials.first().map(|trial| &trial.values[index]);
        let varies = trials.iter().any(|trial| Some(&trial.values[index]) != first);
        keys[index] != "seed" && varies && rows.numbers(&keys[index]).is_some()
    };
    let sizes = || (0..keys.len()).filter(is_size);
    let named = |name: &str| sizes().find(|&index| keys[index] == name);
    let size = named("network.width").or_else(|| named("network.depth")).or_else(|| sizes().next());
    let size = size.ok_or("no key of the grid has two sizes, such as network.width = [64, 256]")?;
    let mut diagrams: Vec<Diagram> = Vec::new();
    for trial in trials {
        let others = (0..keys.len()).filter(|&index| index != size && keys[index] != "seed");
        let fixed: Vec<String> =
            others.map(|index| format!("{}={}", keys[index], trial.values[index])).collect();
        let fixed = fixed.join(" ");
        let place = match diagrams.iter().position(|diagram| diagram.fixed == fixed) {
            Some(place) => place,
            None => {
                diagrams.push(Diagram { fixed, scale, size: keys[size].clone(), places: Vec::new() });
                diagrams.len() - 1
            }
        };
        let places = &mut diagrams[place].places;
        let at = trial.values[size].parse().unwrap_or(f64::NAN);
        for (boundary, value) in scale.columns().into_iter().zip(scale.values(&trial.found)) {
            let place = match places.iter().position(|place| place.boundary == boundary && place.size == at) {
                Some(place) => place,
                None => {
                    places.push(Place { boundary, size: at, values: Vec::new(), missing: 0 });
                    places.len() - 1
                }
            };
            places[place].missing += usize::from(value.is_none());
            places[place].values.extend(value);
        }
    }
    for diagram in &mut diagrams {
        // Stable: the boundaries of a size stay in their order.
        diagram.places.sort_by(|a, b| a.size.total_cmp(&b.size));
    }
    Ok(diagrams)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Finished;

    fn rows(trials: &[(&[&str], [Option<f64>; 3])]) -> Rows<BoundariesRow> {
        let keys = ["network.depth", "network.width", "seed"].map(String::from).into();
        let trial = |&(values, [c_h_loss, c_h_sharp, c_h_max]): &(&[&str], [Option<f64>; 3])| Finished {
            name: String::new(),
            values: values.iter().map(ToString::to_string).collect(),
            found: BoundariesRow {
                sharpness: Some(3.0),
                c_h_loss,
                c_h_sharp,
                c_h_max,
                eta_loss: None,
                eta_sharp: None,
                eta_max: None,
            },
        };
        Rows { keys, trials: trials.iter().map(trial).collect() }
    }

    #[test]
    fn the_names_of_boundaries_are_those_of_their_columns() {
        let shown = [Scale::Sharpness, Scale::Rate].map(Scale::columns).concat();
        assert_eq!(BoundariesRow::COLUMNS[1..], shown);
    }

    #[test]
    fn without_a_curvature_boundaries_are_rates() {
        let mut rows = rows(&[(&["1", "64", "0"], [None; 3]), (&["1", "128", "0"], [None; 3])]);
        for trial in &mut rows.trials {
            (trial.found.sharpness, trial.found.eta_max) = (None, Some(0.5));
        }
        let found = &diagrams(&rows).unwrap()[0];
        let last = found.places.iter().find(|place| place.boundary == "eta_max").unwrap();
        assert_eq!((found.scale, last.values.as_slice(), found.places.len()), (Scale::Rate, &[0.5][..], 6));
    }

    #[test]
    fn seeds_are_folded_and_other_keys_make_diagrams() {
        let all = [Some(2.0), Some(5.0), Some(8.0)];
        let rows = rows(&[
            (&["1", "256", "0"], [Some(2.0), None, Some(16.0)]),
            (&["1", "256", "1"], [Some(4.0), None, None]),
            (&["1", "64", "0"], all),
            (&["1", "64", "1"], [Some(2.0), Some(6.0), Some(8.0)]),
            (&["2", "64", "0"], all),
        ]);
        let diagrams = diagrams(&rows).unwrap();
        assert_eq!(diagrams.len(), 2);
        assert_eq!(
            (diagrams[0].fixed.as_str(), diagrams[0].size.as_str()),
            ("network.depth=1", "network.width")
        );
        let place = |boundary: &str, size: f64| {
            diagrams[0].places.iter().find(|place| place.boundary == boundary && place.size == size).unwrap()
        };
        let band = place("c_h_loss", 256.0).band().unwrap();
        assert!(band[0] == 2.0 && (band[1] - 8f64.sqrt()).abs() < 1e-12 && band[2] == 4.0);
        assert_eq!((place("c_h_max", 256.0).band(), place("c_h_max", 256.0).missing), (None, 1));
        assert_eq!(place("c_h_sharp", 256.0).band(), None);
        assert_eq!(diagrams[0].places[0].size, 64.0);
        let csv = diagrams[0].table().to_csv();
        assert!(
            csv.starts_with(
                "network.width,boundary,median,least,most,seeds,missing\n64,c_h_loss,2,2,2,2,0\n"
            ),
            "{csv}"
        );
    }

    #[test]
    fn a_sweep_without_sizes_is_refused() {
        let one = rows(&[(&["1", "64", "0"], [None; 3]), (&["1", "64", "1"], [None; 3])]);
        for rows in [rows(&[]), one] {
            assert!(diagrams(&rows).unwrap_err().contains("two sizes"));
        }
    }
}
