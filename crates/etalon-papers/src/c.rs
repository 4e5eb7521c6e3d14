//! The maximal initial learning rate.

use super::{Bench, Certainty, Claim, ClaimError, Paper, Quantity, Reading, Setting, Size};
use etalon::fit::{Options, PowerLaw, power_law};
use etalon::sweep::{Constraint, Measured, Selection, Table, points};

/// Iyer, Hanin and Rolnick 2023.
static PAPER: Paper = Paper {
    letter: 'C',
    title: "Maximal initial learning rates in deep ReLU networks",
    authors: "Iyer, Hanin and Rolnick 2023",
    arxiv: "2212.07295",
};

/// The claims of this paper.
pub(super) const CLAIMS: &[Claim] = &[LAW, INPUT_LAYER, THRESHOLD, CURVATURE, NOT_INVERSE, LATER];

const SIZES: [&str; 2] = ["network.depth", "network.width"];
/// Networks that are wide for their depth.
const WIDE: &str = "network.width >= 16 * network.depth";

/// A grid of searches; `axes` and `more` are lines of its `[grid]` and of the spec.
fn grid(size: Size, seed: u64, axes: &str, seeds: u64) -> String {
    let (data, train, networks) = size.of([
        ("fashion-mini", 2000, "network.width = [64, 128, 256]\nnetwork.depth = [2, 3, 5, 7]"),
        ("fashion-mini", 2000, "network.width = [64, 128, 256]\nnetwork.depth = [2, 3, 5, 7]"),
        ("fashion-mnist", 2048, "network.width = [64, 128, 256, 512]\nnetwork.depth = [2, 3, 4, 5, 7, 9]"),
    ]);
    let list: Vec<String> = (0..seeds).map(|index| (seed + index).to_string()).collect();
    let networks = if axes.contains("network.") { "" } else { networks };
    format!(
        "[data]\nname = \"{data}\"\ntrain = {train}\ntest = 10\nnormalize = \"global\"\n[optimizer]\neta = 0.05\n[train]\nbatch = 64\nsteps = \
         160\ncheck_every = 20\ncheck_samples = 1000\n[measure]\nsamples = 512\n[search]\nthreshold = 0.6\nrange = [0.02, 16.0]\nseeds = 1\n\
         rates = 0\nphase = false\n[grid]\njob = \"find\"\n{networks}\n{axes}\nseed = [{}]\n",
        list.join(", ")
    )
}

/// The searches that most claims are about, with the input layer at rest or trained like the others.
fn searches(size: Size, seed: u64, input_factor: &str) -> String {
    grid(size, seed, &format!("optimizer.input_factor = [{input_factor}]"), size.of([2, 4, 5]))
}

fn setting(size: Size, spec: String, what: &str, seconds: [f64; 3]) -> Setting {
    let words = format!(
        "fully connected ReLU networks, depths and widths as in the grid, cross-entropy, SGD with batches of 64 for 160 steps; a rate \
         trains if 60 % of 1000 training images are right at a check; {what}"
    );
    Setting::network(size.of(seconds), spec, words)
}

fn measured(table: &Table, y: &str, x: &[&str], only: &[&str]) -> Result<Measured, ClaimError> {
    let only = only.iter().map(|text| Constraint::parse(text)).collect::<Result<Vec<_>, String>>();
    let selection = Selection {
        y: y.into(),
        x: x.iter().map(ToString::to_string).collect(),
        only: only.map_err(ClaimError::Other)?,
    };
    Ok(points(table, &selection)?)
}

fn law(table: &Table, y: &str, x: &[&str], only: &[&str]) -> Result<PowerLaw, ClaimError> {
    let found = measured(table, y, x, only)?;
    let x: Vec<String> = x.iter().map(ToString::to_string).collect();
    Ok(power_law(y, &x, &found.points, found.excluded, &Options::default())?)
}

fn r_squared(law: &PowerLaw) -> Reading {
    Reading::one(law.joint.r_squared.unwrap_or(f64::NAN))
}

fn exponent(law: &PowerLaw) -> f64 {
    law.joint.exponents[0].value
}

