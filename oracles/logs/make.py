"""Trains small networks in PyTorch and writes what a training script would log, with what really happened as a label.

    python oracles/logs/make.py crates/etalon/tests/logs/set 0
    python oracles/logs/make.py crates/etalon/tests/logs/held-out 5000 34
    python oracles/logs/make.py crates/etalon/tests/logs/fresh 9000 55

The log has what a script sees: step, the loss of its batch, the rate (a few also the sharpness). The label comes from
what it does not see: the loss on the whole training set before every step, the loss of the best constant prediction,
and, under full-batch descent, rate times sharpness over the optimiser's limit of stability.

    diverging   that loss left the numbers or 1e12 times its start, or ended above 100 times its start
    stuck       it rose by a quarter or more, and ended no better than 0.9 of the start and of the constant prediction
    catapult    it rose by a quarter or more, and ended below that
    edge        it did not rise by more than a hundredth, and rate times sharpness stayed within 0.85 and 1.3 of the limit
    lazy        it did not rise by more than a hundredth

Runs between (a rise of 1 % to 25 %, which a batch's loss cannot show) are left out and counted; of a label at most 16
logs are kept, of networks and optimisers in a shuffled order. The second argument is the first seed; a third one, how
many logs are enough.
"""
import csv
import math
import pathlib
import random
import sys

import torch
from torch import nn

torch.set_num_threads(1)
SAMPLES, STEPS = 512, 300
MOST = 16
LIMIT = 1e12


class Attention(nn.Module):
    """One block of a transformer, which reads 12 tokens of 8 kinds."""

    def __init__(self, outputs, width):
        super().__init__()
        self.embed, self.place = nn.Embedding(8, width), nn.Parameter(0.1 * torch.randn(12, width))
        self.block = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, tokens):
        return self.head(self.block(self.embed(tokens) + self.place).mean(1))


def problem(kind, loss, seed):
    """Inputs and targets: noisy prototypes as images, or tokens whose commonest kind is asked for."""
    random = torch.Generator().manual_seed(1000 + seed)
    if kind == "transformer":
        x = torch.randint(8, (SAMPLES, 12), generator=random)
        y = nn.functional.one_hot(x, 8).sum(1).argmax(1)
    else:
        prototypes = torch.randn(8, 64, generator=random)
        y = torch.randint(8, (SAMPLES,), generator=random)
        x = prototypes[y] + 1.5 * torch.randn(SAMPLES, 64, generator=random)
        x = x.reshape(-1, 1, 8, 8) if kind == "cnn" else x
    return (x, nn.functional.one_hot(y, 8).float()) if loss == "mse" else (x, y)


def network(kind, seed):
    torch.manual_seed(seed)
    if kind == "mlp":
        return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 8))
    if kind == "deep":
        return nn.Sequential(nn.Linear(64, 96), nn.Tanh(), nn.Linear(96, 96), nn.Tanh(), nn.Linear(96, 8))
    if kind == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(24 * 16, 8))
    return Attention(8, 32)


def sharpness(model, value, tries=20):
    """The largest eigenvalue of the Hessian, by power iteration; shifted, so that it is the largest algebraic one."""
    parameters = list(model.parameters())
    gradient = torch.autograd.grad(value, parameters, create_graph=True)
    random = torch.Generator().manual_seed(0)
    direction = [torch.randn(p.shape, generator=random) for p in parameters]
    found, shift = 0.0, 0.0
    for _ in range(2):
        for _ in range(tries):
            size = math.sqrt(sum((d * d).sum().item() for d in direction))
            direction = [d / size for d in direction]
            product = torch.autograd.grad(gradient, parameters, direction, retain_graph=True)
            found = sum((p * d).sum().item() for p, d in zip(product, direction))
            direction = [p - shift * d for p, d in zip(product, direction)]
        if found >= 0.0:
            return found
        shift = found
    return found


def optimizer_of(kind, model, rate):
    if kind == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate)
    momentum = 0.0 if kind == "sgd" else 0.9
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, nesterov=kind == "nesterov")


