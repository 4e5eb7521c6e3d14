"""Thresholds of the learning rate that follow from curvature, and those of models that can be solved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from . import _etalon
from ._etalon import Error
from .result import Limit, Omitted, Result


@dataclass(frozen=True, repr=False)
class Thresholds(Result):
    """Learning rates at which something changes. entries: by name, each with its formula and what it assumes. omitted: those that
    belong to this loss and network and cannot be given, with the reason. limit: the one at which the optimiser itself becomes
    unstable, None where it is not known."""

    entries: dict[str, Limit]
    omitted: tuple[Omitted, ...]
    limit: Optional[Limit]

    def __repr__(self) -> str:
        lines = [str(entry) for entry in self.entries.values()]
        return "\n".join(lines + [f"no {omitted}" for omitted in self.omitted])


def thresholds(
    *,
    hessian: Optional[float] = None,
    ntk: Optional[float] = None,
    preconditioned: Optional[float] = None,
    loss: str = "cross-entropy",
    momentum: float = 0.0,
    nesterov: bool = False,
    adam: Optional[float] = None,
    weight_decay: float = 0.0,
    activation: str = "relu",
    hidden_layers: Optional[int] = None,
    outputs: int = 1,
    batch: Optional[int] = None,
) -> Thresholds:
    """What measured curvature says of the learning rate at the start of a training.

    Parameters
    ----------
    hessian, ntk, preconditioned:
        The largest eigenvalues of the Hessian of the mean loss, of ``J J^T / samples``, and of the Hessian in the coordinates of
        Adam's preconditioner, as far as they are measured.
    loss:
        ``"cross-entropy"``, ``"mse"`` (half the squared error, summed over outputs, averaged over samples), ``"logistic"`` or
        ``"exponential"``.
    momentum, nesterov, adam, weight_decay:
        Of the optimiser; ``adam`` is beta1 of Adam or AdamW, in place of momentum.
    activation, hidden_layers, outputs:
        Of the network: ``"relu"``, ``"tanh"``, ``"gelu"`` or ``"identity"``; measured bands of the squared loss depend on them.
    batch:
        Samples of a batch; None is all of them.

    Raises
    ------
    Error
        A name that is not known. A number that will not do is a reason among ``omitted``.
    """
    found = _etalon.thresholds(
        hessian=hessian,
        ntk=ntk,
        preconditioned=preconditioned,
        loss=loss,
        momentum=momentum,
        nesterov=nesterov,
        adam=adam,
        weight_decay=weight_decay,
        activation=activation,
        hidden_layers=hidden_layers,
        outputs=outputs,
        batch=batch,
    )
    entries = {entry["name"]: Limit(**entry) for entry in found["entries"]}
    own = entries[found["limit"]] if found["limit"] is not None else None
    return Thresholds(entries, tuple(Omitted(**omitted) for omitted in found["omitted"]), own)


def critical_eta(curvature: float, *, loss: str = "mse", target: float = 0.0, positive: float = 0.5) -> Optional[float]:
    """Above which learning rate the minimum of a two-layer linear network on one input is unstable at a curvature: ``2 / curvature``
    of the squared loss (Lewkowycz et al. 2020), ``2 / (curvature p (1 - p))`` of the logistic with a share ``p`` of positive labels.
    None where there is no minimum. ``loss`` is ``"mse"`` (with a target), ``"logistic"`` or ``"exponential"``."""
    return _etalon.critical_eta(loss, _constant(loss, target, positive), curvature)


def catapult_eta(
    curvature: float, *, width: float = math.inf, loss: str = "mse", target: float = 0.0, positive: float = 0.5
) -> Optional[float]:
    """Above which learning rate it diverges: ``4 / curvature`` of the squared loss with target 0, at every width; ``2 sqrt(2 width)``
    of the logistic with as many labels of each sign. None where no closed form is known."""
    return _etalon.catapult_eta(loss, _constant(loss, target, positive), curvature, width)


def largest_stable_eta(width: float, *, loss: str = "mse", target: float = 0.0, positive: float = 0.5) -> Optional[float]:
    """Above which learning rate it has no stable minimum at all, wherever it started: ``sqrt(width) / |target|`` of the squared loss
    (Kalra and Barkeshli 2023). None where weights can be as flat as wanted."""
    return _etalon.largest_stable_eta(loss, _constant(loss, target, positive), width)


def _constant(loss: str, target: float, positive: float) -> float:
    if loss == "mse":
        if not math.isfinite(target):
            raise Error(f"target = {target}: it must be a finite number")
        return target
    if not 0.0 <= positive <= 1.0:
        raise Error(f"positive = {positive}: it must be a share between 0 and 1")
    return positive
