"""SGD without weight decay under a growing rate, in place of SGD with it."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any, Callable, Optional, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from .. import _etalon
from .._etalon import Error
from ..schedule import Converted, Rates, convert

# Weights are divided by 4 whenever they are more than 4 times as long as with weight decay.
_LONGEST = 4.0
# What rounding may change in f64, and some.
_SAME = 1e-6


class ExponentialSchedule(LRScheduler):
    """Sets the rates of a ``torch.optim.SGD`` so that parameters whose scale does not matter learn without weight decay what they
    would learn with it; other groups of the optimiser keep the plain rates and a weight decay of their own.

    ::

        scaled = et.scale_invariant(model, inputs)
        others = [p for p in model.parameters() if not any(p is q for q in scaled)]
        groups = [{"params": scaled, "weight_decay": 0.0}, {"params": others, "weight_decay": 5e-4}]
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
        schedule = et.ExponentialSchedule(optimizer, [0.1] * steps, weight_decay=5e-4, model=model, inputs=inputs)

    Call ``step()`` after every ``optimizer.step()``. The rate outgrows every number, and so do the weights: before they do, weights
    are divided by a power of 2, and momentum and rate go with them, which changes no function and no digit. Running statistics are
    lengthened with the weights. It is the class that ``etalon schedule export`` writes, which says more of what is not covered:
    clipped gradients, averages of weights, normalisations in ``eval()`` while training.

    Both trainings are the same where normalisations have no ``eps``, or one like 1e-30. ``drift`` says how much the present ones
    count: the change of the outputs on ``inputs``, relative to their size, when the scaled parameters are as much longer as they will
    be (at most 4 times). Training goes on from each such change, and the two part further. A warning says so above 1e-6.

    Parameters
    ----------
    optimizer:
        SGD, with or without momentum. Its groups ``scaled`` have a weight decay of 0, which the schedule stands for.
    rates:
        Under weight decay: one a step, or with ``steps`` a function of the step.
    weight_decay:
        That of the scaled groups which is to be done without.
    model, inputs:
        A few samples, as in ``model(inputs)`` or, of a tuple, ``model(*inputs)``, which answers with a tensor. On a copy it is tried
        that the outputs do not change with the scale of the parameters.
    scaled:
        The groups whose scale does not matter.
    conversion:
        As of :func:`etalon.schedule.convert`.

    Raises
    ------
    Error
        Another optimiser, decoupled decay, Nesterov momentum, dampening; parameters whose scale does matter; weight decay in a scaled
        group, or so strong that there is no equivalent.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        rates: Rates,
        *,
        weight_decay: float,
        model: nn.Module,
        inputs: Any,
        steps: Optional[int] = None,
        scaled: Sequence[int] = (0,),
        conversion: str = "exact",
    ) -> None:
        # The base class would make a first step.
        groups = optimizer.param_groups
        momentum = float(groups[0].get("momentum", 0.0))
        self.optimizer = optimizer
        self.converted: Converted = convert(
            rates, weight_decay=weight_decay, momentum=momentum, steps=steps, conversion=conversion
        )
        self.last_epoch = 0
        self.base_lrs = [group["lr"] for group in groups]
        try:
            self._schedule = _exported(self.converted)(optimizer, model, inputs, scaled)
        except ValueError as refused:
            raise Error(str(refused)) from refused
        self.drift, eps = _drift(model, inputs, self._schedule._parameters(), self.converted)
        if self.drift > _SAME:
            warnings.warn(
                f"normalisations have eps up to {eps:g}, which counts for less the longer the weights are: the outputs change by "
                f"{self.drift:.1e} of themselves by the length that the weights will have, and training goes on from there; with "
                "eps=1e-30 it learns the same functions as with weight decay",
                stacklevel=2,
            )

    def step(self, epoch: Optional[int] = None) -> None:
        """Call it after every ``optimizer.step()``, without an argument."""
        if epoch is not None:
            raise Error("step() takes no epoch: the schedule goes on by one step a call; load_state_dict() goes elsewhere")
        self._schedule.step()
        self.last_epoch = self._schedule.steps_done

    def get_lr(self) -> list[Any]:
        """The rates of the optimiser's groups."""
        return [group["lr"] for group in self.optimizer.param_groups]

    get_last_lr = get_lr

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: to be saved with the model and the optimiser."""
        return dict(self._schedule.state_dict())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Call it after the model's and the optimiser's."""
        self._schedule.load_state_dict(state_dict)
        self.last_epoch = self._schedule.steps_done


def scale_invariant(model: nn.Module, inputs: Any) -> list[nn.Parameter]:
    """The parameters whose scale does not matter, because a normalisation follows: those of each module that can be doubled
    together, weight and bias, without a change of the outputs on ``inputs``. Tried on a copy in float64, without ``eps``, in
    training mode, and with weights that hide nothing by being zero."""
    probe, run = _copy(model, inputs)
    found = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for module in probe.modules():
            if hasattr(module, "eps"):
                setattr(module, "eps", 1e-60)
        for parameter in probe.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
        before = run()
        for module, twin in zip(model.modules(), probe.modules()):
            own = list(twin.parameters(recurse=False))
            for parameter in own:
                parameter.mul_(2.0)
            if own and _change(before, run()) < _SAME:
                found += list(module.parameters(recurse=False))
            for parameter in own:
                parameter.mul_(0.5)
    return list({id(parameter): parameter for parameter in found}.values())


def _exported(converted: Converted) -> Any:
    """The class that ``etalon schedule export`` writes, for this schedule."""
    names = {
        "MOMENTUM": converted.momentum,
        "LOG_ETA": converted.log_eta,
        "PLAIN_LOG_ETA": converted.plain_log_eta,
        "LOG_SCALE": converted.log_scale,
        "CORRECTIONS": {correction.step: correction.per_weight for correction in converted.corrections},
    }
    exec(compile(_etalon.schedule_class(), "<etalon schedule export>", "exec"), names)
    return names["Schedule"]


def _drift(model: nn.Module, inputs: Any, scaled: Sequence[Tensor], converted: Converted) -> tuple[float, float]:
    """How much the outputs change by the length that the scaled parameters will have, and the largest ``eps``."""
    probe, run = _copy(model, inputs)
    longer = math.exp(min(max(converted.log_scale), math.log(_LONGEST)))
    with torch.no_grad():
        before = run()
        for parameter, twin in zip(model.parameters(), probe.parameters()):
            if any(parameter is one for one in scaled):
                twin.mul_(longer)
        return _change(before, run()), max(_epsilons(model), default=0.0)


def _epsilons(model: nn.Module) -> list[float]:
    found = [getattr(module, "eps", None) for module in model.modules()]
    return [eps for eps in found if isinstance(eps, float)]


def _copy(model: nn.Module, inputs: Any) -> tuple[nn.Module, Callable[[], Tensor]]:
    """A copy in float64 and in training mode, and its outputs under one mask of dropout."""
    probe = copy.deepcopy(model).cpu().double().train()
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    given = tuple(x.detach().cpu().double() if x.is_floating_point() else x.cpu() for x in given)

    def run() -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            outputs: Tensor = probe(*given)
        return outputs

    return probe, run


def _change(before: Tensor, after: Tensor) -> float:
    size = before.norm().item()
    return (after - before).norm().item() / size if size > 0.0 else 0.0
