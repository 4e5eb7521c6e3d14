//! A layer defined outside of the crate: attention of one head, `softmax(Q Kᵀ / sqrt(h) + B) V` with a learnt bias `B` for
//! each pair of positions. From its four answers follow all derivatives of a network that has it.

use etalon_nn::kernels::elementwise::{Write, copy};
use etalon_nn::kernels::product::{Matrix, product};
use etalon_nn::layers::{Dense, Direction, Layer, Output, Point, Sink, Tensor};
use etalon_nn::network::{NetworkBuilder, NetworkError};
use etalon_nn::{Batch, Cpu, Linearization, Loss, Network, Scalar};

/// A sample is queries, keys and values, each `n` x `h` numbers, as is its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    /// Positions of a sample.
    pub n: usize,
    /// Numbers of a query, a key or a value.
    pub h: usize,
}

/// In every row `u` becomes `a (u - <a, u>)`, the derivative of a softmax `a`, and `u_change` the change of that.
fn derive<T: Scalar>(n: usize, (a, u): (&[T], &mut [T]), change: Option<(&[T], &mut [T])>) {
    let dot = |x: &[T], y: &[T]| x.iter().zip(y).map(|(&x, &y)| x * y).sum::<T>();
    if let Some((a_change, u_change)) = change {
        let rows = a.chunks_exact(n).zip(u.chunks_exact(n));
        let changes = a_change.chunks_exact(n).zip(u_change.chunks_exact_mut(n));
        for ((a, u), (a_change, u_change)) in rows.zip(changes) {
            let (mean, mean_change) = (dot(a, u), dot(a_change, u) + dot(a, u_change));
            for i in 0..n {
                u_change[i] = a_change[i] * (u[i] - mean) + a[i] * (u_change[i] - mean_change);
            }
        }
    }
    for (a, u) in a.chunks_exact(n).zip(u.chunks_exact_mut(n)) {
        let mean = dot(a, u);
        u.iter_mut().zip(a).for_each(|(u, &a)| *u = a * (*u - mean));
    }
}

impl Attention {
    fn parts<'a, T>(&self, x: &'a [T]) -> [Matrix<'a, T>; 3] {
        [0, 1, 2].map(|i| Matrix::row_major(&x[i * self.n * self.h..], self.n, self.h))
    }

    fn scale<T: Scalar>(&self) -> T {
        T::from_f64((self.h as f64).powf(-0.5))
    }

    /// `dx (+)=` the gradient of `x`, of which the softmax is `a`, given those of the scores and of the output.
    fn pull_back<T: Scalar>(
        &self,
        cpu: Cpu,
        (x, a): (&[T], &[T]),
        (ds, dy): (&[T], &[T]),
        keep: T,
        dx: &mut [T],
    ) {
        let (Attention { n, h }, [q, k, _]) = (*self, self.parts(x));
        let [a, ds] = [a, ds].map(|scores| Matrix::row_major(scores, n, n));
        let (dq, rest) = dx.split_at_mut(n * h);
        let (dk, dv) = rest.split_at_mut(n * h);
        product(cpu, self.scale(), ds, k, keep, dq);
        product(cpu, self.scale(), ds.transposed(), q, keep, dk);
        product(cpu, T::ONE, a.transposed(), Matrix::row_major(dy, n, h), keep, dv);
    }
}

impl<T: Scalar> Layer<T> for Attention {
    fn input_len(&self) -> usize {
        3 * self.n * self.h
    }

    fn output_len(&self) -> usize {
        self.n * self.h
    }

    fn tensors(&self) -> Vec<Tensor> {
        let shape = vec![self.n, self.n];
        vec![Tensor { name: "bias", shape, mean: 0.0, deviation: 0.02, multiplier: 1.0 }]
    }

    fn saved_len(&self) -> usize {
        self.n * self.n // the softmax
    }

    fn saved_tangent_len(&self) -> usize {
        self.n * self.n // its change
    }

    fn scratch_len(&self) -> usize {
        2 * self.n * self.n // the gradient of the scores and its change
    }

    fn forward(&self, at: Point<T>, Output { y, saved, .. }: Output<T>) {
        let Attention { n, h } = *self;
        let samples = at.x.chunks_exact(3 * n * h).zip(y.chunks_exact_mut(n * h));
        for ((x, y), a) in samples.zip(saved.chunks_exact_mut(n * n)) {
            let [q, k, v] = self.parts(x);
            a.copy_from_slice(at.weights);
            product(at.cpu, self.scale(), q, k.transposed(), T::ONE, a);
            for row in a.chunks_exact_mut(n) {
                let top = row.iter().copied().fold(row[0], |top, s| if s > top { s } else { top });
                row.iter_mut().for_each(|s| *s = (*s - top).exp());
                let mass: T = row.iter().copied().sum();
                row.iter_mut().for_each(|s| *s /= mass);
            }
            product(at.cpu, T::ONE, Matrix::row_major(a, n, n), v, T::ZERO, y);
        }
    }

