//! The table of keys.

use super::setting::{
    Batch, Choice, Count, Ends, Flag, Length, Maybe, Numbers, Only, Real, Reals, Scalars, Text, Whole, Wholes,
};
use super::{
    BatchSize, Budget, Encoding, EtaStarWanted, Metric, NetworkKind, NetworkSpec, Normalizer, OptimizerKind,
    Precision, ScheduleKind, Setting, Spec, noise, optimizer,
};
use crate::data::{Fill, ImageLayout, Normalization};
use crate::jobs::COARSE;
use crate::schedule::{Conversion, Interpolation, momentum_to_convert};
use etalon_nn::Loss;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::Kept;
use etalon_nn::network::{Fan, Initialisation, Parametrization, Skip};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// One key: its name, what it means, where its value lives and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The dotted name, such as `network.width`.
    pub path: &'static str,
    /// One sentence: what it is, its unit, what it takes.
    pub doc: &'static str,
    pub(super) field: for<'a> fn(&'a mut Spec) -> Box<dyn Setting + 'a>,
    pub(super) check: fn(&Spec) -> Result<(), String>,
}

/// What the names of a trainer's parameters begin with, each of which is a key.
const PARAMETER: &str = "trainer.parameters.";

impl Key {
    /// The key of a dotted name; none where there is none.
    pub(crate) fn of(path: &str) -> Option<&'static Key> {
        static PARAMETERS: Mutex<Vec<&'static Key>> = Mutex::new(Vec::new());
        if let Some(key) = KEYS.iter().find(|key| key.path == path) {
            return Some(key);
        }
        parameter(path)?;
        let mut parameters = PARAMETERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = parameters.iter().find(|key| key.path == path) {
            return Some(key);
        }
        // It lives as long as the program, as those of the table do; there are as many as a grid has names.
        let key: &Key = Box::leak(Box::new(Key {
            path: Box::leak(path.to_string().into_boxed_str()),
            doc: "a value for a placeholder of trainer.command",
            field: |s| Box::new(Scalars(&mut s.trainer.parameters)),
            check: fine,
        }));
        parameters.push(key);
        Some(key)
    }

    fn get(&self, spec: &Spec) -> Option<toml::Value> {
        match parameter(self.path) {
            Some(name) => spec.trainer.parameters.get(name).cloned(),
            None => (self.field)(&mut spec.clone()).get(),
        }
    }

    /// Puts a value into a spec; the reason where it does not take it.
    pub(super) fn set(&self, spec: &mut Spec, value: &toml::Value) -> Result<(), String> {
        let Some(name) = parameter(self.path) else { return (self.field)(spec).set(value) };
        let mut one = BTreeMap::new();
        Scalars(&mut one)
            .set(&toml::Value::Table([(name.to_string(), value.clone())].into_iter().collect()))?;
        spec.trainer.parameters.append(&mut one);
        Ok(())
    }

    /// Its value in a spec, as TOML.
    pub fn value(&self, spec: &Spec) -> Option<String> {
        self.get(spec).map(|value| value.to_string())
    }

    /// Its value, where that is a number.
    pub(crate) fn number(&self, spec: &Spec) -> Option<f64> {
        let value = self.get(spec)?;
        value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
    }

    /// A value as the key keeps it, such as 100 for 1e2; the reason where it does not take it.
    pub(crate) fn normalised(&self, value: &toml::Value) -> Result<toml::Value, String> {
        let mut scratch = Spec::default();
        self.set(&mut scratch, value)?;
        Ok(self.get(&scratch).unwrap_or_else(|| value.clone()))
    }
}

/// The name of a trainer's parameter, where the key is one's.
fn parameter(path: &str) -> Option<&str> {
    path.strip_prefix(PARAMETER).filter(|name| !name.is_empty() && !name.contains('.'))
}

fn fine(_: &Spec) -> Result<(), String> {
    Ok(())
}

fn at_least_one(number: impl TryInto<u64>) -> Result<(), String> {
    if number.try_into().is_ok_and(|number| number >= 1) { Ok(()) } else { Err("must be at least 1".into()) }
}

fn between(number: usize, least: usize, most: usize) -> Result<(), String> {
    if (least..=most).contains(&number) {
        Ok(())
    } else {
        Err(format!("must lie between {least} and {most}"))
    }
}

pub(super) fn above_zero(number: f64) -> Result<(), String> {
    if number > 0.0 && number.is_finite() {
        Ok(())
    } else {
        Err(format!("is {number}; it must be a finite number above 0"))
    }
}

fn from_zero(number: f64) -> Result<(), String> {
    if number >= 0.0 && number.is_finite() {
        Ok(())
    } else {
        Err(format!("is {number}; it must be a finite number, 0 or above"))
    }
}

fn share(number: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&number) {
        Ok(())
    } else {
        Err(format!("is {number}; it must lie between 0 and 1"))
    }
}

fn finite(number: f64) -> Result<(), String> {
    if number.is_finite() { Ok(()) } else { Err(format!("is {number}; it must be finite")) }
}

fn budget(spec: &Spec) -> Result<(), String> {
    match spec.train.budget {
        Budget::Steps(steps) => at_least_one(steps),
        Budget::Epochs(amount) | Budget::PhysicalTime(amount) => above_zero(amount),
    }
}

