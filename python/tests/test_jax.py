"""Sharpness of losses of JAX against the whole matrix."""

import etalon
import etalon.jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def network(dtype="float64"):
    """Two layers, with a layer whose dictionary has a tuple in it."""
    generator = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(generator.standard_normal(shape) / shape[0] ** 0.5, dtype)
    params = {"first": (draw(5, 8), draw(8)), "second": draw(8, 3)}
    batch = {"x": draw(20, 5) * 20**0.5, "y": jnp.asarray(generator.integers(0, 3, 20))}
    return params, batch


def loss(params, batch):
    weights, bias = params["first"]
    logits = jnp.tanh(batch["x"] @ weights + bias) @ params["second"]
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(batch["y"])), batch["y"]])


def matrix(params, batch):
    flat, back = ravel_pytree(params)
    return np.asarray(jax.hessian(lambda w: loss(back(w), batch))(flat))


def test_it_is_the_largest_eigenvalue_of_the_whole_matrix(double):
    params, batch = network()
    values = np.linalg.eigvalsh(matrix(params, batch))
    found = etalon.jax.sharpness(loss, params, batch, ends="both", tol=1e-7, max_iterations=200)
    assert found.converged and found.parameters == 72 and found.asymmetry < 1e-12
    assert abs(found.value - values[-1]) < 1e-9 * values[-1]
    assert abs(found.smallest[0].value - values[0]) < 1e-9 * abs(values[0])
    several = etalon.jax.sharpness(loss, params, batch, count=3, tol=1e-8, max_iterations=200)
    assert np.allclose([e.value for e in several.largest], values[:-4:-1], rtol=1e-9)
    gradient = ravel_pytree(jax.grad(loss)(params, batch))[0]
    assert found.gradient_norm == pytest.approx(float(jnp.linalg.norm(gradient)), rel=1e-12)
    assert found.loss == float(loss(params, batch))


def test_single_and_half_precision_are_near(double):
    params, batch = network()
    value = etalon.jax.sharpness(loss, params, batch, tol=1e-4).value
    for dtype, near in (("float32", 1e-4), ("bfloat16", 0.05)):
        cast = jax.tree_util.tree_map(lambda p: p.astype(dtype), params)
        found = etalon.jax.sharpness(loss, cast, {**batch, "x": batch["x"].astype(dtype)})
        assert found.value == pytest.approx(value, rel=near), dtype


def test_the_limit_is_where_momentum_begins_to_grow(double):
    curvatures = jnp.array([0.3, 2.0, 5.0])
    quadratic = lambda params, batch: 0.5 * jnp.sum(curvatures * (params - batch) ** 2)
    start, batch = jnp.zeros(3), jnp.ones(3)
    found = etalon.jax.sharpness(quadratic, start, batch, momentum=0.9, weight_decay=1.0)
    assert found.limit.eta == pytest.approx(3.8 / 6.0, rel=1e-6) and found.limit.name == "heavy-ball"
    assert found.limits["gradient-descent"].eta == pytest.approx(2.0 / 6.0, rel=1e-6)
    assert found.to_dict()["limits"]["heavy-ball"]["eta"] == found.limit.eta and "heavy-ball: eta <" in repr(found)
    upside_down = etalon.jax.sharpness(lambda params, batch: -quadratic(params, batch), start, batch)
    assert upside_down.limit is None and upside_down.value == pytest.approx(-0.3, rel=1e-3)


def test_the_critical_step_of_a_quadratic_is_that_of_the_curvature_along_the_gradient(double):
    curvatures = jnp.array([0.3, 2.0, 5.0])
    quadratic = lambda params, batch: 0.5 * jnp.sum(curvatures * (params - batch) ** 2)
    start, batch = jnp.zeros(3), jnp.ones(3)
    gradient = np.asarray(-curvatures)
    found = etalon.jax.critical_lr(quadratic, start, batch, tol=1e-6, max_passes=40)
    along = float(gradient @ (np.asarray(curvatures) * gradient) / (gradient @ gradient))
    assert found.converged and found.eta == pytest.approx(2 / along, rel=1e-6)
    assert found.directional_curvature == pytest.approx(along, rel=1e-6)
    # Along the softest axis.
    axis = etalon.jax.critical_lr(quadratic, start, batch, direction=jnp.array([-1.0, 0.0, 0.0]), tol=1e-6, max_passes=40)
    assert axis.directional_curvature == pytest.approx(0.3, rel=1e-6) and axis.direction == "tensors"
    uphill = etalon.jax.critical_lr(quadratic, start, batch, direction=jnp.ones(3))
    assert uphill.eta == 0.0 and "does not descend" in uphill.warnings[0]


def test_the_critical_step_of_a_network_brackets_where_its_loss_rises():
    params, batch = network("float32")
    found = etalon.jax.critical_lr(loss, params, batch)
    gradient = jax.grad(loss)(params, batch)
    after = lambda eta: float(loss(jax.tree_util.tree_map(lambda p, g: p - eta * g, params, gradient), batch))
    assert found.converged and found.passes <= 12 and found.high <= 1.05 * found.low
    assert after(found.low) <= found.loss + found.noise and after(found.high) >= found.loss - found.noise
    with pytest.raises(etalon.Error, match="direction has arrays of shapes"):
        etalon.jax.critical_lr(loss, params, batch, direction=gradient["first"])
    with pytest.raises(etalon.Error, match="is zero at params"):
        etalon.jax.critical_lr(loss, params, batch, direction=jax.tree_util.tree_map(jnp.zeros_like, params))


@pytest.mark.parametrize(
    ("loss_fn", "params", "batch", "says"),
    [
        (lambda p, b: p * b, jnp.ones(3), jnp.ones(3), r"shape \(3,\): it must be a scalar"),
        (lambda p, b: (p.sum(), {}), jnp.ones(3), 1.0, "answered with tuple"),
        (lambda p, b: p.sum() * jnp.nan, jnp.ones(3), 1.0, "the loss is nan"),
        (lambda p, b: p["w"].sum(), {"w": jnp.ones(3), "n": jnp.arange(2)}, 1.0, r"params\['n'\] is of int32"),
        (lambda p, b: (p * b).sum(), jnp.ones(3), jnp.ones((0, 3)), "empty"),
        (lambda p, b: b.sum(), jnp.ones(3), jnp.ones(3), "the loss is constant around params"),
        (lambda p, b: 0.0, {}, 1.0, "params has no arrays"),
    ],
)
def test_a_loss_that_will_not_do_is_named_with_its_remedy(loss_fn, params, batch, says):
    with pytest.raises(etalon.Error, match=says):
        etalon.jax.sharpness(loss_fn, params, batch)


def test_what_the_loss_raises_comes_out_as_it_is():
    with pytest.raises(KeyError, match="labels"):
        etalon.jax.sharpness(lambda p, b: p.sum() * b["labels"], jnp.ones(3), {"x": jnp.ones(3)})
