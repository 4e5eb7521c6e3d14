"""Who takes part: each method's name, its finder, and from how many base seeds it starts."""

import itertools
from dataclasses import dataclass
from typing import Callable

import finders
import range_tests
from truth import FRESH, MORE

# Base seeds are 0, 100, ..., without those of the truth: a finder that takes several counts on from there.
APART = 100


@dataclass(frozen=True)
class Method:
    name: str
    find: Callable
    # How many base seeds.
    starts: int = 5
    # Whether the program computes it, so that another program may give another answer.
    own: bool = False
    # Whether its suggestions are trained from fresh seeds too.
    checked: bool = False

    @property
    def seeds(self):
        own = (seed for seed in itertools.count(step=APART) if seed not in {MORE.start, FRESH.start})
        return list(itertools.islice(own, self.starts))


FIND = "etalon find"
METHODS = [
    Method(FIND, finders.etalon_find("--eta-star", "no"), own=True, checked=True),
    Method(f"{FIND} --quick", finders.etalon_find("--eta-star", "no", "--quick"), own=True, checked=True),
    Method(f"{FIND} --thorough", finders.etalon_find("--eta-star", "no", "--thorough"), 3, own=True, checked=True),
    Method("Optuna TPE, 20 trials", finders.tpe(prune=False), 3, checked=True),
    Method("Optuna TPE, median pruner", finders.tpe(prune=True), 3, checked=True),
    Method("grid of 8, 1 seed", finders.grid, checked=True),
    Method(f"{FIND}, before training", finders.before_training, own=True),
    Method("2 / lambda", finders.curvature("lazy-limit"), own=True),
    Method("the optimiser's limit", finders.curvature(None), own=True),
    Method("torch-lr-finder", range_tests.torch_lr_finder),
    *(Method(f"fastai {rule}", range_tests.fastai(rule)) for rule in range_tests.RULES),
    Method("Lightning", range_tests.lightning),
]
