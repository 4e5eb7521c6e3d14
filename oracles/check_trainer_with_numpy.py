"""Searches eta* of a network that numpy trains with `etalon find --trainer`, and compares with Etalon's own.

    python check_trainer_with_numpy.py PATH_OF_ETALON

Both start from the same weights and visit the same batches (two_layer.py, batch_order.py), so that they make the same steps up
to rounding. Whatever Etalon has probed in its own search must come to the same verdict in numpy. The two searches begin at rates
that differ by the residual of the curvature: with whole batches, where success is monotone, each seed's eta* must agree to the
tolerance of the brackets; with smaller ones luck decides about the edge, and the interval of either must have the other's median.
One slot and four must give the same bytes.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import two_layer

HERE = Path(__file__).resolve().parent
SEEDS, STEPS, SAMPLES, TOLERANCE, LOSS = 5, 100, 40, 0.05, 0.05
COMMON = (
    f"precision=f64 loss=mse data.name=teacher data.dimension=5 data.train={SAMPLES} data.test=10 network.depth=1 "
    f"network.width=32 network.activation=tanh network.init=lecun network.parametrization=ntk network.bias=false "
    f"train.check_every=1 measure.samples={SAMPLES} train.steps={STEPS}"
)
SEARCH = f"--eta-star only search.seeds={SEEDS} search.tolerance={TOLERANCE}".split()


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def timeless(text):
    return [line for line in text.splitlines() if not line.lstrip().startswith('"seconds"')]


def is_trained(probe):
    return probe["verdict"] == "trained"


def trains(folder, seed, eta, batch):
    """Whether numpy's training reaches the threshold."""
    start = two_layer.start(folder / f"{seed}.safetensors", folder / "samples.safetensors")
    for row in two_layer.training(*start, eta, seed, batch, STEPS):
        if row["all"] <= LOSS:
            return True
        if not math.isfinite(row["loss"]):
            return False
    return False


def covers(a, b):
    return a["low"] <= b["median"] <= a["high"]


def compare(etalon, batch, folder):
    """Prints how the two compare, and returns what went wrong."""
    keys = COMMON.split() + [f"train.batch={'full' if batch == SAMPLES else batch}"]
    goal = ["search.metric=train_loss", f"search.threshold={LOSS}"]
    ours = json.loads(run(etalon, "find", *keys, *SEARCH, *goal, "search.phase=false", "--json", "-q"))
    samples = folder / "samples.safetensors"
    for seed in range(SEEDS):
        weights = folder / f"{seed}.safetensors"
        run(etalon, "measure", *keys, f"seed={seed}", "--save-weights", weights, "--save-batch", samples, "-q")
    trainer = (
        f"'{sys.executable}' '{HERE / 'two_layer.py'}' {{folder}}/{{seed}}.safetensors {{folder}}/samples.safetensors "
        f"--eta {{eta}} --seed {{seed}} --batch {batch} --steps {STEPS} --log {{log}}"
    )
    search = ["find", "--trainer", trainer, "--goal", f"all < {LOSS}", *SEARCH, "--json", "-q"]
    search += [f'trainer.parameters={{folder="{folder}"}}', "search.phase=false"]
    texts = [run(etalon, *search, "--slots", slots) for slots in (1, 4)]
    theirs = json.loads(texts[0])
    pairs = list(zip(ours["search"]["seeds"], theirs["search"]["seeds"], strict=True))
    middle = lambda seed: (seed["boundary"]["found"]["low"] * seed["boundary"]["found"]["high"]) ** 0.5
    worst = max(abs(math.log(middle(mine) / middle(other))) for mine, other in pairs)
    probes = [(seed["seed"], probe) for seed, _ in pairs for probe in seed["probes"]]
    others = [(seed, probe) for seed, probe in probes if trains(folder, seed, probe["eta"], batch) != is_trained(probe)]
    stars = [found["eta_star"] for found in (ours, theirs)]
    problems = []
    if others:
        problems.append(f"{len(others)} verdicts differ")
    if worst > math.log1p(TOLERANCE) if batch == SAMPLES else not all(covers(a, b) for a, b in (stars, stars[::-1])):
        problems.append("eta* differs")
    if abs(theirs["provisional"]["lambda"] / ours["lambda"]["seeds"][0] - 1) > 2e-3:
        problems.append("the curvature at the start differs")
    if timeless(texts[0]) != timeless(texts[1]):
        problems.append("four slots give other bytes than one")
    print(
        f"batch {batch:3}: eta* {stars[0]['median']:.4f} in Etalon, {stars[1]['median']:.4f} in numpy; seeds differ by "
        f"{math.expm1(worst):.2%} at most; {len(probes)} verdicts of Etalon's, {len(others)} differ; "
        f"{theirs['search']['probes']} trainings, of whose {STEPS * theirs['search']['probes']} steps "
        f"{theirs['saved']['steps']} were saved  {'; '.join(problems) or 'agrees'}",
        flush=True,
    )
    return problems


def main():
    np.seterr(all="ignore")
    (etalon,) = sys.argv[1:] or sys.exit(__doc__)
    etalon = Path(etalon).resolve()
    failed = []
    for batch in (SAMPLES, 10):
        with tempfile.TemporaryDirectory() as folder:
            failed += compare(etalon, batch, Path(folder))
    if failed:
        sys.exit("; ".join(failed))


if __name__ == "__main__":
    main()
