//! From a name to a data set.

use std::path::{Path, PathBuf};

use super::catalogue::Collection;
use super::folder::Form;
use super::parts::DRAWN;
use super::procedural::{Degenerate, Mnist1d, Point, Teacher, TwoGaussians};
use super::store::Store;
use super::{DataError, ImageLayout, Split, digest, embedded, folder};

/// A data set that is made from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// [`Mnist1d`].
    Mnist1d,
    /// [`TwoGaussians`]; takes `dimension` and `margin`.
    TwoGaussians,
    /// [`Teacher`]; takes `dimension` and `noise`.
    Teacher,
    /// [`Point`].
    Point,
    /// [`Degenerate`]; takes `positive_share`.
    Degenerate,
}

const RECIPES: [(Recipe, &str); 5] = [
    (Recipe::Mnist1d, "mnist1d"),
    (Recipe::TwoGaussians, "two-gaussians"),
    (Recipe::Teacher, "teacher"),
    (Recipe::Point, "point"),
    (Recipe::Degenerate, "degenerate"),
];

impl Recipe {
    fn name(self) -> &'static str {
        RECIPES.into_iter().find(|&(known, _)| known == self).map_or("", |(_, name)| name)
    }
}

/// Where a data set comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The slice of Fashion-MNIST that is part of this program: 2,000 + 500 images, balanced.
    FashionMini,
    /// A collection in the data directory.
    Collection(Collection),
    /// Made from a seed.
    Procedural(Recipe),
    /// A folder of idx files under their usual names (raw or .gz), of CIFAR-10's or CIFAR-100's
    /// .bin files, of train-x.npy, train-y.npy, test-x.npy and test-y.npy, of train.csv and test.csv, or of a folder of images
    /// for each class, in train/ and test/ or alone; a .csv or .npz file; or `DIR/NAME` for the pair `DIR/NAME-x.npy`,
    /// `DIR/NAME-y.npy`. Where there is one set, a test part is drawn from it by the seed.
    Path(PathBuf),
}

impl Origin {
    /// What a name stands for: a known data set, else a path, which is something that contains a slash,
    /// has a dot or exists.
    ///
    /// # Errors
    /// [`DataError::UnknownName`], with the known name nearest to it.
    pub fn named(name: &str) -> Result<Self, DataError> {
        if name == embedded::NAME {
            return Ok(Origin::FashionMini);
        }
        if let Some(collection) = Collection::named(name) {
            return Ok(Origin::Collection(collection));
        }
        if let Some((recipe, _)) = RECIPES.into_iter().find(|&(_, known)| known == name) {
            return Ok(Origin::Procedural(recipe));
        }
        let path = Path::new(name);
        if path.components().count() > 1 || name.contains('.') || path.exists() {
            return Ok(Origin::Path(path.to_path_buf()));
        }
        let nearest = known_names()
            .map(|known| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), known), known))
            // Below this, the two have little more in common than their alphabet.
            .filter(|&(likeness, _)| likeness > 0.5)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known);
        let known = known_names().collect::<Vec<_>>().join(", ");
        Err(DataError::UnknownName { name: name.to_string(), nearest, known })
    }
}

/// The names that [`Origin::named`] knows.
fn known_names() -> impl Iterator<Item = &'static str> {
    let collections = Collection::ALL.into_iter().map(Collection::name);
    std::iter::once(embedded::NAME).chain(collections).chain(procedural_names())
}

/// The names of the procedural ones.
pub(super) fn procedural_names() -> impl Iterator<Item = &'static str> {
    RECIPES.into_iter().map(|(_, name)| name)
}

/// The parameters of procedural data sets. Those that are not given have the default of the data set; one
/// that the data set does not take is an error. The seed is ignored by data that is not random.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Number of features.
    pub dimension: Option<usize>,
    /// Width of the gap between two classes.
    pub margin: Option<f64>,
    /// Standard deviation of the labels' noise.
    pub noise: Option<f64>,
    /// Share of label 1.
    pub positive_share: Option<f64>,
    /// What every random number comes from.
    pub seed: u64,
}

