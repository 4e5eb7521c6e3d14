"""What the Python package says of a task: a function of a task, its trainings and a base seed each, that returns a Suggestion."""

import etalon
import etalon.torch as et
import torch
from finders import Suggestion

# Curvature is measured on so many samples.
SAMPLES = 256


class Start:
    """A task's network at its start, an optimiser of it, and samples for curvature."""

    def __init__(self, task, seed):
        bench = task.bench(seed)
        self.task, self.model = task, bench.network()
        kind, settings = bench.optimizer()
        self.optimizer = kind(self.model.parameters(), lr=1e-3, **settings)
        self.loss = lambda model, batch: task.loss(model(batch[0]), batch[1])
        self.batches = bench.loader()
        self.samples = bench.inputs[:SAMPLES], bench.targets[:SAMPLES]

    def budgets(self, gradients, samples=None):
        """Of so many gradients of the samples for curvature."""
        samples = len(self.samples[0]) if samples is None else samples
        return gradients * samples / (self.task.steps * self.task.batch)


def sharpness(limit):
    """A limit of stability by its name, where the optimiser has it; else the optimiser's own."""

    def measure(task, trainings, seed):
        start = Start(task, seed)
        found = et.sharpness(start.model, start.loss, start.samples, optimizer=start.optimizer, tol=5e-2)
        limits = found.limits.get(limit, found.limit)
        # A product takes what two gradients take.
        budgets = start.budgets(2 * found.products + 1)
        return Suggestion(limits.eta if limits else None, budgets)

    return measure


def critical_lr(task, trainings, seed):
    """The longest step along the optimiser's first update that does not raise the loss."""
    start = Start(task, seed)
    found = et.critical_lr(start.model, start.loss, start.samples, direction="update", optimizer=start.optimizer)
    # A forward pass takes a third of a gradient.
    return Suggestion(found.eta if found.eta > 0 else None, start.budgets((found.passes + 2) / 3))


def range_test(task, trainings, seed):
    start = Start(task, seed)
    found = et.range_test(start.model, start.optimizer, start.loss, start.batches)
    return Suggestion(found.suggestion().eta, start.budgets(2 * found.products + 1 + len(found.rates), task.batch))


def find(**settings):
    """`etalon.find` from the range test's suggestion: the rate to use, by the held-out metric."""

    def search(task, trainings, seed):
        begin = range_test(task, trainings, seed)

        def train(eta, seed):
            one = trainings.one(eta, seed)
            if one.diverged:
                return etalon.Trial(False, why="the loss grew without bounds", steps=one.steps)
            return etalon.Trial(task.reaches(one.value), steps=one.steps, metric=one.value)

        low, high = task.range
        found = etalon.find(
            train, seeds=range(seed, seed + 5), start=min(max(begin.eta, low), high), range=task.range,
            mode="max" if task.has_classes else "min", chance=task.chance, progress=False, **settings,
        )  # fmt: skip
        budgets = begin.budgets + found.steps / task.steps
        chosen = found.recommended
        if chosen is None or chosen.eta is None:
            return Suggestion(None, budgets, {"why": chosen.why if chosen else found.reason})
        return Suggestion(chosen.eta, budgets, {"low": chosen.low, "high": chosen.high})

    return search


torch.set_num_threads(1)