    /// The gradient is linear in `dy`: it is its own change where nothing but `dy` changes.
    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        self.backward_tangent(at, Direction { weights: &[], x: None, saved: &[] }, &[], dy, sink);
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, Output { y, saved, .. }: Output<T>) {
        let Attention { n, h } = *self;
        for sample in 0..at.rows {
            let of = |len: usize| sample * len..(sample + 1) * len;
            let ([q, k, v], a) = (self.parts(&at.x[of(3 * n * h)]), &at.saved[of(n * n)]);
            let (y, a_change) = (&mut y[of(n * h)], &mut saved[of(n * n)]);
            let moving = direction.x.map(|x| self.parts(&x[of(3 * n * h)]));
            a_change.copy_from_slice(direction.weights);
            if let Some([q_change, k_change, _]) = moving {
                product(at.cpu, self.scale(), q_change, k.transposed(), T::ONE, a_change);
                product(at.cpu, self.scale(), q, k_change.transposed(), T::ONE, a_change);
            }
            derive(n, (a, a_change), None);
            product(at.cpu, T::ONE, Matrix::row_major(a_change, n, n), v, T::ZERO, y);
            if let Some([.., v_change]) = moving {
                product(at.cpu, T::ONE, Matrix::row_major(a, n, n), v_change, T::ONE, y);
            }
        }
    }

    fn backward_tangent(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        sink: Sink<T>,
    ) {
        let Attention { n, h } = *self;
        let (ds, ds_change) = sink.scratch.split_at_mut(n * n);
        let (mut weights, mut dx) = (sink.weights, sink.x);
        for sample in 0..at.rows {
            let of = |len: usize| sample * len..(sample + 1) * len;
            let (x, a, e) = (&at.x[of(3 * n * h)], &at.saved[of(n * n)], &dy_tangent[of(n * h)]);
            let from_y = |dy, v: Matrix<T>, keep, ds: &mut [T]| {
                product(at.cpu, T::ONE, Matrix::row_major(dy, n, h), v.transposed(), keep, ds);
            };
            let [.., v] = self.parts(x);
            from_y(e, v, T::ZERO, ds_change);
            // None of it in `backward`, and no change of an input that is the data.
            let moving = direction.saved.get(of(n * n)).map(|a_change| (a_change, &dy[of(n * h)]));
            let x_change = direction.x.map(|x| &x[of(3 * n * h)]);
            match moving {
                None => derive(n, (a, ds_change), None),
                Some((a_change, dy)) => {
                    from_y(dy, v, T::ZERO, ds);
                    x_change.into_iter().for_each(|x| from_y(dy, self.parts(x)[2], T::ONE, ds_change));
                    derive(n, (a, ds), Some((a_change, ds_change)));
                }
            }
            if let Some((db, write)) = &mut weights {
                copy(at.cpu, std::mem::replace(write, Write::Add), ds_change, db);
            }
            if let Some((dx, write)) = &mut dx {
                let dx = &mut dx[of(3 * n * h)];
                self.pull_back(at.cpu, (x, a), (ds_change, e), write.keep(), dx);
                if let (Some((a_change, dy)), Some(x_change)) = (moving, x_change) {
                    self.pull_back(at.cpu, (x_change, a_change), (ds, dy), T::ONE, dx);
                }
            }
        }
    }
}

/// A dense layer, attention, and a dense layer to the outputs.
pub(crate) fn network<T: Scalar>(
    inputs: usize,
    attention: Attention,
    outputs: usize,
) -> Result<Network<T>, NetworkError> {
    let dense = |inputs: usize, outputs: usize| {
        let (weight_multiplier, weight_deviation) = (1.0, (inputs as f64).powf(-0.5));
        Dense { inputs, outputs, weight_multiplier, weight_deviation, bias_multiplier: Some(1.0) }
    };
    let len = attention.n * attention.h;
    let mut builder = NetworkBuilder::new(inputs)?;
    let projected = builder.dense(dense(inputs, 3 * len), builder.input())?;
    let mixed = builder.push(Box::new(attention), projected)?;
    builder.dense(dense(len, outputs), mixed)?;
    builder.build()
}

fn main() -> Result<(), NetworkError> {
    let network = network::<f64>(8, Attention { n: 4, h: 3 }, 2)?;
    let w: Vec<f64> = network.layout().initialise(0);
    let numbers = |len: i32| (0..len).map(|i| (1.7 * f64::from(i)).sin()).collect::<Vec<_>>();
    let (inputs, targets) = (numbers(8 * 16), numbers(2 * 16));
    let batch = Batch { inputs: &inputs, targets: &targets };
    let mut at = Linearization::new(&network, &w, batch, Loss::Mse, true);
    let (mut g, mut hg) = (vec![0.0; w.len()], vec![0.0; w.len()]);
    at.gradient(&mut g);
    at.hvp(&g, &mut hg);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    println!("loss {}, curvature along the gradient {}", at.value(), dot(&g, &hg) / dot(&g, &g));
    Ok(())
}
