"""Vectors: what Lanczos has to be able to do with them."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ._etalon import Error

V = TypeVar("V")


class Space(Protocol[V]):
    """A real vector space. Vectors may live anywhere and be of any type.

    ``axpy`` and ``scale`` answer with the result, for which they may use up their last argument; nothing else is changed.
    """

    dim: int
    """The dimension."""
    nbytes: int
    """What a vector takes of the memory that is scarce, in bytes."""
    epsilon: float
    """The distance from 1 to the next larger number among those that vectors hold."""

    def length(self, x: V) -> int:
        """The number of elements: ``dim`` of a vector that belongs here."""
        ...

    def zeros(self) -> V:
        """The zero vector, newly made."""
        ...

    def copy(self, x: V) -> V:
        """A copy."""
        ...

    def random(self, seed: int) -> V:
        """Independent numbers of mean 0 and equal variance; ``seed`` has 32 bits."""
        ...

    def dot(self, a: V, b: V) -> float:
        """The inner product, summed in float64 or as exactly as can be."""
        ...

    def axpy(self, factor: float, x: V, y: V) -> V:
        """``y + factor x``."""
        ...

    def scale(self, factor: float, x: V) -> V:
        """``factor x``."""
        ...


class Arrays:
    """Vectors of float64 as numpy's arrays."""

    def __init__(self, n: int) -> None:
        self.numpy = numpy("vectors are its arrays unless space= is given")
        self.dim, self.nbytes, self.epsilon = n, 8 * n, 2.0**-52

    def length(self, x: Any) -> int:
        return int(x.size)

    def zeros(self) -> Any:
        return self.numpy.zeros(self.dim)

    def copy(self, x: Any) -> Any:
        return x.copy()

    def random(self, seed: int) -> Any:
        return self.numpy.random.default_rng(seed).standard_normal(self.dim)

    def dot(self, a: Any, b: Any) -> float:
        return float(a @ b)

    def axpy(self, factor: float, x: Any, y: Any) -> Any:
        y += factor * x
        return y

    def scale(self, factor: float, x: Any) -> Any:
        x *= factor
        return x


def numpy(purpose: str) -> Any:
    """numpy, or an error that says what it is for."""
    try:
        import numpy
    except ImportError as missing:
        raise Error(f"numpy is not installed: {purpose}; run `pip install numpy`") from missing
    return numpy