fn threshold(spec: &Spec) -> Result<(), String> {
    let Some(threshold) = spec.search.threshold else { return Ok(()) };
    above_zero(threshold)?;
    match spec.search.metric {
        None | Some(Metric::TrainAccuracy | Metric::TestAccuracy)
            if threshold > 1.0 && spec.loss != Loss::Mse =>
        {
            Err(format!("is {threshold}, which no accuracy reaches; an accuracy lies between 0 and 1"))
        }
        _ => Ok(()),
    }
}

fn range(spec: &Spec) -> Result<(), String> {
    match spec.search.range[..] {
        [] => Ok(()),
        [low, high] if low > 0.0 && low < high && high.is_finite() => Ok(()),
        _ => Err("must be empty or two rates above 0, the lower one first".into()),
    }
}

fn test_steps(spec: &Spec) -> Result<(), String> {
    let every = spec.train.check_every.max(1);
    match spec.train.test_steps.iter().find(|step| **step == 0 || !step.is_multiple_of(every)) {
        Some(step) => {
            Err(format!("has step {step}, where nothing is looked at; train.check_every is {every}"))
        }
        None => Ok(()),
    }
}

fn milestones(spec: &Spec) -> Result<(), String> {
    if spec.schedule.milestones.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err("must be in ascending order, each step once".into())
    }
}

fn factors(spec: &Spec) -> Result<(), String> {
    spec.optimizer.factors.values().try_for_each(|&factor| from_zero(factor))
}

fn normalizer(spec: &Spec) -> Result<(), String> {
    match spec.network.normalizer {
        Normalizer::Instance if spec.network.kind == NetworkKind::Mlp => Err(
            "instance takes the mean over the positions of a channel; a fully connected layer has one, and every output \
             would be 0; use \"batch\", \"layer\" or \"group\""
                .into(),
        ),
        Normalizer::Batch if spec.train.batch == BatchSize::Samples(1) => {
            Err("batch takes the mean over the batch, and train.batch is 1; use a larger batch or \"layer\"".into())
        }
        _ => Ok(()),
    }
}

fn groups(spec: &Spec) -> Result<(), String> {
    let NetworkSpec { groups, width, .. } = spec.network;
    at_least_one(groups)?;
    if spec.network.normalizer != Normalizer::Group || spec.network.kind != NetworkKind::Mlp {
        return Ok(());
    }
    if width % groups != 0 {
        Err(format!("is {groups}, which does not divide network.width = {width}"))
    } else if groups == width {
        Err(format!(
            "is network.width: a group of one number minus its mean is 0; take at most {}",
            width / 2
        ))
    } else {
        Ok(())
    }
}

/// Metrics of a search, by name.
const METRICS: &[(&str, Metric)] = {
    use Metric::*;
    &[
        (TrainAccuracy.name(), TrainAccuracy),
        (TestAccuracy.name(), TestAccuracy),
        (TrainLoss.name(), TrainLoss),
        (TestLoss.name(), TestLoss),
    ]
};

