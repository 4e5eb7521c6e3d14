"""Trains small networks in Etalon and in PyTorch from the same weights on the same batches, and compares.

    python check_training_with_torch.py PATH_OF_ETALON [CONFIGURATION ...]     all configurations, or those named

Weights and samples go from Etalon to PyTorch as safetensors; Etalon's numbers come from `etalon train` and
`etalon measure`. PyTorch's part (torch_twin.py, batch_order.py) knows Etalon by its documentation alone. Exits with 1
if any number differs by more than its tolerance.

Both sides compute in f64 and round differently: a gradient differs by some 1e-15 of itself. Below the threshold of
stability no direction carries that on with a factor above 1, and momentum b adds up 1 / (1 - b) of it: 40 steps with
b = 0.9 make 4e-13. So TOLERANCE is 1e-12. (The catapult starts above the threshold for a few steps, but where it
ends its differences have faded. One that stays above it multiplies them step by step, and compares nothing.)
Etalon stops an eigenvalue at a residual of RESIDUAL, which bounds its error.
"""

import json
import math
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import torch
from safetensors.torch import load_file

import torch_twin

TOLERANCE = 1e-12
RESIDUAL = 1e-13

COMMON = "precision=f64 data.train=24 data.test=20 train.steps=40 train.batch=full train.check_every=40"
CLOTHES = "data.classes=[0,3,7] data.shrink=7 network.width=8"
SIGNS = "data.name=two-gaussians data.dimension=5 data.margin=-0.5 network.width=8"
VALUES = "data.name=teacher data.dimension=5 loss=mse network.width=8"
IMAGES = "data.classes=[0,3,7] data.shrink=4 data.train=12 network.width=2 train.steps=25"
PRERESNET = "network.kind=preresnet network.depth=8 network.width=1 data.classes=[0,3,7] data.shrink=4 data.train=12 train.steps=20"
BATCHES = "train.batch=10 seed=3"

CONFIGURATIONS = {
    "relu-1": f"{CLOTHES} network.depth=1 optimizer.eta=0.1",
    "tanh-2-ntk-momentum": f"{VALUES} network.depth=2 network.activation=tanh network.parametrization=ntk optimizer.eta=0.1 optimizer.momentum=0.8",
    "gelu-3-mup-decay": f"{CLOTHES} network.depth=3 network.activation=gelu network.parametrization=mup network.init=lecun optimizer.eta=0.05 optimizer.weight_decay=0.01",
    "identity-2-logistic-no-bias": f"{SIGNS} network.depth=2 network.activation=identity loss=logistic network.bias=false optimizer.eta=0.1",
    "tanh-1-exponential-nesterov": f"{SIGNS} network.depth=1 network.activation=tanh network.parametrization=ntk loss=exponential optimizer.eta=0.05 optimizer.momentum=0.9 optimizer.nesterov=true",
    "relu-2-mup-batches": f"{SIGNS} {BATCHES} network.depth=2 network.parametrization=mup loss=logistic optimizer.eta=0.1 optimizer.momentum=0.5 optimizer.weight_decay=0.02",
    "relu-2-signs-input-factor": f"{SIGNS} network.depth=2 loss=mse optimizer.eta=0.1 optimizer.input_factor=0.1",
    "tanh-3-residual-frozen-input": f"{CLOTHES} network.depth=3 network.activation=tanh network.residual=true network.parametrization=ntk optimizer.eta=0.2 optimizer.momentum=0.5 optimizer.weight_decay=0.1 optimizer.input_factor=0",
    "gelu-2-one-hot-factors": f"{CLOTHES} network.depth=2 network.activation=gelu loss=mse network.output_gain=0.5 optimizer.eta=0.1 optimizer.factors={{'layers.1.bias'=0.0,'layers.1.weight'=2.0}}",
    "linear-step": f"{SIGNS} network.depth=0 loss=logistic optimizer.eta=0.3 schedule.kind=step schedule.milestones=[10,25] schedule.factor=0.3",
    "catapult": f"{VALUES} network.depth=1 network.parametrization=ntk network.width=32 optimizer.eta=1.5",
    "cosine-warmup": f"{CLOTHES} {BATCHES} network.depth=2 network.activation=tanh optimizer.eta=0.2 schedule.kind=cosine schedule.warmup=5 schedule.end=0.01",
    "one-cycle-nesterov": f"{CLOTHES} {BATCHES} network.depth=2 network.activation=gelu optimizer.eta=0.2 optimizer.momentum=0.9 optimizer.nesterov=true schedule.kind=one_cycle schedule.rise=0.25",
    "batch-norm": f"{CLOTHES} network.depth=2 network.activation=tanh network.normalizer=batch optimizer.eta=0.1",
    "batch-norm-batches": f"{CLOTHES} {BATCHES} network.depth=3 network.normalizer=batch network.residual=true network.bias=false optimizer.eta=0.05 optimizer.momentum=0.9 optimizer.weight_decay=0.01",
    "layer-norm-no-affine": f"{CLOTHES} network.depth=2 network.activation=gelu network.normalizer=layer network.affine=false network.parametrization=ntk optimizer.eta=0.1",
    "group-norm": f"{CLOTHES} network.depth=2 network.activation=tanh network.normalizer=group network.groups=2 network.normalizer_epsilon=0.1 optimizer.eta=0.1",
    "cnn-average": f"{IMAGES} network.kind=cnn network.depth=2 network.normalizer=batch optimizer.eta=0.1",
    "cnn-maximum-group": f"{IMAGES} network.kind=cnn network.depth=2 network.pool=maximum network.normalizer=group network.groups=2 network.activation=gelu optimizer.eta=0.1 optimizer.momentum=0.5",
    "cnn-stride-instance": f"{IMAGES} network.kind=cnn network.depth=3 network.stage=2 network.pool=stride network.normalizer=instance network.activation=tanh loss=mse optimizer.eta=0.05",
    "cnn-layer-ntk": f"{IMAGES} network.kind=cnn network.depth=2 network.normalizer=layer network.parametrization=ntk optimizer.eta=0.1",
    "preresnet-8": f"{PRERESNET} train.batch=5 optimizer.eta=0.05 optimizer.momentum=0.9 optimizer.weight_decay=0.001",
    "preresnet-8-projection": f"{PRERESNET} network.skip=projection network.activation=tanh network.parametrization=ntk optimizer.eta=0.05",
}


