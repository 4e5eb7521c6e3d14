#!/usr/bin/env python3
"""Write docs/performance.md from the newest result of each work in bench/results.

    bench/page.py > docs/performance.md
"""

import importlib.machinery
import importlib.util
import json
import statistics
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


def preresnet20(samples, passes, first):
    """The same of the convolutions of a PreResNet-20 and its last layer."""
    stages = [(16, 16, 32), (16, 32, 16), (32, 64, 8)]
    others = sum(9 * side**2 * (inputs * outputs + 5 * outputs**2) for inputs, outputs, side in stages) + 640
    return 2e-9 * samples * (passes * others + first * 9 * 32**2 * 3 * 16)


MLP, SHALLOW, MIDDLE, DEEP = (784, 512, 512, 10), (784, 256, 10), (784, 256, 256, 10), (784, 512, 512, 512, 10)


def weights(sizes):
    """Their bytes, in 1e6."""
    return 4e-6 * sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))


# What the work cannot do without: operations in 1e9, and bytes from and to memory in 1e6 if all else stays in caches. A step:
# one product with a layer's weights forward, one for their gradient, one back to its inputs, which the first layer has not; its
# weights are read and written once, with momentum so is that. A product with the Hessian, the activations of the point kept:
# two of each along a direction, as weights and activations both move; one each in the first layer, whose inputs do not; it
# reads weights and direction and writes the product. Of all, inputs are read once.
FLOORS = {
    "w1": (dense(MLP, 512, 3, 2), 2 * weights(MLP) + 4e-6 * 512 * 784),
    "w2": (16 * 200 * dense(SHALLOW, 1024, 3, 2), 16 * 200 * 2 * weights(SHALLOW)),
    "w3": (preresnet20(128, 3, 2), 4 * 1.09 + 4e-6 * 128 * 3072),
    "w4": (dense(MLP, 1024, 6, 2), 3 * weights(MLP) + 4e-6 * 1024 * 784),
    "w10": (1046 * dense(DEEP, 128, 3, 2), 1046 * 2 * weights(DEEP)),
    "w7": (preresnet20(128, 6, 2), 3 * 1.09 + 4e-6 * 128 * 3072),
    "w12": (144 * 200 * dense(MIDDLE, 64, 3, 2), 144 * weights(MIDDLE) + 4e-6 * 2000 * 784),
}

# How many times as fast as the best of the others Etalon is meant to be.
AIMS = {
    "w1": 1.1, "w2": 2, "w3": 1.1, "w4": 1.1, "w7": 5, "w8": 4, "w9": 2, "w10": 2, "w11": 2, "w12": 4, "w13": 5,
}  # fmt: skip