/// What is to be loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where from.
    pub origin: Origin,
    /// The classes to keep, class `classes[k]` becoming `k`; all if empty.
    pub classes: Vec<u32>,
    /// The number of training samples: the first of those of the classes kept, or all where there are fewer. If none is given,
    /// all there are, or the data set's own number.
    pub train: Option<usize>,
    /// The number of test samples, likewise.
    pub test: Option<usize>,
    /// The axes of images in npy files; if none is given, they are recognised. Other data takes none.
    pub layout: Option<ImageLayout>,
    /// The column of the label in tables; if none is given, it is recognised. Other data takes none.
    pub label: Option<String>,
    /// Parameters of a procedural data set.
    pub options: Options,
}

impl Source {
    /// All of the data set of this name.
    ///
    /// # Errors
    /// As [`Origin::named`].
    pub fn named(name: &str) -> Result<Self, DataError> {
        Ok(Source::of(Origin::named(name)?))
    }

    /// All of the data set from there.
    pub fn of(origin: Origin) -> Self {
        let (classes, options) = (Vec::new(), Options::default());
        Source { origin, classes, train: None, test: None, layout: None, label: None, options }
    }

    /// The sha256 of the files that it is read from, and of the rule by which a test part is drawn from one set; none where its name says what is in it: in this program, made from
    /// a seed, or published with sums that are checked. None as well where there are no such files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn digest(&self) -> Result<Option<String>, DataError> {
        let Origin::Path(path) = &self.origin else { return Ok(None) };
        let Some(form) = Form::of(path) else { return Ok(None) };
        // Of images, the folder tells the class.
        let depth = if matches!(form, Form::Images(..)) { 2 } else { 1 };
        let files = form.files(path);
        let rule = if form.may_be_drawn() { DRAWN } else { "" };
        if files.is_empty() { Ok(None) } else { digest::digest(&files, depth, rule).map(Some) }
    }

    /// What the path holds, in words; none of a set that has a name.
    pub fn form(&self) -> Option<String> {
        let Origin::Path(path) = &self.origin else { return None };
        Form::of(path).map(|form| form.to_string())
    }

    /// What the user calls it.
    fn name(&self) -> String {
        match &self.origin {
            Origin::Path(path) => path.display().to_string(),
            Origin::Collection(collection) => collection.to_string(),
            Origin::FashionMini => embedded::NAME.to_string(),
            Origin::Procedural(recipe) => recipe.name().to_string(),
        }
    }
}

/// Loads a data set, collections from the user's data directory. Nothing is normalised yet.
///
/// # Errors
/// Every [`DataError`] but those of fetching.
pub fn load(source: &Source) -> Result<Split, DataError> {
    match &source.origin {
        // Only these need a directory, and a system may name none.
        Origin::Collection(_) => load_from(&Store::of_user()?, source),
        _ => load_from(&Store::at(""), source),
    }
}

/// As [`load`], collections from this data directory.
///
/// # Errors
/// As [`load`].
pub fn load_from(store: &Store, source: &Source) -> Result<Split, DataError> {
    let Source { origin, classes, train, test, layout, label, options } = source;
    let name = source.name();
    let is_path = matches!(origin, Origin::Path(_));
    for (option, given, what) in
        [("data.layout", layout.is_some(), "images in npy files"), ("data.label", label.is_some(), "tables")]
    {
        if given && !is_path {
            let problem = format!("belongs to {what}: remove it");
            return Err(DataError::Option { name, option, problem });
        }
    }
    if let Origin::Procedural(recipe) = origin {
        return make(*recipe, source);
    }
    refuse_options(&name, options, &[])?;
    let mut split = match origin {
        Origin::Collection(collection) => folder::load(&store.verified(*collection)?, &name, source)?,
        Origin::Path(path) => folder::load(path, &name, source)?,
        Origin::FashionMini | Origin::Procedural(_) => embedded::split(classes, *train, *test)?,
    };
    let parts = [
        ("data.train", train, &split.train, embedded::TRAIN),
        ("data.test", test, &split.test, embedded::TEST),
    ];
    for (key, asked, there, usual) in parts {
        // The default is no wish: of a small set it takes all.
        if let Some(asked) = asked.filter(|&asked| asked > there.len() && asked != usual) {
            split.notes.push(format!(
                "{key} = {asked} is more than there is: {} has {}, all of them taken",
                there.name,
                there.len()
            ));
        }
    }
    Ok(split)
}

