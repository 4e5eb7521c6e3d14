//! Which parameters may be multiplied by a number without changing the network's function.
//!
//! The degree of homogeneity is followed from layer to layer, for as few layers at a time as can be scaled (after Li and
//! Arora 2020, 1910.07454, who follow all parameters at once): a linear layer passes a scale on, so does ReLU;
//! normalisation divides it out; what is left at the outputs is not invariant. A sum passes a scale on where both of its
//! branches have it, so that all layers that write to a residual stream are scaled together.

use super::Network;
use crate::Scalar;
use crate::layers::Response;

/// Whether a segment of the parameters may be scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentInvariance {
    /// The name of the segment of the parameters.
    pub segment: String,
    /// The segments that are scaled along: a bias with its weight, and what writes to the same residual stream.
    pub with: Vec<String>,
    /// Whether the outputs are the same when the segment and those along with it are multiplied by any `c > 0`, for all
    /// values of all parameters.
    pub invariant: bool,
    /// The epsilon of a normaliser, where nothing else stands in the way.
    pub epsilon: Option<f64>,
    /// Why, or why not.
    pub reason: String,
    /// The segments of the state that its scale reaches, where it is invariant: `c` multiplies a running mean and `c^2` a
    /// running variance. None where a bias that is not scaled lies between, whose mean is no multiple.
    pub statistics: Option<Vec<String>>,
}

/// What multiplying some layers' parameters by `c` does to a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    /// Nothing.
    None,
    /// It is multiplied by `c`.
    Scaled,
    /// It is multiplied by `c`, and shifted by what no sample changes and what repeats after so many features.
    Shifted(usize),
    /// Anything else.
    Other,
}

/// How the scale of some layers' parameters travels through the network.
struct Propagation {
    /// What it does to each value.
    effects: Vec<Effect>,
    /// The node that first divided it out.
    divided: Option<usize>,
    /// The largest epsilon among those that did.
    epsilon: f64,
    /// All nodes that did.
    dividing: Vec<usize>,
    /// Whether a bias that is not scaled came before one of them.
    shifted: bool,
    /// The node that first did anything else, and why.
    broken: Option<(usize, &'static str)>,
    /// The value without that scale which the first sum adds to one with it.
    missing: Option<usize>,
}

impl<T: Scalar> Network<T> {
    /// Whether each segment of the parameters is scale-invariant, with the reason, in the layout's order.
    ///
    /// For such a segment `<gradient, w> = 0`, the gradient at `c w` is `1/c` of that at `w`, and the Hessian `1/c^2`
    /// (1910.07454). No segment is scaled along with two groups of others, so that all invariant ones can be scaled at
    /// once. A segment that is not named invariant may be so in a network where two scales cancel.
    pub fn scale_invariance(&self) -> Vec<SegmentInvariance> {
        let mut groups: Vec<(Vec<usize>, Propagation)> = Vec::new();
        let layers = (0..self.nodes.len()).filter(|&node| !self.nodes[node].parameters.is_empty());
        let mut all = Vec::new();
        for node in layers {
            let known = groups.iter().position(|(group, _)| group.contains(&node));
            let known = known.unwrap_or_else(|| {
                groups.push(self.together(node, &groups));
                groups.len() - 1
            });
            let (group, propagation) = &groups[known];
            all.extend(self.invariance_of(node, group, propagation));
        }
        all
    }

    /// The layers that must be scaled along with one for sums to pass the scale on, and where that leads; the layer alone
    /// where they do not help, or where one of them is scaled along with others already.
    fn together(&self, node: usize, before: &[(Vec<usize>, Propagation)]) -> (Vec<usize>, Propagation) {
        let is_free = |other: usize| !before.iter().any(|(group, _)| group.contains(&other));
        let mut group = vec![node];
        loop {
            let propagation = self.propagation(&group);
            match propagation.missing.and_then(|value| self.scale_of(value)) {
                Some(other) if !group.contains(&other) && is_free(other) => group.push(other),
                _ if propagation.left() == Effect::None => return (group, propagation),
                _ => return (vec![node], self.propagation(&[node])),
            }
        }
    }

    /// The layer with parameters that gives a value its scale.
    fn scale_of(&self, value: usize) -> Option<usize> {
        let node = value.checked_sub(1)?;
        match self.nodes[node].layer.response() {
            _ if !self.nodes[node].parameters.is_empty() => Some(node),
            Response::Linear { .. } | Response::Homogeneous => self.scale_of(self.nodes[node].input),
            Response::Normalizing { .. } | Response::Other => None,
        }
    }

