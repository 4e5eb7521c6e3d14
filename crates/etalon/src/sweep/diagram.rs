//! The boundaries of a sweep over a size, folded over seeds.

use super::Table;
use crate::spec::KEYS;
use crate::statistics::median;

/// The boundaries that a diagram shows, by their columns.
pub const BOUNDARIES: [&str; 3] = ["c_h_loss", "c_h_sharp", "c_h_max"];

/// The name of a column today, where results written before call a boundary `c_loss`, `c_sharp` or `c_max`: as if `c` were
/// the one of the NTK.
pub(crate) fn current_name(name: &str) -> &str {
    match name {
        "c_loss" => BOUNDARIES[0],
        "c_sharp" => BOUNDARIES[1],
        "c_max" => BOUNDARIES[2],
        other => other,
    }
}

/// Boundaries over one key of the grid, all others but the seed being fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// The other keys and their values, such as `network.depth=2`; empty where there is none.
    pub fixed: String,
    /// The key that is the size.
    pub size: String,
    /// One for each size and boundary, the sizes ascending.
    pub places: Vec<Place>,
}

/// A boundary at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Which of [`BOUNDARIES`].
    pub boundary: &'static str,
    /// The size.
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
/// When the summary has no boundaries, or no size.
pub fn diagrams(summary: &Table) -> Result<Vec<Diagram>, String> {
    summary.column("sharpness").ok_or("the summary has no boundaries; sweep with job = \"boundaries\"")?;
    let is_key = |name: &str| name != "seed" && KEYS.iter().any(|key| key.path == name);
    let keys = || (0..summary.columns.len()).filter(|&index| is_key(&summary.columns[index]));
    let is_size = |&index: &usize| {
        let first = summary.rows.first().map(|row| &row[index]);
        let numbers = summary.rows.iter().all(|row| row[index].parse::<f64>().is_ok());
        numbers && summary.rows.iter().any(|row| Some(&row[index]) != first)
    };
    let named = |name: &str| keys().filter(is_size).find(|&index| summary.columns[index] == name);
    let size = named("network.width").or_else(|| named("network.depth")).or_else(|| keys().find(is_size));
    let size = size.ok_or("no key of the grid has two sizes, such as network.width = [64, 256]")?;
    let mut diagrams: Vec<Diagram> = Vec::new();
    for row in &summary.rows {
        let others = keys().filter(|&index| index != size);
        let fixed: Vec<String> =
            others.map(|index| format!("{}={}", summary.columns[index], row[index])).collect();
        let fixed = fixed.join(" ");
        let place = match diagrams.iter().position(|diagram| diagram.fixed == fixed) {
            Some(place) => place,
            None => {
                diagrams.push(Diagram { fixed, size: summary.columns[size].clone(), places: Vec::new() });
                diagrams.len() - 1
            }
        };
        let places = &mut diagrams[place].places;
        let at = row[size].parse().unwrap_or(f64::NAN);
        for boundary in BOUNDARIES {
            let value: Option<f64> = summary.column(boundary).and_then(|column| row[column].parse().ok());
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

    const TEXT: &str = "trial,network.depth,network.width,seed,sharpness,c_h_loss,c_h_sharp,c_h_max\n\
        a,1,256,0,3,2,,16\nb,1,256,1,3,4,,\nc,1,64,0,3,2,5,8\nd,1,64,1,3,2,6,8\ne,2,64,0,3,2,5,8\n";

    #[test]
    fn seeds_are_folded_and_other_keys_make_diagrams() {
        let diagrams = diagrams(&Table::parse(TEXT).unwrap()).unwrap();
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
    fn a_summary_without_boundaries_or_sizes_is_refused() {
        let of = |text: &str| diagrams(&Table::parse(text).unwrap()).unwrap_err();
        assert!(of("trial,seed,eta_star\na,0,1\n").contains("job = \"boundaries\""));
        assert!(of("trial,network.width,sharpness,c_h_loss\na,64,3,2\n").contains("two sizes"));
    }
}
