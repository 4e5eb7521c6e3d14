"""eta* of any function that trains, and the rate to use."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Iterable, Optional, Union

from . import _etalon
from ._etalon import Error
from .result import Result, number
from .trainings import Train, Trainings, Trial

_FAR = 2.0**-20
"""What training at so small a part of a good rate comes to is what no training comes to."""
# Its name is that of a setting.
_counted = range
_NO_STAR: dict[str, Any] = dict(eta_star=None, low=None, high=None, coverage=0.0, reason="it was not asked for", seeds=())


@dataclass(frozen=True)
class Probe(Result):
    """A training at a rate. why: what went wrong. Others: see :class:`etalon.Trial`."""

    eta: float
    trained: bool
    why: Optional[str]
    steps: int
    metric: Optional[float]


@dataclass(frozen=True)
class Seed(Result):
    """One seed's search.

    eta: its eta*, the geometric middle of ``low``, which trained, and ``high``, which did not; None where none is there: without
    ``high`` every rate of the range trained, without ``low`` too none did. islands: rates above that trained nonetheless. failure:
    what went wrong just above. stopped: why the search ended. probes: all rates, in ascending order.
    """

    seed: int
    eta: Optional[float]
    low: Optional[float]
    high: Optional[float]
    islands: tuple[float, ...]
    failure: Optional[str]
    stopped: str
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Tried(Result):
    """A training that the choice of a rate rests on. failure: why it came to nothing; it has no metric then."""

    eta: float
    seed: int
    metric: Optional[float]
    failure: Optional[str]


@dataclass(frozen=True)
class Recommended(Result):
    """The rate to use, by the metric.

    eta: the rate, None where nothing was learnt at any. low, high: rates between them cannot be told from the best; None where no
    training closes that end. metric: the mean of the trainings nearest to it, of ``seeds`` seeds. chance: the metric where nothing is
    learnt. noise: the deviation of one training, in percent of the way from chance to the best. why: the reason. curve: all
    trainings, in ascending order of the rate.
    """

    eta: Optional[float]
    low: Optional[float]
    high: Optional[float]
    metric: Optional[float]
    seeds: int
    chance: float
    noise: Optional[float]
    why: str
    curve: tuple[Tried, ...]

    def __str__(self) -> str:
        ends = [number(end) if end is not None else "open" for end in (self.low, self.high)]
        return f"{'none' if self.eta is None else number(self.eta)} ({ends[0]} to {ends[1]}): {self.why}"


@dataclass(frozen=True)
class Found(Result):
    """What is known of the rates of a training function.

    eta_star: the largest constant rate at which training comes to what is asked of it, the median over seeds; None with a
    ``reason``, which may be that it was not asked for. low, high: an interval that holds the median over all seeds there could be with
    the probability ``coverage``. recommended: the rate to use, None where there is no metric to choose by. trainings, steps: what it
    took, those of an earlier call in the file included.
    """

    eta_star: Optional[float]
    low: Optional[float]
    high: Optional[float]
    coverage: float
    reason: Optional[str]
    recommended: Optional[Recommended]
    seeds: tuple[Seed, ...]
    tolerance: float
    trainings: int
    steps: int

    def __repr__(self) -> str:
        ends = " to ".join("open" if end is None else number(end) for end in (self.low, self.high))
        star = f"no eta*: {self.reason}"
        if self.eta_star is not None:
            star = f"eta* = {number(self.eta_star)} ({ends}, {100 * self.coverage:.1f} %)"
        of = f"{len(self.seeds)} seeds, " if self.seeds else ""
        lines = [f"{star}, {of}{self.trainings} trainings"]
        if self.recommended is not None:
            lines.append(f"rate to use: {self.recommended}")
        return "\n".join(lines)


def find(
    train: Train,
    *,
    seeds: Union[int, Iterable[int]] = 5,
    start: float = 0.1,
    range: Optional[tuple[float, float]] = None,
    tolerance: float = 0.1,
    rates: int = 8,
    mode: str = "min",
    chance: Optional[float] = None,
    eta_star: bool = True,
    executor: Any = None,
    resume: Union[None, str, os.PathLike[str]] = None,
    progress: Any = True,
) -> Found:
    """eta*, the largest constant learning rate at which ``train`` comes to what is asked of it, and the rate to use.

    eta* is bracketed for each seed by bisection with guards around the boundary. Where trials have a metric, the rate to use is
    then chosen by it: a climb from the best rate seen, a model of the metric against the rate, a second seed and a guard.
    Neither follows from the other.

    Parameters
    ----------
    train:
        ``train(eta, seed)`` trains from scratch and answers with ``True``, ``False`` or a :class:`etalon.Trial`. The same
        arguments are never asked twice. What it raises comes out as it is.
    seeds:
        How many, or which.
    start:
        The rate to begin with: a guess.
    range:
        The lowest and the highest rate that may be tried; without it 2^-10 to 2^12 times the start.
    tolerance:
        Of each seed's bracket, whose ends are apart by a factor of one more than this.
    rates:
        How many trainings the rate to use is chosen by; 0 leaves that out. They are fewer where a rate was tried before.
    mode:
        ``"min"`` where a lower metric is better, ``"max"`` where a higher one is.
    chance:
        The metric where nothing is learnt; without it two trainings at a millionth of the best rate tell it.
    eta_star:
        Whether eta* is searched for, which takes most of the trainings: ten or more a seed. Without it the choice of a rate begins
        at ``start``, or at the rate next to it that trains, and takes about ten in all; a good start is
        ``etalon.torch.range_test(...).suggestion().eta``.
    executor:
        Of ``concurrent.futures`` or with its ``submit``: trainings that do not depend on each other then run together, with the same
        result. Threads share torch's generator of random numbers: seeds mean nothing there, so take processes.
    resume:
        A file with a line for each training, so that a search that ended early goes on where it was. It only knows rate and
        seed: take another file where ``train`` has changed.
    progress:
        Whether to print a line for each training, or a function ``(eta, seed, trial)``.

    Raises
    ------
    Error
        A setting out of range, a seed given twice, an answer that is none, a trial without a metric among others with one, a file
        that is not one of trainings.
    """
    if mode not in ("min", "max"):
        raise Error(f"mode = {mode!r}: it must be \"min\" or \"max\"")
    if rates < 0:
        raise Error(f"rates = {rates}: it must be at least 0")
    given = [int(seed) for seed in (_counted(seeds) if isinstance(seeds, int) else seeds)]
    if any(seed < 0 for seed in given):
        raise Error(f"seeds = {given}: they must be at least 0")
    if not given:
        raise Error("no seed was given: give at least 1 (5 give an interval that covers the median at 93.75 %)")
    if len(set(given)) < len(given):
        raise Error(f"seeds = {given}: a seed was given twice, and every seed counts once")
    if not eta_star and rates == 0:
        raise Error("eta_star = False and rates = 0: nothing is left to find")
    trainings = Trainings(train, executor, resume, progress)
    try:
        star = _eta_star(trainings, given, start, range, tolerance) if eta_star else _NO_STAR
        if eta_star:
            begin = _best_seen(trainings, given[0], mode == "max")
        else:
            begin = _first_trained(trainings, given[0], start, range, tolerance)
        chosen = None
        if rates and begin is not None:
            chosen = _choose(trainings, given, begin, range, rates, mode == "max", chance)
    finally:
        trainings.close()
    used = trainings.used.values()
    return Found(
        **star,
        recommended=chosen,
        tolerance=tolerance,
        trainings=len(used),
        steps=sum(trial.steps for trial in used),
    )


def _eta_star(
    trainings: Trainings, seeds: list[int], start: float, range: Optional[tuple[float, float]], tolerance: float
) -> dict[str, Any]:
    searches = {seed: _etalon.SeedSearch(seed, start, tolerance, range) for seed in seeds}

    def tell(eta: float, seed: int, trial: Trial) -> None:
        searches[seed].tell(eta, trial.trained, trial.why, trial.steps)

    def run(some: list[int]) -> None:
        trainings.run(lambda: [(eta, seed) for seed in some for eta in searches[seed].ask()], tell)

    # What trains with the first two before they fail, the others need not try again.
    first, others = seeds[:2], seeds[2:]
    trainings.run(lambda: [(eta, seed) for seed in first if searches[seed].reach() is None for eta in searches[seed].ask()], tell)
    reached = [reach for seed in first if (reach := searches[seed].reach()) is not None]
    for seed in others if reached else ():
        searches[seed].begin_beyond(min(reached))
    run(seeds)
    star = _etalon.eta_star(list(searches.values()), tolerance)

    def probe(row: dict[str, Any], seed: int) -> Probe:
        return Probe(**row, metric=trainings.used[row["eta"], seed].metric)

    for row in star["seeds"]:
        row["probes"] = tuple(probe(one, row["seed"]) for one in row["probes"])
        row["islands"] = tuple(row["islands"])
    return {**star, "seeds": tuple(Seed(**row) for row in star["seeds"])}


def _first_trained(
    trainings: Trainings, seed: int, start: float, range: Optional[tuple[float, float]], tolerance: float
) -> float:
    """The first rate of a search for eta* at which training comes to what is asked of it: where it comes to nothing at several
    rates, no metric says which of them is nearer to one of use. The start itself where no rate is such."""
    search = _etalon.SeedSearch(seed, start, tolerance, range)
    found: list[float] = []

    def tell(eta: float, seed: int, trial: Trial) -> None:
        search.tell(eta, trial.trained, trial.why, trial.steps)
        if trial.trained:
            found.append(eta)

    # One at a time: which of several ends first must not matter.
    trainings.run(lambda: [] if found else [(eta, seed) for eta in search.ask()[:1]], tell)
    return found[0] if found else start


def _best_seen(trainings: Trainings, seed: int, higher_is_better: bool) -> Optional[float]:
    """The best of the rates that were tried with a seed; none where there is no metric."""
    sign = -1.0 if higher_is_better else 1.0
    own = {eta: trial for (eta, of), trial in trainings.used.items() if of == seed}
    seen = [(sign * trial.metric, eta) for eta, trial in own.items() if trial.metric is not None and _survived(trial)]
    return min(seen)[1] if seen else None


def _choose(
    trainings: Trainings,
    seeds: list[int],
    start: float,
    range: Optional[tuple[float, float]],
    rates: int,
    higher_is_better: bool,
    chance: Optional[float],
) -> Recommended:
    error = 0.0
    if chance is None:
        nothing = [(start * _FAR, seed) for seed in seeds[:2]]
        trainings.run(lambda: [one for one in nothing if one not in trainings.used], lambda eta, seed, trial: None)
        first, last = (_metric(*one, trainings.used[one]) for one in (nothing[0], nothing[-1]))
        # The mean of two, and its standard error: what is no better than that is no better than nothing.
        chance, error = (first + last) / 2.0, abs(first - last) / 2.0
    climb = _etalon.Climb(start, seeds, higher_is_better, chance, error, rates, range)

    def tell(eta: float, seed: int, trial: Trial) -> None:
        survived = _survived(trial)
        failure = None if survived else trial.why or f"the metric is {trial.metric}"
        climb.tell(eta, seed, failure, _metric(eta, seed, trial) if survived else math.nan, trial.steps)

    trainings.run(climb.ask, tell)
    found = climb.so_far()
    curve = {(row["eta"], row["seed"]): row for row in found["curve"]}
    return Recommended(
        eta=found["eta"],
        low=found["low"],
        high=found["high"],
        metric=found["validation"],
        seeds=found["seeds"],
        chance=chance,
        noise=found["noise"],
        why=found["why"].replace("search.range", "range"),
        curve=tuple(
            Tried(eta, seed, None if row.get("failure") else row["validation"], row.get("failure"))
            for (eta, seed), row in curve.items()
        ),
    )


def _survived(trial: Trial) -> bool:
    return (trial.trained or trial.why is None) and (trial.metric is None or math.isfinite(trial.metric))


def _metric(eta: float, seed: int, trial: Trial) -> float:
    if trial.metric is None:
        raise Error(
            f"train answered without a metric at the rate {number(eta)} with seed {seed}, and a rate is chosen by it: give it in every "
            "trial that did not diverge, or in none and ask for eta* alone"
        )
    return trial.metric
