//! The maximal initial learning rate.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::{Measurement, exponent, r_squared};
use crate::sweeps::Searched;
use etalon::fit::{Options, Point, PowerLaw, power_law};
use etalon::spec::Spec;
use etalon::statistics::median;
use serde::Deserialize;

/// A number of a search.
type Of = fn(&Searched) -> f64;

const DEPTH: Of = |search| search.spec.network.depth as f64;
const WIDTH: Of = |search| search.spec.network.width as f64;
/// What laws are in the product of.
const SIZES: &[Of] = &[DEPTH, WIDTH];
const ETA_STAR: Of = |search| search.eta_star;
const LAMBDA: Of = |search| search.lambda;

/// Searches that differ in their seed alone.
struct Group<'a>(Vec<&'a Searched>);

impl Group<'_> {
    /// The median on a logarithmic axis.
    fn median(&self, of: Of) -> f64 {
        median(self.0.iter().map(|search| of(search)))
    }
}

/// The groups of some searches, in their order.
fn groups<'a>(searches: impl IntoIterator<Item = &'a Searched>) -> Vec<Group<'a>> {
    let apart_from_seed = |search: &Searched| Spec { seed: 0, ..search.spec.clone() };
    let mut groups: Vec<(Spec, Group<'a>)> = Vec::new();
    for search in searches {
        let spec = apart_from_seed(search);
        match groups.iter_mut().find(|(other, _)| *other == spec) {
            Some((_, group)) => group.0.push(search),
            None => groups.push((spec, Group(vec![search]))),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Whether a network is wide for its depth.
fn is_wide(search: &&Searched) -> bool {
    search.spec.network.width >= 16 * search.spec.network.depth
}

/// `y` as a power of the product of `x`, over medians over seeds.
fn law<'a>(
    searches: impl IntoIterator<Item = &'a Searched>,
    y: Of,
    x: &[Of],
) -> Result<PowerLaw, ClaimError> {
    let point = |group: &Group<'_>| {
        let network = &group.0[0].spec.network;
        let label = format!("depth {} width {}", network.depth, network.width);
        Point { label, x: x.iter().map(|&x| group.median(x)).collect(), y: group.median(y) }
    };
    let points: Vec<Point> = groups(searches).iter().map(point).collect();
    let names: Vec<String> = (0..x.len()).map(|index| format!("x{index}")).collect();
    Ok(power_law("y", &names, &points, Vec::new(), &Options::default())?)
}

/// The maximal learning rate as a power of depth and of width, each with an exponent of its own.
pub(crate) fn rate_by_size(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let law = law(&searches, ETA_STAR, SIZES)?;
    for (index, name) in ["depth", "width"].into_iter().enumerate() {
        experiment.measured(name, Measurement::free_exponent(&law, index));
    }
    keep(experiment, &searches);
    Ok(())
}

/// eta* and lambda of every network of a sweep, as a table.
fn keep(experiment: &mut Experiment<'_>, searches: &[Searched]) {
    const COLUMNS: &[&str] = &["network.depth", "network.width", "seed", "eta_star", "lambda"];
    let row = |search: &Searched| {
        vec![DEPTH(search), WIDTH(search), search.spec.seed as f64, search.eta_star, search.lambda]
    };
    experiment.curve("searches", COLUMNS, searches.iter().map(row).collect());
}

/// The maximal initial learning rate as a power of depth x width.
pub(crate) fn size_law(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let wide = law(searches.iter().filter(is_wide), ETA_STAR, SIZES)?;
    experiment.measured("exponent", Measurement::exponent(&wide));
    experiment.measured("fit", Measurement::one(r_squared(&wide)));
    experiment.measured("all", Measurement::one(r_squared(&law(&searches, ETA_STAR, SIZES)?)));
    keep(experiment, &searches);
    Ok(())
}

/// The same law where the input layer is trained, beside the one where it is at rest.
pub(crate) fn input_layer(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let at_rest = experiment.searched_with(&[("input_factor", 0.0.into())])?;
    let at_rest = law(at_rest.iter().filter(is_wide), ETA_STAR, SIZES)?;
    let searches = experiment.searched()?;
    let trained = law(searches.iter().filter(is_wide), ETA_STAR, SIZES)?;
    experiment.measured("gap", Measurement::difference(&trained, &at_rest));
    experiment.measured("exponent", Measurement::exponent(&trained));
    experiment.measured("fit", Measurement::one(r_squared(&trained)));
    keep(experiment, &searches);
    Ok(())
}

/// The same law for each accuracy that counts as trained.
pub(crate) fn accuracy_thresholds(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let mut thresholds: Vec<f64> =
        searches.iter().filter_map(|search| search.spec.search.threshold).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let of = |threshold: f64| {
        let chosen = searches.iter().filter(is_wide);
        law(chosen.filter(|search| search.spec.search.threshold == Some(threshold)), ETA_STAR, SIZES)
    };
    let laws = thresholds.into_iter().map(of).collect::<Result<Vec<PowerLaw>, ClaimError>>()?;
    let by_exponent = |a: &&PowerLaw, b: &&PowerLaw| exponent(a).total_cmp(&exponent(b));
    let ends = laws.iter().max_by(by_exponent).zip(laws.iter().min_by(by_exponent));
    let spread = ends.map_or(Measurement::NONE, |(most, least)| Measurement::difference(most, least));
    experiment.measured("spread", spread);
    experiment.measured("fit", Measurement::least(&laws.iter().map(r_squared).collect::<Vec<f64>>()));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataSets {
    /// By the names of their quantities.
    sets: Vec<DataSet>,
}

/// A data set and what the grid says of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataSet {
    name: String,
    keys: String,
    /// Steps of an epoch.
    epoch: i64,
    threshold: f64,
}

/// The law of the rate for each data set by its own threshold, and the largest sharpness over depth x width.
pub(crate) fn data_sets(
    DataSets { sets }: DataSets,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut over, mut rows) = (Vec::new(), Vec::new());
    for (index, DataSet { name, keys, epoch, threshold }) in sets.into_iter().enumerate() {
        experiment.at(&name)?;
        let others = [("keys", keys.into()), ("epoch", epoch.into()), ("threshold", threshold.into())];
        let searches = experiment.searched_with(&others)?;
        let found = law(searches.iter().filter(is_wide), ETA_STAR, SIZES)?;
        experiment.measured(format!("{name}_fit"), Measurement::one(r_squared(&found)));
        experiment.measured(name, Measurement::exponent(&found));
        over.extend(searches.iter().map(|search| search.lambda / (DEPTH(search) * WIDTH(search))));
        let row = |search: &Searched| {
            vec![
                index as f64,
                DEPTH(search),
                WIDTH(search),
                search.spec.seed as f64,
                search.eta_star,
                search.lambda,
            ]
        };
        rows.extend(searches.iter().map(row));
    }
    experiment.measured("largest", Measurement::most(&over));
    const COLUMNS: &[&str] = &["set", "network.depth", "network.width", "seed", "eta_star", "lambda"];
    experiment.curve("searches", COLUMNS, rows);
    Ok(())
}

