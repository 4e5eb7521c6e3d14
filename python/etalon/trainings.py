"""Trainings that a search asks for: made one after the other or by an executor, and kept in a file."""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass
from typing import Any, Callable, Optional, TextIO, Union

from ._etalon import Error
from .result import Result, number


@dataclass(frozen=True)
class Trial(Result):
    """What a training came to.

    trained: whether it came to what you ask of it. why: what went wrong, where the rate was too high; None where it did not get
    there in time. steps: gradient steps that it took. metric: by which the rate to use is chosen, best one of held-out samples.
    """

    trained: bool
    why: Optional[str] = None
    steps: int = 0
    metric: Optional[float] = None

    def __post_init__(self) -> None:
        # numpy's and torch's numbers have neither JSON nor equal bits.
        object.__setattr__(self, "trained", bool(self.trained))
        object.__setattr__(self, "steps", int(self.steps))
        if self.metric is not None:
            object.__setattr__(self, "metric", float(self.metric))
        if self.steps < 0:
            raise Error(f"steps = {self.steps} of a trial: it must be at least 0")


Question = tuple[float, int]
"""A rate and a seed."""
Train = Callable[[float, int], Union[bool, Trial]]


class Trainings:
    """Answers questions by trainings, each made once. ``known`` are all, those of an earlier call too, ``used`` those asked for."""

    def __init__(self, train: Train, executor: Any, resume: Union[None, str, os.PathLike[str]], progress: Any) -> None:
        self.train, self.executor = train, executor
        self.say = progress if callable(progress) else _print if progress else None
        self.known: dict[Question, Trial] = {}
        self.used: dict[Question, Trial] = {}
        self.file: Optional[TextIO] = None
        if resume is not None:
            self._open(os.fspath(resume))

    def run(self, ask: Callable[[], list[Question]], tell: Callable[[float, int, Trial], None]) -> None:
        """Answers all that is asked, until nothing is. The order of answers is that in which trainings end."""
        running: dict[Question, Any] = {}
        try:
            while wanted := ask():
                known = [question for question in wanted if question in self.known]
                for question in known:
                    self.used[question] = self.known[question]
                    tell(*question, self.known[question])
                if known:
                    continue
                if self.executor is None:
                    self._keep(wanted[0], self.train(*wanted[0]))
                    continue
                for question in wanted:
                    if question not in running:
                        running[question] = self.executor.submit(self.train, *question)
                for question in _ended(running):
                    self._keep(question, running.pop(question).result())
        finally:
            for question, future in running.items():
                # What has ended is kept, whatever has ended the search.
                if not future.cancel() and future.done() and future.exception() is None:
                    self._keep(question, future.result())

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def _keep(self, question: Question, answer: Any) -> None:
        if isinstance(answer, Trial):
            trial = answer
        elif type(answer).__name__ in ("bool", "bool_"):
            trial = Trial(answer)
        else:
            raise Error(f"train answered with {type(answer).__name__}: it must answer with True, False or an etalon.Trial")
        self.known[question] = trial
        if self.file is not None:
            eta, seed = question
            self.file.write(json.dumps({"eta": eta, "seed": seed, **asdict(trial)}) + "\n")
            self.file.flush()
        if self.say is not None:
            self.say(*question, trial)

    def _open(self, path: str) -> None:
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            lines = [""]
        # The last line has no end if it was cut short: it is dropped.
        for place, line in enumerate(lines[:-1], 1):
            try:
                row = json.loads(line)
                question = float(row.pop("eta")), int(row.pop("seed"))
                self.known[question] = Trial(**row)
            except (ValueError, TypeError, KeyError, AttributeError) as cause:
                raise Error(f"line {place} of {path} is no training: give resume= a file of its own, or a new name") from cause
        whole = "".join(line + "\n" for line in lines[:-1])
        if lines[-1]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(whole)
        self.file = open(path, "a", encoding="utf-8")


def _ended(running: dict[Question, Any]) -> list[Question]:
    """The questions whose trainings have ended, one at least."""
    if all(isinstance(future, Future) for future in running.values()):
        wait(running.values(), return_when=FIRST_COMPLETED)
    pause = 0.01
    # Those of other packages have `done` alone in common.
    while not (ended := [question for question, future in running.items() if future.done()]):
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
    return ended


def _print(eta: float, seed: int, trial: Trial) -> None:
    came = "trained" if trial.trained else trial.why or "not in time"
    metric = "" if trial.metric is None else f", {number(trial.metric)}"
    print(f"eta {number(eta)}, seed {seed}: {came}{metric}", file=sys.stderr)
