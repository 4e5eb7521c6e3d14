"""What an optimiser of PyTorch makes of curvature: its coordinates, its weight decay, its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from .. import _etalon
from .._etalon import Error
from ..result import Limit, Omitted, number
from .hessian import Hessian, Vector


@dataclass
class Reading:
    """An optimiser, read: which matrix limits it, by what rule, or why that is not known."""

    matrix: str
    symbol: str
    rule: str = "sgd"
    constants: Optional[dict[str, Any]] = None
    beside: float = 0.0
    """Weight decay that is not in the matrix."""
    note: str = ""
    omitted: tuple[Omitted, ...] = ()
    warnings: tuple[str, ...] = ()

    def limits(self, value: float) -> tuple[dict[str, Limit], Optional[Limit], tuple[Omitted, ...]]:
        """All limits by name, that of the optimiser itself, and those that cannot be given."""
        if self.omitted:
            return {}, None, self.omitted
        if not value > 0:
            reason = f"the largest eigenvalue is {number(value)}: to second order no learning rate is too large at this point"
            return {}, None, (Omitted(self.rule, reason),)

        def limit(**constants: Any) -> Limit:
            found = _etalon.limit(self.rule, value, self.symbol, weight_decay=self.beside, **constants)
            return Limit(**{**found, "assumes": found["assumes"] + self.note})

        own = limit(**(self.constants or {}))
        every = [limit(), own] if self.rule == "sgd" else [own]
        return {one.name: one for one in every}, own if self.constants is not None else None, ()


def unwrap(optimizer: Any) -> Optimizer:
    """The optimiser of torch within those of Lightning, Accelerate and the like."""
    for _ in range(8):
        inner = getattr(optimizer, "optimizer", None)
        if isinstance(optimizer, Optimizer) and not isinstance(inner, Optimizer):
            return optimizer
        optimizer = inner
    raise Error(f"optimizer is a {type(optimizer).__name__}: pass one of torch.optim")


def read(optimizer: Optional[Optimizer], hessian: Hessian) -> Reading:
    """Reads an optimiser, and puts the Hessian into its coordinates."""
    plain = Reading("H", "lambda_H")
    if optimizer is None:
        return plain
    name, groups = type(optimizer).__name__, optimizer.param_groups
    reason = _uncovered(optimizer)
    if reason is not None:
        plain.omitted = (Omitted(name, reason),)
        return plain
    of = {id(p): group for group in groups for p in group["params"]}
    mine = [of[id(p)] for p in hessian.parameters]
    base = next((float(group["lr"]) for group in groups if float(group["lr"]) > 0), 0.0)
    factors = [float(group["lr"]) / base if base > 0 else 1.0 for group in mine]
    decays = [float(group["weight_decay"]) for group in mine]
    note = "" if len(set(factors)) == 1 else f"; the rate is that of the first group, {number(base)}, the others' in proportion"
    if isinstance(optimizer, SGD):
        constants = {"momentum": float(groups[0]["momentum"]), "nesterov": bool(groups[0]["nesterov"])}
        if set(factors) == {1.0} and len(set(decays)) == 1:
            return Reading("H", "lambda_H", "sgd", constants, decays[0])
        _coordinates(hessian, factors, decays)
        matrix = "R^1/2 (H + D) R^1/2"
        return Reading(matrix, f"lambda_max({matrix})", "sgd", constants, note=f"{note}; R rates, D weight decay of the groups")
    group = groups[0]
    constants = {"beta1": float(group["betas"][0]), "beta2": float(group["betas"][1]), "epsilon": float(group["eps"])}
    decoupled = isinstance(optimizer, AdamW) or bool(group.get("decoupled_weight_decay", False))
    coupled = [0.0] * len(mine) if decoupled else decays
    scale = _preconditioner(optimizer, mine, coupled, hessian)
    _coordinates(hessian, factors, coupled)
    roots = [part.rsqrt_() for part in scale]
    hessian.scale = roots if hessian.scale is None else [a.mul_(b) for a, b in zip(hessian.scale, roots)]
    beside = max(factor * decay for factor, decay in zip(factors, decays)) if decoupled else 0.0
    if decoupled and len(set(decays)) > 1:
        note += "; the largest weight decay of all groups"
    matrix = "P^-1/2 H P^-1/2" if not any(coupled) else "P^-1/2 (H + D) P^-1/2"
    reading = Reading(matrix, "lambda_P", "adamw", constants, beside, note=note)
    fresh = sum(not optimizer.state.get(p) for p in hessian.parameters)
    if fresh:
        which = "has made no step yet" if fresh == len(mine) else f"has made no step yet with {fresh} of {len(mine)} parameters"
        reading.warnings = (f"the optimiser {which}: P is that after a first step with this gradient",)
    return reading


def _uncovered(optimizer: Optimizer) -> Optional[str]:
    """Why the limit of an optimiser is not known."""
    if type(optimizer) not in (SGD, Adam, AdamW):
        return "its limit is known of SGD, Adam and AdamW alone; value is that of the Hessian itself"
    for key in ("momentum", "nesterov", "dampening", "betas", "eps", "amsgrad", "maximize"):
        settings = {group[key] for group in optimizer.param_groups if key in group}
        if len(settings) > 1:
            return f"its groups have different {key}: their limits are not one"
        if key in ("dampening", "maximize") and settings - {0, False}:
            return f"{key} = {settings.pop()} is not covered"
    return None


def _coordinates(hessian: Hessian, factors: Sequence[float], decays: Sequence[float]) -> None:
    if set(factors) != {1.0}:
        hessian.scale = hessian.space.spread([factor**0.5 for factor in factors])
    if any(decays):
        hessian.shift = hessian.space.spread(decays)


def _preconditioner(
    optimizer: Optimizer, groups: Sequence[dict[str, Any]], coupled: Sequence[float], hessian: Hessian
) -> Vector:
    """The diagonal of Adam's ``P = sqrt(v') + epsilon``; of a parameter without a state, after a first step."""
    whole = hessian.space.zeros()
    for to, gradient, p, group, decay in zip(whole, hessian.gradient, hessian.parameters, groups, coupled):
        state = optimizer.state.get(p)
        if state:
            square = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
            correction = 1.0 - float(group["betas"][1]) ** float(state["step"])
            to.copy_(square.detach()).sqrt_().div_(correction**0.5)
        else:
            if gradient is not None:
                to.copy_(gradient)
            to.add_(p.detach(), alpha=decay).abs_()
        to.add_(float(group["eps"]))
    return whole
