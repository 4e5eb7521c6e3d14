//! Patches on images, and noise before the activations.

use super::PAPER;
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::sweep::Table;

/// How a network is trained.
#[derive(Clone, Copy, PartialEq)]
enum Training {
    /// A large rate, lowered.
    Large,
    /// The small one throughout.
    Small,
    /// The small one, at first with noise.
    Noise,
}

/// With a patch and without one, at a large rate that is lowered, at the small one, and at the small one with noise.
fn grid(size: Size, seed: u64) -> String {
    let (data, network, steps, anneal, more) = match size {
        Size::Quick => (
            "name = \"fashion-mini\"\ntrain = 2000\ntest = 500",
            "kind = \"cnn\"\ndepth = 6\nwidth = 8\nstage = 2\npool = \"stride\"\nnormalizer = \"batch\"\noutput_gain = 0.333333",
            750,
            310,
            "batch = 32",
        ),
        Size::Standard => (
            "name = \"cifar10\"\ntrain = 5000\ntest = 1000",
            "kind = \"cnn\"\ndepth = 6\nwidth = 16\nstage = 2\npool = \"stride\"\nnormalizer = \"batch\"\noutput_gain = 0.333333",
            2496,
            936,
            "batch = 64",
        ),
        Size::Paper => (
            "name = \"cifar10\"\ntrain = \"all\"\ntest = \"all\"",
            "kind = \"wrn\"\ndepth = 16\nwiden = 10",
            23_400,
            11_700,
            "batch = 128",
        ),
    };
    let shrink = if size == Size::Paper { 1 } else { 2 };
    let (patch, offset) = if size == Size::Paper { (7, 0.1) } else { (4, 0.4) };
    let (large, small, noise) = if size == Size::Paper { (0.1, 0.004, 0.4) } else { (0.5, 0.02, 0.8) };
    let seeds: Vec<String> = (0..size.of([1, 3, 3])).map(|index| (seed + index).to_string()).collect();
    let seeds = seeds.join(", ");
    format!(
        "[data]\n{data}\nnormalize = \"channel\"\nshrink = {shrink}\n[data.patch]\noffset = {offset}\n[network]\n{network}\nfan = \
         \"out\"\n[optimizer]\nmomentum = 0.9\nnesterov = true\nweight_decay = 5e-4\n[schedule]\nkind = \"step\"\nmilestones = \
         [{anneal}]\n[noise]\nuntil = {anneal}\n[train]\n{more}\nsteps = {steps}\ncheck_every = {}\ncheck_samples = 1000\n[grid]\nseed = \
         [{seeds}]\n\"data.patch.seed\" = [{seeds}]\n\"data.patch.size\" = [{patch}, 0]\n\"noise.level\" = [0.0, \
         {noise}]\n\"optimizer.eta\" = [{large}, {small}]\n\"schedule.factor\" = [0.04, 1.0]\nwhere = [\"data.patch.seed == seed\", \
         \"optimizer.eta * schedule.factor <= {}\", \"optimizer.eta * schedule.factor >= {}\", \"noise.level * optimizer.eta < {}\"]\n",
        size.of([31, 78, 390]),
        1.01 * small,
        0.99 * small,
        0.5 * noise * large,
    )
}

/// A column of the runs of one kind, seed by seed.
fn column(table: &Table, name: &str, patched: bool, training: Training) -> Result<Vec<f64>, ClaimError> {
    let (size, level) = (table.need("data.patch.size")?, table.need("noise.level")?);
    let (factor, wanted) = (table.need("schedule.factor")?, table.need(name)?);
    let number = |row: &[String], column: usize| row[column].parse().unwrap_or(f64::NAN);
    let is_of_kind = |row: &&Vec<String>| {
        let found = match (number(row, factor) < 1.0, number(row, level) > 0.0) {
            (true, _) => Training::Large,
            (false, false) => Training::Small,
            (false, true) => Training::Noise,
        };
        found == training && (number(row, size) > 0.0) == patched
    };
    Ok(table.rows.iter().filter(is_of_kind).map(|row| number(row, wanted)).collect())
}