QUANTITIES = ["rates", "losses", "weights", "statistics", "evaluated", "start", "end"]


class Etalon:
    """The program, with the keys of one configuration."""

    def __init__(self, program, keys):
        self.program, self.keys = program, f"{COMMON} {keys}".split()

    def run(self, verb, *arguments):
        command = [self.program, verb, *self.keys, *map(str, arguments), "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def spec(self):
        return tomllib.loads(self.run("spec"))

    def train(self, folder):
        """The report and the records of the steps."""
        path = folder / "trajectory.jsonl"
        arguments = ["--save-weights", folder / "end.safetensors", "--trajectory", path, "--json"]
        report = json.loads(self.run("train", *arguments))
        return report, [json.loads(line) for line in path.read_text().splitlines()]

    def measure(self, samples, *arguments):
        """The loss, and eigenvalues with the residuals that bound their errors."""
        keys = [f"measure.samples={samples}", f"measure.tolerance={RESIDUAL}", "measure.iterations=2000"]
        found = json.loads(self.run("measure", "--only", "ntk,hessian.max,hessian.min", *keys, *arguments, "--json"))
        ends = [found["hessian"]["max"], found["hessian"]["min"]]
        values = lambda estimates: [one["value"] if one["converged"] else None for one in estimates]
        return {"loss": [found["loss"]], "hessian": values(ends), "ntk": values([found["ntk"]])}


def difference(ours, theirs, each=False):
    """The largest one, in units of the largest entry, or with `each` of its own; not a number where one is missing."""
    if len(ours) != len(theirs) or not ours or None in ours:
        return math.nan
    a, b = torch.tensor(ours), torch.tensor(theirs)
    return ((a - b) / (b if each else b.abs().max())).abs().max().item()


def curvature_difference(ours, theirs):
    """An end of the Hessian's spectrum is in units of the larger one."""
    # A maximum that is not a number when one of them is not.
    return torch.tensor([difference(ours[key], theirs[key]) for key in theirs]).max().item()


def entries(tensors, statistics):
    """All parameters, or all running statistics, in order of their names."""
    wanted = [name for name in sorted(tensors) if is_statistic(name) == statistics]
    return [x for name in wanted for x in tensors[name].reshape(-1).tolist()]


def is_statistic(name):
    return "running_" in name


def compare(etalon, folder):
    """The worst difference of each quantity."""
    spec = etalon.spec()
    samples = spec["data"]["train"]
    start, end, batch = (folder / f"{name}.safetensors" for name in ("start", "end", "batch"))
    before = etalon.measure(samples, "--save-weights", start, "--save-batch", batch)
    report, records = etalon.train(folder)
    after = etalon.measure(samples, "--weights", end)

    data, fresh, ours = load_file(batch), load_file(start), load_file(end)
    inputs, targets = data["inputs"], data["targets"]
    network = torch_twin.network_of(spec, inputs[0].numel(), targets.shape[1], fresh)
    gaps = {"start": curvature_difference(before, torch_twin.curvature(spec, network, inputs, targets))}
    rates, losses = torch_twin.train(spec, network, inputs, targets)
    theirs = {name: tensor for name, tensor in network.state_dict().items() if name in fresh}
    evaluated = torch_twin.evaluate(spec, network, inputs, targets)

    updates = records[:-1]
    gaps["rates"] = difference([record["eta"] for record in updates], rates)
    gaps["losses"] = difference([record["loss"] for record in updates], losses, each=True)
    gaps["weights"] = difference(entries(ours, False), entries(theirs, False))
    if any(map(is_statistic, ours)):
        gaps["statistics"] = difference(entries(ours, True), entries(theirs, True))
    gaps["evaluated"] = difference([report["final"]["train_loss"]], [evaluated])
    gaps["end"] = curvature_difference(after, torch_twin.curvature(spec, network, inputs, targets))
    # Two networks that stand still agree too.
    if not difference(entries(ours, False), entries(fresh, False)) > 1e-3:
        sys.exit("this configuration does not train: it compares nothing")
    return gaps


def main():
    program, *names = sys.argv[1:] or sys.exit(__doc__)
    unknown = set(names) - set(CONFIGURATIONS)
    if unknown:
        sys.exit(f"no such configuration: {', '.join(sorted(unknown))}")
    print(f"{'configuration':30}" + "".join(f"{quantity:>12}" for quantity in QUANTITIES))
    failed = []
    for name in names or CONFIGURATIONS:
        with tempfile.TemporaryDirectory() as folder:
            gaps = compare(Etalon(program, CONFIGURATIONS[name]), Path(folder))
        bad = [quantity for quantity, gap in gaps.items() if not gap <= TOLERANCE]
        cells = "".join(f"{gaps[quantity]:12.0e}" if quantity in gaps else f"{'-':>12}" for quantity in QUANTITIES)
        print(f"{name:30}{cells}  {'differs: ' + ', '.join(bad) if bad else 'agrees'}", flush=True)
        failed += [name] if bad else []
    if failed:
        sys.exit(f"{len(failed)} configurations differ: {', '.join(failed)}")


if __name__ == "__main__":
    main()
