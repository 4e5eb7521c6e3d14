"""What ending trainings early saves, and whether it changes a verdict: the table of docs/trainers.md.

    python early_ends.py PATH_OF_ETALON

Ten sweeps in PyTorch, each of 12 rates from far too low to far too high, trained to the end whatever happens. Each log is given to
`etalon train --trainer`, which stops reading where it is decided, and is judged whole by `etalon watch`. A training has reached
its goal where some row has it; it diverges where the judge says so before that. Steps after either are saved. Fails if one that
was ended as diverging would have reached its goal, or would not be called divergent in the end.
"""

import json
import math
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

STEPS, RATES = 400, 12


def two_classes(seed):
    inputs = torch.randn(256, 20, generator=torch.Generator().manual_seed(seed))
    return inputs, (inputs[:, :2].prod(1) > 0).long()


def values(seed):
    inputs = torch.randn(256, 20, generator=torch.Generator().manual_seed(seed))
    return inputs, inputs[:, :4].sum(1, keepdim=True).sin()


def mlp(*sizes, between=nn.Tanh, norm=None):
    layers = []
    for before, after in zip(sizes, sizes[1:]):
        layers += [nn.Linear(before, after), *([norm(after)] if norm else []), between()]
    return nn.Sequential(*layers[: -2 if norm else -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = nn.Linear(5, 16)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.block(self.inside(x.view(-1, 4, 5))).mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells, self.out = nn.GRU(5, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.cells(x.view(-1, 4, 5))[0][:, -1])


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.fold, self.out = nn.Conv1d(1, 8, 5), nn.Linear(128, 2)

    def forward(self, x):
        return self.out(functional.relu(self.fold(x[:, None])).flatten(1))


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
momentum = lambda parameters, rate: SGD(parameters, rate, momentum=0.9)
# Name, network, data, optimiser, batch, the lowest and the highest rate, the goal.
SWEEPS = [
    ("wide MLP, squared loss, whole batches", lambda: mlp(20, 512, 1), values, SGD, 256, (1e-2, 30), 0.1),
    ("MLP of ReLU, cross-entropy", lambda: mlp(20, 64, 64, 2, between=nn.ReLU), two_classes, SGD, 32, (1e-2, 100), 0.3),
    ("MLP, momentum 0.9", lambda: mlp(20, 64, 1), values, momentum, 32, (1e-3, 10), 0.1),
    ("deep MLP, Adam", lambda: mlp(20, 32, 32, 32, 32, 1), values, Adam, 32, (1e-4, 10), 0.1),
    ("batch normalisation", lambda: mlp(20, 64, 64, 2, between=nn.ReLU, norm=nn.BatchNorm1d), two_classes, SGD, 32, (1e-3, 1000), 0.3),
    ("layer normalisation", lambda: mlp(20, 64, 64, 2, between=nn.ReLU, norm=nn.LayerNorm), two_classes, SGD, 32, (1e-3, 1000), 0.3),
    ("attention, AdamW", Attention, two_classes, AdamW, 32, (1e-4, 10), 0.3),
    ("GRU, Adam", Recurrent, two_classes, Adam, 32, (1e-4, 10), 0.3),
    ("convolution, momentum 0.9", Images, two_classes, momentum, 64, (1e-3, 10), 0.4),
    ("linear, squared loss, batches of 8", lambda: mlp(20, 1), values, SGD, 8, (1e-3, 3), 0.4),
]


def training(sweep, rate, path):
    """A training to its end; its losses."""
    _, network, data, optimizer, size, _, _ = sweep
    torch.manual_seed(0)
    model, (inputs, targets) = network(), data(1)
    optimizer = optimizer(model.parameters(), rate)
    with open(path, "w") as log:
        for step in range(STEPS + 1):
            rows = torch.randint(len(inputs), (size,)) if size < len(inputs) else torch.arange(len(inputs))
            outputs = model(inputs[rows])
            loss = (functional.cross_entropy if targets.dim() == 1 else functional.mse_loss)(outputs, targets[rows])
            log.write(json.dumps({"step": step, "loss": loss.item()}) + "\n")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [json.loads(line)["loss"] for line in open(path)]


def answer(etalon, *words):
    return json.loads(subprocess.run([etalon, *words, "--json", "-q"], capture_output=True, text=True).stdout)


def judged(etalon, path, losses, goal):
    """The verdict where the log decides and the step at which it does; and that of the whole log."""
    reached = next((step for step, loss in enumerate(losses) if loss <= goal), math.inf)
    early = answer(etalon, "train", "--trainer", f"sh -c 'cp \"{path}\" \"{{log}}\"' {{eta}}")
    broken = early["steps"] if early["stop"]["reason"] == "shown" else math.inf
    whole = answer(etalon, "watch", str(path))["state"]
    first = min((reached, "trained"), (broken, "diverged"), (STEPS, "too slow"))
    last = "trained" if reached < math.inf else "diverged" if whole == "diverging" else "too slow"
    return first, last


def main():
    (etalon,) = sys.argv[1:] or sys.exit(__doc__)
    torch.set_num_threads(1)
    print("| sweep | trained | diverged | neither | steps saved of 4800 | trained, if let live | came back, untrained |\n|---|---|---|---|---|---|---|")
    saved_in_all = wrong = returned = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for sweep in SWEEPS:
            name, (low, high), goal = sweep[0], sweep[5], sweep[6]
            logs = []
            for index in range(RATES):
                path = Path(folder) / f"{index}.jsonl"
                logs.append((path, training(sweep, low * (high / low) ** (index / (RATES - 1)), path)))
            found = list(pool.map(lambda log: judged(etalon, *log, goal), logs))
            counts = [sum(verdict == wanted for (_, verdict), _ in found) for wanted in ("trained", "diverged", "too slow")]
            saved = sum(STEPS - step for (step, _), _ in found)
            missed = sum(first[1] == "diverged" and last == "trained" for first, last in found)
            back = sum(first[1] == "diverged" and last == "too slow" for first, last in found)
            saved_in_all, wrong, returned = saved_in_all + saved, wrong + missed, returned + back
            share = saved / STEPS / RATES
            print("|", " | ".join(map(str, [name, *counts, f"{saved} ({share:.0%})", missed, back])), "|", flush=True)
    share = saved_in_all / STEPS / RATES / len(SWEEPS)
    print(f"| all | | | | {saved_in_all} ({share:.0%}) | {wrong} | {returned} |")
    if wrong or returned:
        sys.exit(f"{wrong} trainings were ended that would have reached their goal, and {returned} that would have come back")


if __name__ == "__main__":
    main()
