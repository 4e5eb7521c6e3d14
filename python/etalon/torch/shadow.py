"""An optimiser's own step, made by a copy of it on copies of parameters."""

from __future__ import annotations

import copy
from collections import OrderedDict, defaultdict
from typing import Any, Mapping, Optional, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from .._etalon import Error


def first_rate(optimizer: Optimizer) -> float:
    """The first positive rate of its groups, which a rate is told in; those of the others are in proportion."""
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    base = next((rate for rate in rates if rate > 0), None)
    if base is None:
        raise Error("every learning rate of the optimiser is 0: set one, which those of the other groups are relative to")
    return base


def shadow(optimizer: Optimizer, stand_ins: Mapping[int, Tensor], rate: float) -> Optimizer:
    """A copy with the same state that moves ``stand_ins[id(p)]`` in the place of ``p``, at this rate of the first group. What it
    does leaves the optimiser alone; hooks, and what a scheduler has put around ``step``, are not copied."""
    kind = type(optimizer)
    twin = kind.__new__(kind)
    own = {key: value for key, value in vars(optimizer).items() if key != "step"}
    vars(twin).update({key: OrderedDict() if key.endswith("_hooks") else value for key, value in own.items()})
    groups, state = [], {}
    for group in optimizer.param_groups:
        moved = [p for p in group["params"] if id(p) in stand_ins]
        if moved:
            settings = {key: copy.deepcopy(value) for key, value in group.items() if key != "params"}
            groups.append({**settings, "params": [stand_ins[id(p)] for p in moved]})
            # Not all kinds of numbers have fused kernels.
            groups[-1].update({key: None for key in ("fused",) if key in group})
        for p in moved:
            if p in optimizer.state:
                state[stand_ins[id(p)]] = {
                    key: _like(key, value, p, stand_ins[id(p)]) for key, value in optimizer.state[p].items()
                }
    twin.param_groups, twin.state = groups, defaultdict(dict, state)
    set_rate(twin, rate / first_rate(optimizer))
    return twin


def set_rate(twin: Optimizer, factor: float) -> None:
    """Multiplies the rates of all groups."""
    for group in twin.param_groups:
        group["lr"] = float(group["lr"]) * factor


def _like(key: str, value: Any, p: Tensor, stand_in: Tensor) -> Any:
    if isinstance(value, Tensor) and value.dtype == p.dtype and key != "step":
        return value.detach().to(stand_in.dtype, copy=True)
    return copy.deepcopy(value)


def update(
    optimizer: Optimizer, parameters: Sequence[Tensor], gradients: Sequence[Optional[Tensor]]
) -> list[Optional[Tensor]]:
    """What the optimiser would subtract from each parameter at the rate 1 of its first group.

    Torch's own treat each parameter by itself, and are given one after the other, in float64: at rates far from 1 the difference
    of two roundings would be left.
    """
    if isinstance(optimizer, torch.optim.LBFGS):
        raise Error("LBFGS evaluates the loss within its step: there is no update to follow; pass direction=\"gradient\"")
    alone = type(optimizer).__module__.startswith("torch.optim")
    found: list[Optional[Tensor]] = [None] * len(parameters)
    used = [index for index, gradient in enumerate(gradients) if gradient is not None]
    for part in [[index] for index in used] if alone else [used]:
        homes = [parameters[index].detach() for index in part]
        if alone and homes[0].device.type != "mps":
            homes = [home.double() for home in homes]
        stand_ins = {}
        for index, home in zip(part, homes):
            stand_in = home.clone().requires_grad_()
            gradient = gradients[index]
            stand_in.grad = None if gradient is None else gradient.to(home.dtype)
            stand_ins[id(parameters[index])] = stand_in
        twin = shadow(optimizer, stand_ins, 1.0)
        try:
            twin.step()
        except Exception as raised:
            name = type(optimizer).__name__
            raise Error(
                f"a step of {name} on copies of the parameters failed: {raised}; pass direction=\"gradient\", or its update as tensors"
            ) from raised
        for index, home in zip(part, homes):
            moved = stand_ins[id(parameters[index])].detach()
            found[index] = (home - moved).to(parameters[index].dtype)
    return found