def run(kind, loss, optimizer, batch, factor, seed):
    """One run: its log, its facts."""
    x, y = problem(kind, loss, seed)
    model = network(kind, seed)
    criterion = nn.CrossEntropyLoss() if loss == "ce" else lambda out, to: 0.5 * ((out - to) ** 2).sum(1).mean()
    limit = 2.0 / sharpness(model, criterion(model(x), y))
    limit *= {"sgd": 1.0, "heavy": 1.9, "nesterov": 1.9 / 2.8, "adam": 0.0}[optimizer]
    # Adam's limit belongs to the Hessian in its own coordinates; its usual rate is the unit.
    rate = factor * (limit if optimizer != "adam" else 1e-3)
    rule = optimizer_of(optimizer, model, rate)
    mean = y.mean(0) if loss == "mse" else torch.bincount(y, minlength=8).float().div(SAMPLES).log()
    constant = criterion(mean.expand(SAMPLES, -1), y).item()
    order = torch.Generator().manual_seed(seed)
    rows, full, ratios = [], [], []
    for step in range(STEPS):
        with torch.no_grad():
            full.append(criterion(model(x), y).item())
        chosen = torch.randperm(SAMPLES, generator=order)[:batch] if batch else slice(None)
        value = criterion(model(x[chosen]), y[chosen])
        row = [step, f"{value.item():.5g}", f"{rate:.4g}"]
        if batch == 0 and optimizer == "sgd" and step % 30 == 0 and math.isfinite(value.item()):
            found = sharpness(model, criterion(model(x), y), 10)
            ratios.append(rate * found / 2.0)
            row.append(f"{found:.4g}")
        rows.append(row)
        if not (full[-1] <= LIMIT * full[0] and math.isfinite(value.item())):
            break
        rule.zero_grad()
        value.backward()
        rule.step()
    return rows, label(full, ratios, constant), dict(
        rate=f"{rate:.4g}", over_limit=f"{factor:g}" if optimizer != "adam" else "",
        peak=f"{max(full) / full[0]:.4g}", end=f"{end_of(full) / full[0]:.4g}", constant=f"{constant / full[0]:.4g}")


def end_of(full):
    return sorted(full[-15:])[len(full[-15:]) // 2]


def label(full, ratios, constant):
    first, peak, end = full[0], max(full), end_of(full)
    if not peak <= LIMIT * first or not math.isfinite(full[-1]) or min(full[-15:]) > 100 * first:
        return "diverging"
    if peak >= 1.25 * first:
        if end >= 0.9 * min(first, constant):
            return "stuck" if full[-1] < peak or full.index(peak) < STEPS // 2 else None
        return "catapult"
    if peak > 1.01 * first:
        return None
    if len(ratios) > 6 and all(0.85 <= ratio <= 1.3 for ratio in ratios[-5:]):
        return "edge"
    return "lazy"


FACTORS = {
    "sgd": [0.02, 0.3, 0.9, 1.3, 1.8, 2.6, 4, 8, 30],
    "heavy": [0.005, 0.05, 0.3, 0.7, 1.1, 1.6, 3, 8, 40],
    "nesterov": [0.05, 0.5, 1.2, 2.5, 10],
    "adam": [0.03, 0.3, 1, 5, 20, 60, 200, 1000],
}


def configurations():
    for kind, loss in [("mlp", "mse"), ("mlp", "ce"), ("deep", "mse"), ("cnn", "ce"), ("cnn", "mse"), ("transformer", "ce")]:
        for optimizer, factors in FACTORS.items():
            if optimizer == "nesterov" and kind != "mlp":
                continue
            for place, factor in enumerate(factors):
                # Full batches where the network is cheap, and every other time.
                batch = 0 if optimizer in ("sgd", "heavy") and place % 2 == 0 and kind != "transformer" else 32
                yield f"{kind}-{loss}-{optimizer}-{place}.csv", (kind, loss, optimizer, batch, factor)


def main():
    folder, first_seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    facts, left_out, kept = [], 0, {}
    runs = list(enumerate(configurations()))
    random.Random(0).shuffle(runs)
    enough = int(sys.argv[3]) if len(sys.argv) > 3 else len(runs)
    for place, (name, setting) in runs:
        if len(facts) == enough:
            break
        # The other kernels of attention have no second derivative.
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            rows, found, facts_of = run(*setting, first_seed + place)
        left_out += found is None
        if found is None or kept.get(found, 0) == MOST:
            continue
        kept[found] = kept.get(found, 0) + 1
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            has = max(map(len, rows)) > 3
            writer.writerow(["step", "loss", "lr"] + ["sharpness"] * has)
            writer.writerows(row + [""] * (3 + has - len(row)) for row in rows)
        kind, _, optimizer, batch, _ = setting
        facts.append(dict(log=name, label=found, network=kind, optimizer=optimizer, batch=batch or SAMPLES, **facts_of))
        print(facts[-1], flush=True)
        with (folder / "labels.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, facts[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(facts)
    print(f"{len(facts)} logs, {left_out} runs between the labels left out: {kept}")


if __name__ == "__main__":
    main()