fn make(recipe: Recipe, source: &Source) -> Result<Split, DataError> {
    let Source { classes, train, test, options, .. } = source;
    let name = recipe.name();
    let taken: &[&str] = match recipe {
        Recipe::TwoGaussians => &["dimension", "margin"],
        Recipe::Teacher => &["dimension", "noise"],
        Recipe::Degenerate => &["positive_share"],
        Recipe::Mnist1d | Recipe::Point => &[],
    };
    refuse_options(name, options, taken)?;
    if !classes.is_empty() && recipe != Recipe::Mnist1d {
        let problem = "cannot be chosen here: remove it".to_string();
        return Err(DataError::Option { name: name.into(), option: "classes", problem });
    }
    let sizes = |own_train: usize, own_test: usize| (train.unwrap_or(own_train), test.unwrap_or(own_test));
    match recipe {
        Recipe::Mnist1d => mnist1d(classes, sizes(4000, 1000), options.seed),
        Recipe::TwoGaussians => {
            let own = TwoGaussians::default();
            let dimension = options.dimension.unwrap_or(own.dimension);
            let margin = options.margin.unwrap_or(own.margin);
            let (train, test) = sizes(1000, 1000);
            TwoGaussians { dimension, margin }.split(train, test, options.seed)
        }
        Recipe::Teacher => {
            let own = Teacher::default();
            let dimension = options.dimension.unwrap_or(own.dimension);
            let noise = options.noise.unwrap_or(own.noise);
            let (train, test) = sizes(1000, 1000);
            Teacher { dimension, noise }.split(train, test, options.seed)
        }
        Recipe::Point => {
            let (train, test) = sizes(1, 1);
            Point.split(train, test)
        }
        Recipe::Degenerate => {
            let own = Degenerate::default();
            let positive_share = options.positive_share.unwrap_or(own.positive_share);
            // A test part of the same size has the same share, whatever the share is.
            let train = train.unwrap_or(100);
            Degenerate { positive_share }.split(train, test.unwrap_or(train))
        }
    }
}

/// Draws enough of all ten classes to keep as many of some as were asked for.
fn mnist1d(classes: &[u32], (train, test): (usize, usize), seed: u64) -> Result<Split, DataError> {
    if classes.is_empty() {
        return Mnist1d.split(train, test, seed);
    }
    // Classes come in turn: of every ten samples, one is of each.
    let drawn = |asked: usize| asked.div_ceil(classes.len()).saturating_mul(10);
    let split = Mnist1d.split(drawn(train), drawn(test), seed)?;
    Split::new(
        split.train.restrict_to_classes(classes)?.take(train)?,
        split.test.restrict_to_classes(classes)?.take(test)?,
    )
}