    fn invariance_of(
        &self,
        node: usize,
        group: &[usize],
        propagation: &Propagation,
    ) -> Vec<SegmentInvariance> {
        let left = propagation.left();
        let (divided, epsilon) = (propagation.divided.map(|node| self.describe(node)), propagation.epsilon);
        let reason = match (left, propagation.broken, divided) {
            (Effect::None, _, Some(norm)) if epsilon == 0.0 => format!("{norm} divides its scale out"),
            (Effect::None, _, Some(norm)) => {
                format!("{norm} divides its scale out but for its epsilon of {epsilon}; exactly with 0")
            }
            (Effect::None, ..) => "the outputs do not depend on it".into(),
            (Effect::Other, Some((at, why)), _) => format!("{} {why}", self.describe(at)),
            _ => "it scales the outputs: no normalisation follows that would divide its scale out".into(),
        };
        let names_of = |nodes: &[usize]| -> Vec<&String> {
            let in_them = |start| nodes.iter().any(|&node| self.nodes[node].parameters.contains(&start));
            let segments = self.layout.segments().iter().filter(|segment| in_them(segment.range.start));
            segments.map(|segment| &segment.name).collect()
        };
        let together = names_of(group);
        let one = |segment: &String| SegmentInvariance {
            segment: segment.clone(),
            with: together.iter().filter(|&&other| other != segment).map(ToString::to_string).collect(),
            invariant: left == Effect::None && epsilon == 0.0,
            epsilon: (left == Effect::None && epsilon > 0.0).then_some(epsilon),
            reason: reason.clone(),
            statistics: (left == Effect::None && !propagation.shifted)
                .then(|| self.running_statistics_of(&propagation.dividing)),
        };
        names_of(&[node]).into_iter().map(one).collect()
    }

    /// The state's segments of some nodes.
    fn running_statistics_of(&self, nodes: &[usize]) -> Vec<String> {
        let segments = self.state.segments().iter();
        let belongs = |start: usize| nodes.iter().any(|&node| self.nodes[node].state.contains(&start));
        segments.filter(|segment| belongs(segment.range.start)).map(|segment| segment.name.clone()).collect()
    }

    fn propagation(&self, scaled: &[usize]) -> Propagation {
        let mut propagation = Propagation {
            effects: vec![Effect::None],
            divided: None,
            epsilon: 0.0,
            dividing: Vec::new(),
            shifted: false,
            broken: None,
            missing: None,
        };
        for (index, node) in self.nodes.iter().enumerate() {
            let input = propagation.effects[node.input];
            let (len, own) = (node.layer.output_len(), scaled.contains(&index));
            let mut effect = match node.layer.response() {
                Response::Linear { biases } => propagation.linear(input, own, biases, len),
                Response::Homogeneous => match input {
                    Effect::Shifted(_) => {
                        propagation.broken(index, "bends what a bias that is not scaled has shifted")
                    }
                    other => other,
                },
                Response::Normalizing { epsilon, centers } => {
                    propagation.normalizing(index, (input, own), epsilon, centers)
                }
                Response::Other if input == Effect::None && !own => Effect::None,
                Response::Other => propagation.broken(index, "is not homogeneous"),
            };
            if let Some(skip) = node.skip {
                effect = match (effect, propagation.effects[skip]) {
                    (one, other) if one == other => one,
                    (Effect::Other, _) | (_, Effect::Other) => Effect::Other,
                    (one, _) if one == Effect::None || propagation.effects[skip] == Effect::None => {
                        // What the node adds to the branch is its own doing where it has parameters, else its input's.
                        let own = if node.parameters.is_empty() { node.input } else { index + 1 };
                        propagation.missing.get_or_insert(if one == Effect::None { own } else { skip });
                        propagation.broken(index, "adds a branch that is not scaled")
                    }
                    _ => Effect::Shifted(len),
                };
            }
            propagation.effects.push(effect);
        }
        propagation
    }

    /// A node in words.
    fn describe(&self, node: usize) -> String {
        let name_of = |node: usize| {
            let range = &self.nodes[node].parameters;
            let mut segments = self.layout.segments().iter();
            let segment = segments.find(|segment| range.contains(&segment.range.start))?;
            segment.name.rsplit_once('.').map(|(layer, _)| layer)
        };
        let what = match self.nodes[node].layer.response() {
            Response::Normalizing { .. } => "the normalisation",
            Response::Linear { biases: 0 } if self.nodes[node].skip.is_some() => "the sum",
            Response::Linear { .. } => "the linear layer",
            Response::Homogeneous | Response::Other => "the nonlinearity",
        };
        match (name_of(node), (0..node).rev().find_map(name_of)) {
            (Some(name), _) => format!("{what} {name}"),
            (None, Some(before)) => format!("{what} behind {before}"),
            (None, None) => format!("{what} at the input"),
        }
    }
}

impl Propagation {
    /// What is left at the outputs.
    fn left(&self) -> Effect {
        self.effects[self.effects.len() - 1]
    }

