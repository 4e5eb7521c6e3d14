"""The largest step along one direction that does not raise the loss."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Sequence, Union

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .. import _etalon
from .._etalon import Error
from ..critical import CriticalRate, conclude, how_it_ended
from ..result import number
from .guard import Loss, Untouched, evaluate, require_dependence, same_twice, uncompiled
from .hessian import Tensors
from .optimizer import unwrap
from .parameters import choose, modes
from .shadow import update


def critical_lr(
    model: nn.Module,
    loss: Loss,
    batch: Any,
    *,
    direction: Union[str, Sequence[Tensor]] = "gradient",
    optimizer: Optional[Optimizer] = None,
    params: Optional[Iterable[Tensor]] = None,
    tol: float = 0.05,
    max_passes: int = 16,
    seed: int = 0,
) -> CriticalRate:
    """The largest step along a direction that does not raise ``loss(model, batch)``, by one gradient and forward passes alone, so
    that it can be had of any model that can be trained, in any precision: seven to twelve passes, and one copy of the parameters.

    It is the curvature along one direction and no sharpness: use :func:`etalon.torch.sharpness` for the limit of an optimiser.

    Parameters
    ----------
    model, loss, batch, params, seed:
        As of :func:`etalon.torch.sharpness`.
    direction:
        ``"gradient"``; ``"update"``, what ``optimizer`` would subtract at a rate of 1, taken from a step of a copy with its state
        (the rate is that of its first group, with the others' in proportion); or tensors of your own that are subtracted, one for
        each parameter in their order.
    optimizer:
        Whose update, and whose parameters.
    tol:
        ``high / low`` is at most ``1 + tol``.
    max_passes:
        The most forward passes, at least 3.

    Raises
    ------
    Error
        A loss that is no finite scalar, that does not depend on the parameters or differs from call to call; an empty batch or
        one on another device; tensors of other shapes; an optimiser whose step cannot be copied. What the loss raises itself
        comes out as it is.
    """
    if max_passes < 3:
        raise Error(f"max_passes = {max_passes}: it must be at least 3, two of which are at the start")
    if optimizer is not None:
        optimizer = unwrap(optimizer)
    chosen = choose(model, optimizer, params)
    space = Tensors(chosen)
    with Untouched(model, seed) as guard, uncompiled():
        with torch.enable_grad():
            value = evaluate(model, loss, batch)
            require_dependence(value)
            gradients = torch.autograd.grad(value, chosen, allow_unused=True)
            require_dependence(value, gradients)
        first, digits = value.item(), torch.finfo(value.dtype).eps
        with torch.no_grad():
            name, along = _direction(direction, optimizer, chosen, gradients)
            slope, square = _dot(space, gradients, along), _dot(space, along, along)
            # Frees the gradient, where it is not the direction itself.
            del value, gradients
            if square == 0.0:
                raise Error(f"the {name} is zero at these parameters: there is no direction to step in; are all units dead?")
            # Differences are between evaluations of one kind: without gradients, other kernels may be used.
            guard.again()
            start = evaluate(model, loss, batch)
            same_twice(first, start)
            before = start.item()
            search = _etalon.CriticalStep(before, slope, tol, max_passes - 2)
            with _Line(chosen, along) as line:
                while (eta := search.ask()) is not None:
                    line.to(eta)
                    guard.again()
                    search.tell(eta, evaluate(model, loss, batch, finite=False).item())
    found = search.so_far()
    eta, noise = found["eta"], max(abs(first - before), digits * abs(before))
    warnings = modes(model)
    warnings += how_it_ended(found, name, slope)
    if eta > 0.0 and noise > 0.5 * tol * eta * slope:
        open_ = number(100.0 * noise / (eta * slope))
        warnings.append(f"the loss is only known to {number(noise)}, which leaves {open_} % of eta open: sum it in float32 or float64")
    if any(p.dtype in (torch.float16, torch.bfloat16) for p in chosen):
        warnings.append("parameters have 16 bits: short steps are rounded away; measure on a copy in float32, under autocast")
    return conclude(
        found, direction=name, slope=slope, square=square, loss=before, noise=noise, parameters=space.dim, warnings=warnings
    )


class _Line:
    """While it is entered, parameters are where they are put on a line; when it is left, they are the numbers they were. A graph
    of before stays valid."""

    def __init__(self, parameters: Sequence[Tensor], along: Sequence[Optional[Tensor]]) -> None:
        pairs = zip(parameters, along)
        self.at = [(p, p.data, torch.empty_like(p.data), d) for p, d in pairs if d is not None]

    def __enter__(self) -> _Line:
        return self

    def to(self, eta: float) -> None:
        for parameter, home, moved, direction in self.at:
            torch.sub(home, direction, alpha=eta, out=moved)
            parameter.data = moved

    def __exit__(self, *_: object) -> None:
        for parameter, home, _moved, _direction in self.at:
            parameter.data = home


def _direction(
    direction: Union[str, Sequence[Tensor]],
    optimizer: Optional[Optimizer],
    chosen: Sequence[Tensor],
    gradients: Sequence[Optional[Tensor]],
) -> tuple[str, Sequence[Optional[Tensor]]]:
    if isinstance(direction, str):
        if direction == "gradient":
            return direction, gradients
        if direction != "update":
            raise Error(f"direction = {direction!r}: it must be \"gradient\", \"update\", or tensors")
        if optimizer is None:
            raise Error("direction = \"update\" is that of an optimiser: pass optimizer=")
        return direction, update(optimizer, chosen, gradients)
    given = list(direction)
    shapes, wanted = [tuple(d.shape) for d in given], [tuple(p.shape) for p in chosen]
    if shapes != wanted:
        raise Error(f"direction has tensors of shapes {shapes}: it must have one for each parameter, of shapes {wanted}")
    return "tensors", [d.detach().to(p) for d, p in zip(given, chosen)]


def _dot(space: Tensors, a: Sequence[Optional[Tensor]], b: Sequence[Optional[Tensor]]) -> float:
    pairs = [(x, y) for x, y in zip(a, b) if x is not None and y is not None]
    return space.dot([x for x, _ in pairs], [y for _, y in pairs])
