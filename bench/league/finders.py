"""Finders that look at Etalon's trainings: its own verbs, a grid, and Optuna.

Each is a function of a task, its trainings and a base seed, and returns a Suggestion.
"""

import json
from dataclasses import dataclass, field

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)

TRIALS = 20
GRID = 8
# Of 128 samples to 5 %, as `etalon find` does it.
CURVATURE = ["measure.samples=128", "measure.tolerance=0.05"]


@dataclass
class Suggestion:
    # None: the finder gave no rate.
    eta: float | None
    # In units of one full training.
    budgets: float
    # What else it says: `low` and `high` of the rates that cannot be told from the best, the metric on its `validation`
    # and `test` parts, `why` there is no rate.
    more: dict = field(default_factory=dict)


def etalon_find(*flags):
    def find(task, trainings, seed):
        told = task.etalon.run("find", task.path, "--json", "--seed", seed, *flags, negative=True)
        found = json.loads(told)
        recommended = found["recommended"]
        budgets = found["budgets"] + curvature_budgets(task, **found["provisional"])
        if recommended["eta"] is None:
            return Suggestion(None, budgets, {"why": recommended["why"]})
        # An end that is null is open.
        more = {key: recommended[key] for key in ("low", "high", "validation", "test")}
        return Suggestion(recommended["eta"], budgets, more)

    return find


def before_training(task, trainings, seed):
    """The rate from curvature with which `etalon find` begins."""
    first = json.loads(task.etalon.run("find", task.path, "--quick", "--json", "--seed", seed, negative=True))
    return Suggestion(first["provisional"]["eta"], curvature_budgets(task, **first["provisional"]))


def curvature_budgets(task, products, samples, **_):
    """A product with the Hessian takes twice what a gradient of its samples takes."""
    return 2 * products * samples / (task.steps * task.batch)


def curvature(name):
    """The limit of stability by the threshold of this name, or by that which belongs to the optimiser."""

    def measure(task, trainings, seed):
        found = json.loads(task.etalon.run("measure", task.path, *CURVATURE, "--json", "--seed", seed))
        limits = {one["name"]: one["eta"] for one in found["thresholds"]}
        eigenvalue = found["hessian"]["max"] if task.optimizer == "sgd" else found["preconditioned"]
        eta = limits.get(name) or limits.get(found["limit"])
        return Suggestion(eta, curvature_budgets(task, eigenvalue["iterations"], found["samples"]))

    return measure


def best_of(task, trainings):
    """The rate of the best training; none if all diverged."""
    survived = [one for one in trainings if not one.diverged]
    better = min if task.metric == "loss" else max
    return better(survived, key=lambda one: one.value).eta if survived else None


def grid(task, trainings, seed):
    low, high = task.range
    rates = [low * (high / low) ** (index / (GRID - 1)) for index in range(GRID)]
    done = list(trainings.at(rates, [seed]).values())
    return Suggestion(best_of(task, done), sum(one.steps for one in done) / task.steps)


def tpe(prune):
    """Optuna's default sampler over the logarithm of the rate; with `prune`, under its default median pruner, which
    sees the held-out metric at every look of a training."""

    def search(task, trainings, seed):
        low, high = task.range
        steps = 0

        def objective(trial):
            nonlocal steps
            one = trainings.one(trial.suggest_float("eta", low, high, log=True), seed)
            if prune:
                for step, value in one.looks:
                    trial.report(value, step)
                    if trial.should_prune():
                        steps += step
                        raise optuna.TrialPruned
            steps += one.steps
            if one.diverged:
                raise optuna.TrialPruned
            return one.value

        study = optuna.create_study(
            direction="minimize" if task.metric == "loss" else "maximize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner(),
        )
        study.optimize(objective, n_trials=TRIALS)
        complete = [one for one in study.trials if one.state == optuna.trial.TrialState.COMPLETE]
        return Suggestion(study.best_params["eta"] if complete else None, steps / task.steps)

    return search