    fn broken(&mut self, node: usize, why: &'static str) -> Effect {
        self.broken.get_or_insert((node, why));
        Effect::Other
    }

    /// A linear layer with so many biases (which repeat over positions); its own parameters are scaled together.
    fn linear(&self, input: Effect, own: bool, biases: usize, len: usize) -> Effect {
        match (input, own) {
            (Effect::None, true) => Effect::Scaled,
            (Effect::None, false) => Effect::None,
            (Effect::Scaled, false) if biases == 0 => Effect::Scaled,
            (Effect::Scaled, false) => Effect::Shifted(biases),
            // What repeats before the layer need not behind it.
            (Effect::Shifted(_), false) => Effect::Shifted(len),
            (_, true) | (Effect::Other, false) => Effect::Other,
        }
    }

    fn normalizing(
        &mut self,
        node: usize,
        (input, own): (Effect, bool),
        epsilon: f64,
        centers: Option<usize>,
    ) -> Effect {
        let centers = |period: usize| centers.is_some_and(|channels| channels.is_multiple_of(period));
        match input {
            Effect::None if own => Effect::Scaled,
            Effect::None => Effect::None,
            Effect::Shifted(period) if !centers(period) => {
                self.broken(node, "does not subtract a bias that is not scaled")
            }
            Effect::Scaled | Effect::Shifted(_) => {
                self.divided.get_or_insert(node);
                self.dividing.push(node);
                self.shifted |= input != Effect::Scaled;
                self.epsilon = self.epsilon.max(epsilon);
                Effect::None
            }
            Effect::Other => Effect::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::layers::{Kept, Normalizer, Over};
    use crate::network::{
        Cnn, Family, Fan, Image, Initialisation, Mlp, Parametrization, ResNet, Skip, Style,
    };
    use crate::random::{Purpose, stream};
    use crate::{Batch, Loss, Workspace};
    use rand_distr::{Distribution, StandardNormal};

    fn mlp(over: Option<Over>, affine: bool, bias: bool, activation: Activation, residual: bool) -> Mlp {
        Mlp {
            inputs: 5,
            hidden: vec![6, 6, 6],
            outputs: 2,
            activation,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::LeCun,
            output_gain: 1.0,
            bias,
            residual,
            normalizer: over.map(|over| Normalizer { over, affine, epsilon: 0.0 }),
        }
    }

    fn normal(len: usize, index: u64) -> Vec<f64> {
        let mut generator = stream(5, Purpose::Data, index);
        (0..len).map(|_| StandardNormal.sample(&mut generator)).collect()
    }

    /// Scales every segment, with those along with it, and looks at the loss; how many are invariant and how many not.
    fn check(network: &Network<f64>, what: &str) -> (usize, usize) {
        let m = 20;
        let (inputs, targets) = (normal(network.input_len() * m, 1), normal(network.output_len() * m, 2));
        let batch = Batch { inputs: &inputs, targets: &targets };
        // Biases and shifts must not be zero, or scaling them would show nothing.
        let w = normal(network.parameters(), 3);
        let mut workspace = Workspace::new(network, m, false);
        let loss = network.gradient(&w, batch, Loss::Mse, &mut workspace);
        let gradient = workspace.gradient().to_vec();
        let all = network.scale_invariance();
        for said in &all {
            let mut scaled = w.clone();
            let (mut inner, mut size) = (0.0, 0.0);
            for name in said.with.iter().chain([&said.segment]) {
                let range = network.layout().find(name).unwrap().range.clone();
                scaled[range.clone()].iter_mut().for_each(|w| *w *= 3.7);
                inner += range.clone().map(|i| gradient[i] * w[i]).sum::<f64>();
                size += range.map(|i| (gradient[i] * w[i]).abs()).sum::<f64>();
            }
            let change = (network.gradient(&scaled, batch, Loss::Mse, &mut workspace) - loss).abs() / loss;
            assert_eq!(change < 1e-11, said.invariant, "{what}: {said:?}, changes by {change:e}");
            assert!(!(1e-11..=1e-6).contains(&change), "{what}: {said:?}, changes by {change:e}");
            assert_eq!(said.epsilon, None);
            if said.invariant {
                // Nothing in the gradient can be told from rounding where the loss does not see the segment.
                assert!(inner.abs() <= 1e-12 * size.max(1.0), "{what}: {said:?}, <gradient, w> = {inner:e}");
            }
        }
        let mut scaled = w.clone();
        for said in all.iter().filter(|said| said.invariant) {
            let range = network.layout().find(&said.segment).unwrap().range.clone();
            scaled[range].iter_mut().for_each(|w| *w *= 3.7);
        }
        let change = (network.gradient(&scaled, batch, Loss::Mse, &mut workspace) - loss).abs() / loss;
        assert!(change < 1e-11, "{what}: all at once change the loss by {change:e}");
        let invariant = all.iter().filter(|said| said.invariant).count();
        (invariant, all.len() - invariant)
    }

    #[test]
    fn a_segment_is_called_invariant_if_and_only_if_scaling_it_does_not_change_the_loss() {
        let (mut invariant, mut not) = (0, 0);
        for over in [None, Some(Over::Batch), Some(Over::Layer), Some(Over::Groups(2))] {
            for activation in [Activation::Relu, Activation::Tanh, Activation::Identity] {
                for options in 0..8 {
                    let (affine, bias, residual) = (options & 1 > 0, options & 2 > 0, options & 4 > 0);
                    let what =
                        format!("{over:?} {activation:?} affine {affine} bias {bias} residual {residual}");
                    let counts =
                        check(&mlp(over, affine, bias, activation, residual).build().unwrap(), &what);
                    (invariant, not) = (invariant + counts.0, not + counts.1);
                }
            }
        }
        assert!(invariant > 100 && not > 100, "{invariant} invariant, {not} not");
    }

    #[test]
    fn so_it_is_in_convolutional_networks() {
        let image = Image { height: 8, width: 8, channels: 2 };
        for over in [Over::Batch, Over::Layer, Over::Groups(2), Over::Instance] {
            for options in 0..4 {
                let (affine, bias) = (options & 1 > 0, options & 2 > 0);
                let style = Style {
                    normalizer: Some(Normalizer { over, affine, epsilon: 0.0 }),
                    activation: Activation::Relu,
                    parametrization: Parametrization::Standard,
                    initialisation: Initialisation::He,
                    fan: Fan::In,
                    output_gain: 1.0,
                    bias,
                };
                for pooling in [Kept::Average, Kept::Maximum] {
                    let pooling = Some(pooling);
                    let cnn = Cnn { image, depth: 2, channels: 4, stage: 1, pooling, outputs: 2, style };
                    let what = format!("{over:?} {pooling:?} affine {affine} bias {bias}");
                    let (invariant, _) = check(&cnn.build().unwrap(), &what);
                    assert!(invariant >= 2, "{what}: every convolution is invariant");
                }
                // Of a projection's two branches only one can be scaled along with the stream.
                for (family, depth, skip, convolutions) in [
                    (Family::PreResNet, 8, Skip::Pad, 7),
                    (Family::PreResNet, 8, Skip::Projection, 7),
                    (Family::Wide, 10, Skip::Projection, 9),
                ] {
                    let resnet =
                        ResNet { image, family, depth, channels: 4, widen: 1, skip, outputs: 2, style };
                    let what = format!("{family:?} {over:?} affine {affine} bias {bias}");
                    let (invariant, _) = check(&resnet.build().unwrap(), &what);
                    assert!(invariant >= convolutions, "{what}: {invariant} segments are invariant");
                }
            }
        }
    }

    #[test]
    fn reasons_name_the_layer_and_what_to_do() {
        let mut mlp = mlp(Some(Over::Batch), true, true, Activation::Relu, false);
        mlp.normalizer = Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 });
        let all = mlp.build::<f64>().unwrap().scale_invariance();
        let of = |name: &str| all.iter().find(|said| said.segment == name).unwrap();
        let first = of("layers.0.weight");
        assert_eq!(
            (first.invariant, first.epsilon, &first.with[..]),
            (false, Some(1e-5), &["layers.0.bias".into()][..])
        );
        assert_eq!(
            first.reason,
            "the normalisation layers.1 divides its scale out but for its epsilon of 0.00001; exactly with 0"
        );
        let last = of("layers.6.weight");
        assert_eq!((last.invariant, last.epsilon), (false, None));
        assert!(last.reason.starts_with("it scales the outputs"), "{}", last.reason);
        mlp.activation = Activation::Tanh;
        let said = &mlp.build::<f64>().unwrap().scale_invariance()[2];
        assert_eq!(
            (&said.segment[..], &said.reason[..]),
            ("layers.1.weight", "the nonlinearity behind layers.1 is not homogeneous")
        );
    }
}
