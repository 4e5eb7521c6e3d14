"""Checks what `etalon schedule export` writes, in PyTorch and in f64: the growing rate without weight decay must train
what the plain rate trains with it, and be judged alike in evaluation.

    python check_schedule_export.py ETALON    the binary, such as ../target/debug/etalon

Each case trains two networks, one with weight decay and one under the exported class, on the same batches of 32 of 512
samples in 20 dimensions and 10 classes. Compared are the logits of every training batch, the running statistics (those
of the second network over its scale), the logits and the accuracy of 1024 held-out samples in eval(). Prints how far
the same trainings part where BatchNorm has its usual eps of 1e-5. Exits with 1 where anything is off.
"""

import csv
import importlib.util
import math
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

TOLERANCE = 1e-9
SETTING = "--lr 0.1 --momentum 0.9 --weight-decay 5e-3 --steps 300"
DROPS = "--lr 0.1 --momentum 0.9 --weight-decay 5e-4 --steps 300 --milestones 100,200 --factor 0.1"
INPUTS, HIDDEN, CLASSES = 20, 32, 10

# Small products: threads would only wait for one another.
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def data():
    torch.manual_seed(0)
    centres = torch.randn(CLASSES, INPUTS)

    def draw(size):
        labels = torch.randint(CLASSES, (size,))
        return 1 + centres[labels] + 1.3 * torch.randn(size, INPUTS), labels

    return draw(512), draw(1024)


TRAIN, HELD_OUT = data()


class Residual(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


def two_hidden(norm, bias=False):
    """Two hidden layers, each normalised before its ReLU."""
    return nn.Sequential(
        nn.Linear(INPUTS, HIDDEN, bias=bias), norm(), nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN, bias=bias), norm(), nn.ReLU(),
        nn.Linear(HIDDEN, CLASSES),
    )


def residual(norm):
    """A residual stream that nothing normalises before its end."""
    branch = lambda: Residual(
        nn.Sequential(norm(), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN, bias=False), norm(), nn.ReLU(),
                      nn.Linear(HIDDEN, HIDDEN, bias=False))
    )
    return nn.Sequential(
        nn.Linear(INPUTS, HIDDEN, bias=False), branch(), branch(), norm(), nn.ReLU(), nn.Linear(HIDDEN, CLASSES)
    )


def weights(model):
    """Of all linear layers but the last."""
    return [module.weight for module in model.modules() if isinstance(module, nn.Linear)][:-1]


def weights_and_biases(model):
    return [p for module in list(model.modules())[1:-1] if isinstance(module, nn.Linear) for p in module.parameters()]


def weights_and_affine(model):
    """The affine part of the first normalisation too, behind which the scale has the power 2."""
    return [*weights(model), *model[1].parameters()]


def batch_norm(eps=1e-30):
    return lambda: nn.BatchNorm1d(HIDDEN, eps=eps)


def layer_norm():
    return nn.LayerNorm(HIDDEN, eps=0, elementwise_affine=False)


class Exports:
    """The modules that `etalon schedule export` writes."""

    def __init__(self, etalon, folder):
        self.etalon, self.folder, self.made = etalon, Path(folder), {}

    def write(self, arguments, path):
        command = [self.etalon, "--quiet", "schedule", "export", *arguments.split(), "--to", str(path)]
        subprocess.run(command, check=True)

    def rows(self, arguments):
        """What it writes as CSV."""
        path = self.folder / "schedule.csv"
        self.write(f"{arguments} --format csv", path)
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    def of(self, arguments):
        if arguments not in self.made:
            path = self.folder / f"schedule_{len(self.made)}.py"
            self.write(arguments, path)
            spec = importlib.util.spec_from_file_location(path.stem, path)
            self.made[arguments] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self.made[arguments])
        return self.made[arguments]


def far(exported, rows):
    """How far a module's numbers are from those of a CSV, relative to the larger of 1 and the number."""
    lists = ((exported.LOG_ETA, [float(row["log_eta"]) for row in rows]),
             (exported.PLAIN_LOG_ETA, [math.log(float(row["plain_eta"])) for row in rows]))
    assert all(len(ours) == len(theirs) == len(rows) for ours, theirs in lists)
    return max(abs(a - b) / max(1.0, abs(b)) for ours, theirs in lists for a, b in zip(ours, theirs))