/// Held-out accuracies of the three trainings, seed by seed.
fn accuracies(table: &Table, patched: bool) -> Result<[Vec<f64>; 3], ClaimError> {
    let of = |training| column(table, "test_accuracy", patched, training);
    Ok([of(Training::Large)?, of(Training::Small)?, of(Training::Noise)?])
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn table(bench: &mut Bench<'_>) -> Result<Table, ClaimError> {
    bench.sweep(&grid(bench.size(), bench.seed()))
}

fn setting(size: Size, seed: u64, what: &str) -> Setting {
    let words = format!(
        "convolutional networks with batch normalisation, SGD with Nesterov momentum 0.9 and weight decay 5e-4, no augmentation: a large \
         rate divided by 25 at the milestone, that small rate throughout, and the small rate with noise before every activation until \
         the milestone; {what}"
    );
    Setting::network(size.of([40.0, 900.0, 4e6]), grid(size, seed), words)
}

pub(super) const GENERALISES: Claim = Claim {
    id: "E-1",
    paper: &PAPER,
    place: "introduction, figure 1",
    statement: "A network that begins at a large rate, lowered later, generalises better than one trained at a small rate.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("gap", "held-out accuracy, large less small, median over seeds").at_least(0.01),
        Quantity::new("large", "held-out accuracy of the large rate"),
        Quantity::new("small", "held-out accuracy of the small rate"),
    ],
    setting: |size, seed| setting(size, seed, "images without a patch"),
    measure: |bench| {
        let [large, small, _] = accuracies(&table(bench)?, false)?;
        bench.read("gap", Reading::median(&differences(&large, &small)));
        bench.read("large", Reading::median(&large));
        bench.read("small", Reading::median(&small));
        Ok(())
    },
};

pub(super) const NOISE_ALONE: Claim = Claim {
    id: "E-2",
    paper: &PAPER,
    place: "section 5, table without augmentation",
    statement: "Without augmentation, held-out accuracy is highest with the large rate, lower with the small rate and noise before the \
                activations, and lowest with the small rate alone.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("over_noise", "held-out accuracy, large less noise, median over seeds").at_least(0.0),
        Quantity::new("over_small", "held-out accuracy, noise less small, median over seeds").at_least(0.0),
    ],
    setting: |size, seed| setting(size, seed, "images without a patch"),
    measure: |bench| {
        let [large, small, noise] = accuracies(&table(bench)?, false)?;
        bench.read("over_noise", Reading::median(&differences(&large, &noise)));
        bench.read("over_small", Reading::median(&differences(&noise, &small)));
        Ok(())
    },
};

pub(super) const ORDER: Claim = Claim {
    id: "E-3",
    paper: &PAPER,
    place: "section 5, patches",
    statement: "A small rate learns a patch early and is worse on clean images in the end; a large rate passes the patch over until it is \
                lowered.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "later",
            "the step at which patches alone are learnt, large over small, least over seeds",
        )
        .at_least(1.5),
        Quantity::new("gap", "accuracy on clean held-out images, large less small, median over seeds")
            .at_least(0.03),
        Quantity::new(
            "of_patch",
            "that gap less the one without a patch: what the patch itself does, median over seeds",
        ),
        Quantity::new("large", "the step at which the large rate has learnt the patch").in_unit("steps"),
        Quantity::new("small", "the step at which the small rate has learnt it").in_unit("steps"),
    ],
    setting: |size, seed| setting(size, seed, "with a patch in 80 % of the images, and without one"),
    measure: |bench| {
        let table = table(bench)?;
        let learnt = |training| column(&table, "patch_only_learnt_at", true, training);
        let (late, early) = (learnt(Training::Large)?, learnt(Training::Small)?);
        // What was never learnt was learnt after the end.
        let end = column(&table, "steps", true, Training::Large)?;
        let late: Vec<f64> =
            late.iter().zip(&end).map(|(&step, &end)| if step.is_nan() { end } else { step }).collect();
        let ratios: Vec<f64> = late.iter().zip(&early).map(|(late, early)| late / early).collect();
        bench.read("later", Reading::least(&ratios));
        let ([large, small, _], [plain_large, plain_small, _]) =
            (accuracies(&table, true)?, accuracies(&table, false)?);
        let gaps = differences(&large, &small);
        bench.read("gap", Reading::median(&gaps));
        bench
            .read("of_patch", Reading::median(&differences(&gaps, &differences(&plain_large, &plain_small))));
        bench.read("large", Reading::median(&late));
        bench.read("small", Reading::median(&early));
        Ok(())
    },
};

pub(super) const NOISE: Claim = Claim {
    id: "E-4",
    paper: &PAPER,
    place: "section 5, mitigation",
    statement: "Noise before the activations, removed later, recovers most of what a small rate loses on images with patches.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "share",
            "the share of the gap between large and small that noise recovers, median over seeds",
        )
        .at_least(0.5),
        Quantity::new("gap", "accuracy on clean held-out images, large less small, median over seeds"),
        Quantity::new("gain", "the same, noise less small"),
    ],
    setting: |size, seed| setting(size, seed, "with a patch in 80 % of the images"),
    measure: |bench| {
        let [large, small, noise] = accuracies(&table(bench)?, true)?;
        let (gaps, gains) = (differences(&large, &small), differences(&noise, &small));
        let shares: Vec<f64> = gains.iter().zip(&gaps).map(|(gain, gap)| gain / gap).collect();
        bench.read("share", Reading::median(&shares));
        bench.read("gap", Reading::median(&gaps));
        bench.read("gain", Reading::median(&gains));
        Ok(())
    },
};
