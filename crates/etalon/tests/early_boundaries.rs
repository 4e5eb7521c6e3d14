//! The boundaries of early training of a network that is a solvable map.

use etalon::phase::{Boundary, map_boundaries};
use etalon::spec::Spec;
use etalon::theory::{Range, RunSettings, ScalarLoss, State};

#[test]
fn a_networks_boundaries_are_those_of_its_map() {
    // One sample, one input, two linear layers: the map itself.
    let overrides = [
        "loss=mse",
        "precision=f64",
        "data.name=point",
        "network.depth=1",
        "network.width=64",
        "network.activation=identity",
        "network.parametrization=ntk",
        "network.init=lecun",
        "network.bias=false",
        "train.steps=300",
        "measure.tolerance=1e-10",
        "boundaries.range=[0.5, 8.0]",
        "boundaries.points=6",
        "boundaries.tolerance=0.01",
    ];
    let spec = Spec::load(None, &overrides.map(String::from)).unwrap();
    let [low, high] = spec.boundaries.range;
    let range = Range { low, high, steps: spec.boundaries.points, tolerance: spec.boundaries.tolerance };
    let network = spec.boundaries(&[1, 2]).unwrap();
    for (found, seed) in network.iter().zip([1, 2]) {
        assert_eq!((found.seed, found.width), (Some(seed), 64.0));
        let weights: Vec<f64> = spec.task::<f64>().unwrap().network.layout().initialise(seed);
        let (u, v) = weights.split_at(64);
        let sum = |pairs: &mut dyn Iterator<Item = f64>| pairs.sum::<f64>();
        let f = sum(&mut u.iter().zip(v).map(|(u, v)| u * v)) / 8.0;
        let lambda = sum(&mut weights.iter().map(|w| w * w)) / 64.0;
        let settings = RunSettings { max_steps: 300, ..RunSettings::default() };
        let map =
            map_boundaries(ScalarLoss::Mse { target: 0.0 }, 64.0, State { f, lambda }, &range, &settings)
                .unwrap();
        assert!((found.sharpness.unwrap() / map.sharpness.unwrap() - 1.0).abs() < 1e-8);
        let close = |a: &Boundary, b: &Boundary| {
            let (a, b) = (a.middle().unwrap(), b.middle().unwrap());
            assert!((a / b - 1.0).abs() < 0.02, "{a} against {b}");
        };
        close(&found.c_h_loss, &map.c_h_loss);
        close(&found.c_h_sharp, &map.c_h_sharp);
        close(&found.c_h_max, &map.c_h_max);
    }
}
