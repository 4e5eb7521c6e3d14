"""Reference values of networks with normalisation layers, by dense autodiff in f64.

    python normalization.py            writes values/normalization.json
    python normalization.py --check    recomputes and compares with the file there

README.md states the conventions and the fields of a case.
"""

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from mlp import ACTIVATIONS, draw_targets, loss_of_outputs, plain, run

VALUES = Path(__file__).parent / "values" / "normalization.json"


@dataclass(frozen=True)
class Case:
    """Two hidden layers of positions x channels units, each normalised before its activation."""

    name: str
    normalizer: str  # batch, layer, group or instance
    groups: int  # of channels; 0 where the normaliser fixes it
    affine: bool
    epsilon: float
    positions: int
    channels: int
    samples: int
    activation: str
    loss: str
    output_size: int
    input_offset: float = 0.0
    # The input is normalised too, and the second hidden layer is a residual sum.
    rich: bool = False
    target_kind: str = "hard"

    def width(self):
        return self.positions * self.channels

    def shapes(self):
        """Shapes of the parameters, in their order in the flat vector."""
        norm = [(self.channels,), (self.channels,)] if self.affine else []
        width = self.width()
        yield from norm if self.rich else []
        for _ in range(2):
            yield (width, width)
            yield (width,)
            yield from norm
        yield (self.output_size, width)
        yield (self.output_size,)

    def norms(self):
        return 3 if self.rich else 2


def cases():
    """Every normaliser with and without affine part, at one position and at several."""
    index = 0
    for normalizer in ("batch", "layer", "group", "instance"):
        for affine in (True, False):
            for positions, channels in ((1, 9), (3, 5), (2, 4)):
                if normalizer == "instance" and positions == 1:
                    continue
                groups = {9: 3, 5: 1, 4: 2}[channels] if normalizer == "group" else 0
                loss = ("mse", "cross_entropy")[index % 2]
                yield Case(
                    f"{normalizer}-{'affine' if affine else 'plain'}-{positions}x{channels}",
                    normalizer, groups, affine, (1e-5, 0.0, 0.1)[index % 3], positions, channels, 7,
                    ("tanh", "gelu", "identity")[index // 2 % 3], loss, 3,
                )  # fmt: skip
                index += 1
    for normalizer, groups in (("batch", 0), ("layer", 0), ("group", 2), ("instance", 0)):
        yield Case(
            f"{normalizer}-rich", normalizer, groups, True, 1e-5, 2, 4, 6, "tanh", "mse", 2,
            input_offset=100.0, rich=True,
        )  # fmt: skip
    # More samples than a slice has, twice over.
    yield Case(
        "batch-many", "batch", 0, True, 1e-5, 1, 3, 530, "tanh", "cross_entropy", 2, rich=True
    )


def unflatten(case, params):
    tensors, start = [], 0
    for shape in case.shapes():
        size = int(np.prod(shape))
        tensors.append(params[start : start + size].reshape(shape))
        start += size
    return tensors


def moments(case, x):
    """Mean and biased variance of x (samples x positions x channels), in its shape."""
    if case.normalizer == "batch":
        grouped, axes = x, (0, 1)
    else:
        groups = {"layer": 1, "instance": case.channels}.get(case.normalizer, case.groups)
        grouped = x.reshape(x.shape[0], case.positions, groups, -1)
        axes = (1, 3)
    mean = jnp.mean(grouped, axis=axes, keepdims=True)
    variance = jnp.mean((grouped - mean) ** 2, axis=axes, keepdims=True)
    spread = lambda y: jnp.broadcast_to(y, grouped.shape).reshape(x.shape)
    return spread(mean), spread(variance)


def forward(case, params, inputs, running=None):
    """Outputs, and mean and variance at every normaliser; with `running`, those take the place of the batch's."""
    tensors = iter(unflatten(case, params))
    seen = []

    def normalize(h):
        x = h.reshape(-1, case.positions, case.channels)
        mean, variance = moments(case, x) if running is None else running[len(seen)]
        seen.append((mean, variance))
        y = (x - mean) / jnp.sqrt(variance + case.epsilon)
        if case.affine:
            weight, bias = next(tensors), next(tensors)
            y = weight * y + bias
        return y.reshape(h.shape)

    dense = lambda h: h @ next(tensors).T + next(tensors)
    h = normalize(inputs) if case.rich else inputs
    h = ACTIVATIONS[case.activation](normalize(dense(h)))
    y = ACTIVATIONS[case.activation](normalize(dense(h)))
    return dense(h + y if case.rich else y), seen


def tracked(case, seen):
    """Running mean and variance after one batch from 0 and 1, with PyTorch's momentum 0.1."""
    count = case.samples * case.positions
    return [
        (0.1 * mean[0, 0], 0.9 + 0.1 * variance[0, 0] * count / (count - 1))
        for mean, variance in seen
    ]


def draw(case):
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    params = np.concatenate(
        [rng.normal(size=int(np.prod(s))) * (s[1] ** -0.5 if len(s) > 1 else 0.5) for s in case.shapes()]
    )
    inputs = rng.normal(size=(case.samples, case.width())) + case.input_offset
    targets = draw_targets(case, rng)
    v = rng.normal(size=params.size)
    u = rng.normal(size=(case.samples, case.output_size))
    return params, inputs, targets, v, u


def measure(case, params, inputs, targets, v, u):
    """The values that a network with this case's data must reproduce."""
    outputs_at = lambda p: forward(case, p, inputs)[0]
    loss_at = lambda p: loss_of_outputs(case, outputs_at(p), targets)
    outputs, jvp = jax.jvp(outputs_at, (params,), (v,))
    gradient, hvp = jax.jvp(jax.grad(loss_at), (params,), (v,))
    # Dense from here on, so that no product below shares code with those above.
    jacobian = jax.jacrev(outputs_at)(params).reshape(-1, params.size)
    loss_hessian = jax.hessian(
        lambda f: loss_of_outputs(case, f.reshape(outputs.shape), targets)
    )(outputs.reshape(-1))
    values = {
        "outputs": outputs,
        "loss_value": loss_at(params),
        "gradient": gradient,
        "jvp": jvp,
        "vjp": jacobian.T @ u.reshape(-1),
        "hvp": hvp,
        "gauss_newton": jacobian.T @ (loss_hessian @ (jacobian @ v)),
        "ntk_top": jnp.linalg.norm(jacobian, 2) ** 2 / case.samples,
        "state": jnp.zeros(0),
        "evaluated": outputs,
    }
    if case.normalizer == "batch":
        running = tracked(case, forward(case, params, inputs)[1])
        values["state"] = jnp.concatenate([part for pair in running for part in pair])
        values["evaluated"] = forward(case, params, inputs, running)[0]
    return values


def evaluate(case):
    """The case's record: what it is, its data, its values."""
    data = dict(zip(("params", "inputs", "targets", "v", "u"), draw(case)))
    values = jax.jit(lambda data: measure(case, **data))(data)
    hessian_top = None
    if data["params"].size < 300:
        loss_at = lambda p: loss_of_outputs(case, forward(case, p, data["inputs"])[0], data["targets"])
        hessian_top = jnp.linalg.eigvalsh(jax.hessian(loss_at)(data["params"]))[-1]
    record = asdict(case) | data | values | {"hessian_top": hessian_top}
    return {key: plain(value) for key, value in record.items()}


if __name__ == "__main__":
    run(__doc__, VALUES, (evaluate(case) for case in cases()))
