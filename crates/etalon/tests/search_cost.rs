//! What a search for eta* costs beside a scan of the same axis at the same resolution.

use etalon::search::{Stopped, find, silent};
use etalon::spec::Spec;
use etalon::sweep::Grid;
use etalon::train::{Plan, Stop, Task, run};
use rayon::prelude::*;

/// Twelve small networks on the images that are part of the program.
const SMALL: &str = r#"
    [data]
    train = 512
    test = 10
    normalize = "global"
    [train]
    steps = 80
    check_every = 10
    check_samples = 500
    [measure]
    samples = 128
    [search]
    threshold = 0.6
    range = [0.02, 16.0]
    seeds = 1
    rates = 0
    phase = false
    [optimizer]
    input_factor = 0.0
    [grid]
    job = "find"
    network.width = [32, 48, 64, 96]
    network.depth = [1, 2, 3]
"#;

/// What one cell cost, and what was found.
struct Cost {
    search_steps: u64,
    scan_steps: u64,
    /// eta* of both; none where there is none in the range.
    search: Option<f64>,
    scan: Option<f64>,
    /// The ratio of the search's bracket.
    ratio: f64,
}

/// Trains at every rate of the range that lies the tolerance above the one before; a rate at which the threshold is
/// reached, or training lost, ends there, as in the search. eta* is defined as there, too.
fn scan(spec: &Spec) -> (u64, Option<f64>) {
    let task = Task::<f32>::new(spec).unwrap();
    let plan = Plan::new(spec, &task).unwrap().with_goal(spec, &task).unwrap();
    let [low, high] = spec.search.range[..] else { panic!("a scan needs a range") };
    let step = 1.0 + spec.search.tolerance;
    let rates: Vec<f64> =
        std::iter::successors(Some(low), |rate| Some(rate * step)).take_while(|&rate| rate <= high).collect();
    let probe = |&rate: &f64| {
        let trajectory = run(&task, &plan, rate, spec.seed, false).unwrap();
        (trajectory.steps, matches!(trajectory.stop, Stop::Goal { .. }))
    };
    let probes: Vec<(u64, bool)> = rates.par_iter().map(probe).collect();
    let first = probes.iter().position(|&(_, trained)| trained);
    let failure =
        first.and_then(|first| Some(first + probes[first..].iter().position(|&(_, trained)| !trained)?));
    let edge = failure.map(|failure| (rates[failure - 1] * rates[failure]).sqrt());
    (probes.iter().map(|(steps, _)| steps).sum(), edge)
}

fn costs(grid: &Grid) -> Vec<Cost> {
    let cost = |cell| {
        let spec = grid.spec(cell).unwrap();
        let found = find(&spec, &silent).unwrap();
        let Stopped::Converged { ratio } = found.search.seeds[0].stopped else {
            panic!("the search ended with {:?}", found.search.seeds[0].stopped)
        };
        let (scan_steps, scan) = scan(&spec);
        Cost { search_steps: found.gradient_steps, scan_steps, search: found.eta_star.median, scan, ratio }
    };
    grid.cells().iter().map(cost).collect()
}

/// Prints the table and returns the share of the scan's steps that the search needs, and the share of cells in which
/// the two agree to the width of their brackets.
fn report(costs: &[Cost]) -> (f64, f64) {
    println!("search steps  scan steps  eta* by search  eta* by scan");
    for Cost { search_steps, scan_steps, search, scan, .. } in costs {
        println!("{search_steps:12}  {scan_steps:10}  {search:14.4?}  {scan:12.4?}");
    }
    let sum = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>() as f64;
    let share = sum(|cost| cost.search_steps) / sum(|cost| cost.scan_steps);
    let agree = |cost: &&Cost| match (cost.search, cost.scan) {
        (Some(search), Some(scan)) => (search / scan).ln().abs() <= 1.05f64.ln(),
        (search, scan) => search == scan,
    };
    let agreed = costs.iter().filter(agree).count() as f64 / costs.len() as f64;
    println!(
        "the search takes {:.1} % of the scan's steps; they agree in {:.0} % of cells",
        100.0 * share,
        100.0 * agreed
    );
    (share, agreed)
}

fn holds(grid: &Grid) {
    let costs = costs(grid);
    let (share, agreed) = report(&costs);
    assert!(costs.iter().all(|cost| cost.ratio <= 1.05), "every bracket is as narrow as asked");
    assert!(share <= 0.2, "{share}");
    // Success is not monotone in the rate: where it flickers, the two meet different edges.
    assert!(agreed >= 0.6, "{agreed}");
}

#[test]
fn a_search_costs_at_most_a_fifth_of_a_scan() {
    let grid = Grid::parse(SMALL).unwrap();
    assert_eq!(grid.cells().len(), 12);
    holds(&grid);
}

/// The twelve networks of the page on maximal rates: depth 2, 3, 5, 7 times width 64, 128, 256.
/// `cargo test --release -p etalon --test search_cost -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes, and needs `etalon data fetch fashion-mnist`"]
fn a_search_costs_at_most_a_fifth_of_a_scan_on_the_grid_of_the_paper() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/paper-c/depth-width.toml");
    let overrides = [
        "grid.network.width=[64, 128, 256]",
        "grid.network.depth=[2, 3, 5, 7]",
        "grid.optimizer.input_factor=[0.0]",
        "grid.seed=[0]",
    ];
    let grid = Grid::load(Some(spec.as_ref()), &overrides.map(String::from)).unwrap();
    assert_eq!(grid.cells().len(), 12);
    holds(&grid);
}
