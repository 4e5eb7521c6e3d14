//! `etalon data inspect`: what a data set is.

use crate::context::{Context, Exit, Failure};
use etalon::data::{Dataset, ImageLayout, Labels, SampleShape, Source, load};
use etalon::record::RunFolder;
use etalon::spec::Spec;
use etalon::units::significant;
use serde::Serialize;

/// Classes that the text counts one by one.
const LISTED: usize = 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A name, or a path as data.name takes it
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    name: String,

    /// Column of the label of a table [default: recognised]
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// Order of the axes of images in arrays, as data.layout has it [default: recognised]
    #[arg(long, value_name = "ORDER")]
    layout: Option<Layout>,
}

/// What `data.layout` can be.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Layout {
    /// Samples x height x width x channels
    Nhwc,
    /// Samples x channels x height x width, as in PyTorch
    Nchw,
}

impl From<Layout> for ImageLayout {
    fn from(layout: Layout) -> ImageLayout {
        match layout {
            Layout::Nhwc => ImageLayout::Nhwc,
            Layout::Nchw => ImageLayout::Nchw,
        }
    }
}

/// What a data set is, as JSON has it.
#[derive(Serialize)]
struct Inspected {
    name: String,
    /// What the path holds; none of a set with a name.
    form: Option<String>,
    train: Part,
    test: Part,
    /// What had to be recognised.
    notes: Vec<String>,
    sha256: Option<String>,
}

#[derive(Serialize)]
struct Part {
    samples: usize,
    /// Features of a sample; of images height, width and channels.
    shape: Vec<usize>,
    /// Samples of each class; none where labels are values.
    classes: Option<Vec<usize>>,
    /// Values of a label; none where labels are classes.
    values: Option<usize>,
    /// The least, the mean and the largest input.
    inputs: [f64; 3],
    /// The same of labels that are values.
    labels: Option<[f64; 3]>,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context, out: Option<RunFolder>) -> Result<Exit, Failure> {
        let layout = self.layout.map(ImageLayout::from);
        let source = Source { label: self.label, layout, ..Source::named(&self.name)? };
        let split = load(&source)?;
        let found = Inspected {
            form: source.form(),
            train: Part::of(&split.train),
            test: Part::of(&split.test),
            notes: split.notes,
            sha256: source.digest()?,
            name: self.name,
        };
        if let Some(folder) = out {
            folder.write_json("inspect.json", &found)?;
        }
        context.output.tell(&found, || found.text())?;
        Ok(Exit::Done)
    }
}

impl Part {
    fn of(data: &Dataset) -> Part {
        let shape = match data.shape {
            SampleShape::Flat(length) => vec![length],
            SampleShape::Image { height, width, channels } => vec![height, width, channels],
        };
        let (classes, values, labels) = match &data.labels {
            Labels::Classes { labels, count } => {
                let mut samples = vec![0; *count as usize];
                labels.iter().for_each(|&label| samples[label as usize] += 1);
                (Some(samples), None, None)
            }
            Labels::Values { values, width } => (None, Some(*width), Some(range(values))),
        };
        Part { samples: data.len(), shape, classes, values, inputs: range(&data.inputs), labels }
    }

    fn text(&self, name: &str) -> String {
        let numbers = |range: [f64; 3]| {
            let [least, mean, largest] = range.map(|number| significant(number, 4));
            format!("{least} to {largest}, mean {mean}")
        };
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let what = if shape.len() == 1 { " features" } else { " (height x width x channels)" };
        let mut text = format!(
            "{name}: {} samples of {}{what}, {}\n",
            self.samples,
            shape.join(" x "),
            numbers(self.inputs)
        );
        if let Some(classes) = &self.classes {
            let counts: Vec<String> = classes.iter().take(LISTED).map(usize::to_string).collect();
            let more = if classes.len() > LISTED { ", ..." } else { "" };
            text += &format!("  {} classes, samples of each: {}{more}\n", classes.len(), counts.join(", "));
        }
        if let (Some(width), Some(range)) = (self.values, self.labels) {
            text += &format!("  labels are values, {width} a sample: {}\n", numbers(range));
        }
        text
    }
}

/// The least, the mean and the largest.
fn range(numbers: &[f32]) -> [f64; 3] {
    let all = || numbers.iter().copied().map(f64::from);
    let mean = all().sum::<f64>() / numbers.len() as f64;
    [all().fold(f64::INFINITY, f64::min), mean, all().fold(f64::NEG_INFINITY, f64::max)]
}

impl Inspected {
    fn text(&self) -> String {
        let form = self.form.as_ref().map_or(String::new(), |form| format!(": {form}"));
        let mut text = format!("{}{form}\n\n", self.name);
        text += &self.train.text("train");
        text += &self.test.text("test");
        self.notes.iter().for_each(|note| text += &format!("{note}\n"));
        let loss = if self.train.classes.is_some() { "" } else { " loss=mse" };
        let usual = Spec::default().data;
        let taken = |part: &Part, usual: usize| match part.samples > usual {
            true => format!("the first {usual}"),
            false => "all".into(),
        };
        text + &format!(
            "\nTrain on it with data.name={}{loss}; of its samples data.train takes {} and data.test {}, unless given.\n",
            self.name,
            taken(&self.train, usual.train),
            taken(&self.test, usual.test)
        )
    }
}
