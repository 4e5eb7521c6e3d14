"""Power laws through measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Sequence, Union

from . import _etalon
from ._etalon import Error
from .result import Omitted, Result, number


@dataclass(frozen=True)
class Coefficient(Result):
    """A number with its standard error and the ends of its interval. name: the size whose exponent it is, or ``intercept``."""

    name: str
    value: float
    standard_error: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{number(self.value)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class Regression(Result):
    """A line through logarithms by least squares. intercept: ``a`` of ``log y = a + ...``, natural. exponents: of each size.
    r_squared: the share of the variance of log y that it explains, None where that does not vary. residual_deviation: of log y.
    degrees_of_freedom: points less coefficients; intervals are Student's."""

    intercept: Coefficient
    exponents: tuple[Coefficient, ...]
    r_squared: Optional[float]
    residual_deviation: float
    degrees_of_freedom: int


@dataclass(frozen=True)
class Robust(Result):
    """A line that a minority of wild points cannot move: Theil and Sen's, with the interval of its exponent."""

    method: str
    exponent: float
    low: float
    high: float
    intercept: float


@dataclass(frozen=True, repr=False)
class PowerLaw(Result):
    """``y = exp(a) (x1 x2 ...)^b``.

    names: of the sizes. level: of the intervals. points, sizes: points used, and distinct products of sizes among them. joint: one
    exponent for the product of all sizes. free: one for each, None where there is one size, or for the reason ``no_free``. robust:
    where it was asked for. excluded: points that have no logarithm, by their index.
    """

    names: tuple[str, ...]
    level: float
    points: int
    sizes: int
    joint: Regression
    free: Optional[Regression]
    no_free: Optional[str]
    robust: Optional[Robust]
    excluded: tuple[Omitted, ...]

    @property
    def exponent(self) -> Coefficient:
        """That of the product of all sizes."""
        return self.joint.exponents[0]

    def __repr__(self) -> str:
        sizes = " * ".join(self.names)
        lines = [f"y ~ ({sizes})^b: b = {self.exponent}, {self.points} points, {self.sizes} sizes"]
        if self.free is not None:
            lines += [f"{one.name}: {one}" for one in self.free.exponents]
        return "\n".join(lines + [f"left out: {omitted}" for omitted in self.excluded])


def power_law(
    x: Union[Sequence[float], Mapping[str, Sequence[float]]],
    y: Sequence[float],
    *,
    level: float = 0.95,
    robust: bool = False,
) -> PowerLaw:
    """Fits ``y`` as a power of sizes: numbers, or a dictionary with a name and numbers for each size, such as width and depth.

    Points without a logarithm (not positive, NaN) are left out and listed. ``robust`` fits the joint law by Theil and Sen's
    estimator as well.

    Raises
    ------
    Error
        Fewer than 4 distinct sizes, lists of different lengths, a level that is none.
    """
    given = x if isinstance(x, Mapping) else {"x": x}
    columns = {name: [float(value) for value in column] for name, column in given.items()}
    values = [float(value) for value in y]
    if not columns:
        raise Error("x has no sizes: give numbers, or a dictionary of names and numbers")
    for name, column in columns.items():
        if len(column) != len(values):
            raise Error(f"{name} has {len(column)} numbers and y has {len(values)}: give one of each a point")
    law = _etalon.power_law(list(columns), list(zip(*columns.values())), values, level, robust)
    return PowerLaw(
        names=tuple(law["x"]),
        level=law["level"],
        points=law["points"],
        sizes=law["sizes"],
        joint=_regression(law["joint"]),
        free=None if law["free"] is None else _regression(law["free"]),
        no_free=law["no_free"],
        robust=None if law["robust"] is None else Robust(**law["robust"]),
        excluded=tuple(Omitted(point["label"], point["reason"]) for point in law["excluded"]),
    )


def _regression(line: dict[str, Any]) -> Regression:
    fields = dict(line)
    fields["intercept"] = Coefficient(**fields["intercept"])
    fields["exponents"] = tuple(Coefficient(**one) for one in fields["exponents"])
    return Regression(**fields)
