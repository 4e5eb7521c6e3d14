"""Prints the tables of paper-e.md on patches from what `etalon export DIR csv` has written.

    python3 docs/paper-e/tables.py runs/patches/trajectories.csv
"""

import csv
import sys
from collections import defaultdict
from statistics import mean

EPOCH = 78  # steps
PATCHED, PLAIN = 4, 0  # data.patch.size


def main():
    runs = defaultdict(dict)
    with open(sys.argv[1], newline="") as file:
        for row in csv.DictReader(file):
            if row["test_accuracy"]:
                large = float(row["optimizer.eta"]) > 0.1
                training = "large" if large else "noise" if float(row["noise.level"]) > 0 else "small"
                runs[int(row["seed"]), int(row["data.patch.size"]), training][int(row["step"])] = row

    def at(run, step, column, scale=1):
        return scale * float(run[step][column])

    def clean(seed, size, training):
        """Held-out accuracy, the mean of the last three epochs."""
        run = runs[seed, size, training]
        return mean(at(run, step, "test_accuracy", 100) for step in sorted(run)[-3:])

    def patch(run, step):
        return at(run, step, "test_patch_only_accuracy", 100)

    print("seed training clean mixed patch at-7 at-12 first-60 loss-8: no-patch patched end: no-patch patched clean-without")
    for seed, size, training in sorted(runs):
        if size != PATCHED:
            continue
        run = runs[seed, size, training]
        end = max(run)
        first = next((step // EPOCH for step in sorted(run) if patch(run, step) >= 60), "never")
        losses = [at(run, step, column) for step in (8 * EPOCH, end) for column in ("unpatched_loss", "patched_loss")]
        print(
            seed, training, f"{clean(seed, size, training):.1f}", f"{at(run, end, 'test_mixed_accuracy', 100):.0f}",
            f"{patch(run, end):.0f} {patch(run, 7 * EPOCH):.0f} {patch(run, 12 * EPOCH):.0f}", first,
            *(f"{loss:.2f}" for loss in losses), f"{clean(seed, PLAIN, training):.1f}",
        )

    print("\nseed gap without-patch own noise-share without-patch")
    for seed in sorted({key[0] for key in runs}):
        gaps, gains = [], []
        for size in (PATCHED, PLAIN):
            small = clean(seed, size, "small")
            gaps.append(clean(seed, size, "large") - small)
            gains.append(clean(seed, size, "noise") - small)
        shares = [f"{100 * gain / gap:.0f}%" for gain, gap in zip(gains, gaps)]
        print(seed, f"{gaps[0]:.1f} {gaps[1]:.1f} {gaps[0] - gaps[1]:.1f}", *shares)


main()
