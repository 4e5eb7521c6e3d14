"""The largest step along one direction that does not raise a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .axes import axes
from .result import Result, number


@dataclass(frozen=True)
class CriticalRate(Result):
    """The largest step along one direction that does not raise the loss of one batch. It is no sharpness: it tells the
    curvature along this direction, which is at most the largest eigenvalue and was found 1 to 200 times below it.

    eta: the step, of which ``low`` did not raise the loss and ``high`` did. converged: the two are within the tolerance. direction:
    ``gradient``, ``update`` or ``tensors``. directional_curvature: ``2 g.d / (eta d.d)``, with ``g`` the gradient and ``d`` the
    direction: ``d.H.d / d.d`` where the loss is a quadratic. slope: ``g.d``, by which the loss falls at first. loss: before the step.
    history: steps and their losses. passes: forward passes in all, one of them with a backward pass. noise: how far two
    evaluations of the same loss were apart, or its rounding. parameters: how many.
    """

    eta: float
    low: float
    high: float
    converged: bool
    direction: str
    directional_curvature: float
    slope: float
    loss: float
    history: tuple[tuple[float, float], ...]
    passes: int
    noise: float
    parameters: int
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [
            f"eta = {number(self.eta)} ({number(self.low)} to {number(self.high)}) along the {self.direction}, {self.passes} "
            f"passes, {self.parameters:,} parameters",
            f"curvature along this one direction: {number(self.directional_curvature)}, which is no sharpness",
        ]
        return "\n".join(lines + [f"warning: {warning}" for warning in self.warnings])

    def plot(self, ax: Any = None) -> Any:
        """The losses that were tried, on axes of matplotlib, which it returns."""
        ax = axes(ax)
        steps = sorted(step for step in self.history)
        ax.semilogx([eta for eta, _ in steps], [loss for _, loss in steps], "o-", label="loss after the step")
        ax.axhline(self.loss, linestyle=":", color="gray", label="before it")
        ax.axvline(self.eta, color="black", label=f"eta = {number(self.eta)}")
        ax.set_xlabel(f"step along the {self.direction}")
        ax.set_ylabel("loss")
        ax.set_title("curvature along one direction, no sharpness")
        ax.legend()
        return ax


def how_it_ended(found: Mapping[str, Any], direction: str, slope: float) -> list[str]:
    """What there is to say of how a search ended, of ``_etalon.CriticalStep.so_far()``."""
    if slope <= 0.0:
        return [f"the {direction} does not descend: no step along it lowers the loss"]
    if not found["converged"]:
        more = "the loss still falls at the longest step" if found["high"] == float("inf") else "the bracket is wider than asked"
        return [f"not converged: {more}; raise max_passes"]
    return []


def conclude(
    found: Mapping[str, Any],
    *,
    direction: str,
    slope: float,
    square: float,
    loss: float,
    noise: float,
    parameters: int,
    warnings: Iterable[str],
) -> CriticalRate:
    """What a search has found, with ``square`` that of the direction's length. Two passes were taken at the start."""
    eta = found["eta"]
    return CriticalRate(
        eta=eta,
        low=found["low"],
        high=found["high"],
        converged=found["converged"],
        direction=direction,
        directional_curvature=2.0 * slope / (eta * square) if eta > 0.0 else float("nan"),
        slope=slope,
        loss=loss,
        history=tuple(found["history"]),
        passes=2 + len(found["history"]),
        noise=noise,
        parameters=parameters,
        warnings=tuple(warnings),
    )