fn refuse_options(name: &str, options: &Options, taken: &[&str]) -> Result<(), DataError> {
    let given = [
        ("dimension", options.dimension.is_some()),
        ("margin", options.margin.is_some()),
        ("noise", options.noise.is_some()),
        ("positive_share", options.positive_share.is_some()),
    ];
    match given.into_iter().find(|(option, given)| *given && !taken.contains(option)) {
        None => Ok(()),
        Some((option, _)) => {
            let takes = if taken.is_empty() { "no such option".into() } else { taken.join(" and ") };
            let problem = format!("is not for this data set, which takes {takes}: remove it");
            Err(DataError::Option { name: name.into(), option, problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Labels, SampleShape};

    fn source(name: &str) -> Source {
        Source::named(name).unwrap()
    }

    #[test]
    fn every_known_name_is_understood() {
        for name in known_names() {
            assert!(!matches!(Origin::named(name), Ok(Origin::Path(_)) | Err(_)), "{name}");
        }
        assert_eq!(known_names().count(), 9);
        assert_eq!(Origin::named("./mnist").unwrap(), Origin::Path("./mnist".into()));
        assert_eq!(Origin::named("some/where").unwrap(), Origin::Path("some/where".into()));
    }

    #[test]
    fn an_unknown_name_is_met_with_the_nearest_one() {
        for (wrong, nearest) in [
            ("minst", "mnist"),
            ("fashon-mini", "fashion-mini"),
            ("fashion_mnist", "fashion-mnist"),
            ("CIFAR-10", "cifar10"),
            ("cifar-10", "cifar10"),
            ("gaussians", "two-gaussians"),
            ("two-gaussian", "two-gaussians"),
            ("imagenet", ""),
        ] {
            let text = Source::named(wrong).unwrap_err().to_string();
            assert_eq!(text.contains("did you mean"), !nearest.is_empty(), "{text}");
            assert!(nearest.is_empty() || text.contains(&format!("did you mean `{nearest}`?")), "{text}");
            assert!(text.contains("known: fashion-mini, fashion-mnist, mnist, cifar10, mnist1d"), "{text}");
        }
    }

    #[test]
    fn what_needs_no_file_loads_at_once() {
        for (name, train, test, features) in [
            ("fashion-mini", 2000, 500, 784),
            ("mnist1d", 4000, 1000, 40),
            ("two-gaussians", 1000, 1000, 10),
            ("teacher", 1000, 1000, 10),
            ("point", 1, 1, 1),
            ("degenerate", 100, 100, 1),
        ] {
            let split = load(&source(name)).unwrap();
            assert_eq!(
                (split.train.len(), split.test.len(), split.train.features()),
                (train, test, features)
            );
            assert_eq!(split.train.name, format!("{name} (train)"));
            assert_eq!(split.test.name, format!("{name} (test)"));
        }
    }

    #[test]
    fn sizes_and_classes_are_obeyed() {
        for name in ["fashion-mini", "mnist1d"] {
            let some = Source { classes: vec![7, 2], train: Some(31), test: Some(9), ..source(name) };
            let split = load(&some).unwrap();
            assert_eq!((split.train.len(), split.test.len()), (31, 9));
            let all = load(&source(name)).unwrap().train;
            assert_eq!(split.train, all.restrict_to_classes(&[7, 2]).unwrap().take(31).unwrap());
        }
        let too_many = Source { train: Some(2001), ..source("fashion-mini") };
        let split = load(&too_many).unwrap();
        assert_eq!(split.train.len(), 2000);
        let note =
            "data.train = 2001 is more than there is: fashion-mini (train) has 2000, all of them taken";
        assert_eq!(split.notes, [note]);
        let classes = Source { classes: vec![0], ..source("two-gaussians") };
        assert!(matches!(load(&classes), Err(DataError::Option { option: "classes", .. })));
    }

    #[test]
    fn options_reach_the_data_set_and_others_are_refused() {
        let mut wide = source("two-gaussians");
        wide.options = Options { dimension: Some(3), margin: Some(0.0), seed: 5, ..Options::default() };
        let expected = TwoGaussians { dimension: 3, margin: 0.0 }.split(1000, 1000, 5).unwrap();
        assert_eq!(load(&wide).unwrap(), expected);

        let mut shared = source("degenerate");
        (shared.options.positive_share, shared.train) = (Some(0.25), Some(4));
        let labels = Labels::Classes { labels: vec![0, 0, 0, 1], count: 2 };
        assert_eq!(load(&shared).unwrap().test.labels, labels);

        let mut noisy = source("teacher");
        (noisy.options.noise, noisy.options.dimension) = (Some(0.0), Some(2));
        assert_eq!(load(&noisy).unwrap().train.shape, SampleShape::Flat(2));

        noisy.options.margin = Some(1.0);
        let text = load(&noisy).unwrap_err().to_string();
        assert_eq!(
            text,
            "teacher: `margin` is not for this data set, which takes dimension and noise: remove it"
        );
        let mut mini = source("fashion-mini");
        mini.options.noise = Some(1.0);
        assert!(load(&mini).unwrap_err().to_string().contains("takes no such option"));
    }

    #[test]
    fn a_layout_belongs_to_files_of_its_own_kind() {
        for name in ["fashion-mini", "teacher", "mnist"] {
            let laid = Source { layout: Some(ImageLayout::Nchw), ..source(name) };
            let text = load_from(&Store::at(""), &laid).unwrap_err().to_string();
            assert_eq!(text, format!("{name}: `data.layout` belongs to images in npy files: remove it"));
        }
    }

    #[test]
    fn a_collection_that_is_not_there_says_how_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        let error = load_from(&Store::at(root.path()), &source("cifar10")).unwrap_err();
        assert!(error.to_string().ends_with("run `etalon data fetch cifar10`"), "{error}");
    }
}
