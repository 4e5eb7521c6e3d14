//! A layer that couples the samples of a batch, defined outside of the crate: its derivatives across slices, its running
//! statistics, and what the builder refuses.

use etalon_nn::kernels::elementwise::Write;
use etalon_nn::layers::{Coupling, Dense, Direction, Layer, Output, Point, Sink, Statistics, Tensor};
use etalon_nn::network::{NetworkBuilder, NetworkError};
use etalon_nn::random::{Purpose, stream};
use etalon_nn::{Batch, Linearization, Loss, Network, Scalar, Workspace};
use rand_distr::{Distribution, StandardNormal};

/// `y = g x s`, where `s` is the mean over the batch of a feature's square, and `g` a parameter of the feature.
#[derive(Clone, Copy, Debug)]
struct Energy {
    len: usize,
}

/// One feature of a batch: `g`, `1/m`, and `s`.
fn feature<T: Scalar>(at: &Point<T>, j: usize) -> [f64; 3] {
    let share = 1.0 / at.statistics.samples as f64;
    [at.weights[j].to_f64(), share, share * at.statistics.values[j]]
}

impl Energy {
    /// Adds `f(i, j)` up over the samples, for each feature `j`; `i` is where it stands.
    fn sum(&self, rows: usize, part: &mut [f64], f: impl Fn(usize) -> f64) {
        part.fill(0.0);
        (0..rows * self.len).for_each(|i| part[i % self.len] += f(i));
    }
}

fn put<T: Scalar>(to: &mut T, write: Write, value: f64) {
    *to = write.keep::<T>() * *to + T::from_f64(value);
}

impl<T: Scalar> Layer<T> for Energy {
    fn input_len(&self) -> usize {
        self.len
    }

    fn output_len(&self) -> usize {
        self.len
    }

    fn tensors(&self) -> Vec<Tensor> {
        vec![Tensor { name: "gain", shape: vec![self.len], mean: 1.0, deviation: 0.1, multiplier: 1.0 }]
    }

    fn coupling(&self) -> Option<&dyn Coupling<T>> {
        Some(self)
    }