def optimizer_of(exported, model, scaled, decay):
    others = [p for p in model.parameters() if not any(p is q for q in scaled)]
    groups = [{"params": scaled, "weight_decay": decay}, {"params": others, "weight_decay": exported.WEIGHT_DECAY}]
    return torch.optim.SGD(groups, lr=1.0, momentum=exported.MOMENTUM)


def train(exported, network, scaled, grown, lengthen=True):
    """The network after training, the logits of all training batches, and the schedule."""
    torch.manual_seed(1)
    model = network()
    optimizer = optimizer_of(exported, model, scaled(model), 0.0 if grown else exported.WEIGHT_DECAY)
    make = lambda: exported.Schedule(optimizer, model, TRAIN[0][:8])
    schedule = make() if grown else None
    logits, steps = [], len(exported.LOG_ETA)
    for step in range(steps):
        batch = torch.arange(32 * step, 32 * step + 32) % len(TRAIN[0])
        if not grown:
            for group in optimizer.param_groups:
                group["lr"] = math.exp(exported.PLAIN_LOG_ETA[step])
        elif step == steps // 2:
            # As after a checkpoint.
            state = schedule.state_dict()
            schedule = make()
            schedule.load_state_dict(state)
        if grown and not lengthen:
            schedule.statistics = []
        optimizer.zero_grad()
        outputs = model(TRAIN[0][batch])
        nn.functional.cross_entropy(outputs, TRAIN[1][batch]).backward()
        optimizer.step()
        if grown:
            schedule.step()
        logits.append(outputs.detach())
    return model, torch.stack(logits), schedule


@torch.no_grad()
def evaluate(model):
    model.eval()
    logits = model(HELD_OUT[0])
    return logits, (logits.argmax(1) == HELD_OUT[1]).double().mean().item()


def apart(a, b):
    return (a - b).abs().max().item()


def compare(exported, network, scaled, **options):
    """Largest differences, and the accuracies."""
    plain, logits, _ = train(exported, network, scaled, grown=False)
    grown, same_logits, schedule = train(exported, network, scaled, grown=True, **options)
    plain_modules = dict(plain.named_modules())
    powers = {id(norm): power for norm, power in schedule.statistics}
    statistics = [0.0]
    for name, norm in grown.named_modules():
        if isinstance(norm, nn.BatchNorm1d):
            scale = math.exp(powers.get(id(norm), 0) * schedule._log_scale())
            twin = plain_modules[name]
            size = twin.running_var.max().sqrt().item()
            statistics.append(apart(norm.running_mean / scale, twin.running_mean) / size)
            statistics.append(apart(norm.running_var / scale**2, twin.running_var) / size**2)
    (evaluated, accuracy), (same_evaluated, same_accuracy) = evaluate(plain), evaluate(grown)
    return {
        "training logits": apart(logits, same_logits),
        "by step": (logits - same_logits).abs().flatten(1).max(1).values,
        "running statistics": max(statistics),
        "eval() logits": apart(evaluated, same_evaluated),
        "accuracies": (accuracy, same_accuracy),
        "models": (plain, grown),
        "schedule": schedule,
    }


def drift(found):
    """How far two trainings part, in words."""
    logits = ", ".join(f"{found['by step'][:steps].max().item():.1e} in {steps}" for steps in (10, 100, 300))
    one, other = found["accuracies"]
    return (
        f"training logits differ by up to {logits} steps, eval() logits by {found['eval() logits']:.1e}, "
        f"held-out accuracy is {one:.3f} with weight decay, {other:.3f} without"
    )