/// eta* and lambda of every network of a sweep, as a curve.
fn keep(bench: &mut Bench<'_>, name: &'static str, table: &Table) {
    const COLUMNS: &[&str] = &["network.depth", "network.width", "seed", "eta_star", "lambda"];
    let places: Vec<Option<usize>> = COLUMNS.iter().map(|column| table.column(column)).collect();
    let number = |row: &[String], place: &Option<usize>| {
        place.and_then(|place| row[place].parse().ok()).unwrap_or(f64::NAN)
    };
    let rows = table.rows.iter().map(|row| places.iter().map(|place| number(row, place)).collect());
    bench.curve(name, COLUMNS, rows.collect());
}

const LAW: Claim = Claim {
    id: "C-1",
    paper: &PAPER,
    place: "abstract",
    statement: "The maximal initial learning rate is a power of depth x width, where the width is large beside the depth and the input \
                layer is trained at a small rate.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "exponent",
            "the power of depth x width, input layer at rest, width at least 16 x depth",
        )
        .between(-0.75, -0.4),
        Quantity::new("fit", "R^2 of that law").at_least(0.85),
        Quantity::new("all", "R^2 with the narrow networks among them"),
    ],
    setting: |size, seed| {
        setting(
            size,
            searches(size, seed, "0.0"),
            "medians over seeds; the input layer at rest",
            [15.0, 50.0, 900.0],
        )
    },
    measure: |bench| {
        let table = bench.sweep(&searches(bench.size(), bench.seed(), "0.0"))?;
        let wide = law(&table, "eta_star", &SIZES, &[WIDE])?;
        bench.read("exponent", Reading::exponent(&wide));
        bench.read("fit", r_squared(&wide));
        bench.read("all", r_squared(&law(&table, "eta_star", &SIZES, &[])?));
        keep(bench, "searches", &table);
        Ok(())
    },
};

const INPUT_LAYER: Claim = Claim {
    id: "C-2",
    paper: &PAPER,
    place: "abstract",
    statement: "Without the small rate of the input layer that relation breaks.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "gap",
            "the power of depth x width with the input layer trained, less that with it at rest",
        )
        .at_least(0.18),
        Quantity::new("exponent", "the power with the input layer trained like the others"),
        Quantity::new("fit", "R^2 of that law"),
    ],
    setting: |size, seed| {
        let what = "medians over seeds; the input layer trained, beside the searches of C-1";
        setting(size, searches(size, seed, "1.0"), what, [15.0, 50.0, 900.0])
    },
    measure: |bench| {
        let (size, seed) = (bench.size(), bench.seed());
        let frozen = law(&bench.sweep(&searches(size, seed, "0.0"))?, "eta_star", &SIZES, &[WIDE])?;
        let table = bench.sweep(&searches(size, seed, "1.0"))?;
        let trained = law(&table, "eta_star", &SIZES, &[WIDE])?;
        bench.read("gap", Reading::one(exponent(&trained) - exponent(&frozen)));
        bench.read("exponent", Reading::exponent(&trained));
        bench.read("fit", r_squared(&trained));
        keep(bench, "searches", &table);
        Ok(())
    },
};

fn thresholds(size: Size, seed: u64) -> (String, &'static [&'static str]) {
    let (thresholds, seeds): (&[&str], u64) =
        size.of([(&["0.5", "0.7"], 1), (&["0.4", "0.5", "0.7"], 2), (&["0.4", "0.5", "0.7"], 5)]);
    let axes = format!("optimizer.input_factor = [0.0]\nsearch.threshold = [{}]", thresholds.join(", "));
    (grid(size, seed, &axes, seeds), thresholds)
}

const THRESHOLD: Claim = Claim {
    id: "C-3",
    paper: &PAPER,
    place: "experiments",
    statement: "The exponent does not depend much on the accuracy that counts as trained.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("spread", "the largest less the least exponent of depth x width, over accuracies")
            .at_most(0.15),
        Quantity::new("fit", "the least R^2"),
    ],
    setting: |size, seed| {
        let what = "here the share of right images varies; the input layer at rest";
        setting(size, thresholds(size, seed).0, what, [15.0, 50.0, 900.0])
    },
    measure: |bench| {
        let (text, thresholds) = thresholds(bench.size(), bench.seed());
        let table = bench.sweep(&text)?;
        let laws = thresholds.iter().map(|threshold| {
            law(&table, "eta_star", &SIZES, &[WIDE, &format!("search.threshold == {threshold}")])
        });
        let laws = laws.collect::<Result<Vec<PowerLaw>, ClaimError>>()?;
        let exponents: Vec<f64> = laws.iter().map(exponent).collect();
        let ends =
            [Reading::least(&exponents), Reading::most(&exponents)].map(|end| end.value.unwrap_or(f64::NAN));
        bench.read("spread", Reading::interval(ends[1] - ends[0], [f64::NAN; 2], exponents.len()));
        let fits: Vec<f64> = laws.iter().map(|law| law.joint.r_squared.unwrap_or(f64::NAN)).collect();
        bench.read("fit", Reading::least(&fits));
        Ok(())
    },
};

