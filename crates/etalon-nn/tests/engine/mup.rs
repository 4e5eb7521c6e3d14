//! What maximal update promises: at one learning rate, what a unit computes moves as far at any width.

use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{Normalizer, Over};
use etalon_nn::network::{Initialisation, Mlp, Parametrization};
use etalon_nn::random::{Purpose, stream};
use etalon_nn::{Batch, Loss, Network, Workspace};
use rand_distr::{Distribution, StandardNormal};

const INPUTS: usize = 10;
const OUTPUTS: usize = 3;
const SAMPLES: usize = 64;

fn normal(len: usize, index: u64) -> Vec<f64> {
    let mut generator = stream(23, Purpose::Data, index);
    (0..len).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn network(width: usize, parametrization: Parametrization, over: Over) -> Network<f64> {
    let mlp = Mlp {
        inputs: INPUTS,
        hidden: vec![width; 2],
        outputs: OUTPUTS,
        activation: Activation::Tanh,
        parametrization,
        initialisation: Initialisation::LeCun,
        output_gain: 1.0,
        bias: true,
        residual: false,
        normalizer: Some(Normalizer { over, affine: true, epsilon: 1e-5 }),
    };
    mlp.build().unwrap()
}

/// How far a normaliser's scales and shifts have moved in 20 steps at rate 0.1, by segment: the root mean square of the
/// change of what is used, which is the multiplier times the numbers.
fn movements(width: usize, over: Over) -> Vec<(String, f64)> {
    let network = network(width, Parametrization::Mup, over);
    let (x, y) = (normal(INPUTS * SAMPLES, 1), normal(OUTPUTS * SAMPLES, 2));
    let start: Vec<f64> = network.layout().initialise(7);
    let mut w = start.clone();
    let mut workspace = Workspace::new(&network, SAMPLES, false);
    for _ in 0..20 {
        network.gradient(&w, Batch { inputs: &x, targets: &y }, Loss::Mse, &mut workspace);
        w.iter_mut().zip(workspace.gradient()).for_each(|(w, g)| *w -= 0.1 * g);
    }
    let is_normaliser = |name: &str| name.starts_with("layers.1.") || name.starts_with("layers.3.");
    let segments = network.layout().segments().iter().filter(|segment| is_normaliser(&segment.name));
    segments
        .map(|segment| {
            let range = segment.range.clone();
            let squares: f64 = w[range.clone()].iter().zip(&start[range]).map(|(w, s)| (w - s).powi(2)).sum();
            (segment.name.clone(), segment.multiplier * (squares / segment.shape[0] as f64).sqrt())
        })
        .collect()
}

#[test]
fn scale_and_shift_of_a_normaliser_move_as_far_at_any_width() {
    for over in [Over::Batch, Over::Layer, Over::Groups(4)] {
        let [narrow, middle, wide] = [32, 128, 512].map(|width| movements(width, over));
        assert_eq!(narrow.len(), 4);
        for ((name, a), ((_, b), (_, c))) in narrow.iter().zip(middle.iter().zip(&wide)) {
            let (least, most) = (a.min(*b).min(*c), a.max(*b).max(*c));
            assert!(*a > 0.01 && most < 1.5 * least, "{over:?} {name}: {a} {b} {c}");
        }
    }
}

#[test]
fn scales_start_at_one_and_have_no_multiplier_outside_of_mup() {
    for (parametrization, root) in
        [(Parametrization::Standard, 1.0), (Parametrization::Ntk, 1.0), (Parametrization::Mup, 8.0)]
    {
        let network = network(64, parametrization, Over::Batch);
        let start: Vec<f64> = network.layout().initialise(0);
        for (name, value) in [("layers.1.weight", 1.0), ("layers.3.weight", 1.0), ("layers.3.bias", 0.0)] {
            let segment = network.layout().find(name).unwrap();
            assert_eq!(segment.multiplier, root, "{parametrization:?} {name}");
            assert!(
                start[segment.range.clone()].iter().all(|w| root * w == value),
                "{parametrization:?} {name}"
            );
        }
        // Running statistics are of what is normalised, before the multiplier.
        assert!(network.state_layout().segments().iter().all(|segment| segment.multiplier == 1.0));
    }
}
