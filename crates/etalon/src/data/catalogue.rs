//! The data sets that can be fetched: what their files are called, how long they are, and their sha256.

use std::fmt;

/// A published collection of images that is fetched once and then read from the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Ten kinds of clothing, 28 x 28 grey (Xiao, Rasul and Vollgraf 2017).
    FashionMnist,
    /// Ten handwritten digits, 28 x 28 grey (LeCun, Cortes and Burges).
    Mnist,
    /// Ten kinds of animals and vehicles, 32 x 32 colour (Krizhevsky 2009).
    Cifar10,
}

/// One file as it is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name in the collection's folder.
    pub name: &'static str,
    /// Its length.
    pub bytes: u64,
    /// The sha256 of its content, in lower-case hexadecimal.
    pub sha256: &'static str,
}

const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> Published {
    Published { name, bytes, sha256 }
}

const FASHION_MNIST: [Published; 4] = [
    file(
        "train-images-idx3-ubyte",
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    file(
        "train-labels-idx1-ubyte",
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    file(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    file(
        "t10k-labels-idx1-ubyte",
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
];

const MNIST: [Published; 4] = [
    file(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    file(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    file(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    file(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
];

const CIFAR10: [Published; 6] = [
    file("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
    file("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
    file("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
    file("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
    file("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
    file("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
];

impl Collection {
    /// All of them.
    pub const ALL: [Collection; 3] = [Collection::FashionMnist, Collection::Mnist, Collection::Cifar10];

    /// The name that users give, and that of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Collection::FashionMnist => "fashion-mnist",
            Collection::Mnist => "mnist",
            Collection::Cifar10 => "cifar10",
        }
    }

    /// The collection of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// The files that make it up.
    pub fn files(self) -> &'static [Published] {
        match self {
            Collection::FashionMnist => &FASHION_MNIST,
            Collection::Mnist => &MNIST,
            Collection::Cifar10 => &CIFAR10,
        }
    }

    /// Number of samples of the train and test part.
    pub fn samples(self) -> (usize, usize) {
        match self {
            Collection::FashionMnist | Collection::Mnist => (60_000, 10_000),
            Collection::Cifar10 => (50_000, 10_000),
        }
    }

    /// Under which terms it is published.
    pub fn licence(self) -> &'static str {
        match self {
            Collection::FashionMnist => "MIT (Zalando SE, 2017)",
            Collection::Mnist => "usually given as CC BY-SA 3.0",
            Collection::Cifar10 => "none stated",
        }
    }

    /// The command that installs it, and mends it when it is broken.
    pub(super) fn fetch_command(self) -> String {
        format!("etalon data fetch {}", self.name())
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
