"""The instruments on losses of JAX: functions of (params, batch), with params a tree of arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Optional

import jax
import jax.numpy as jnp

from . import _etalon
from ._etalon import Error
from .critical import CriticalRate, conclude, how_it_ended
from .result import Limit, Result, number
from .spectrum import Eigenvalue, lanczos

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True, repr=False)
class Sharpness(Result):
    """The curvature of a loss at a point, and what it says of the learning rate.

    value: the largest algebraic eigenvalue of the Hessian (the smallest where only that was asked for). residual, interval,
    converged: how far it can be trusted, see :class:`etalon.Eigenvalue`. limits: the learning rates at which gradient descent, with
    the momentum that was given, becomes unstable, by name; ``limit`` is that with it, None where the curvature is not positive.
    largest, smallest: all eigenvalues asked for. products: Hessian-vector products done. asymmetry: how far they seemed not to be
    symmetric, relative to the norm. loss, gradient_norm: at this point. parameters: how many.
    """

    value: float
    residual: float
    interval: tuple[float, float]
    converged: bool
    limit: Optional[Limit]
    limits: dict[str, Limit]
    largest: tuple[Eigenvalue, ...]
    smallest: tuple[Eigenvalue, ...]
    products: int
    asymmetry: float
    loss: float
    gradient_norm: float
    parameters: int

    def __repr__(self) -> str:
        lines = [
            f"lambda(H) = {number(self.value)}, residual {self.residual:.1e}, {self.products} products, {self.parameters:,} parameters"
        ]
        lines += [str(limit) for limit in self.limits.values()]
        return "\n".join(lines if self.converged else [*lines, "warning: not converged"])


def sharpness(
    loss_fn: Loss,
    params: Any,
    batch: Any,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    ends: str = "largest",
    count: int = 1,
    tol: float = 1e-2,
    max_iterations: int = 60,
    seed: int = 0,
    memory: Optional[int] = None,
) -> Sharpness:
    """The largest eigenvalue of the Hessian of ``loss_fn(params, batch)`` in ``params``, and the learning rates at which SGD becomes
    unstable at this point.

    By Lanczos on exact products (forward over reverse differentiation, compiled once). Vectors are trees of arrays like params, in at
    least float32, and stay where JAX puts them; of one eigenvalue an end no basis is kept.

    Parameters
    ----------
    loss_fn:
        Answers with a scalar, and can be compiled.
    params, batch:
        Trees of arrays; params of real numbers that are all trained.
    momentum, nesterov, weight_decay:
        Of the SGD whose limit is wanted: ``optax.sgd``, and ``optax.add_decayed_weights`` before it.
    ends, count, tol, max_iterations, memory:
        As of :func:`etalon.eigenvalues`. A residual of 1e-2 makes an error of about 1e-4 where the eigenvalue is well separated.
    seed:
        Of the start.

    Raises
    ------
    Error
        A loss that is no finite scalar or does not change with params; params that are no real numbers; an empty batch. What the
        loss raises itself comes out as it is.
    """
    value, gradient = _evaluate(loss_fn, params, batch)
    space = Trees(params)
    like = jax.tree_util.tree_map(lambda p: p.dtype, params)

    @jax.jit
    def product(params: Any, batch: Any, x: Any) -> Any:
        x = jax.tree_util.tree_map(lambda leaf, dtype: leaf.astype(dtype), x, like)
        return space.widen(jax.jvp(lambda p: jax.grad(loss_fn)(p, batch), (params,), (x,))[1])

    spectrum = lanczos(
        space,
        lambda x: product(params, batch, x),
        ends=ends,
        count=count,
        tol=tol,
        max_iterations=max_iterations,
        seed=seed,
        memory=3 * space.nbytes if count == 1 and memory is None else memory,
    )
    found = spectrum.largest or spectrum.smallest
    if not found:
        raise Error(f"no eigenvalue was found: {spectrum.stop}")
    gradient = space.widen(gradient)
    norm = math.sqrt(space.dot(gradient, gradient))
    if spectrum.scale == 0.0 and norm == 0.0:
        raise Error("the loss is constant around params: gradient and curvature are zero; does it depend on them?")
    limits: dict[str, Limit] = {}
    own: Optional[Limit] = None
    if spectrum.largest and found[0].value > 0.0:
        constants: dict[str, Any] = {"weight_decay": weight_decay}
        plain = Limit(**_etalon.limit("sgd", found[0].value, "lambda_H", **constants))
        constants.update(momentum=momentum, nesterov=nesterov)
        own = Limit(**_etalon.limit("sgd", found[0].value, "lambda_H", **constants))
        limits = {limit.name: limit for limit in (plain, own)}
    return Sharpness(
        value=found[0].value,
        residual=found[0].residual,
        interval=found[0].interval,
        converged=spectrum.converged,
        limit=own,
        limits=limits,
        largest=spectrum.largest,
        smallest=spectrum.smallest,
        products=spectrum.products,
        asymmetry=spectrum.asymmetry,
        loss=value,
        gradient_norm=norm,
        parameters=space.dim,
    )


def critical_lr(
    loss_fn: Loss, params: Any, batch: Any, *, direction: Any = "gradient", tol: float = 0.05, max_passes: int = 16
) -> CriticalRate:
    """The largest step along a direction that does not raise ``loss_fn(params, batch)``, by one gradient and forward passes alone.

    It is the curvature along one direction and no sharpness: use :func:`sharpness` for the limit of an optimiser.

    Parameters
    ----------
    loss_fn, params, batch:
        As of :func:`sharpness`.
    direction:
        ``"gradient"``, or a tree like params that is subtracted: of the updates of optax at a rate of 1, which are added, the negative.
    tol:
        ``high / low`` is at most ``1 + tol``.
    max_passes:
        The most forward passes, at least 3.

    Raises
    ------
    Error
        As of :func:`sharpness`; a direction that is zero, or not like params.
    """
    if max_passes < 3:
        raise Error(f"max_passes = {max_passes}: it must be at least 3, two of which are at the start")
    _, gradient = _evaluate(loss_fn, params, batch)
    space = Trees(params)
    name = "gradient" if isinstance(direction, str) else "tensors"
    if isinstance(direction, str):
        if direction != "gradient":
            raise Error(f'direction = {direction!r}: it must be "gradient", or a tree like params')
        direction = gradient
    shapes, wanted = (jax.tree_util.tree_map(jnp.shape, tree) for tree in (direction, params))
    if shapes != wanted:
        raise Error(f"direction has arrays of shapes {shapes}: it must be a tree like params, {wanted}")
    along = space.widen(jax.tree_util.tree_map(jnp.asarray, direction))
    slope, square = space.dot(space.widen(gradient), along), space.dot(along, along)
    if square == 0.0:
        raise Error(f"the direction ({name}) is zero at params: there is no direction to step in; does the loss depend on them?")

    @jax.jit
    def after(eta: Any, params: Any, along: Any, batch: Any) -> Any:
        return loss_fn(jax.tree_util.tree_map(lambda p, d: (p - eta * d).astype(p.dtype), params, along), batch)

    # By the same arithmetic as the others.
    answer = after(0.0, params, along, batch)
    before = float(answer)
    search = _etalon.CriticalStep(before, slope, tol, max_passes - 2)
    while (eta := search.ask()) is not None:
        search.tell(eta, float(after(eta, params, along, batch)))
    found = search.so_far()
    noise = float(jnp.finfo(answer.dtype).eps) * abs(before)
    warnings = how_it_ended(found, name, slope)
    return conclude(
        found, direction=name, slope=slope, square=square, loss=before, noise=noise, parameters=space.dim, warnings=warnings
    )


class Trees:
    """Vectors that are trees of arrays like params, of float32 or wider."""

    def __init__(self, params: Any) -> None:
        self.like = jax.tree_util.tree_map(
            lambda p: jax.ShapeDtypeStruct(p.shape, jnp.promote_types(p.dtype, jnp.float32)), params
        )
        leaves = jax.tree_util.tree_leaves(self.like)
        self.dim = sum(math.prod(leaf.shape) for leaf in leaves)
        self.nbytes = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)
        self.epsilon = max(float(jnp.finfo(leaf.dtype).eps) for leaf in leaves)

    def widen(self, x: Any) -> Any:
        """A tree of the dtypes of vectors."""
        return jax.tree_util.tree_map(lambda leaf, like: leaf.astype(like.dtype), x, self.like)

    def length(self, x: Any) -> int:
        return sum(leaf.size for leaf in jax.tree_util.tree_leaves(x))

    def zeros(self) -> Any:
        return jax.tree_util.tree_map(lambda like: jnp.zeros(like.shape, like.dtype), self.like)

    def copy(self, x: Any) -> Any:
        return x  # nothing changes an array of JAX

    def random(self, seed: int) -> Any:
        leaves, tree = jax.tree_util.tree_flatten(self.like)
        keys = jax.random.split(jax.random.key(seed), len(leaves))
        return jax.tree_util.tree_unflatten(tree, [jax.random.normal(key, like.shape, like.dtype) for key, like in zip(keys, leaves)])

    def dot(self, a: Any, b: Any) -> float:
        return float(_dot(a, b))

    def axpy(self, factor: float, x: Any, y: Any) -> Any:
        return _axpy(factor, x, y)

    def scale(self, factor: float, x: Any) -> Any:
        return _scale(factor, x)


@jax.jit
def _dot(a: Any, b: Any) -> Any:
    leaves = zip(jax.tree_util.tree_leaves(a), jax.tree_util.tree_leaves(b))
    return sum(jnp.sum(x * y) for x, y in leaves)


@jax.jit
def _axpy(factor: Any, x: Any, y: Any) -> Any:
    return jax.tree_util.tree_map(lambda a, b: (b + factor * a).astype(b.dtype), x, y)


@jax.jit
def _scale(factor: Any, x: Any) -> Any:
    return jax.tree_util.tree_map(lambda a: (factor * a).astype(a.dtype), x)


def _evaluate(loss_fn: Loss, params: Any, batch: Any) -> tuple[float, Any]:
    """The loss as a finite number and its gradient, or an error that says what it is instead."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves:
        raise Error("params has no arrays: pass those that are trained")
    for path, leaf in leaves:
        if not (hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)):
            kind = getattr(leaf, "dtype", type(leaf).__name__)
            place = jax.tree_util.keystr(path)
            raise Error(f"params{place} is of {kind}: pass the arrays of real numbers that are trained, and close over the rest")
    for leaf in jax.tree_util.tree_leaves(batch):
        if getattr(leaf, "size", 1) == 0:
            raise Error(f"the batch holds an array of shape {leaf.shape}, which is empty: pass at least one sample")
    answer = jax.eval_shape(loss_fn, params, batch)
    if not hasattr(answer, "shape"):
        raise Error(f"loss_fn answered with {type(answer).__name__}: it must answer with the scalar alone")
    if answer.shape != ():
        raise Error(f"loss_fn answered with shape {answer.shape}: it must be a scalar; take its mean()")
    value, gradient = jax.jit(jax.value_and_grad(loss_fn))(params, batch)
    if not math.isfinite(float(value)):
        raise Error(f"the loss is {float(value)} at params: there is no curvature to measure")
    return float(value), gradient
