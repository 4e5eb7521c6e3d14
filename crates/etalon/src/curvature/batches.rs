//! The curvature of mini-batches along their own gradients.

use crate::data::{BatchOrder, DataError};
use crate::interval::of_mean;
use crate::train::{Task, gather};
use etalon_nn::kernels::reduction::dot;
use etalon_nn::{Batch, Linearization, Scalar};

/// What gradient descent on mini-batches meets where it stands: with `g_B` and `H_B` the gradient and the Hessian of the mean
/// loss of a batch `B`, the curvature `g_B^T H_B g_B / |g_B|^2` along the step that the batch would make. Its mean is the
/// batch sharpness of Andreyev and Beneventano (2412.20553), which settles at `2 / eta` where that of the whole set stays
/// below. All products are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchSharpness {
    /// The mean over batches of the curvature along the gradient: `E_B [ g_B^T H_B g_B / |g_B|^2 ]`.
    pub mean: f64,
    /// Where the mean over all batches lies, at 95 %, by their spread.
    pub interval: [f64; 2],
    /// The same with every batch in proportion to its squared gradient: `E_B [ g_B^T H_B g_B ] / E_B [ |g_B|^2 ]`.
    pub weighted: f64,
    /// How many batches it is from; those whose gradient is zero, which have no direction, do not count.
    pub batches: usize,
}