class Check:
    """Counts what is off."""

    def __init__(self):
        self.failed = 0

    def that(self, holds, what):
        print(("  holds: " if holds else "  FAILS: ") + what)
        self.failed += not holds

    def same(self, name, found, names=("training logits", "running statistics", "eval() logits")):
        print(name)
        for key in names:
            self.that(found[key] < TOLERANCE, f"{key} differ by {found[key]:.1e}")
        if "eval() logits" in names:
            one, other = found["accuracies"]
            self.that(one == other, f"held-out accuracy is {one:.3f} with weight decay, {other:.3f} without")

    def refused(self, what, make):
        try:
            make()
            self.that(False, f"{what} is refused")
        except ValueError as error:
            self.that(True, f"{what} is refused: {error}")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_schedule_export.py ETALON")
    check = Check()
    with tempfile.TemporaryDirectory() as folder:
        exports = Exports(sys.argv[1], folder)
        setting = exports.of(SETTING)
        two = lambda: two_hidden(batch_norm())
        found = compare(setting, two, weights)
        check.same(f"two hidden layers, batch normalisation, {SETTING}", found)
        check.that(found["schedule"].exponent > 0, "the weights are rescaled on the way")
        left = compare(setting, two, weights, lengthen=False)
        check.that(left["eval() logits"] > 0.1, "it shows if running statistics are left as they are: "
                   "eval() logits differ by {:.2g}, accuracy {:.3f} and {:.3f}".format(
                       left["eval() logits"], *left["accuracies"]))

        for conversion in ("exact", "phases"):
            exported = exports.of(f"{DROPS} --conversion {conversion}")
            for name, norm in (("batch", batch_norm()), ("layer", layer_norm)):
                network = lambda: two_hidden(norm)
                check.same(f"the same, {name} normalisation, {DROPS}, {conversion}", compare(exported, network, weights))
        cosine = exports.of("--kind cosine --warmup 30 --lr 0.1 --momentum 0.9 --weight-decay 5e-3 --steps 300")
        check.same("cosine after a warm-up", compare(cosine, two, weights))
        long = "--kind cosine --warmup 500 --lr 0.1 --momentum 0.9 --weight-decay 1e-4 --steps 20000"
        off = far(exports.of(long), exports.rows(long))
        check.that(off <= 2e-12, f"a long schedule, written in pieces, is off by {off:.1e}")
        check.same("two residual blocks", compare(setting, lambda: residual(batch_norm()), weights))
        biased = lambda: two_hidden(batch_norm(), bias=True)
        check.same("biases scaled with their weights", compare(setting, biased, weights_and_biases))
        check.same("an affine part scaled too", compare(setting, two, weights_and_affine))

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = compare(setting, biased, weights)
        check.same("biases left behind", found, ["training logits"])
        check.that(found["schedule"].unpaired == ["1", "4"], "the layers behind them are named")
        check.that(any("update_bn" in str(warning.message) for warning in caught), "a warning says what to do")
        for model in found["models"]:
            torch.optim.swa_utils.update_bn(TRAIN[0].split(128), model)
        off = apart(*(evaluate(model)[0] for model in found["models"]))
        check.that(off < TOLERANCE, f"after update_bn eval() logits differ by {off:.1e}")

        print("what is not covered")
        model = two()
        make = lambda optimizer: setting.Schedule(optimizer, model, TRAIN[0][:8])
        all_of_it = optimizer_of(setting, model, list(model.parameters()), 0.0)
        check.refused("a layer that nothing normalises", lambda: make(all_of_it))
        nesterov = torch.optim.SGD(weights(model), lr=1.0, momentum=0.9, nesterov=True)
        check.refused("Nesterov momentum", lambda: make(nesterov))
        check.refused("decoupled decay", lambda: make(torch.optim.AdamW(weights(model))))

        print("two hidden layers with batch normalisation at eps = 1e-5, where the two trainings part")
        for name, exported in ((SETTING, setting), (DROPS, exports.of(f"{DROPS} --conversion exact"))):
            found = compare(exported, lambda: two_hidden(batch_norm(eps=1e-5)), weights)
            print(f"  {name}: " + drift(found))
    print("all hold" if not check.failed else f"{check.failed} fail")
    sys.exit(check.failed > 0)


if __name__ == "__main__":
    main()
