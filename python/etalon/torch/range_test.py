"""The range test: training under a rate that rises from step to step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Optional

import torch
from torch import nn
from torch.optim import Optimizer

from .._etalon import Error
from ..axes import axes
from ..result import Limit, Result, number
from .guard import Loss, Untouched, evaluate, require_dependence, uncompiled
from .optimizer import unwrap
from .parameters import choose
from .shadow import first_rate, set_rate, shadow
from .sharpness import sharpness

# The loss is averaged over about so many steps, and a test ends where that is so many times its lowest.
_MEMORY, _FAR = 0.9, 4.0


@dataclass(frozen=True)
class Suggestion(Result):
    """A rate to begin with, not the one to use: that takes trainings, see :func:`etalon.find`.

    eta: the rate. why: what it rests on. limit: that of the optimiser by curvature, None where it is not known. lowest, steepest:
    the rates at which the smoothed loss was lowest and fell most steeply, which range tests are usually read by.
    """

    eta: float
    why: str
    limit: Optional[Limit]
    lowest: float
    steepest: float

    def __repr__(self) -> str:
        return f"{number(self.eta)}: {self.why}"


@dataclass(frozen=True)
class RangeTest(Result):
    """The losses of a training under a rising rate.

    rates: of the first group of the optimiser, those of the others in proportion. losses: before each step; smoothed: their
    running mean. stopped: why the test ended. curvature: the rate that follows from the curvature before it, by ``rule``; None where
    ``omitted`` says why. limit: that of the optimiser. products: Hessian-vector products that it took.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    stopped: str
    curvature: Optional[float]
    rule: str
    limit: Optional[Limit]
    omitted: Optional[str]
    products: int

    def suggestion(self) -> Suggestion:
        """The rate by curvature; where that is not known, or the loss of the test had begun to rise below it, so that the curvature of
        the start says little, a tenth of the rate at which the loss was lowest."""
        lowest = self.rates[min(range(len(self.smoothed)), key=self.smoothed.__getitem__)]
        falls = [b - a for a, b in zip(self.smoothed, self.smoothed[1:])]
        steepest = self.rates[min(range(len(falls)), key=falls.__getitem__)] if falls else lowest
        tenth = f"a tenth of the rate at which the loss was lowest, {number(lowest)}"
        if self.curvature is None:
            eta, why = lowest / 10.0, f"{tenth}; {self.omitted}"
        elif self.curvature <= lowest:
            eta, why = self.curvature, f"{self.rule}; the loss still fell there"
        else:
            eta, why = lowest / 10.0, f"{tenth}; it rose below {self.rule} = {number(self.curvature)}"
        return Suggestion(eta, why, self.limit, lowest, steepest)

    def __repr__(self) -> str:
        return f"{len(self.rates)} steps from {number(self.rates[0])} to {number(self.rates[-1])}, {self.stopped}\n{self.suggestion()!r}"

    def plot(self, ax: Any = None) -> Any:
        """Losses against rates, with the suggestion and the optimiser's limit, on axes of matplotlib, which it returns."""
        ax = axes(ax)
        ax.semilogx(self.rates, self.losses, alpha=0.4, label="loss")
        ax.semilogx(self.rates, self.smoothed, label="smoothed")
        suggestion = self.suggestion()
        ax.axvline(suggestion.eta, color="black", label=f"suggestion {number(suggestion.eta)}")
        if self.limit is not None:
            ax.axvline(self.limit.eta, color="black", linestyle=":", label=f"limit at the start {number(self.limit.eta)}")
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.legend()
        return ax


