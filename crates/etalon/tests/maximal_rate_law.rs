//! eta* and curvature as powers of depth x width (2212.07295, abstract): what the paper says, on real images at a size
//! that a test can have. The bands are those in which five independent groups of seeds were seen to lie, widened.

use etalon::fit::{Options, PowerLaw, power_law};
use etalon::sweep::{Constraint, Grid, Selection, Store, Table, points, run};
use std::sync::atomic::AtomicBool;

const GRID: &str = r#"
    [data]
    train = 2000
    test = 10
    normalize = "global"
    [train]
    batch = 64
    steps = 160
    check_every = 20
    check_samples = 1000
    [search]
    threshold = 0.6
    range = [0.02, 16.0]
    seeds = 1
    eta_star = "only"
    phase = false
    [grid]
    job = "find"
    network.width = [64, 128, 256]
    network.depth = [2, 3, 5, 7]
    optimizer.input_factor = [0.0, 1.0]
    seed = [0, 1, 2]
"#;

/// The law of a column with a factor of the input layer's rate, on networks that are wide for their depth.
fn law(summary: &Table, y: &str, x: &[&str], factor: f64) -> PowerLaw {
    let only = ["network.width >= 16 * network.depth".into(), format!("optimizer.input_factor == {factor}")];
    let only = only.iter().map(|text: &String| Constraint::parse(text).unwrap()).collect();
    let x: Vec<String> = x.iter().map(ToString::to_string).collect();
    let selection = Selection { y: y.into(), x, only };
    let measured = points(summary, &selection).unwrap();
    assert!(measured.points.iter().all(|point| point.y > 0.0), "every network trains at some rate");
    let law = power_law(y, &selection.x, &measured.points, measured.excluded, &Options::default()).unwrap();
    println!(
        "{y} on {} with input factor {factor}: {:.3}, R^2 {:.3}",
        law.x.join(" * "),
        b(&law),
        r_squared(&law)
    );
    law
}

fn b(law: &PowerLaw) -> f64 {
    law.joint.exponents[0].value
}

fn r_squared(law: &PowerLaw) -> f64 {
    law.joint.r_squared.unwrap()
}

#[test]
#[ignore = "takes minutes; ./check runs it"]
fn the_maximal_rate_is_a_power_of_depth_times_width() {
    let grid = Grid::parse(GRID).unwrap();
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), &grid, &etalon::record::Meta::default()).unwrap();
    let options =
        etalon::sweep::Options { threads: rayon::current_num_threads(), stop: &AtomicBool::new(false) };
    let report = run(&store, &grid, &options, &|_| {}).unwrap();
    assert_eq!((report.done, report.failed), (72, 0), "{report:?}");
    let summary = store.summary().unwrap();
    let sizes = ["network.depth", "network.width"];

    // The input layer at rest: a power law, with exponents of both sizes that are near each other.
    let frozen = law(&summary, "eta_star", &sizes, 0.0);
    assert!(r_squared(&frozen) >= 0.85 && (-0.75..=-0.40).contains(&b(&frozen)), "{:?}", frozen.joint);
    let free = frozen.free.as_ref().unwrap();
    let [depth, width] = [0, 1].map(|index| free.exponents[index].value);
    assert!((-1.0..=-0.40).contains(&depth) && (-0.72..=-0.28).contains(&width), "{free:?}");

    // Trained as fast as the others, it flattens the law.
    let trained = law(&summary, "eta_star", &sizes, 1.0);
    assert!(
        (-0.42..=-0.05).contains(&b(&trained)) && b(&trained) - b(&frozen) >= 0.18,
        "{:?}",
        trained.joint
    );

    // Curvature at the start grows in proportion, in the layers that are trained.
    let block = law(&summary, "lambda", &sizes, 0.0);
    assert!(r_squared(&block) >= 0.88 && (0.80..=1.25).contains(&b(&block)), "{:?}", block.joint);
    let full = law(&summary, "lambda", &sizes, 1.0);
    assert!((0.35..=0.90).contains(&b(&full)), "{:?}", full.joint);

    // eta* follows curvature, and not inversely.
    let inverse = law(&summary, "eta_star", &["lambda"], 0.0);
    assert!(r_squared(&inverse) >= 0.75 && (-0.72..=-0.35).contains(&b(&inverse)), "{:?}", inverse.joint);
    let full = law(&summary, "eta_star", &["lambda"], 1.0);
    assert!((-0.50..=-0.12).contains(&b(&full)), "{:?}", full.joint);
}