impl BatchSharpness {
    /// That of a task at a point, from so many batches of so many training samples each, drawn without replacement as the
    /// trial of that seed draws them. Samples are those of the set, without augmentation and patches.
    ///
    /// # Errors
    /// Where a batch has no samples, or more than there are.
    pub fn measure<T: Scalar>(
        task: &Task<T>,
        parameters: &[T],
        (batch, batches): (usize, usize),
        seed: u64,
    ) -> Result<BatchSharpness, DataError> {
        let (network, samples) = (&task.network, &task.train);
        let (width, outputs) = (network.input_len(), network.output_len());
        let mut order = BatchOrder::new(seed, samples.len, batch)?;
        let mut inputs = vec![T::ZERO; batch * width];
        let mut targets = vec![T::ZERO; batch * outputs];
        let [mut gradient, mut product] = [(); 2].map(|()| vec![T::ZERO; network.parameters()]);
        let (mut curvatures, mut bends, mut squares) = (Vec::with_capacity(batches), 0.0, 0.0);
        for step in 0..batches as u64 {
            let indices = order.indices(step);
            gather(&samples.inputs, width, indices, &mut inputs);
            gather(&samples.targets, outputs, indices, &mut targets);
            let chosen = Batch { inputs: &inputs, targets: &targets };
            let mut at = Linearization::new(network, parameters, chosen, task.loss, false);
            at.gradient(&mut gradient);
            at.hvp(&gradient, &mut product);
            let along = |other: &[T]| dot(network.cpu(), &gradient, other);
            let (bend, square) = (along(&product), along(&gradient));
            if square != 0.0 {
                curvatures.push(bend / square);
                (bends, squares) = (bends + bend, squares + square);
            }
        }
        let (mean, interval) = of_mean(&curvatures, 0.0);
        Ok(BatchSharpness { mean, interval, weighted: bends / squares, batches: curvatures.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    fn task(text: &str) -> Task<f64> {
        let text = format!(
            "precision = \"f64\"\nloss = \"mse\"\ndata = {{ name = \"teacher\", dimension = 4, test = 10, {text}"
        );
        Spec::parse(&text).unwrap().task().unwrap()
    }

    /// The batches of an order, as what they hold.
    fn chosen(task: &Task<f64>, (batch, batches): (usize, u64), seed: u64) -> Vec<[Vec<f64>; 2]> {
        let mut order = BatchOrder::new(seed, task.train.len, batch).unwrap();
        let of = |step| {
            let indices = order.indices(step);
            let mut held = [vec![0.0; 4 * batch], vec![0.0; batch]];
            gather(&task.train.inputs, 4, indices, &mut held[0]);
            gather(&task.train.targets, 1, indices, &mut held[1]);
            held
        };
        (0..batches).map(of).collect()
    }

    /// With `X` the inputs of a batch, a linear predictor has `H = X^T X / B` and `g = X^T (X w - y) / B`.
    #[test]
    fn of_a_linear_predictor_it_is_that_of_its_inputs() {
        let task = task("train = 20 }\nnetwork = { depth = 0, bias = false }");
        let w = [0.3, -1.2, 0.7, 0.1];
        let found = BatchSharpness::measure(&task, &w, (3, 40), 5).unwrap();
        let along = |[x, y]: &[Vec<f64>; 2]| {
            let rows = || x.chunks(4).zip(y);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let mut g = [0.0; 4];
            for (x, y) in rows() {
                let error = dot(x, &w) - y;
                g.iter_mut().zip(x).for_each(|(g, x)| *g += x * error / 3.0);
            }
            let bend = rows().map(|(x, _)| dot(x, &g).powi(2) / 3.0).sum::<f64>();
            [bend, dot(&g, &g)]
        };
        let pairs: Vec<[f64; 2]> = chosen(&task, (3, 40), 5).iter().map(along).collect();
        let sum = |of: &dyn Fn(&[f64; 2]) -> f64| pairs.iter().map(of).sum::<f64>();
        let (mean, weighted) = (sum(&|[b, s]| b / s) / 40.0, sum(&|[b, _]| *b) / sum(&|[_, s]| *s));
        assert!((found.mean / mean - 1.0).abs() < 1e-13, "{found:?}, {mean}");
        assert!((found.weighted / weighted - 1.0).abs() < 1e-13, "{found:?}, {weighted}");
        assert!(found.interval[0] < mean && mean < found.interval[1] && found.batches == 40, "{found:?}");
        // The whole set in one batch has one curvature, in whatever order it is drawn.
        let whole = BatchSharpness::measure(&task, &w, (20, 3), 5).unwrap();
        let [low, high] = whole.interval;
        assert!(high - low < 1e-13 * whole.mean && (whole.weighted / whole.mean - 1.0).abs() < 1e-13);
        assert!(BatchSharpness::measure(&task, &w, (21, 3), 5).is_err());
    }

    /// Against whole matrices, whose columns are differences of gradients.
    #[test]
    fn of_a_network_it_is_that_of_the_whole_hessian_of_each_batch() {
        let task = task("train = 12 }\nnetwork = { depth = 2, width = 3, activation = \"tanh\" }");
        let point: Vec<f64> = task.network.layout().initialise(1);
        let n = point.len();
        let along = |[inputs, targets]: &[Vec<f64>; 2]| {
            let gradient = |point: &[f64]| {
                let mut gradient = vec![0.0; n];
                let batch = Batch { inputs, targets };
                Linearization::new(&task.network, point, batch, task.loss, false).gradient(&mut gradient);
                gradient
            };
            let step = 1e-5;
            let column = |index: usize| {
                let moved = |by: f64| {
                    let mut point = point.clone();
                    point[index] += by;
                    gradient(&point)
                };
                let (up, down) = (moved(step), moved(-step));
                up.iter().zip(&down).map(|(up, down)| (up - down) / (2.0 * step)).collect::<Vec<f64>>()
            };
            let g = gradient(&point);
            let matrix: Vec<Vec<f64>> = (0..n).map(column).collect();
            let dot = |a: &[f64], b: &[f64]| dot(task.network.cpu(), a, b);
            let bend: f64 = matrix.iter().zip(&g).map(|(column, g_i)| g_i * dot(column, &g)).sum();
            bend / dot(&g, &g)
        };
        let expected = chosen(&task, (4, 9), 2).iter().map(along).sum::<f64>() / 9.0;
        let found = BatchSharpness::measure(&task, &point, (4, 9), 2).unwrap();
        // Differences of these steps are off by about 1e-10 of the third derivative.
        assert!((found.mean / expected - 1.0).abs() < 1e-7, "{found:?}, {expected}");
    }
}