def range_test(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Loss,
    loader: Iterable[Any],
    *,
    min_lr: float = 1e-7,
    max_lr: float = 10.0,
    steps: int = 100,
    seed: int = 0,
) -> RangeTest:
    """Trains for ``steps`` steps under a rate that rises by the same factor from step to step, until the loss is four times its
    lowest, and measures curvature before. Model and optimiser are then as they were: a copy of the optimiser moves copies.

    Parameters
    ----------
    model, loss, seed:
        As of :func:`etalon.torch.sharpness`.
    optimizer:
        Of any kind that steps without a closure; it begins from its present state.
    loader:
        Batches, taken from the beginning again where they are too few.
    min_lr, max_lr:
        The first and the last rate.
    steps:
        How many steps, and batches.

    Raises
    ------
    Error
        A rate or a number of steps out of range, no batch, a loss that will not do at the start.
    """
    if not (0.0 < min_lr < max_lr < math.inf and steps >= 2):
        raise Error(f"min_lr = {min_lr}, max_lr = {max_lr}, steps = {steps}: give two rates above 0, the lower first, and at least 2 steps")
    optimizer = unwrap(optimizer)
    chosen = choose(model, optimizer, None)
    rates = [min_lr * (max_lr / min_lr) ** (step / (steps - 1)) for step in range(steps)]
    with Untouched(model, seed), uncompiled():
        batches = _endless(loader)
        batch = next(batches)
        curvature, rule, limit, omitted, products = _by_curvature(model, loss, batch, optimizer, seed)
        losses: list[float] = []
        smoothed: list[float] = []
        stopped, mean = "all rates were tried", 0.0
        homes = [p.data for p in chosen]
        try:
            stand_ins = [home.clone().requires_grad_() for home in homes]
            twin = shadow(optimizer, {id(p): stand_in for p, stand_in in zip(chosen, stand_ins)}, rates[0])
            for p, stand_in in zip(chosen, stand_ins):
                # The same numbers; what is written to one version is not counted in the other.
                p.data = stand_in.data
            for step, rate in enumerate(rates):
                with torch.enable_grad():
                    value = evaluate(model, loss, batch, finite=step == 0)
                    present = value.item()
                    require_dependence(value)
                    gradients = torch.autograd.grad(value, chosen, allow_unused=True)
                    require_dependence(value, gradients)
                mean = _MEMORY * mean + (1.0 - _MEMORY) * present
                average = mean / (1.0 - _MEMORY ** (step + 1))
                if not math.isfinite(average):
                    stopped = f"the loss was {present} at {number(rate)}"
                    break
                losses.append(present)
                smoothed.append(average)
                if average - min(smoothed) > (_FAR - 1.0) * abs(min(smoothed)):
                    stopped = f"the loss was {number(_FAR)} times its lowest at {number(rate)}"
                    break
                for stand_in, gradient in zip(stand_ins, gradients):
                    stand_in.grad = gradient
                twin.step()
                if step + 1 < steps:
                    set_rate(twin, rates[step + 1] / rate)
                    batch = next(batches)
        finally:
            for p, home in zip(chosen, homes):
                p.data = home
    return RangeTest(
        rates=tuple(rates[: len(losses)]),
        losses=tuple(losses),
        smoothed=tuple(smoothed),
        stopped=stopped,
        curvature=curvature,
        rule=rule,
        limit=limit,
        omitted=omitted,
        products=products,
    )


def _by_curvature(
    model: nn.Module, loss: Loss, batch: Any, optimizer: Optimizer, seed: int
) -> tuple[Optional[float], str, Optional[Limit], Optional[str], int]:
    """The rate that `etalon find` begins with, its rule, and the limit; or why there is none; and the products it took."""
    first_rate(optimizer)
    try:
        found = sharpness(model, loss, batch, optimizer=optimizer, tol=5e-2, seed=seed)
    except Error as error:
        return None, "", None, f"no curvature: {error}", 0
    if found.limit is None:
        return None, "", None, f"no limit of {found.omitted[0]}", found.products
    plain = found.limits.get("gradient-descent")
    if plain is None:
        return found.limit.eta, f"the limit of {found.limit.name} at the start", found.limit, None, found.products
    momentum = float(optimizer.param_groups[0].get("momentum", 0.0))
    factor = math.sqrt(max(0.0, 1.0 - momentum))
    rule = f"{plain.formula} at the start" + (f", times sqrt(1 - momentum) = {number(factor)}" if momentum else "")
    return factor * plain.eta, rule, found.limit, None, found.products


def _endless(loader: Iterable[Any]) -> Iterator[Any]:
    count = 0
    while True:
        before = count
        for batch in loader:
            count += 1
            yield batch
        if count == before:
            had = "it has no batch" if count == 0 else f"it ended after {count} batches and cannot begin again"
            raise Error(f"the loader is too short: {had}; pass a list or a DataLoader, or fewer steps")