/// The sharpness at the start as a power of depth x width.
pub(crate) fn sharpness_law(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let wide = law(searches.iter().filter(is_wide), LAMBDA, SIZES)?;
    let over = |group: &Group<'_>| {
        let largest = group.0.iter().map(|search| search.lambda).fold(f64::NEG_INFINITY, f64::max);
        largest / (group.median(DEPTH) * group.median(WIDTH))
    };
    experiment.measured("exponent", Measurement::exponent(&wide));
    experiment.measured("fit", Measurement::one(r_squared(&wide)));
    let over: Vec<f64> = groups(&searches).iter().map(over).collect();
    experiment.measured("largest", Measurement::most(&over));
    Ok(())
}

/// The maximal initial learning rate as a power of the sharpness at the start.
pub(crate) fn rate_against_sharpness(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let found = law(searches.iter().filter(is_wide), ETA_STAR, &[LAMBDA])?;
    experiment.measured("exponent", Measurement::exponent(&found));
    experiment.measured("fit", Measurement::one(r_squared(&found)));
    Ok(())
}

/// The largest rate of a network that has been trained for a while, over that of a fresh one.
pub(crate) fn later_rates(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let searches = experiment.searched()?;
    let is_fresh = |search: &&Searched| search.spec.search.after_epochs == 0.0;
    let row = |fresh: &Searched| {
        let same = |later: &&Searched| {
            let mut spec = later.spec.clone();
            spec.search.after_epochs = 0.0;
            later.spec.search.after_epochs > 0.0 && spec == fresh.spec
        };
        let later = searches.iter().find(same).map_or(f64::NAN, |later| later.eta_star);
        vec![DEPTH(fresh), WIDTH(fresh), fresh.spec.seed as f64, fresh.eta_star, later / fresh.eta_star]
    };
    let rows: Vec<Vec<f64>> = searches.iter().filter(is_fresh).map(row).collect();
    let ratios: Vec<f64> = rows.iter().map(|row| row[4]).collect();
    experiment.measured("ratio", Measurement::median(&ratios));
    experiment.curve("ratios", &["network.depth", "network.width", "seed", "eta_star", "ratio"], rows);
    Ok(())
}
