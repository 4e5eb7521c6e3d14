"""Ten small tasks in plain PyTorch: what a user has who asks for a rate. Each trains in about a second or less on one thread,
on scikit-learn's digits or on samples that are drawn here.

A task has what the league of bench/league asks of its own: ranges, metric, chance, and a bench for range tests.
"""

import hashlib
import math
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Callable

import images
import task as league
import torch
from torch import nn
from torch.nn import functional

# Rates a decade of the scan.
DENSITY = 4
# A loss so many times that of a constant prediction is divergence.
DIVERGED = 1e3


@dataclass(frozen=True)
class Data:
    """Samples to train on and held-out ones."""

    inputs: torch.Tensor
    targets: torch.Tensor
    held_inputs: torch.Tensor
    held_targets: torch.Tensor


@cache
def digits():
    """Those of bench/league/images.py, with one channel."""
    inputs, classes, train = images.digits()
    x, y = torch.tensor(inputs, dtype=torch.float32).unsqueeze(1), torch.tensor(classes, dtype=torch.long)
    return Data(x[:train], y[:train], x[train:], y[train:])


@cache
def rings():
    """Two classes in three rings about the origin, which overlap."""
    generator = torch.Generator().manual_seed(3)
    radius = 3 * torch.rand(900, generator=generator)
    angle = 2 * math.pi * torch.rand(900, generator=generator)
    classes = ((radius + 0.15 * torch.randn(900, generator=generator)).floor() % 2).long()
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return Data(points[:400], classes[:400], points[400:], classes[400:])


@cache
def teacher():
    """Noisy values of a network of tanh that is drawn once."""
    generator = torch.Generator().manual_seed(4)
    inputs = torch.randn(1500, 12, generator=generator)
    first, second = torch.randn(12, 6, generator=generator) / 2, torch.randn(6, 1, generator=generator) / 2
    values = torch.tanh(inputs @ first) @ second
    values = values / values.std() + 0.2 * torch.randn(1500, 1, generator=generator)
    return Data(inputs[:700], values[:700], inputs[700:], values[700:])


WORDS, LENGTH = 8, 13


@cache
def sentences():
    """The next word follows from the two before it by a table in four of five places; in the others it is any."""
    generator = torch.Generator().manual_seed(5)
    table = torch.randint(WORDS, (WORDS, WORDS), generator=generator)
    words = torch.randint(WORDS, (1200, LENGTH), generator=generator)
    follows = torch.rand(1200, LENGTH, generator=generator) < 0.8
    for place in range(2, LENGTH):
        told = table[words[:, place - 2], words[:, place - 1]]
        words[:, place] = torch.where(follows[:, place], told, words[:, place])
    return Data(words[:800, :-1], words[:800, 1:], words[800:, :-1], words[800:, 1:])


def mlp(*sizes, activation=nn.ReLU):
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), activation())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def convolutional(norm):
    """Three convolutions, with batch normalisation or without."""
    layers, channels = [], (1, 8, 16, 16)
    for place, pair in enumerate(zip(channels, channels[1:])):
        layers += [nn.Conv2d(*pair, 3, padding=1, stride=2 if place else 1, bias=not norm)]
        layers += [nn.BatchNorm2d(pair[1]), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10))


