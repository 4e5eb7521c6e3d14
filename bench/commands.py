"""Questions that users ask as a command, timed with the start of the process and its imports.

    python commands.py WORK PEER [--repeats N] [--threads T]
    python commands.py --list

Prints one JSON line, as peers.py does. Every peer reads the samples (of w8 the parameters, too) that `etalon measure` has
saved, so that `check`, its answer, is one on the same inputs. What trains draws its own starts and batches: there answers
agree as seeds do.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peer import largest
from problem import tensors

ROOT = Path(__file__).resolve().parent.parent
ETALON = ROOT / "target" / "release" / "etalon"
TOLERANCE = 1e-3
# Each work's task; what is not said is as in a spec of defaults: ReLU, He's variance, cross-entropy, 2000 images.
KEYS = {
    # The largest eigenvalue of the loss's Hessian, 784-512-512-10.
    "w8": ["network.width=512", "network.depth=2", "data.train=1024", "measure.samples=1024"],
    # eta* of 784-256-256-10 by batches of 64, and of 784-512-512-512-10 by batches of 128.
    "w9": ["train.batch=64", "train.steps=500", "network.width=256", "network.depth=2"],
    "w10": ["train.batch=128", "train.steps=500", "network.width=512", "network.depth=3"],
    # Rates by seeds; the stack looks at the end alone.
    "w12": ["train.batch=64", "train.steps=200", "train.check_every=200", "network.width=256", "network.depth=2"],
    # The boundaries of phases, of networks of unlike cost.
    "w14": ["loss=mse", "train.batch=full", "train.steps=50", "data.train=256", "data.test=100", "data.shrink=2"],
}
# eta* is the largest rate that reaches so much on 1000 training images within the budget, to a twentieth, by 5 seeds.
THRESHOLD, RATIO, SEEDS = 0.7, 1.05, 5
RATES = [0.001 * 10 ** (i / 4) for i in range(12)]


def read(weights, samples):
    """Inputs, targets (one-hot), and [weight, bias] of each layer, out x in."""
    weights, samples = tensors(weights), tensors(samples)
    layers = [[weights[f"layers.{i}.{part}"] for part in ("weight", "bias")] for i in range(3)]
    return samples["inputs"], samples["targets"], layers


def jax_sharpness(weights, samples):
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    inputs, targets, layers = read(weights, samples)
    flat, unflatten = ravel_pytree(layers)

    def loss(flat, inputs, targets):
        h, (*hidden, (last, bias)) = inputs, unflatten(flat)
        for weight, shift in hidden:
            h = jax.nn.relu(h @ weight.T + shift)
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(h @ last.T + bias), axis=1))

    slope = lambda p, x, y: jax.grad(lambda p: loss(p, x, y))(p)
    held = jax.jit(lambda p, x, y: jax.linearize(lambda p: slope(p, x, y), p)[1])(flat, inputs, targets)
    apply = jax.jit(lambda held, v: held(v))
    return largest(flat.size, lambda v: apply(held, v))


def torch_sharpness(weights, samples):
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    inputs, targets, layers = read(weights, samples)
    inputs, targets = torch.tensor(inputs), torch.tensor(targets)
    parameters = [torch.tensor(array, requires_grad=True) for layer in layers for array in layer]
    h = inputs
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        h = F.relu(F.linear(h, weight, bias))
    loss = F.cross_entropy(F.linear(h, *parameters[-2:]), targets)
    slope = torch.cat([g.ravel() for g in torch.autograd.grad(loss, parameters, create_graph=True)])

    def product(v):
        v = torch.from_numpy(v)
        rows = torch.autograd.grad(slope, parameters, grad_outputs=v, retain_graph=True)
        return torch.cat([row.ravel() for row in rows]).numpy()

    return largest(slope.numel(), product)


def network(torch, seed, sizes):
    """He's variance, half of it in the last layer, biases of zero: Etalon's defaults."""
    torch.manual_seed(seed)
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layer = torch.nn.Linear(fan_in, fan_out)
        torch.nn.init.normal_(layer.weight, std=((1 if fan_out == sizes[-1] else 2) / fan_in) ** 0.5)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def trains(eta, seed, inputs, labels, sizes, batch, steps):
    """Whether a training comes to the threshold; looks every 25 steps."""
    import torch

    model = network(torch, seed, sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=eta)
    order = []
    for step in range(1, steps + 1):
        if len(order) < batch:
            order = torch.randperm(len(inputs))
        chosen, order = order[:batch], order[batch:]
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen])
        if not torch.isfinite(loss):
            return False
        loss.backward()
        optimizer.step()
        if step % 25 == 0:
            with torch.no_grad():
                right = model(inputs[:1000]).argmax(1) == labels[:1000]
            if right.float().mean() >= THRESHOLD:
                return True
    return False


def bisect(arguments):
    """One seed's eta*: doubles until it fails, then halves the bracket."""
    import torch

    torch.set_num_threads(1)
    seed, inputs, labels, task = arguments
    inputs, labels = torch.from_numpy(inputs), torch.from_numpy(labels)
    low, high = 0.1, None
    while high is None or high / low > RATIO:
        eta = 2 * low if high is None else (low * high) ** 0.5
        if trains(eta, seed, inputs, labels, *task):
            low = eta
        else:
            high = eta
    return low