const CURVATURE: Claim = Claim {
    id: "C-4",
    paper: &PAPER,
    place: "abstract",
    statement: "The sharpness at the start is bounded by a power of depth x width, and follows it.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("exponent", "the power of depth x width of the trained layers' sharpness")
            .between(0.8, 1.25),
        Quantity::new("fit", "R^2 of that law").at_least(0.88),
        Quantity::new("largest", "the largest sharpness of a seed over depth x width, narrow networks too")
            .at_most(1.0),
    ],
    setting: |size, seed| {
        setting(
            size,
            searches(size, seed, "0.0"),
            "medians over seeds; the searches of C-1",
            [15.0, 50.0, 900.0],
        )
    },
    measure: |bench| {
        let table = bench.sweep(&searches(bench.size(), bench.seed(), "0.0"))?;
        let wide = law(&table, "lambda", &SIZES, &[WIDE])?;
        let all = measured(&table, "lambda", &SIZES, &[])?;
        let over =
            all.points.iter().zip(&all.spreads).map(|(point, spread)| spread[1] / (point.x[0] * point.x[1]));
        bench.read("exponent", Reading::exponent(&wide));
        bench.read("fit", r_squared(&wide));
        bench.read("largest", Reading::most(&over.collect::<Vec<f64>>()));
        Ok(())
    },
};

const NOT_INVERSE: Claim = Claim {
    id: "C-5",
    paper: &PAPER,
    place: "abstract",
    statement: "The maximal initial learning rate and the sharpness at the start are closely related, but not inversely.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("exponent", "the power of the trained layers' sharpness with which the rate goes")
            .between(-0.8, -0.2),
        Quantity::new("fit", "R^2 of that law").at_least(0.75),
    ],
    setting: |size, seed| {
        setting(
            size,
            searches(size, seed, "0.0"),
            "medians over seeds; the searches of C-1",
            [15.0, 50.0, 900.0],
        )
    },
    measure: |bench| {
        let table = bench.sweep(&searches(bench.size(), bench.seed(), "0.0"))?;
        let found = law(&table, "eta_star", &["lambda"], &[WIDE])?;
        bench.read("exponent", Reading::exponent(&found));
        bench.read("fit", r_squared(&found));
        Ok(())
    },
};

const LATER: Claim = Claim {
    id: "C-6",
    paper: &PAPER,
    place: "abstract",
    statement: "The maximal initial learning rate is another one than the largest rate later in training.",
    certainty: Certainty::Found,
    quantities: &[Quantity::new(
        "ratio",
        "the median over networks of the largest rate after 20 epochs over that at the start",
    )
    .at_most(0.85)],
    setting: |size, seed| {
        setting(
            size,
            later(size, seed),
            "medians over seeds; after 0 and 20 epochs at a rate of 0.05",
            [15.0, 40.0, 600.0],
        )
    },
    measure: |bench| {
        let table = bench.sweep(&later(bench.size(), bench.seed()))?;
        let after = |epochs: &str| {
            measured(&table, "eta_star", &SIZES, &[&format!("search.after_epochs == {epochs}")])
        };
        let (first, last) = (after("0")?.points, after("20")?.points);
        let ratio = |point: &etalon::fit::Point| {
            let later = last.iter().find(|later| later.x == point.x);
            later.map_or(f64::NAN, |later| later.y / point.y)
        };
        let rows: Vec<Vec<f64>> =
            first.iter().map(|point| vec![point.x[0], point.x[1], point.y, ratio(point)]).collect();
        bench.read("ratio", Reading::median(&rows.iter().map(|row| row[3]).collect::<Vec<f64>>()));
        bench.curve("ratios", &["network.depth", "network.width", "eta_star", "ratio"], rows);
        Ok(())
    },
};

fn later(size: Size, seed: u64) -> String {
    let axes = "network.width = [64, 256]\nnetwork.depth = [2, 5]\nsearch.after_epochs = [0.0, 20.0]";
    grid(size, seed, axes, size.of([1, 3, 5]))
}
