"""Images that need no download: scikit-learn's digits, and gratings that are drawn here.

Each set is a folder that Etalon reads: {train,test}-x.npy of samples x height x width, f4, and -y.npy of classes, i4.
"""

from pathlib import Path

import numpy as np

# Raised with what is drawn below, so that folders of an earlier version are left alone.
VERSION = 1


def digits():
    """1797 digits of 8 x 8 pixels, shuffled once: 1000 for training, 797 held out."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(1).permutation(len(found.target))
    return found.images[order] / 16, found.target[order], 1000


def gratings(side=12, train=3000, test=2000, noise=1.6):
    """Waves in five directions and two lengths under noise, at random phases; ten classes."""
    random = np.random.default_rng(2)
    classes = random.integers(10, size=train + test)
    angles = (classes % 5 + random.normal(scale=0.15, size=classes.size)) * np.pi / 5
    frequency = np.where(classes < 5, 0.22, 0.36) * 2 * np.pi
    phases = random.uniform(0, 2 * np.pi, size=classes.size)
    rows, columns = np.mgrid[:side, :side]
    along = np.cos(angles)[:, None, None] * columns + np.sin(angles)[:, None, None] * rows
    waves = np.cos(frequency[:, None, None] * along + phases[:, None, None])
    return waves + random.normal(scale=noise, size=waves.shape), classes, train


SETS = {"digits": digits, "gratings": gratings}


def write(folder):
    """Writes the sets that are not there yet into folders of their names."""
    for name, make in SETS.items():
        place = Path(folder) / f"{name}-{VERSION}"
        if (place / "test-y.npy").exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        inputs, classes, train = make()
        for part, chosen in (("train", slice(train)), ("test", slice(train, None))):
            np.save(place / f"{part}-x.npy", inputs[chosen].astype("<f4"))
            np.save(place / f"{part}-y.npy", classes[chosen].astype("<i4"))