def torch_bisection(sizes, batch):
    """A script of a page: a process a core, a seed at a time, and nothing known of curvature."""

    def run(samples):
        import multiprocessing

        samples = tensors(samples)
        inputs, labels = samples["inputs"], samples["targets"].argmax(1)
        inputs = inputs.reshape(len(inputs), -1)
        work = [(seed, inputs, labels, (sizes, batch, 500)) for seed in range(SEEDS)]
        with multiprocessing.Pool(int(os.environ["OMP_NUM_THREADS"])) as pool:
            return statistics.median(pool.map(bisect, work, chunksize=1))

    return run


def torch_diagram(samples):
    """All trials in one stack of matrices: every step is that of all of them. The mean loss at the end, of the rates at which
    all seeds stay finite."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    samples = tensors(samples)
    inputs, labels = torch.tensor(samples["inputs"]).flatten(1), torch.tensor(samples["targets"]).argmax(1)
    models = [network(torch, seed, (784, 256, 256, 10)) for _ in RATES for seed in range(12)]
    stacks = [torch.stack([p.detach() for p in same]) for same in zip(*(model.parameters() for model in models))]
    stacks = [stack.requires_grad_() for stack in stacks]
    rates = torch.tensor(RATES).repeat_interleave(12)

    def losses(x, y):
        h = x.expand(len(rates), *x.shape)
        for i in range(0, len(stacks), 2):
            h = torch.baddbmm(stacks[i + 1].unsqueeze(1), h, stacks[i].transpose(1, 2))
            h = h if i + 2 == len(stacks) else F.relu(h)
        rows = F.cross_entropy(h.flatten(0, 1), y.repeat(len(rates)), reduction="none")
        return rows.view(len(rates), -1).mean(1)

    order = []
    for _ in range(200):
        if len(order) < 64:
            order = torch.randperm(len(inputs))
        chosen, order = order[:64], order[64:]
        slopes = torch.autograd.grad(losses(inputs[chosen], labels[chosen]).sum(), stacks)
        with torch.no_grad():
            for stack, slope in zip(stacks, slopes):
                stack -= rates.view(-1, *[1] * (stack.dim() - 1)) * slope
    with torch.no_grad():
        return losses(inputs[:1000], labels[:1000])[: 12 * 4].mean().item()


SCRIPTS = {
    ("w8", "jax-script"): jax_sharpness,
    ("w8", "torch-script"): torch_sharpness,
    ("w9", "torch-bisection"): torch_bisection((784, 256, 256, 10), 64),
    ("w10", "torch-bisection"): torch_bisection((784, 512, 512, 512, 10), 128),
    ("w12", "torch-bmm"): torch_diagram,
}


def call(folder, *arguments):
    """What the program prints."""
    return subprocess.run([ETALON, *arguments, "-q"], cwd=folder, stdout=subprocess.PIPE, check=True).stdout


def sharpness(folder, *more):
    """Measures, and gives the eigenvalue."""
    keys = [*KEYS["w8"], f"measure.tolerance={TOLERANCE}"]
    answer = json.loads(call(folder, "measure", *keys, "--only", "hessian.max", "--json", *more))
    return answer["hessian"]["max"]["value"]


def maximal_rate(folder, work):
    keys = [*KEYS[work], f"search.threshold={THRESHOLD}", f"search.tolerance={RATIO - 1}", f"search.seeds={SEEDS}"]
    answer = json.loads(call(folder, "find", *keys, "--eta-star", "only", "--json"))
    return answer["eta_star"]["median"]


def diagram(folder):
    """As `torch_diagram`: the mean loss on the first 1000 images at the end, at the four lowest rates."""
    out = tempfile.mkdtemp(dir=folder)
    grid = [f"grid.optimizer.eta=[{', '.join(map(repr, RATES))}]", "grid.seed={linear=[0, 11], points=12}"]
    call(folder, "sweep", *KEYS["w12"], *grid, "--out", out)
    rows = csv.DictReader((Path(out) / "summary.csv").open())
    losses = [float(row["train_loss"]) for row in rows if float(row["optimizer.eta"]) <= RATES[3] * 1.001]
    return sum(losses) / len(losses)


def boundaries(folder):
    """The geometric mean of the largest rates that do not diverge."""
    out = tempfile.mkdtemp(dir=folder)
    grid = ["grid.job=boundaries", "grid.network.width=[16, 32, 64, 128]", "grid.seed=[0, 1, 2]"]
    call(folder, "sweep", *KEYS["w14"], *grid, "--out", out)
    rows = csv.DictReader((Path(out) / "summary.csv").open())
    return statistics.geometric_mean(float(row["eta_max"]) for row in rows)


def ask_etalon(work, folder):
    match work:
        case "w8":
            return sharpness(folder, "--weights", "weights")
        case "w12":
            return diagram(folder)
        case "w14":
            return boundaries(folder)
    return maximal_rate(folder, work)


def processor_seconds():
    """That ended children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(work, peer, folder):
    """Seconds of the whole command, how many cores it kept busy, and its answer."""
    begin, before = time.perf_counter(), processor_seconds()
    if peer == "etalon":
        answer = ask_etalon(work, folder)
    else:
        command = [sys.executable, __file__, work, peer, "--answer", folder]
        answer = float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    seconds = time.perf_counter() - begin
    return seconds, (processor_seconds() - before) / seconds, answer