class Residual(nn.Module):
    """A residual network of linear layers behind batch normalisation."""

    def __init__(self, width=48, blocks=4):
        super().__init__()
        self.first, self.last = nn.Linear(64, width), nn.Linear(width, 10)
        make = lambda: nn.Sequential(nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList([make() for _ in range(blocks)])

    def forward(self, x):
        h = self.first(x.flatten(1))
        for block in self.blocks:
            h = h + block(h)
        return self.last(h)


class Transformer(nn.Module):
    """Two blocks of causal attention behind layer normalisation."""

    def __init__(self, width=24, heads=2, blocks=2):
        super().__init__()
        self.heads = heads
        self.words, self.places = nn.Embedding(WORDS, width), nn.Parameter(0.1 * torch.randn(LENGTH - 1, width))
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2 * blocks + 1)])
        self.qkv = nn.ModuleList([nn.Linear(width, 3 * width) for _ in range(blocks)])
        self.mixed = nn.ModuleList([nn.Linear(width, width) for _ in range(blocks)])
        self.wide = nn.ModuleList([mlp(width, 2 * width, width, activation=nn.GELU)[1:] for _ in range(blocks)])
        self.last = nn.Linear(width, WORDS)

    def forward(self, words):
        h = self.words(words) + self.places
        for place, (qkv, mixed, wide) in enumerate(zip(self.qkv, self.mixed, self.wide)):
            parts = qkv(self.norms[2 * place](h)).chunk(3, -1)
            split = [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts]
            attended = functional.scaled_dot_product_attention(*split, is_causal=True)
            h = h + mixed(attended.transpose(1, 2).flatten(2))
            h = h + wide(self.norms[2 * place + 1](h))
        return self.last(self.norms[-1](h))


def cross_entropy(outputs, targets):
    """Over the last axis, of one class a sample or a place."""
    return functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())


def squares(outputs, targets):
    """The mean of squares; classes are 1 among zeros."""
    if targets.dtype == torch.long:
        targets = functional.one_hot(targets, outputs.shape[-1]).to(outputs.dtype)
    return functional.mse_loss(outputs, targets)


@dataclass(frozen=True)
class Task:
    name: str
    title: str
    data: Callable[[], Data]
    network: Callable[[], nn.Module]
    loss: Callable
    kind: type
    settings: dict = field(hash=False)
    batch: int
    steps: int
    # The held-out metric that a user asks of a training.
    goal: float
    metric: str = "accuracy"
    # Whether the rate falls to zero along a cosine.
    cosine: bool = False

    @property
    def optimizer(self):
        return "adamw" if self.kind is torch.optim.AdamW else "sgd"

    @property
    def range(self):
        return league.RANGE[self.optimizer]

    def rates(self):
        """The grid of the scan, over the whole range."""
        return league.grid(self.range, DENSITY)

    @property
    def has_classes(self):
        return self.metric == "accuracy"

    @cached_property
    def chance(self):
        """The metric of a constant prediction: a guess among the classes, or the mean of the training samples."""
        data = self.data()
        classes = int(data.targets.max()) + 1
        if self.has_classes:
            return 1 / classes
        if data.targets.dtype == torch.long:
            return math.log(classes)
        return (data.held_targets - data.targets.mean()).square().mean().item()

    @cached_property
    def digest(self):
        """Of what training depends on; a file more than that is safe."""
        files = [Path(__file__), Path(images.__file__)]
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]

    def reaches(self, metric):
        return metric >= self.goal if self.has_classes else metric <= self.goal

    def bench(self, seed):
        return Bench(self, seed)

    def train(self, eta, seed):
        """(held-out metric at the end, steps taken); none of a training that diverged."""
        bench = self.bench(seed)
        network, (kind, settings), data = bench.network(), bench.optimizer(), self.data()
        optimizer = kind(network.parameters(), lr=eta, **settings)
        falling = lambda step: (1 + math.cos(math.pi * step / self.steps)) / 2 if self.cosine else 1.0
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, falling)
        highest = DIVERGED * self.loss_of_nothing
        for step, (inputs, targets) in enumerate(bench.batches()):
            value = self.loss(network(inputs), targets)
            if not value.item() < highest:
                return None, step
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            outputs = network(data.held_inputs)
            if not outputs.isfinite().all():
                return None, self.steps
            if self.has_classes:
                return (outputs.argmax(-1) == data.held_targets).float().mean().item(), self.steps
            return self.loss(outputs, data.held_targets).item(), self.steps

    @cached_property
    def loss_of_nothing(self):
        """The training loss of outputs that are all zero."""
        targets = self.data().targets
        has_words = targets.dtype == torch.long
        outputs = torch.zeros(*targets.shape, int(targets.max()) + 1) if has_words else torch.zeros_like(targets)
        return self.loss(outputs, targets).item()