/// Every key, in the order of a resolved spec.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    Key { path: "seed", doc: "seed of the first trial; trial i of several has seed + i",
        field: |s| Box::new(Whole(&mut s.seed)), check: fine },
    Key { path: "precision", doc: "numbers of the network: f32 or f64",
        field: |s| Box::new(Choice { value: &mut s.precision, all: &[("f32", Precision::F32), ("f64", Precision::F64)] }), check: fine },
    Key { path: "loss", doc: "mse (1/2 squared distance), cross_entropy, logistic or exponential (the last two: two classes, one output)",
        field: |s| Box::new(Choice { value: &mut s.loss, all: &[("mse", Loss::Mse), ("cross_entropy", Loss::CrossEntropy), ("logistic", Loss::Logistic), ("exponential", Loss::Exponential)] }), check: fine },

    Key { path: "data.name", doc: "a data set that `etalon data list` names, or a folder with idx, CIFAR .bin or .npy files",
        field: |s| Box::new(Text(&mut s.data.name)), check: fine },
    Key { path: "data.sha256", doc: "checksum of the files of data.name, filled in when they are the user's own; files that have changed are refused",
        field: |s| Box::new(Only { shown: !s.data.sha256.is_empty(), setting: Text(&mut s.data.sha256) }), check: fine },
    Key { path: "data.layout", doc: "axes of images in .npy files and in nested lists of Parquet: nhwc (samples x height x width x channels) or nchw (samples x channels x height x width, as in PyTorch); not given: the axis of 1, 3 or 4 is the channels",
        field: |s| Box::new(Maybe { value: &mut s.data.layout, kind: |layout| Box::new(Choice { value: layout, all: &[("nhwc", ImageLayout::Nhwc), ("nchw", ImageLayout::Nchw)] }) }), check: fine },
    Key { path: "data.label", doc: "column of the label in .csv files; not given: label, class, target, y or species, else the last",
        field: |s| Box::new(Only { shown: !s.data.label.is_empty(), setting: Text(&mut s.data.label) }), check: fine },
    Key { path: "data.train", doc: "training samples: the first so many, all where there are fewer, or \"all\"",
        field: |s| Box::new(Count(&mut s.data.train)), check: fine },
    Key { path: "data.test", doc: "held-out samples: the first so many, all where there are fewer, or \"all\"",
        field: |s| Box::new(Count(&mut s.data.test)), check: fine },
    Key { path: "data.normalize", doc: "pixel (subtract each pixel's mean, divide by one deviation), channel (each channel's mean and deviation; of images in convolutional networks unless given), global (one mean, one deviation) or none",
        field: |s| Box::new(Choice { value: &mut s.data.normalize, all: &[("pixel", Normalization::Pixel), ("channel", Normalization::Channel), ("global", Normalization::Global), ("none", Normalization::None)] }), check: fine },
    Key { path: "data.shrink", doc: "images are made smaller by this factor: each pixel is the mean of shrink x shrink, taken after normalisation",
        field: |s| Box::new(Whole(&mut s.data.shrink)), check: |s| at_least_one(s.data.shrink) },
    Key { path: "data.classes", doc: "keep only these classes, renumbered in this order; [] keeps all",
        field: |s| Box::new(Wholes(&mut s.data.classes)), check: fine },
    Key { path: "data.encoding", doc: "targets of classes: one_hot, sign (two classes, one output, +-1) or auto (sign for logistic, exponential, and mse with two classes)",
        field: |s| Box::new(Choice { value: &mut s.data.encoding, all: &[("auto", Encoding::Auto), ("one_hot", Encoding::OneHot), ("sign", Encoding::Sign)] }), check: fine },
    Key { path: "data.dimension", doc: "length of an input of two-gaussians and teacher",
        field: |s| Box::new(Maybe { value: &mut s.data.dimension, kind: |n| Box::new(Whole(n)) }), check: |s| s.data.dimension.map_or(Ok(()), at_least_one) },
    Key { path: "data.margin", doc: "margin of two-gaussians: above 0 separable by construction, below 0 overlapping",
        field: |s| Box::new(Maybe { value: &mut s.data.margin, kind: |x| Box::new(Real(x)) }), check: |s| s.data.margin.map_or(Ok(()), finite) },
    Key { path: "data.noise", doc: "deviation of the noise on the teacher's values",
        field: |s| Box::new(Maybe { value: &mut s.data.noise, kind: |x| Box::new(Real(x)) }), check: |s| s.data.noise.map_or(Ok(()), from_zero) },
    Key { path: "data.positive", doc: "share of positive labels of degenerate, between 0 and 1",
        field: |s| Box::new(Maybe { value: &mut s.data.positive, kind: |x| Box::new(Real(x)) }), check: |s| s.data.positive.map_or(Ok(()), share) },
    Key { path: "data.seed", doc: "seed of procedural data sets; it stays when `seed` changes",
        field: |s| Box::new(Whole(&mut s.data.seed)), check: fine },

    Key { path: "data.augment.flip", doc: "whether a training image is mirrored left to right with probability 1/2 at every visit",
        field: |s| Box::new(Flag(&mut s.data.augment.flip)), check: fine },
    Key { path: "data.augment.crop", doc: "pixels of a border that is put around a training image, from which it is cropped to its size at a random place; 0: none",
        field: |s| Box::new(Whole(&mut s.data.augment.crop)), check: |s| between(s.data.augment.crop, 0, 10_000) },
    Key { path: "data.augment.fill", doc: "what the border is made of: zero (after normalisation: the mean) or reflect",
        field: |s| Box::new(Choice { value: &mut s.data.augment.fill, all: &[("zero", Fill::Zero), ("reflect", Fill::Reflect)] }), check: fine },

    Key { path: "data.patch.size", doc: "rows and columns of a patch on training images that tells their class to whoever learns it (1907.04595, section 5); 0: none",
        field: |s| Box::new(Whole(&mut s.data.patch.size)), check: |s| between(s.data.patch.size, 0, 10_000) },
    Key { path: "data.patch.place", doc: "row and column of the patch's first pixel; [] for the centre",
        field: |s| Box::new(Wholes(&mut s.data.patch.place)), check: |s| s.data.patch.check_place() },
    Key { path: "data.patch.scale", doc: "deviation of the pattern z that all patches share, in units of normalised pixels",
        field: |s| Box::new(Real(&mut s.data.patch.scale)), check: |s| from_zero(s.data.patch.scale) },
    Key { path: "data.patch.offset", doc: "a class's offset has numbers from -offset to offset; a patch is z plus or minus its class's offset, the sign drawn at every visit",
        field: |s| Box::new(Real(&mut s.data.patch.offset)), check: |s| above_zero(s.data.patch.offset) },
    Key { path: "data.patch.spread", doc: "where there is a patch only, its offset is multiplied by a number from 0 to spread, drawn at every visit",
        field: |s| Box::new(Real(&mut s.data.patch.spread)), check: |s| above_zero(s.data.patch.spread) },
    Key { path: "data.patch.shares", doc: "shares of images without a patch (always the same ones), of images with it, and of the patch alone on zeros (these two drawn at every visit)",
        field: |s| Box::new(Reals(&mut s.data.patch.shares)), check: |s| s.data.patch.check_shares() },
    Key { path: "data.patch.seed", doc: "seed of the pattern, of the classes' offsets, and of which images have a patch; it stays when `seed` changes",
        field: |s| Box::new(Whole(&mut s.data.patch.seed)), check: fine },

    Key { path: "network.kind", doc: "mlp; on images also cnn (3 x 3 convolutions in stages), preresnet (pre-activation residual network) or wrn (wide residual network)",
        field: |s| Box::new(Choice { value: &mut s.network.kind, all: NetworkKind::ALL }), check: fine },
    Key { path: "network.depth", doc: "number of hidden layers, 0 a linear predictor; of convolutions in a cnn (3 unless given); 6 n + 2 in a preresnet (20), 6 n + 4 in a wrn (16)",
        field: |s| Box::new(Whole(&mut s.network.depth)), check: |s| between(s.network.depth, 0, 10_000) },
    Key { path: "network.width", doc: "width of every hidden layer; in convolutional networks, channels of the first convolution (16 unless given)",
        field: |s| Box::new(Whole(&mut s.network.width)), check: |s| at_least_one(s.network.width) },
    Key { path: "network.activation", doc: "relu, tanh, gelu or identity",
        field: |s| Box::new(Choice { value: &mut s.network.activation, all: &[("relu", Activation::Relu), ("tanh", Activation::Tanh), ("gelu", Activation::Gelu), ("identity", Activation::Identity)] }), check: fine },
    Key { path: "network.parametrization", doc: "standard, ntk or mup",
        field: |s| Box::new(Choice { value: &mut s.network.parametrization, all: &[("standard", Parametrization::Standard), ("ntk", Parametrization::Ntk), ("mup", Parametrization::Mup)] }), check: fine },
    Key { path: "network.widen", doc: "factor of the channels of a preresnet's or a wrn's blocks, the k of WRN-d-k",
        field: |s| Box::new(Whole(&mut s.network.widen)), check: |s| at_least_one(s.network.widen) },
    Key { path: "network.skip", doc: "shortcut of a preresnet's block that changes the shape: pad (every second pixel, channels of zeros) or projection (1 x 1 convolution)",
        field: |s| Box::new(Choice { value: &mut s.network.skip, all: &[("pad", Skip::Pad), ("projection", Skip::Projection)] }), check: fine },
    Key { path: "network.stage", doc: "convolutions of a cnn after which the image is halved and the channels double",
        field: |s| Box::new(Whole(&mut s.network.stage)), check: |s| at_least_one(s.network.stage) },
    Key { path: "network.pool", doc: "how a cnn halves the image: average (smooth) or maximum of 2 x 2 pixels, or stride (the stage's first convolution takes every second pixel)",
        field: |s| Box::new(Choice { value: &mut s.network.pool, all: &[("average", Some(Kept::Average)), ("maximum", Some(Kept::Maximum)), ("stride", None)] }), check: fine },
    Key { path: "network.bias", doc: "whether layers have biases, which start at zero; the convolutions of a preresnet or wrn have none",
        field: |s| Box::new(Flag(&mut s.network.bias)), check: fine },
    Key { path: "network.residual", doc: "whether hidden layers from the second on add their input to their output",
        field: |s| Box::new(Flag(&mut s.network.residual)), check: |s| if s.network.residual && s.network.kind != NetworkKind::Mlp { Err("is true, and belongs to kind = \"mlp\"; a residual convolutional network is kind = \"preresnet\"".into()) } else { Ok(()) } },
    Key { path: "network.normalizer", doc: "normalisation before each activation: none, batch (of a preresnet and a wrn unless given), layer, group or instance",
        field: |s| Box::new(Choice { value: &mut s.network.normalizer, all: &[("none", Normalizer::None), ("batch", Normalizer::Batch), ("layer", Normalizer::Layer), ("group", Normalizer::Group), ("instance", Normalizer::Instance)] }), check: normalizer },
    Key { path: "network.affine", doc: "whether the normaliser multiplies and shifts each channel by a learnt weight and bias",
        field: |s| Box::new(Flag(&mut s.network.affine)), check: fine },
    Key { path: "network.groups", doc: "groups of channels of the group normaliser",
        field: |s| Box::new(Whole(&mut s.network.groups)), check: groups },
    Key { path: "network.normalizer_epsilon", doc: "what the normaliser adds to the variance; 0 for exact scale invariance",
        field: |s| Box::new(Real(&mut s.network.normalizer_epsilon)), check: |s| from_zero(s.network.normalizer_epsilon) },
    Key { path: "network.init", doc: "variance of hidden weights: he (2/fan) or lecun (1/fan)",
        field: |s| Box::new(Choice { value: &mut s.network.init, all: &[("he", Initialisation::He), ("lecun", Initialisation::LeCun)] }), check: fine },
    Key { path: "network.fan", doc: "what the variance of a convolution's weights is divided by: in (inputs of an output) or out (outputs of an input; of a preresnet and a wrn unless given)",
        field: |s| Box::new(Choice { value: &mut s.network.fan, all: &[("in", Fan::In), ("out", Fan::Out)] }), check: |s| if s.network.fan == Fan::Out && s.network.kind == NetworkKind::Mlp { Err("is out, which kind = \"mlp\" does not know; use \"in\"".into()) } else { Ok(()) } },
    Key { path: "network.output_gain", doc: "variance of the output layer's weights, in units of 1/fan_in",
        field: |s| Box::new(Real(&mut s.network.output_gain)), check: |s| above_zero(s.network.output_gain) },

    Key { path: "optimizer.kind", doc: "sgd (unless given) or adamw, as torch.optim has them",
        field: |s| Box::new(Only { shown: s.optimizer.is_adamw(), setting: Choice { value: &mut s.optimizer.kind, all: &[("sgd", OptimizerKind::Sgd), ("adamw", OptimizerKind::AdamW)] } }), check: optimizer::kind },
    Key { path: "optimizer.eta", doc: "learning rate (`find` uses it for search.after_epochs alone); 1e-3 of adamw unless given",
        field: |s| Box::new(Real(&mut s.optimizer.eta)), check: |s| above_zero(s.optimizer.eta) },
    Key { path: "optimizer.momentum", doc: "momentum of kind = \"sgd\" in PyTorch's form, from 0 to below 1; heavy-ball unless nesterov",
        field: |s| Box::new(Real(&mut s.optimizer.momentum)), check: optimizer::momentum },
    Key { path: "optimizer.nesterov", doc: "whether momentum looks ahead; needs optimizer.momentum above 0",
        field: |s| Box::new(Flag(&mut s.optimizer.nesterov)), check: optimizer::nesterov },
    Key { path: "optimizer.beta1", doc: "what the mean of gradients keeps a step with kind = \"adamw\", from 0 to below 1; 0.9 unless given",
        field: |s| Box::new(Only { shown: s.optimizer.is_adamw(), setting: Real(&mut s.optimizer.beta1) }), check: |s| optimizer::beta(s, |o| o.beta1) },
    Key { path: "optimizer.beta2", doc: "the same of the mean of their squares; 0.999 unless given",
        field: |s| Box::new(Only { shown: s.optimizer.is_adamw(), setting: Real(&mut s.optimizer.beta2) }), check: |s| optimizer::beta(s, |o| o.beta2) },
    Key { path: "optimizer.epsilon", doc: "what kind = \"adamw\" adds to the root of that mean, above 0; 1e-8 unless given",
        field: |s| Box::new(Only { shown: s.optimizer.is_adamw(), setting: Real(&mut s.optimizer.epsilon) }), check: optimizer::epsilon },
    Key { path: "optimizer.weight_decay", doc: "weight decay: added to the gradient as weight_decay x parameter; with kind = \"adamw\" taken off the parameter as eta x weight_decay x parameter",
        field: |s| Box::new(Real(&mut s.optimizer.weight_decay)), check: |s| from_zero(s.optimizer.weight_decay) },
    Key { path: "optimizer.input_factor", doc: "factor of the learning rate for the first layer's weight and bias; 0 freezes it",
        field: |s| Box::new(Real(&mut s.optimizer.input_factor)), check: |s| from_zero(s.optimizer.input_factor) },
    Key { path: "optimizer.factors", doc: "factors of the learning rate by segment, such as { \"layers.1.bias\" = 0.0 }; on top of input_factor",
        field: |s| Box::new(Numbers(&mut s.optimizer.factors)), check: factors },

    Key { path: "schedule.kind", doc: "constant, step, cosine, linear, exponential, one_cycle, wsd (warm-up, stable, decay), piecewise or file; end points as PyTorch's schedulers",
        field: |s| Box::new(Choice { value: &mut s.schedule.kind, all: &[("constant", ScheduleKind::Constant), ("step", ScheduleKind::Step), ("cosine", ScheduleKind::Cosine), ("linear", ScheduleKind::Linear), ("exponential", ScheduleKind::Exponential), ("one_cycle", ScheduleKind::OneCycle), ("wsd", ScheduleKind::StableDecay), ("piecewise", ScheduleKind::Piecewise), ("file", ScheduleKind::File)] }), check: fine },
    Key { path: "schedule.warmup", doc: "steps over which the rate rises linearly to that of the kind; cosine and linear begin after them (as PyTorch's SequentialLR), step, exponential, piecewise and file count from the first step (as its ChainedScheduler)",
        field: |s| Box::new(Whole(&mut s.schedule.warmup)), check: |s| s.schedule.check_warmup() },
    Key { path: "schedule.milestones", doc: "steps at which kind = \"step\" multiplies the rate by schedule.factor, and those of the points of kind = \"piecewise\"",
        field: |s| Box::new(Wholes(&mut s.schedule.milestones)), check: milestones },
    Key { path: "schedule.factor", doc: "what kind = \"step\" and schedule.anneal_below multiply the rate by",
        field: |s| Box::new(Real(&mut s.schedule.factor)), check: |s| above_zero(s.schedule.factor) },
    Key { path: "schedule.anneal_below", doc: "training loss at a look (train.check_every) from which on a constant rate is multiplied by schedule.factor, once and for all; not given: never",
        field: |s| Box::new(Maybe { value: &mut s.schedule.anneal_below, kind: |x| Box::new(Real(x)) }), check: |s| s.schedule.check_anneal() },
    Key { path: "schedule.factors", doc: "rates of kind = \"piecewise\" at schedule.milestones, in units of eta",
        field: |s| Box::new(Reals(&mut s.schedule.factors)), check: |s| s.schedule.check_factors() },
    Key { path: "schedule.interpolation", doc: "what kind = \"piecewise\" does between its points: constant, linear or log (exponential growth or decay)",
        field: |s| Box::new(Choice { value: &mut s.schedule.interpolation, all: &[("constant", Interpolation::Constant), ("linear", Interpolation::Linear), ("log", Interpolation::Log)] }), check: fine },
    Key { path: "schedule.end", doc: "rate at the end of kind = \"cosine\", \"linear\" and \"wsd\", in units of eta",
        field: |s| Box::new(Real(&mut s.schedule.end)), check: |s| from_zero(s.schedule.end) },
    Key { path: "schedule.growth", doc: "what kind = \"exponential\" multiplies the rate by at every step",
        field: |s| Box::new(Real(&mut s.schedule.growth)), check: |s| above_zero(s.schedule.growth) },
    Key { path: "schedule.decay", doc: "steps of the decay at the end of kind = \"wsd\"",
        field: |s| Box::new(Whole(&mut s.schedule.decay)), check: |s| if s.schedule.kind == ScheduleKind::StableDecay { at_least_one(s.schedule.decay) } else { Ok(()) } },
    Key { path: "schedule.rise", doc: "share of the steps over which the rate of kind = \"one_cycle\" rises, from 0 to below 1",
        field: |s| Box::new(Real(&mut s.schedule.rise)), check: |s| if (0.0..1.0).contains(&s.schedule.rise) { Ok(()) } else { Err(format!("is {}; it must be 0 or above, and below 1", s.schedule.rise)) } },
    Key { path: "schedule.divisor", doc: "eta over the first rate of kind = \"one_cycle\"",
        field: |s| Box::new(Real(&mut s.schedule.divisor)), check: |s| above_zero(s.schedule.divisor) },
    Key { path: "schedule.final_divisor", doc: "the first rate over the last one of kind = \"one_cycle\"",
        field: |s| Box::new(Real(&mut s.schedule.final_divisor)), check: |s| above_zero(s.schedule.final_divisor) },
    Key { path: "schedule.last_steps", doc: "steps after those of the budget, at schedule.last_eta; where they begin, held-out samples are looked at and curvature is measured as at the end of a trial without them",
        field: |s| Box::new(Whole(&mut s.schedule.last_steps)), check: |s| if s.schedule.last_steps <= 1_000_000_000_000 { Ok(()) } else { Err("must be at most 1e12".into()) } },
    Key { path: "schedule.last_eta", doc: "rate of schedule.last_steps, the same whatever optimizer.eta is",
        field: |s| Box::new(Real(&mut s.schedule.last_eta)), check: |s| above_zero(s.schedule.last_eta) },
    Key { path: "schedule.file", doc: "CSV file of kind = \"file\", with columns step and eta or log_eta; optimizer.eta is its first rate above 0, and scales it where it is given",
        field: |s| Box::new(Text(&mut s.schedule.file)), check: |s| s.schedule.check_file() },
    Key { path: "schedule.sha256", doc: "checksum of schedule.file, filled in when it is read; a file that has changed is refused",
        field: |s| Box::new(Text(&mut s.schedule.sha256)), check: fine },
    Key { path: "schedule.conversion", doc: "none, or how scale-invariant segments trade weight decay for a growing rate: exact, phases (closed form) or growth_only; the others keep both",
        field: |s| Box::new(Choice { value: &mut s.schedule.conversion, all: &[("none", None), ("exact", Some(Conversion::Exact)), ("phases", Some(Conversion::Phases)), ("growth_only", Some(Conversion::GrowthOnly))] }), check: |s| match momentum_to_convert(&s.optimizer.rule()) { Err(error) if s.schedule.conversion.is_some() => Err(format!("cannot be done: {error}")), _ => Ok(()) } },

    Key { path: "noise.level", doc: "deviation of normal noise behind every normalisation, before the activation, in training alone; one number a position and step, for all samples and channels (1907.04595, section 5); 0: none",
        field: |s| Box::new(Real(&mut s.noise.level)), check: noise::check },
    Key { path: "noise.until", doc: "first step at which the noise is multiplied by noise.factor; not given: with schedule.anneal_below when the rate is, else never",
        field: |s| Box::new(Maybe { value: &mut s.noise.until, kind: |n| Box::new(Whole(n)) }), check: fine },
    Key { path: "noise.factor", doc: "what the noise is multiplied by from noise.until on; 0 removes it",
        field: |s| Box::new(Real(&mut s.noise.factor)), check: |s| from_zero(s.noise.factor) },

    Key { path: "train.batch", doc: "samples of a step, drawn without replacement, or \"full\"",
        field: |s| Box::new(Batch(&mut s.train.batch)), check: |s| match s.train.batch { BatchSize::Full => Ok(()), BatchSize::Samples(samples) => at_least_one(samples) } },
    Key { path: "train.steps", doc: "how long to train, in optimiser updates; or give train.epochs or train.physical_time",
        field: |s| Box::new(Length { budget: &mut s.train.budget, make: |steps| Budget::Steps(steps as u64) }), check: budget },
    Key { path: "train.epochs", doc: "how long to train, in passes over the training set",
        field: |s| Box::new(Length { budget: &mut s.train.budget, make: Budget::Epochs }), check: fine },
    Key { path: "train.physical_time", doc: "how long to train, as the sum of the learning rates of all steps (eta x t)",
        field: |s| Box::new(Length { budget: &mut s.train.budget, make: Budget::PhysicalTime }), check: fine },
    Key { path: "train.check_every", doc: "steps between two looks at the metrics",
        field: |s| Box::new(Whole(&mut s.train.check_every)), check: |s| at_least_one(s.train.check_every) },
    Key { path: "train.check_samples", doc: "training samples on which the metrics are taken: the first so many",
        field: |s| Box::new(Whole(&mut s.train.check_samples)), check: |s| at_least_one(s.train.check_samples) },
    Key { path: "train.check_test", doc: "whether the held-out samples are looked at as often as the training samples, not at the end alone; `etalon train` always does",
        field: |s| Box::new(Flag(&mut s.train.check_test)), check: fine },
    Key { path: "train.test_steps", doc: "steps of the looks at which the held-out samples are looked at, beside the end; not given: of all that check_test asks for",
        field: |s| Box::new(Only { shown: !s.train.test_steps.is_empty(), setting: Wholes(&mut s.train.test_steps) }), check: test_steps },
    Key { path: "train.limit", doc: "a loss above limit x max(first loss, loss of the constant predictor) is divergence; a catapult's peak grows with width / eta^2, so that the limit must be far",
        field: |s| Box::new(Real(&mut s.train.limit)), check: |s| if s.train.limit > 1.0 { Ok(()) } else { Err("must be above 1".into()) } },

    Key { path: "measure.samples", doc: "training samples on which curvature is measured: the first so many",
        field: |s| Box::new(Whole(&mut s.measure.samples)), check: |s| at_least_one(s.measure.samples) },
    Key { path: "measure.every", doc: "steps between two measurements of curvature while training; 0: at the start and the end",
        field: |s| Box::new(Whole(&mut s.measure.every)), check: fine },
    Key { path: "measure.tolerance", doc: "relative residual at which an eigenvalue counts as converged",
        field: |s| Box::new(Real(&mut s.measure.tolerance)), check: |s| if s.measure.tolerance > 0.0 && s.measure.tolerance < 1.0 { Ok(()) } else { Err("must lie between 0 and 1".into()) } },
    Key { path: "measure.iterations", doc: "most Lanczos iterations for an eigenvalue",
        field: |s| Box::new(Whole(&mut s.measure.iterations)), check: |s| at_least_one(s.measure.iterations) },
    Key { path: "measure.top", doc: "how many of the largest eigenvalues of the Hessian to measure",
        field: |s| Box::new(Whole(&mut s.measure.top)), check: |s| at_least_one(s.measure.top) },
    Key { path: "measure.weights", doc: "whether a trajectory tells each segment's norm, the angle it turns by at a step, and its effective rate eta / norm^2",
        field: |s| Box::new(Flag(&mut s.measure.weights)), check: fine },
    Key { path: "measure.learnt", doc: "accuracy from which on a group of training samples (without, with, and only a patch) counts as learnt",
        field: |s| Box::new(Real(&mut s.measure.learnt)), check: |s| share(s.measure.learnt) },

    Key { path: "search.eta_star", doc: "whether `find` searches eta*, the maximal initial rate: also, only (without the rate to use) or no",
        field: |s| Box::new(Choice { value: &mut s.search.eta_star, all: &[("also", EtaStarWanted::Also), ("only", EtaStarWanted::Only), ("no", EtaStarWanted::No)] }), check: fine },
    Key { path: "search.trainings", doc: "the most full trainings that choose the rate to use, apart from those that guard it; 0: by short ones alone",
        field: |s| Box::new(Whole(&mut s.search.trainings)), check: |s| between(s.search.trainings, 0, 1000) },
    Key { path: "search.short", doc: "how long the short trainings are with which the choice begins, as a share of the budget",
        field: |s| Box::new(Real(&mut s.search.short)), check: |s| if s.search.short > 0.0 && s.search.short <= 1.0 { Ok(()) } else { Err(format!("is {}; it must lie above 0 and at most 1", s.search.short)) } },
    Key { path: "search.metric", doc: "by what eta* is judged: train_accuracy, test_accuracy, train_loss or test_loss; not given: train_accuracy, or train_loss where there are no classes",
        field: |s| Box::new(Maybe { value: &mut s.search.metric, kind: |metric| Box::new(Choice { value: metric, all: METRICS }) }), check: fine },
    Key { path: "search.threshold", doc: "accuracy to reach or loss to get below within the budget, for eta*; not given: search.share",
        field: |s| Box::new(Maybe { value: &mut s.search.threshold, kind: |x| Box::new(Real(x)) }), check: threshold },
    Key { path: "search.share", doc: "what eta* has to reach where there is no threshold: this share of the way from chance to the best that the choice of the rate has seen",
        field: |s| Box::new(Real(&mut s.search.share)), check: |s| share(s.search.share) },
    Key { path: "search.tolerance", doc: "the bracket of eta* is narrowed to the ratio 1 + tolerance",
        field: |s| Box::new(Real(&mut s.search.tolerance)), check: |s| if s.search.tolerance > 0.0 && s.search.tolerance <= 1.0 { Ok(()) } else { Err(format!("is {}; it must lie above 0 and at most 1", s.search.tolerance)) } },
    Key { path: "search.seeds", doc: "how many seeds: seed, seed + 1, ...",
        field: |s| Box::new(Whole(&mut s.search.seeds)), check: |s| between(s.search.seeds, 1, 10_000) },
    Key { path: "search.factor", doc: "the bracket widens by this factor until the outcome flips",
        field: |s| Box::new(Real(&mut s.search.factor)), check: |s| if s.search.factor >= 1.1 && s.search.factor.is_finite() { Ok(()) } else { Err("must be at least 1.1".into()) } },
    Key { path: "search.sections", doc: "rates probed at once inside a bracket; 1 is bisection",
        field: |s| Box::new(Whole(&mut s.search.sections)), check: |s| between(s.search.sections, 1, 100) },
    Key { path: "search.range", doc: "lowest and highest rate to try, such as [1e-3, 10.0]; [] takes, for eta*, 2^-10 to 2^12 times the start",
        field: |s| Box::new(Reals(&mut s.search.range)), check: range },
    Key { path: "search.samples", doc: "training samples, 128 unless given, on which the curvature of a start is measured to 5 %: at most, for the first guess, and for eta* in units of it",
        field: |s| Box::new(Only { shown: s.search.samples != COARSE.samples, setting: Whole(&mut s.search.samples) }), check: |s| at_least_one(s.search.samples) },
    Key { path: "search.after_epochs", doc: "passes over the training set, at optimizer.eta, before the search: the rate to use and eta* of a network trained so long; 0: of a fresh one",
        field: |s| Box::new(Real(&mut s.search.after_epochs)), check: |s| from_zero(s.search.after_epochs) },
    Key { path: "search.phase", doc: "whether to look at what training does just below eta*, which takes a trial and its curvature; search.eta_star = \"only\" leaves it out",
        field: |s| Box::new(Flag(&mut s.search.phase)), check: fine },

    Key { path: "boundaries.range", doc: "lowest and highest c_h to look at: c_h = rate x sharpness at the start (the Hessian's; `c` is the NTK's)",
        field: |s| Box::new(Ends(&mut s.boundaries.range)), check: |s| if matches!(s.boundaries.range, [low, high] if low > 0.0 && low < high && high.is_finite()) { Ok(()) } else { Err("must be two numbers above 0, the lower one first".into()) } },
    Key { path: "boundaries.points", doc: "equal steps in log c_h that are tried from below until something changes, which is then bisected",
        field: |s| Box::new(Whole(&mut s.boundaries.points)), check: |s| between(s.boundaries.points, 1, 10_000) },
    Key { path: "boundaries.tolerance", doc: "the bracket of a boundary is narrowed to the ratio 1 + tolerance",
        field: |s| Box::new(Real(&mut s.boundaries.tolerance)), check: |s| if s.boundaries.tolerance > 0.0 && s.boundaries.tolerance <= 1.0 { Ok(()) } else { Err(format!("is {}; it must lie above 0 and at most 1", s.boundaries.tolerance)) } },

    Key { path: "trainer.command", doc: "what trains instead of Etalon, such as \"python train.py --lr {eta} --seed {seed} --log {log}\": words, as a shell has them, with {eta}, {seed}, {log}, {out} (a folder of its own), {slot}, {steps} and the names of trainer.parameters",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Text(&mut s.trainer.command) }), check: |s| s.trainer.check_command() },
    Key { path: "trainer.shell", doc: "whether `sh -c` runs the command, so that it may have pipes and the like",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Flag(&mut s.trainer.shell) }), check: fine },
    Key { path: "trainer.env", doc: "variables of the trainer's environment, such as { CUDA_VISIBLE_DEVICES = \"{slot}\" }, with the same placeholders",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Scalars(&mut s.trainer.env) }), check: fine },
    Key { path: "trainer.parameters", doc: "values for placeholders of the command, such as { width = 256 }",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Scalars(&mut s.trainer.parameters) }), check: fine },
    Key { path: "trainer.log", doc: "where the trainer writes its log (JSON lines, CSV with a header, plain text, a TensorBoard event file or a folder of them), or stdout for JSON lines, CSV or plain text among what it prints; {out}/log.jsonl unless given, stdout where the command has neither {log} nor {out}",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Text(&mut s.trainer.log) }), check: fine },
    Key { path: "trainer.columns", doc: "columns of the log that are not recognised by their names, such as { loss = \"train/nll\" }: step, loss, rate and curvature",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Scalars(&mut s.trainer.columns) }), check: |s| s.trainer.check_columns() },
    Key { path: "trainer.steps", doc: "steps of a whole training, as its log counts them; 0: those of the first one",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Whole(&mut s.trainer.steps) }), check: |s| if s.trainer.steps <= 1_000_000_000_000 { Ok(()) } else { Err("must be at most 1e12".into()) } },
    Key { path: "trainer.start", doc: "rate of the first training; where its log has a curvature, eta* is looked for about 2 / curvature",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Real(&mut s.trainer.start) }), check: |s| above_zero(s.trainer.start) },
    Key { path: "trainer.seconds", doc: "how long a training may run before it counts as hung; 0: for ever",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Real(&mut s.trainer.seconds) }), check: |s| if (0.0..=1e9).contains(&s.trainer.seconds) { Ok(()) } else { Err("must lie between 0 and 1e9".into()) } },
    Key { path: "trainer.retries", doc: "how often a training that fails without a verdict is tried again; the first of a search is not",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Whole(&mut s.trainer.retries) }), check: |s| between(s.trainer.retries, 0, 100) },
    Key { path: "trainer.slots", doc: "trainings side by side; results do not depend on it",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Whole(&mut s.trainer.slots) }), check: |s| between(s.trainer.slots, 1, 1024) },
    Key { path: "trainer.goal.metric", doc: "column of the log by which the rate to use is chosen, and eta* is judged; not given: eta* alone, where trained means that the loss ends finite and lower than it began",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Text(&mut s.trainer.goal.metric) }), check: fine },
    Key { path: "trainer.goal.below", doc: "what the metric has to come to, or less; of a metric with neither bound less is better, and search.share says how far it has to go",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Maybe { value: &mut s.trainer.goal.below, kind: |x| Box::new(Real(x)) } }), check: |s| s.trainer.check_goal() },
    Key { path: "trainer.goal.above", doc: "what the metric has to come to, or more",
        field: |s| Box::new(Only { shown: s.trainer.is_given(), setting: Maybe { value: &mut s.trainer.goal.above, kind: |x| Box::new(Real(x)) } }), check: |s| s.trainer.check_goal() },
];
