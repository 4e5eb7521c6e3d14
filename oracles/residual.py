"""Reference values of small residual networks, by dense autodiff in f64.

    python residual.py            writes values/residual.json
    python residual.py --check    recomputes and compares with the file there

README.md states the conventions and the fields of a case.
"""

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from convolution import measure_of
from mlp import ACTIVATIONS, draw_targets, plain, run

VALUES = Path(__file__).parent / "values" / "residual.json"
EPSILON = 1e-5


@dataclass(frozen=True)
class Case:
    """One block a stage: PreResNet-8, WRN-10-k."""

    name: str
    family: str  # preresnet or wide
    skip: str  # pad or projection, of a PreResNet
    normalizer: str  # none or batch
    activation: str
    image: tuple[int, int, int]
    channels: int
    widen: int
    samples: int
    loss: str
    output_size: int
    target_kind: str = "hard"


def cases():
    yield Case("pad", "preresnet", "pad", "batch", "tanh", (5, 6, 3), 2, 1, 4, "cross_entropy", 3)
    yield Case("projection", "preresnet", "projection", "batch", "gelu", (6, 5, 1), 2, 1, 3, "mse", 2)
    yield Case("plain", "preresnet", "pad", "none", "tanh", (7, 4, 2), 1, 2, 3, "mse", 2)
    yield Case("wide", "wide", "pad", "batch", "tanh", (5, 5, 2), 1, 2, 4, "cross_entropy", 3)
    yield Case("wide-plain", "wide", "pad", "none", "gelu", (4, 5, 2), 1, 2, 2, "logistic", 1)


def forward(case, take, inputs):
    """`take(shape, scale)` gives the next parameter, drawn with that deviation."""
    act = ACTIVATIONS[case.activation]

    def conv(x, outputs, size, stride):
        weight = take((outputs, x.shape[-1], size, size), 1.4 / (size * x.shape[-1] ** 0.5))
        return lax.conv_general_dilated(
            x, weight, (stride, stride), [(size // 2, size // 2)] * 2,
            dimension_numbers=("NHWC", "OIHW", "NHWC"), precision=lax.Precision.HIGHEST,
        )  # fmt: skip

    def activate(x):
        if case.normalizer == "batch":
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            weight, bias = take(x.shape[-1:], 0.7), take(x.shape[-1:], 0.3)
            x = weight * (x - mean) / jnp.sqrt(variance + EPSILON) + bias
        return act(x)

    x = conv(inputs.reshape(-1, *case.image), case.channels, 3, 1)
    for stage in range(3):
        outputs, stride = case.channels * case.widen * 2**stage, 2 if stage else 1
        active = activate(x)
        branch = activate(conv(active, outputs, 3, stride))
        if outputs == x.shape[-1] and stride == 1:
            skip = x
        elif case.family == "wide":
            skip = conv(active, outputs, 1, stride)
        elif case.skip == "projection":
            skip = conv(x, outputs, 1, stride)
        else:
            skip = jnp.pad(x[:, ::stride, ::stride], ((0, 0),) * 3 + ((0, outputs - x.shape[-1]),))
        x = skip + conv(branch, outputs, 3, 1)
    x = activate(x).mean((1, 2))
    return x @ take((case.output_size, x.shape[1]), 1.0).T + take((case.output_size,), 0.3)


def evaluate(case):
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    inputs = rng.normal(size=(case.samples, int(np.prod(case.image))))
    drawn = []

    def draw(shape, scale):
        drawn.append(scale * rng.normal(size=shape))
        return drawn[-1]

    forward(case, draw, jnp.asarray(inputs))
    shapes = [tensor.shape for tensor in drawn]
    params = np.concatenate([tensor.reshape(-1) for tensor in drawn])

    def outputs_at(p, inputs):
        sizes = [int(np.prod(shape)) for shape in shapes]
        parts = iter(jnp.split(p, np.cumsum(sizes)[:-1]))
        return forward(case, lambda shape, _: next(parts).reshape(shape), inputs)

    data = dict(params=params, inputs=inputs, targets=draw_targets(case, rng))
    data |= dict(v=rng.normal(size=params.size), u=rng.normal(size=(case.samples, case.output_size)))
    values = jax.jit(lambda data: measure_of(case, outputs_at, **data))(data)
    # jit hands a dictionary back sorted by key.
    order = ("outputs", "loss_value", "gradient", "jvp", "vjp", "hvp", "gauss_newton")
    record = asdict(case) | data | {key: values[key] for key in order}
    return {key: plain(value) for key, value in record.items()}


if __name__ == "__main__":
    run(__doc__, VALUES, (evaluate(case) for case in cases()))
