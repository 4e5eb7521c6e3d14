"""The largest eigenvalue of the Hessian, and the limits that follow for an optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Optional

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .._etalon import Error
from ..result import Limit, Omitted, Result, number
from ..spectrum import Eigenvalue, lanczos
from .guard import Loss, Untouched, eager
from .hessian import Hessian
from .optimizer import read, unwrap
from .parameters import choose, modes


@dataclass(frozen=True)
class Sharpness(Result):
    """The curvature of a loss at a point, and what it says of the learning rate.

    value: the largest algebraic eigenvalue of ``matrix`` (the smallest where only that was asked for). residual, interval,
    converged: how far it can be trusted, see :class:`etalon.Eigenvalue`. matrix: ``H``, or the Hessian in the coordinates of the
    optimiser, ``P`` being Adam's preconditioner. limit: the learning rate at which this optimiser becomes unstable; ``limits``
    has it by name, beside that without momentum. omitted: limits that cannot be given, and why. largest, smallest: all
    eigenvalues asked for. products: Hessian-vector products done. asymmetry: how far the products seemed not to be symmetric,
    relative to the matrix's norm: nothing here is more accurate. loss, gradient_norm: at this point. parameters: how many.
    """

    value: float
    residual: float
    interval: tuple[float, float]
    converged: bool
    matrix: str
    limit: Optional[Limit]
    limits: dict[str, Limit]
    omitted: tuple[Omitted, ...]
    largest: tuple[Eigenvalue, ...]
    smallest: tuple[Eigenvalue, ...]
    products: int
    asymmetry: float
    loss: float
    gradient_norm: float
    parameters: int
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [
            f"lambda({self.matrix}) = {number(self.value)}, residual {self.residual:.1e}, {self.products} products, "
            f"{self.parameters:,} parameters"
        ]
        lines += [str(limit) for limit in self.limits.values()]
        lines += [f"no limit of {omitted}" for omitted in self.omitted]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def sharpness(
    model: nn.Module,
    loss: Loss,
    batch: Any,
    *,
    optimizer: Optional[Optimizer] = None,
    params: Optional[Iterable[Tensor]] = None,
    ends: str = "largest",
    count: int = 1,
    tol: float = 1e-2,
    max_iterations: int = 60,
    seed: int = 0,
    memory: Optional[int] = None,
) -> Sharpness:
    """The largest eigenvalue of the Hessian of ``loss(model, batch)``, and the learning rates at which the optimiser becomes
    unstable at this point.

    By Lanczos on exact products (two differentiations, one graph that is kept). Of one eigenvalue an end no basis is kept: three
    vectors, and one more for a preconditioner. Compiled models run eagerly and attention by plain arithmetic, because neither
    has second derivatives otherwise.

    Parameters
    ----------
    model:
        A module, in the mode (``train()`` or ``eval()``) in which it is to be measured.
    loss:
        ``loss(model, batch)`` answers with a scalar tensor. It is the same function at every call: torch's, numpy's and random's
        global generators are seeded before each, so that dropout draws one mask.
    batch:
        Whatever the loss takes: a tensor, a dictionary, a tuple.
    optimizer:
        Whose limits: SGD (momentum, Nesterov), Adam or AdamW, with rates and weight decay of its groups and, of Adam, its state.
        The matrix is then that of its coordinates; of others it is the Hessian, and ``omitted`` says why there is no limit.
    params:
        In which parameters; default: those that the optimiser moves, or all of the model, that require a gradient.
    ends, count, tol, max_iterations, memory:
        As of :func:`etalon.eigenvalues`. A residual of 1e-2 makes an error of about 1e-4 where the eigenvalue is well separated.
    seed:
        Of the loss's generators and of the start.

    Raises
    ------
    Error
        A loss that is no finite scalar, that does not depend on the parameters or differs from call to call; an empty batch or
        one on another device; an operation without a second derivative. What the loss raises itself comes out as it is.
    """
    if optimizer is not None:
        optimizer = unwrap(optimizer)
    chosen = choose(model, optimizer, params)
    with Untouched(model, seed) as guard, torch.enable_grad(), eager():
        hessian = Hessian(model, loss, batch, chosen, guard)
        reading = read(optimizer, hessian)
        space = hessian.space
        # A basis only where it is needed.
        three = 3 * space.nbytes
        limit = three if count == 1 and memory is None else memory
        spectrum = lanczos(
            space,
            hessian.product,
            ends=ends,
            count=count,
            tol=tol,
            max_iterations=max_iterations,
            seed=seed,
            memory=limit,
        )
    found = spectrum.largest or spectrum.smallest
    if not found:
        raise Error(f"no eigenvalue was found: {spectrum.stop}")
    if spectrum.scale == 0.0 and hessian.gradient_norm == 0.0:
        raise Error("the loss is constant around these parameters: gradient and curvature are zero; are all units dead?")
    value = found[0].value
    limits, own, omitted = reading.limits(value) if spectrum.largest else ({}, None, ())
    warnings = [*reading.warnings, *modes(model)]
    if not spectrum.converged:
        warnings.append(f"not converged: {spectrum.stop}")
    if hessian.unused:
        warnings.append(f"the loss does not depend on {hessian.unused} of {len(chosen)} parameter tensors")
    return Sharpness(
        value=value,
        residual=found[0].residual,
        interval=found[0].interval,
        converged=spectrum.converged,
        matrix=reading.matrix,
        limit=own,
        limits=limits,
        omitted=omitted,
        largest=spectrum.largest,
        smallest=spectrum.smallest,
        products=spectrum.products,
        asymmetry=spectrum.asymmetry,
        loss=hessian.loss,
        gradient_norm=hessian.gradient_norm,
        parameters=space.dim,
        warnings=tuple(warnings),
    )