    fn forward(&self, at: Point<T>, output: Output<T>) {
        for (i, y) in output.y.iter_mut().enumerate() {
            let [g, _, s] = feature(&at, i % self.len);
            *y = T::from_f64(g * at.x[i].to_f64() * s);
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        assert!(sink.weights.is_none(), "the engine asks the coupling");
        let Some((dx, write)) = sink.x else { return };
        for (i, dx) in dx.iter_mut().enumerate() {
            let (j, [g, share, s]) = (i % self.len, feature(&at, i % self.len));
            let through = 2.0 * share * at.statistics.adjoints[j];
            put(dx, write, g * (dy[i].to_f64() * s + at.x[i].to_f64() * through));
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>) {
        for (i, y) in output.y.iter_mut().enumerate() {
            let (j, [g, share, s], x) = (i % self.len, feature(&at, i % self.len), at.x[i].to_f64());
            let s_change = 2.0 * share * at.statistics.tangents[j];
            let x_change = direction.x.map_or(0.0, |x| x[i].to_f64());
            *y = T::from_f64(direction.weights[j].to_f64() * x * s + g * (x_change * s + x * s_change));
        }
    }

    fn backward_tangent(&self, at: Point<T>, direction: Direction<T>, dy: &[T], e: &[T], sink: Sink<T>) {
        let (Some((dx, write)), Some(x_change)) = (sink.x, direction.x) else { return };
        for (i, dx) in dx.iter_mut().enumerate() {
            let (j, [g, share, s], x) = (i % self.len, feature(&at, i % self.len), at.x[i].to_f64());
            let sums = at.statistics;
            let s_change = 2.0 * share * sums.tangents[j];
            let (through, change) = (2.0 * share * sums.adjoints[j], 2.0 * share * sums.changes[j]);
            let (dy, e, x_change) = (dy[i].to_f64(), e[i].to_f64(), x_change[i].to_f64());
            let of_gain = direction.weights[j].to_f64() * (dy * s + x * through);
            put(dx, write, of_gain + g * (e * s + dy * s_change + x_change * through + x * change));
        }
    }
}

impl<T: Scalar> Coupling<T> for Energy {
    fn statistics_len(&self) -> usize {
        self.len
    }

    fn gather_values(&self, at: Point<T>, part: &mut [f64]) {
        self.sum(at.rows, part, |i| at.x[i].to_f64() * at.x[i].to_f64());
    }

    fn gather_adjoints(&self, at: Point<T>, dy: &[T], part: &mut [f64]) {
        self.sum(at.rows, part, |i| at.x[i].to_f64() * dy[i].to_f64());
    }

    fn gather_tangents(&self, at: Point<T>, direction: Direction<T>, part: &mut [f64]) {
        let change = |i: usize| direction.x.map_or(0.0, |x| x[i].to_f64());
        self.sum(at.rows, part, |i| at.x[i].to_f64() * change(i));
    }

    fn gather_changes(&self, at: Point<T>, direction: Direction<T>, dy: &[T], e: &[T], part: &mut [f64]) {
        let change = |i: usize| direction.x.map_or(0.0, |x| x[i].to_f64());
        self.sum(at.rows, part, |i| at.x[i].to_f64() * e[i].to_f64() + change(i) * dy[i].to_f64());
    }

    fn parameter_gradient(&self, sums: Statistics, gradient: &mut [T]) {
        for (j, gradient) in gradient.iter_mut().enumerate() {
            *gradient = T::from_f64(sums.values[j] / sums.samples as f64 * sums.adjoints[j]);
        }
    }

    fn parameter_gradient_change(&self, sums: Statistics, gradient: &mut [T]) {
        let share = 1.0 / sums.samples as f64;
        for (j, gradient) in gradient.iter_mut().enumerate() {
            let (s, s_change) = (share * sums.values[j], 2.0 * share * sums.tangents[j]);
            *gradient = T::from_f64(s_change * sums.adjoints[j] + s * sums.changes[j]);
        }
    }

    fn running(&self) -> Vec<Tensor> {
        vec![Tensor {
            name: "running_energy",
            shape: vec![self.len],
            mean: 1.0,
            deviation: 0.0,
            multiplier: 1.0,
        }]
    }

    fn track(&self, samples: usize, values: &[f64], running: &mut [T]) {
        for (running, value) in running.iter_mut().zip(values) {
            *running = T::from_f64(0.5 * running.to_f64() + 0.5 * value / samples as f64);
        }
    }

    fn evaluate(&self, samples: usize, running: &[T], values: &mut [f64]) {
        values
            .iter_mut()
            .zip(running)
            .for_each(|(value, running)| *value = samples as f64 * running.to_f64());
    }
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    let weight_deviation = (inputs as f64).powf(-0.5);
    Dense { inputs, outputs, weight_multiplier: 1.0, weight_deviation, bias_multiplier: Some(1.0) }
}

/// Dense, coupled, dense.
fn network() -> Network<f64> {
    let mut builder = NetworkBuilder::new(3).unwrap();
    let hidden = builder.dense(dense(3, 5), builder.input()).unwrap();
    let hidden = builder.push(Box::new(Energy { len: 5 }), hidden).unwrap();
    builder.dense(dense(5, 2), hidden).unwrap();
    builder.build().unwrap()
}

fn normal(len: usize, index: u64) -> Vec<f64> {
    let mut generator = stream(31, Purpose::Data, index);
    (0..len).map(|_| StandardNormal.sample(&mut generator)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Three slices, the last short, in three lanes.
const SAMPLES: usize = 600;

#[test]
fn derivatives_of_a_coupling_from_outside_go_through_the_whole_batch() {
    let network = network();
    assert!(network.is_coupled());
    let (w, x, y) = (network.layout().initialise::<f64>(1), normal(3 * SAMPLES, 1), normal(2 * SAMPLES, 2));
    let batch = Batch { inputs: &x, targets: &y };
    let (a, b, u) = (normal(w.len(), 3), normal(w.len(), 4), normal(y.len(), 5));
    let mut at = Linearization::new(&network, &w, batch, Loss::Mse, true);
    let [mut ja, mut jtu] = [vec![0.0; u.len()], vec![0.0; w.len()]];
    let [mut gradient, mut ha, mut hb] = [(); 3].map(|()| vec![0.0; w.len()]);
    at.jvp(&a, &mut ja);
    at.vjp(&u, &mut jtu);
    let error = (dot(&u, &ja) - dot(&jtu, &a)).abs();
    assert!(error < 1e-12 * (dot(&u, &u) * dot(&ja, &ja)).sqrt(), "adjointness, {error:e}");
    at.gradient(&mut gradient);
    at.hvp(&a, &mut ha);
    at.hvp(&b, &mut hb);
    let error = (dot(&b, &ha) - dot(&a, &hb)).abs();
    assert!(error < 1e-12 * (dot(&ha, &ha) * dot(&b, &b)).sqrt(), "symmetry, {error:e}");
    // Central differences, of the loss and of the gradient.
    let mut workspace = Workspace::new(&network, SAMPLES, false);
    let h = 1e-5;
    let mut near = |h: f64| {
        let w: Vec<f64> = w.iter().zip(&a).map(|(w, a)| w + h * a).collect();
        let loss = network.gradient(&w, batch, Loss::Mse, &mut workspace);
        (loss, workspace.gradient().to_vec())
    };
    let ((above, gradient_above), (below, gradient_below)) = (near(h), near(-h));
    let slope = (above - below) / (2.0 * h);
    assert!((slope - dot(&gradient, &a)).abs() < 1e-7 * slope.abs(), "{slope} {}", dot(&gradient, &a));
    let scale = dot(&ha, &ha).sqrt();
    for ((above, below), ha) in gradient_above.iter().zip(&gradient_below).zip(&ha) {
        let bend = (above - below) / (2.0 * h);
        assert!((bend - ha).abs() < 1e-7 * scale, "{bend} {ha}");
    }
}

#[test]
fn running_statistics_stand_for_the_batch_in_evaluation() {
    let network = network();
    let (w, x, y) = (network.layout().initialise::<f64>(1), normal(3 * SAMPLES, 1), normal(2 * SAMPLES, 2));
    let batch = Batch { inputs: &x, targets: &y };
    let mut workspace = Workspace::new(&network, SAMPLES, false);
    let mut state: Vec<f64> = network.state_layout().initialise(0);
    assert_eq!(network.state_layout().segments()[0].name, "layers.1.running_energy");
    network.gradient(&w, batch, Loss::Mse, &mut workspace);
    // Each batch halves the distance, until the running statistics are those of the batch.
    (0..60).for_each(|_| network.track(&workspace, &mut state));
    let (mut evaluated, mut trained) = (vec![0.0; y.len()], vec![0.0; y.len()]);
    network.outputs(&w, &state, &x, &mut workspace, &mut evaluated);
    Linearization::new(&network, &w, batch, Loss::Mse, false).outputs(&mut trained);
    let most = trained.iter().fold(0.0f64, |most, y| most.max(y.abs()));
    assert!(evaluated.iter().zip(&trained).all(|(a, b)| (a - b).abs() < 1e-13 * most));
    // A sample alone has the same output.
    let mut one = [0.0; 2];
    network.outputs(&w, &state, &x[..3], &mut workspace, &mut one);
    assert!(one.iter().zip(&evaluated).all(|(a, b)| (a - b).abs() < 1e-13 * most));
}

/// Nothing but shapes.
#[derive(Clone, Debug)]
struct Shapes {
    tensors: Vec<Tensor>,
    noise: usize,
    scratch: usize,
}

impl<T: Scalar> Layer<T> for Shapes {
    fn input_len(&self) -> usize {
        4
    }

    fn output_len(&self) -> usize {
        4
    }

    fn tensors(&self) -> Vec<Tensor> {
        self.tensors.clone()
    }

    fn noise_len(&self) -> usize {
        self.noise
    }

    fn scratch_len(&self) -> usize {
        self.scratch
    }

    fn forward(&self, _: Point<T>, _: Output<T>) {}
    fn backward(&self, _: Point<T>, _: &[T], _: Sink<T>) {}
    fn forward_tangent(&self, _: Point<T>, _: Direction<T>, _: Output<T>) {}
    fn backward_tangent(&self, _: Point<T>, _: Direction<T>, _: &[T], _: &[T], _: Sink<T>) {}
}

#[test]
fn a_layer_whose_shapes_cannot_be_is_refused() {
    let tensor = |shape: &[usize]| Tensor {
        name: "weight",
        shape: shape.to_vec(),
        mean: 0.0,
        deviation: 1.0,
        multiplier: 1.0,
    };
    let sound = Shapes { tensors: vec![tensor(&[4])], noise: 2, scratch: 9 };
    let refused = |layer: &Shapes| {
        let mut builder = NetworkBuilder::<f32>::new(4).unwrap();
        builder.push(Box::new(layer.clone()), builder.input()).err()
    };
    assert_eq!(refused(&sound), None);
    let empty = Shapes { tensors: vec![tensor(&[0, 4])], ..sound.clone() };
    assert!(matches!(refused(&empty), Some(NetworkError::Empty(_))));
    let twice = Shapes { tensors: vec![tensor(&[4]), tensor(&[2, 2])], ..sound.clone() };
    assert_eq!(refused(&twice), Some(NetworkError::Name("layers.0.weight".into())));
    assert!(matches!(refused(&Shapes { noise: 3, ..sound.clone() }), Some(NetworkError::Noise(_))));
    assert!(matches!(refused(&Shapes { scratch: 1 << 50, ..sound }), Some(NetworkError::TooLarge(_))));
    // Two layers of one name.
    let mut builder = NetworkBuilder::<f32>::new(4).unwrap();
    let input = builder.input();
    let first = builder.named("fc").dense(dense(4, 4), input).unwrap();
    let second = builder.named("fc").dense(dense(4, 4), first);
    assert_eq!(second, Err(NetworkError::Name("fc.weight".into())));
}
