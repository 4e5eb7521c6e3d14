"""The ends of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import _etalon
from ._etalon import Error
from .result import Result, number
from .space import Arrays, Space, numpy


@dataclass(frozen=True)
class Eigenvalue(Result):
    """An eigenvalue and how far it can be trusted.

    residual: ``|A v - value v|`` of the unit vector found with it, relative to the operator's norm; where the eigenvalue is
    well separated, its own relative error is of the order of the square. interval: surely holds an eigenvalue. converged: the
    residual is within the tolerance, and nothing farther out was overlooked, see :func:`eigenvalues`. iterations: products that
    it took.
    """

    value: float
    residual: float
    interval: tuple[float, float]
    converged: bool
    iterations: int

    def __str__(self) -> str:
        return f"{number(self.value)} (residual {self.residual:.1e}{'' if self.converged else ', not converged'})"


@dataclass(frozen=True)
class Spectrum(Result):
    """The largest and smallest algebraic eigenvalues of a symmetric operator.

    largest: largest first; smallest: smallest first; each empty unless asked for. converged: whether all of them are. stop:
    why the iteration ended. products: how many it took. scale: the estimate of the operator's norm. asymmetry: how far the
    operator seemed not to be symmetric, relative to its norm; nothing here is more accurate. repeats_checked: whether further
    copies of repeated eigenvalues were looked for to the end. bytes: what the vectors could have taken at most.
    """

    largest: tuple[Eigenvalue, ...]
    smallest: tuple[Eigenvalue, ...]
    converged: bool
    stop: str
    products: int
    scale: float
    asymmetry: float
    repeats_checked: bool
    bytes: int
    largest_vectors: tuple[Any, ...] = field(default=(), repr=False, compare=False)
    smallest_vectors: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """All fields but the vectors."""
        return {name: value for name, value in super().to_dict().items() if not name.endswith("vectors")}


def lanczos(
    space: Space[Any],
    product: Callable[[Any], Any],
    *,
    ends: str,
    count: int,
    tol: float,
    max_iterations: int,
    seed: int,
    memory: Optional[int] = None,
    vectors: bool = False,
    start: Optional[Any] = None,
) -> Spectrum:
    """Lanczos on ``product`` over the vectors of a space; see :func:`eigenvalues`."""
    for name, value, least in (("count", count, 1), ("max_iterations", max_iterations, 1), ("seed", seed, 0)):
        if value < least:
            raise Error(f"{name} = {value}: it must be at least {least}")
    answer, largest, smallest = _etalon.eigenvalues(
        space,
        product,
        ends=ends,
        count=count,
        tol=tol,
        max_iterations=max_iterations,
        seed=seed,
        memory=memory,
        vectors=vectors,
        start=start,
    )
    for end in ("largest", "smallest"):
        answer[end] = tuple(Eigenvalue(**{**row, "interval": tuple(row["interval"])}) for row in answer[end])
    return Spectrum(**answer, largest_vectors=tuple(largest), smallest_vectors=tuple(smallest))


def eigenvalues(
    matvec: Callable[[Any], Any],
    n: Optional[int] = None,
    *,
    dtype: str = "float64",
    space: Optional[Space[Any]] = None,
    ends: str = "largest",
    count: int = 1,
    tol: float = 1e-5,
    max_iterations: int = 100,
    seed: int = 0,
    memory: Optional[int] = None,
    vectors: bool = False,
    start: Optional[Any] = None,
) -> Spectrum:
    """The largest or smallest *algebraic* eigenvalues of a symmetric operator that is known by its products alone, by Lanczos:
    3 is larger than -10.

    A start that has next to nothing of the outermost eigenvector would let the next eigenvalue converge in its place. How little
    that must be, products so far say; the call goes on until a random start has as little in less than one of a hundred cases,
    if an eigenvalue lies farther out by more than twice ``tol``, or a hundredth, of the norm.

    Parameters
    ----------
    matvec:
        ``matvec(x)`` answers with ``A x``, and the same at every call. What it raises comes out as it is; Ctrl-C between two
        products ends the call.
    n:
        The dimension. ``x`` is then a numpy array of ``dtype``, while the basis is kept in float64.
    space:
        In place of ``n``: vectors of your own, a :class:`etalon.space.Space`.
    ends:
        ``"largest"``, ``"smallest"`` or ``"both"``.
    count:
        Eigenvalues an end. More than one needs a full basis, and looks for repeated ones.
    tol:
        The residual at which an eigenvalue counts as converged, see :class:`Eigenvalue`.
    max_iterations:
        Each is one product and, with a basis, one vector of memory.
    memory:
        What the vectors may take, in bytes. Where a full basis does not fit, only two are kept, which finds the outermost
        eigenvalues all the same.
    vectors:
        Whether to return eigenvectors too.
    start:
        A vector to begin with, to which a random one of the same norm is added.

    Raises
    ------
    Error
        A setting out of range, memory that does not suffice, an operator that answers differently for the same vector or is
        not symmetric.
    """
    if (n is None) == (space is None):
        raise Error("give the dimension n, or the space that vectors live in, and not both")
    product = matvec
    if n is not None:
        if n < 1:
            raise Error(f"n = {n}: an operator has at least one dimension")
        np = numpy("vectors are its arrays unless space= is given")
        space = Arrays(n)
        start = None if start is None else np.array(start, dtype="float64")

        def product(x: Any) -> Any:
            y = np.asarray(matvec(x.astype(dtype)))
            if y.shape != (n,):
                raise Error(f"matvec answered with an array of shape {y.shape}: it must have the shape of its argument, ({n},)")
            return y.astype("float64")

    assert space is not None
    return lanczos(
        space,
        product,
        ends=ends,
        count=count,
        tol=tol,
        max_iterations=max_iterations,
        seed=seed,
        memory=memory,
        vectors=vectors,
        start=start,
    )
