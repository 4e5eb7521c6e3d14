"""Learning-rate range tests of PyTorch's world, on a task's network in PyTorch.

A range test raises the rate from step to step and reads a suggestion off the curve of losses; each package keeps its own
defaults: 100 steps from a rate that does nothing to one that breaks.
"""

import math
import os
import tempfile
import warnings
from functools import cache, partial

from finders import Suggestion

# torch-lr-finder draws.
os.environ["MPLBACKEND"] = "Agg"
warnings.filterwarnings("ignore")

STEPS = 100


def suggestion(task, eta, steps):
    """A rate that is no number above zero is none."""
    usable = eta is not None and math.isfinite(eta) and eta > 0
    return Suggestion(float(eta) if usable else None, steps / task.steps)


def torch_lr_finder(task, trainings, seed):
    """The steepest descent of the smoothed loss, as its plot suggests it."""
    from matplotlib import pyplot
    from torch_lr_finder import LRFinder

    bench = task.bench(seed)
    network, (kind, settings) = bench.network(), bench.optimizer()
    finder = LRFinder(network, kind(network.parameters(), lr=1e-7, **settings), bench.loss, device="cpu")
    finder.range_test(bench.loader(), end_lr=100, num_iter=STEPS)
    figure, axes = pyplot.subplots()
    told = finder.plot(ax=axes, suggest_lr=True)
    pyplot.close(figure)
    # With too few points it returns the axes alone.
    return suggestion(task, told[1] if isinstance(told, tuple) else None, len(finder.history["lr"]))


RULES = ("valley", "slide", "minimum", "steep")


@cache
def fastai_rates(task, seed):
    """One test, and what each rule reads off it; also the steps."""
    from fastai.callback import schedule
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    bench = task.bench(seed)
    samples, (kind, settings) = bench.samples(), bench.optimizer()
    with tempfile.TemporaryDirectory() as folder:
        loaders = DataLoaders.from_dsets(
            samples, samples, bs=task.batch, shuffle=True, drop_last=True, device="cpu", num_workers=0
        )
        learner = Learner(
            loaders, bench.network(), loss_func=bench.loss, opt_func=partial(OptimWrapper, opt=kind, **settings),
            path=folder, model_dir=".",
        )  # fmt: skip
        functions = [getattr(schedule, rule) for rule in RULES]
        with learner.no_bar():
            told = learner.lr_find(num_it=STEPS, show_plot=False, suggest_funcs=functions)
    return dict(zip(RULES, told)), len(learner.recorder.lrs)


def fastai(rule):
    def find(task, trainings, seed):
        rates, steps = fastai_rates(task, seed)
        return suggestion(task, rates[rule], steps)

    return find


def lightning(task, trainings, seed):
    """The tuner of PyTorch Lightning."""
    import logging

    import lightning
    from lightning.pytorch.tuner import Tuner

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    bench = task.bench(seed)
    kind, settings = bench.optimizer()

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network, self.lr = bench.network(), 1e-3

        def training_step(self, batch, _):
            inputs, targets = batch
            return bench.loss(self.network(inputs), targets)

        def configure_optimizers(self):
            return kind(self.parameters(), lr=self.lr, **settings)

        def train_dataloader(self):
            return bench.loader()

    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=-1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, default_root_dir=folder,
        )  # fmt: skip
        finder = Tuner(trainer).lr_find(Module(), num_training=STEPS, update_attr=False)
    if finder is None:
        return suggestion(task, None, STEPS)
    return suggestion(task, finder.suggestion(), len(finder.results["lr"]))
