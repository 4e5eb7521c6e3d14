//! What a search for eta* costs beside a scan of the same axis at the same resolution.

use etalon::jobs::unheard;
use etalon::search::Stopped;
use etalon::spec::Spec;
use etalon::sweep::Grid;
use etalon::train::{Goal, Stop, run};
use rayon::prelude::*;

/// Twelve deep linear networks on whole batches, where success is monotone in the rate.
const SMALL: &str = r#"
    loss = "mse"
    [data]
    name = "teacher"
    train = 32
    test = 4
    dimension = 8
    noise = 0.0
    [network]
    activation = "identity"
    parametrization = "ntk"
    bias = false
    [train]
    batch = "full"
    steps = 400
    check_every = 5
    [measure]
    samples = 32
    [search]
    metric = "train_loss"
    threshold = 0.1
    tolerance = 0.05
    range = [0.01, 16.0]
    seeds = 1
    eta_star = "only"
    phase = false
    [grid]
    job = "find"
    network.width = [64, 128, 256, 512]
    network.depth = [1, 2, 3]
"#;

/// What one cell cost, and what was found.
struct Cost {
    search_steps: u64,
    scan_steps: u64,
    /// eta* of both.
    search: f64,
    scan: f64,
    /// The ratio of the search's bracket.
    ratio: f64,
}

/// Trains at every rate of the range that lies the tolerance above the one before; a rate at which the threshold is
/// reached, or training lost, ends there, as in the search. eta* is defined as there, too.
fn scan(spec: &Spec) -> (u64, f64) {
    let task = spec.task::<f32>().unwrap();
    let goal = Goal { metric: spec.search.metric.unwrap(), threshold: spec.search.threshold.unwrap() };
    let plan = spec.plan(&task).unwrap().with_goal(goal, &task).unwrap();
    let [low, high] = spec.search.range[..] else { panic!("a scan needs a range") };
    let step = 1.0 + spec.search.tolerance;
    let rates: Vec<f64> =
        std::iter::successors(Some(low), |rate| Some(rate * step)).take_while(|&rate| rate <= high).collect();
    let probe = |&rate: &f64| {
        let trajectory = run(&task, &plan, rate, spec.seed, false).unwrap();
        (trajectory.steps, matches!(trajectory.stop, Stop::Goal { .. }))
    };
    let probes: Vec<(u64, bool)> = rates.par_iter().map(probe).collect();
    let first = probes.iter().position(|&(_, trained)| trained).expect("some rate trains");
    let run = probes[first..].iter().position(|&(_, trained)| !trained).expect("some rate is too high");
    let edge = (rates[first + run - 1] * rates[first + run]).sqrt();
    (probes.iter().map(|(steps, _)| steps).sum(), edge)
}

fn costs(grid: &Grid) -> Vec<Cost> {
    let cost = |cell| {
        let spec = grid.spec(cell).unwrap();
        let found = spec.find(None, &unheard).unwrap();
        let search = found.search.unwrap();
        let Stopped::Converged { ratio } = search.seeds[0].stopped else {
            panic!("the search ended with {:?}", search.seeds[0].stopped)
        };
        let (scan_steps, scan) = scan(&spec);
        // It has converged.
        let search = found.eta_star.unwrap().median.unwrap();
        Cost { search_steps: found.gradient_steps, scan_steps, search, scan, ratio }
    };
    grid.cells().iter().map(cost).collect()
}

/// Prints the table and returns the share of the scan's steps that the search needs, and how far apart the two are in
/// each cell, as a ratio of at least 1, in ascending order.
fn report(costs: &[Cost]) -> (f64, Vec<f64>) {
    println!("search steps  scan steps  eta* by search  eta* by scan");
    for Cost { search_steps, scan_steps, search, scan, .. } in costs {
        println!("{search_steps:12}  {scan_steps:10}  {search:14.4}  {scan:12.4}");
    }
    let sum = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>() as f64;
    let share = sum(|cost| cost.search_steps) / sum(|cost| cost.scan_steps);
    let mut ratios: Vec<f64> =
        costs.iter().map(|cost| (cost.search / cost.scan).max(cost.scan / cost.search)).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!("the search takes {:.1} % of the scan's steps; a median of {median:.3} apart", 100.0 * share);
    (share, ratios)
}

#[test]
fn a_search_costs_at_most_a_fifth_of_a_scan_and_finds_the_same() {
    let grid = Grid::parse(SMALL).unwrap();
    let costs = costs(&grid);
    assert_eq!(costs.len(), 12);
    let (share, ratios) = report(&costs);
    assert!(share <= 0.2, "{share}");
    // Both brackets are as narrow as 1.05, and hold the same edge.
    assert!(costs.iter().all(|cost| cost.ratio <= 1.05));
    assert!(ratios.iter().all(|&ratio| ratio <= 1.05), "{ratios:?}");
}

/// The twelve networks of the page on maximal rates: depth 2, 3, 5, 7 times width 64, 128, 256.
/// `cargo test --release -p etalon --test search_cost -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes, and needs `etalon data fetch fashion-mnist`"]
fn a_search_costs_at_most_a_fifth_of_a_scan_on_real_images() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/paper-c/depth-width.toml");
    let overrides = [
        "grid.network.width=[64, 128, 256]",
        "grid.network.depth=[2, 3, 5, 7]",
        "grid.optimizer.input_factor=[0.0]",
        "grid.seed=[0]",
    ];
    let grid = Grid::load(Some(spec.as_ref()), &overrides.map(String::from)).unwrap();
    let costs = costs(&grid);
    assert_eq!(costs.len(), 12);
    let (share, ratios) = report(&costs);
    assert!(share <= 0.2, "{share}");
    assert!(costs.iter().all(|cost| cost.ratio <= 1.05));
    // Success is not monotone in the rate: near the edge it comes and goes within a few tenths of an octave, and the two
    // may meet different ends of it.
    assert!(ratios.iter().all(|&ratio| ratio <= 1.5), "{ratios:?}");
}
