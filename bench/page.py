#!/usr/bin/env python3
"""Write docs/performance.md from the newest result of each work in bench/results.

    bench/page.py > docs/performance.md
"""

import importlib.machinery
import importlib.util
import json
from pathlib import Path

BENCH = Path(__file__).resolve().parent


def load_run():
    loader = importlib.machinery.SourceFileLoader("run", str(BENCH / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(module)
    return module


def dense(sizes, samples, passes, first):
    """Operations of `first` products with the first layer's weights and `passes` with those of each other layer, in 1e9."""
    products = [a * b for a, b in zip(sizes, sizes[1:])]
    return 2e-9 * samples * (passes * sum(products[1:]) + first * products[0])


# What the work cannot do without, in 1e9 operations. A step: one product with a layer's weights forward, one for their
# gradient, one back to its inputs, which the first layer has not. A product with the Hessian, the activations of the point
# kept: two of each along a direction, as weights and activations both move; one each in the first layer, whose inputs do not.
FLOORS = {
    "w1": dense((784, 512, 512, 10), 512, 3, 2),
    "w2": 16 * 200 * dense((784, 256, 10), 1024, 3, 2),
    "w4": dense((784, 512, 512, 10), 1024, 6, 2),
}


def newest():
    """work -> (file, record, work's results), of the last run with most programs of that work."""
    found = {}
    for path in sorted((BENCH / "results").glob("*.json")):
        record = json.loads(path.read_text())
        for name, work in record["works"].items():
            peers = sum(1 for entry in work["programs"].values() if entry["rounds"])
            before = found.get(name)
            if peers and (before is None or peers >= before[3]):
                found[name] = (path, record, work, peers)
    return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))


def main():
    run = load_run()
    print("# Speed beside other programs\n")
    print("Written by `bench/page.py` from the newest results in [bench/results](../bench/results); [bench](../bench/README.md)")
    print("says what is timed, and how. Every round starts each program once, one after another, on the same cores. A ratio")
    print("is a program's time over Etalon's within a round: above 1, Etalon is faster. Differences under 15 % are ties.")
    for name, (path, record, work, _) in newest().items():
        print(f"\n## {work['title']}\n")
        facts = f"{record['machine']['cpu']}, {record['threads']} threads, {record['rounds']} rounds; `{path.name}`."
        floor = f" At least {FLOORS[name]:.1f} x 10^9 operations." if name in FLOORS else ""
        print(f"{facts}{floor}\n")
        print(f"| program | median {work['unit']} | least | most | ratio (least to most) |\n|---|---|---|---|---|")
        for program, *numbers in run.summary(work):
            median, least, most, ratio, low, high = (f"{number:.3g}" for number in numbers)
            print(f"| {program} | {median} | {least} | {most} | {ratio} ({low} to {high}) |")
        for warning in run.warnings(name, work):
            print(f"\n{warning}")


if __name__ == "__main__":
    main()
