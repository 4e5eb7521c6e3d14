"""Weight decay as a growing learning rate.

Where the loss does not change with the scale of the weights, SGD with weight decay learns the same functions as SGD without any
under another schedule, which grows exponentially (Li and Arora 2020, "An exponential learning rate schedule for deep learning").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Optional, Union

from . import _etalon
from ._etalon import Error
from .result import Result, number

Rates = Union[Iterable[float], Callable[[int], float]]


@dataclass(frozen=True)
class Correction(Result):
    """Before step ``step`` the momentum buffer loses ``per_weight`` times the weights over the square of their scale."""

    step: int
    per_weight: float


@dataclass(frozen=True, repr=False)
class Converted(Result):
    """A schedule with weight decay, and its equivalent without.

    momentum, weight_decay, conversion: as given. plain_log_eta: natural logarithms of the rates with weight decay, one a step;
    minus infinity is a rate of 0. log_eta: those without. log_scale: of how many times longer the weights are without, before each
    step and after the last. corrections: of the momentum buffer; none of ``"exact"``. leaves_f32, leaves_f64: the first steps whose
    rates no number of 32 or 64 bits holds.
    """

    momentum: float
    weight_decay: float
    conversion: str
    plain_log_eta: tuple[float, ...]
    log_eta: tuple[float, ...]
    log_scale: tuple[float, ...]
    corrections: tuple[Correction, ...]
    leaves_f32: Optional[int]
    leaves_f64: Optional[int]

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates without weight decay, one a step; infinite where no number holds them."""
        return tuple(math.inf if log_eta > 709.7 else math.exp(log_eta) for log_eta in self.log_eta)

    def optax(self) -> Callable[[Any], Any]:
        """The rates without weight decay as a schedule of optax, for ``optax.sgd(schedule, momentum)``. After the last step the last
        rate stays.

        Raises
        ------
        Error
            A rate that JAX's numbers do not hold (64 bits with ``jax_enable_x64``), or corrections of the momentum buffer, which a
            schedule cannot make.
        """
        import jax
        import jax.numpy as jnp

        if self.corrections:
            raise Error(f'conversion = "{self.conversion}" corrects the momentum buffer: for optax take "exact"')
        double = jax.config.read("jax_enable_x64")
        leaves = self.leaves_f64 if double else self.leaves_f32
        if leaves is not None:
            remedy = "" if double else '; jax.config.update("jax_enable_x64", True) reaches further'
            raise Error(f"the rate at step {leaves} is larger than any number of {64 if double else 32} bits{remedy}")
        table = jnp.asarray(self.rates)
        return lambda count: table[jnp.minimum(count, len(table) - 1)]

    def svg(self) -> str:
        """Both schedules as a picture."""
        return _etalon.schedule_svg(self.plain_log_eta, self.log_eta)

    def __repr__(self) -> str:
        last = self.log_eta[-1] / math.log(10)
        return (
            f"{len(self.log_eta)} steps without weight decay {number(self.weight_decay)}, momentum {number(self.momentum)}, "
            f"{self.conversion}: the rate ends at 10^{last:.4g}, the weights {number(self.log_scale[-1] / math.log(10))} powers of 10 "
            "longer"
        )

    def _repr_html_(self) -> str:
        return f"{self.svg()}<p>{self!r}</p>" if len(self.log_eta) > 1 else f"<p>{self!r}</p>"


def convert(
    rates: Rates, *, weight_decay: float, momentum: float = 0.0, steps: Optional[int] = None, conversion: str = "exact"
) -> Converted:
    """The schedule without weight decay under which SGD learns the same functions, on parameters whose scale does not matter.

    Covered is PyTorch's SGD, ``v = momentum v + gradient + weight_decay w``, ``w = w - rate v``: no Nesterov momentum, no decoupled
    decay, no adaptive rates.

    Parameters
    ----------
    rates:
        The learning rate at each step: a sequence, or with ``steps`` a function of the step, as optax has them.
    conversion:
        ``"exact"``, or by the closed form of each stretch of constant rate: ``"phases"``, which corrects the momentum buffer, and
        ``"growth-only"``, which leaves out the falls between them and is not equivalent.

    Raises
    ------
    Error
        A number out of range; weight decay so strong that there is no equivalent, with the first such step.
    """
    plain = _logarithms(rates, steps)
    found = _etalon.convert(plain, weight_decay=weight_decay, momentum=momentum, conversion=conversion)
    return Converted(
        momentum=float(momentum),
        weight_decay=float(weight_decay),
        conversion=conversion,
        plain_log_eta=plain,
        log_eta=tuple(found["log_eta"]),
        log_scale=tuple(found["log_scale"]),
        corrections=tuple(Correction(**correction) for correction in found["corrections"]),
        leaves_f32=found["leaves_f32"],
        leaves_f64=found["leaves_f64"],
    )


def _logarithms(rates: Rates, steps: Optional[int]) -> tuple[float, ...]:
    if callable(rates):
        if steps is None:
            raise Error("rates is a function of the step: say for how many by steps=")
        listed = [float(rates(step)) for step in range(steps)]
    else:
        listed = [float(rate) for rate in rates]
        if steps is not None and steps != len(listed):
            raise Error(f"steps = {steps}, and there are {len(listed)} rates: leave steps out")
    if not listed:
        raise Error("there are no rates: give one a step")
    for step, rate in enumerate(listed):
        if not 0.0 <= rate < math.inf:
            raise Error(f"the rate at step {step} is {rate}: it must be a finite number, 0 or above")
    return tuple(math.log(rate) if rate > 0.0 else -math.inf for rate in listed)