def save(work, folder):
    """Leaves the samples, and the parameters of w8."""
    if work == "w8":
        sharpness(folder, "--save-weights", "weights", "--save-batch", "samples")
    elif work != "w14":
        cheap = ["--only", "hessian.max", "measure.samples=2000", "measure.tolerance=0.5"]
        call(folder, "measure", *KEYS[work], *cheap, "--save-batch", "samples")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", nargs="?", choices=KEYS)
    parser.add_argument("peer", nargs="?")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every work and peer")
    parser.add_argument("--answer", metavar="DIR", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.list:
        for work, name in SCRIPTS:
            print(work, name)
        return
    if arguments.answer:
        names = ["weights", "samples"] if arguments.work == "w8" else ["samples"]
        files = [Path(arguments.answer) / name for name in names]
        print(SCRIPTS[arguments.work, arguments.peer](*files))
        return
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    line = {"work": arguments.work, "peer": arguments.peer, "unit": "s"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            save(arguments.work, folder)
            runs = [timed(arguments.work, arguments.peer, folder) for _ in range(arguments.repeats)]
        seconds, cores, answers = zip(*runs)
        line |= {"samples": seconds, "cores": statistics.median(cores), "check": answers[-1]}
    except (OSError, subprocess.CalledProcessError) as error:
        line["skipped"] = str(error)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
