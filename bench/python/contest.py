"""One task of the league in PyTorch: its trainings, its truth, and what every method loses on it."""

from dataclasses import asdict
from pathlib import Path

import finders
import instruments
import play as league
import range_tests
import torch
from fastai.torch_core import set_seed
from methods import Method
from problems import BY_NAME
from trainings import Kept, Training, Trainings
from truth import Truth

torch.set_num_threads(1)

METHODS = [
    Method("etalon.find", instruments.find(), 3),
    Method("etalon.find, eta_star=False", instruments.find(eta_star=False)),
    Method("Optuna TPE, 20 trials", finders.tpe(prune=False), 3),
    Method("grid of 8, 1 seed", finders.grid),
    Method("etalon range_test", instruments.range_test),
    Method("etalon critical_lr", instruments.critical_lr),
    Method("2 / lambda", instruments.sharpness("gradient-descent")),
    Method("the optimiser's limit", instruments.sharpness(None)),
    Method("torch-lr-finder", range_tests.torch_lr_finder),
    *(Method(f"fastai {rule}", range_tests.fastai(rule)) for rule in range_tests.RULES),
    Method("Lightning", range_tests.lightning),
]


class InTorch(Trainings):
    """Full trainings of a task, each done once: what was trained lies in a file."""

    def __init__(self, task, folder):
        self.task = task
        self.kept = Kept(Path(folder) / f"{task.name}-{task.digest}.jsonl", self.train)

    def train(self, rates, seed):
        done = {}
        for eta in rates:
            value, steps = self.task.train(eta, seed)
            done[eta] = asdict(Training(eta, seed, value, steps, []))
        return done


def play(name, methods, folder):
    """{"task", "truth", "runs"} of a task; `methods` are names, and trainings are kept in `folder`."""
    task = BY_NAME[name]
    truth = Truth(task, InTorch(task, folder))

    def suggest(method, trainings, seed):
        # Of Python, NumPy and PyTorch: packages shuffle by all of them.
        set_seed(seed)
        return league.silently(method.find, task, trainings, seed)

    return league.game(task, truth, [method for method in METHODS if method.name in methods], suggest)