# Where Etalon is not ahead of all, or by less than it could be: what stands between.
BETWEEN = {
    "w1": "No program is ahead of another by more than the noise of a round: all live on the processor's multiply-adds.",
    "w2": f"{100 * dense(SHALLOW, 1024, 0, 2) / dense(SHALLOW, 1024, 3, 2):.0f} % of the operations are the first layer's. In the"
    f" space of samples its products forward and for the gradient would be one with their 1024 x 1024 inner products, which takes"
    f" {100 * 1024 / (2 * 784):.0f} % of that, to other roundings; Etalon does not do that.",
    "w10": "The operations are those of the 1,046 steps that the search reports. To them come looks at 1,000 samples every 25 steps,"
    " and five curvatures; only fewer of these would save more.",
    "w13": "It lives on products with the Hessian, of which one is timed above.",
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


def seconds(work, run):
    """program -> its median in seconds."""
    unit = 1e-3 if work["unit"] == "ms" else 1.0
    return {row[0]: row[1] * unit for row in run.summary(work)}


def floor(name, work, run):
    """What the work cannot do without, and how fast Etalon does it."""
    if name not in FLOORS:
        return ""
    operations, megabytes = FLOORS[name]
    median = seconds(work, run).get("etalon")
    reached = f" Etalon reaches {operations / median:.0f} x 10^9 a second." if median else ""
    return f" At least {operations:.1f} x 10^9 operations and {megabytes:.0f} MB from or to memory.{reached}"


def duration(seconds):
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def fastest(shown, cpu, run):
    """The most operations a second, in 1e9, that Etalon reaches in any work on this processor."""
    rates = []
    for name, (_, record, work, _) in shown.items():
        median = seconds(work, run).get("etalon")
        if name in FLOORS and median and record["machine"]["cpu"] == cpu:
            rates.append(FLOORS[name][0] / median)
    return max(rates)


def aim(name, shown, run):
    """What Etalon is meant to be in this work, whether it is, and if not, whether it could be at its fastest."""
    _, record, work, _ = shown[name]
    medians, ratios = seconds(work, run), {row[0]: row[4] for row in run.summary(work)}
    others = [program for program in medians if program != "etalon"]
    if name not in AIMS or "etalon" not in medians or not others:
        return
    best = min(others, key=medians.get)
    text = f"The aim is {AIMS[name]} times the best of the others, which is {best}: it is {ratios[best]:.2f}."
    if ratios[best] < AIMS[name] and name in FLOORS:
        rate = fastest(shown, record["machine"]["cpu"], run)
        text += (f" That would be {duration(medians[best] / AIMS[name])}; the operations alone take"
                 f" {duration(FLOORS[name][0] / rate)} at {rate:.0f} x 10^9 a second, the most that Etalon reaches in any"
                 " work on this processor.")  # fmt: skip
    print(f"\n{text}")


def build():
    """The paragraph on the newest clean build."""
    paths = sorted((BENCH / "results" / "build").glob("*.json"))
    if not paths:
        return
    record = json.loads(paths[-1].read_text())
    print("\n## A clean build of the command\n")
    print(
        f"{record['cpu']}, {record['threads']} threads; `build/{paths[-1].name}`: {record['seconds']:.0f} s,"
        f" {record['cpu_seconds']:.0f} s of processor time; the binary has {record['binary_mb']:.1f} MB."
    )


def main():
    run = load_run()
    print("# Speed beside other programs\n")
    print("Written by `bench/page.py` from the newest results in [bench/results](../bench/results); [bench](../bench/README.md)")
    print("says what is timed, and how. Every round starts each program once, one after another, on the same cores. A ratio")
    print("is a program's time over Etalon's within a round: above 1, Etalon is faster. Differences under 15 % are ties. MB is the")
    print("most memory that a process of it held, its libraries and the reading of its files counted.")
    shown = newest()
    for name, (path, record, work, _) in shown.items():
        print(f"\n## {work['title']}\n")
        facts = f"{record['machine']['cpu']}, {record['threads']} threads, {record['rounds']} rounds; `{path.name}`."
        print(f"{facts}{floor(name, work, run)}\n")
        rows = run.summary(work)
        memory = {name: max(entry.get("memory_mb") or [0]) for name, entry in work["programs"].items()}
        columns = " MB |" if any(memory.values()) else ""
        print(f"| program | median {work['unit']} | least | most | ratio (least to most) |{columns}\n|---|---|---|---|---|{columns and '---|'}")
        for program, *numbers in rows:
            median, least, most, ratio, low, high = (f"{number:.3g}" for number in numbers)
            last = f" {memory[program]:.0f} |" if columns else ""
            print(f"| {program} | {median} | {least} | {most} | {ratio} ({low} to {high}) |{last}")
        cores = [cores for cores in work["programs"].get("etalon", {}).get("cores", []) if cores is not None]
        if cores:
            print(f"\nEtalon kept {statistics.median(cores):.2f} of {record['threads']} cores busy.")
        aim(name, shown, run)
        if name in BETWEEN:
            print(f"\n{BETWEEN[name]}")
        for warning in run.warnings(name, work):
            print(f"\n{warning}")
    build()


if __name__ == "__main__":
    main()