class Bench:
    """A task from one seed: a network that is drawn, and batches."""

    def __init__(self, task, seed):
        self.task, self.seed = task, seed
        data = task.data()
        self.inputs, self.targets = data.inputs, data.targets
        self.loss = task.loss
        torch.manual_seed(seed)

    def network(self):
        torch.manual_seed(self.seed)
        return self.task.network()

    def samples(self):
        return torch.utils.data.TensorDataset(self.inputs, self.targets)

    def loader(self):
        return torch.utils.data.DataLoader(self.samples(), self.task.batch, shuffle=True, drop_last=True)

    def optimizer(self):
        """The class and its settings but the rate."""
        return self.task.kind, self.task.settings

    def batches(self):
        """Those of a training."""
        count, size = len(self.inputs), self.task.batch
        generator, order = torch.Generator().manual_seed(self.seed), torch.arange(0)
        for _ in range(self.task.steps):
            if len(order) < size:
                order = torch.randperm(count, generator=generator)
            taken, order = order[:size], order[size:]
            yield self.inputs[taken], self.targets[taken]


SGD, ADAMW = torch.optim.SGD, torch.optim.AdamW
PLAIN, HEAVY = {}, {"momentum": 0.9}
NESTEROV = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
TASKS = [
    Task("digits-relu-sgd", "Plain stochastic gradient descent.", digits, lambda: mlp(64, 64, 64, 10), cross_entropy,
         SGD, PLAIN, 50, 150, 0.6),
    Task("digits-tanh-mse-full", "Mean squares of tanh by gradient descent on all samples.", digits,
         lambda: mlp(64, 48, 10, activation=nn.Tanh), squares, SGD, PLAIN, 1000, 150, 0.6),
    Task("digits-relu-momentum", "A deep network with heavy-ball momentum.", digits, lambda: mlp(64, 48, 48, 48, 48, 10),
         cross_entropy, SGD, HEAVY, 50, 200, 0.6),
    Task("digits-conv-batch-nesterov", "Batch normalisation, Nesterov's momentum, weight decay.", digits,
         lambda: convolutional(norm=True), cross_entropy, SGD, NESTEROV, 32, 100, 0.6),
    Task("digits-residual-batch-mse-cosine", "Mean squares behind batch normalisation, a rate that falls to zero.", digits,
         Residual, squares, SGD, HEAVY, 50, 150, 0.6, cosine=True),
    Task("digits-conv-momentum", "Convolutions without normalisation, heavy-ball momentum.", digits,
         lambda: convolutional(norm=False), cross_entropy, SGD, HEAVY, 32, 120, 0.6),
    Task("rings-tanh-full", "Two classes that overlap, on all samples at once, with momentum.", rings,
         lambda: mlp(2, 32, 32, 2, activation=nn.Tanh), cross_entropy, SGD, HEAVY, 400, 300, 0.65),
    Task("teacher-tanh-mse", "Regression: the held-out loss of noisy values.", teacher,
         lambda: mlp(12, 32, 32, 1, activation=nn.Tanh), squares, SGD, PLAIN, 32, 250, 0.5, "loss"),
    Task("digits-layers-adamw", "AdamW on a deep network of GELU.", digits, lambda: mlp(64, 64, 64, 64, 10, activation=nn.GELU),
         cross_entropy, ADAMW, {"weight_decay": 0.1}, 50, 150, 0.6),
    Task("sentences-transformer-adamw", "AdamW on a transformer of two blocks: the held-out loss of the next word.", sentences,
         Transformer, cross_entropy, ADAMW, {"weight_decay": 0.1, "betas": (0.9, 0.95)}, 24, 150, 1.6, "loss"),
]  # fmt: skip
BY_NAME = {task.name: task for task in TASKS}
