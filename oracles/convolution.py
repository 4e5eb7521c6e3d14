"""Reference values of small convolutional networks, by dense autodiff in f64.

    python convolution.py            writes values/convolution.json
    python convolution.py --check    recomputes and compares with the file there

README.md states the conventions and the fields of a case.
"""

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from mlp import ACTIVATIONS, draw_targets, loss_of_outputs, plain, run

VALUES = Path(__file__).parent / "values" / "convolution.json"


@dataclass(frozen=True)
class Case:
    """Layers in order, each on the value before it. Values are numbered: 0 is the input."""

    name: str
    image: tuple[int, int, int]  # rows, columns, channels
    layers: tuple[dict, ...]
    samples: int
    loss: str
    output_size: int
    target_kind: str = "hard"


def conv(outputs, kernel=3, stride=1, padding=None, bias=True, multiplier=1.0):
    padding = kernel // 2 if padding is None else padding
    return dict(
        kind="convolution", outputs=outputs, kernel=kernel, stride=stride, padding=padding,
        bias=bias, multiplier=multiplier,
    )  # fmt: skip


def act(function):
    return dict(kind="activation", function=function)


def pool(kept, rows, columns, stride):
    return dict(kind="pooling", kept=kept, window=(rows, columns), stride=stride)


def add(value, shortcut=None):
    """The value before, plus a value, itself or by way of a shortcut."""
    return dict(kind="sum", value=value, shortcut=shortcut)


def option_a(outputs, stride):
    return dict(kind="subsample", outputs=outputs, stride=stride)


def dense(outputs):
    return dict(kind="dense", outputs=outputs)


def cases():
    yield Case(
        "odd-sizes-tanh-mse", (5, 7, 3),
        (conv(5), act("tanh"), conv(4, stride=2), act("tanh"), dense(2)), 3, "mse", 2,
    )  # fmt: skip
    yield Case(
        "strides-gelu-cross_entropy", (9, 6, 2),
        (conv(3, stride=2), act("gelu"), conv(7, kernel=1, stride=2), act("gelu"), dense(3)),
        4, "cross_entropy", 3,
    )  # fmt: skip
    yield Case(
        "large-kernels-tanh-logistic", (7, 8, 2),
        (conv(3, kernel=5, stride=3, padding=2), act("tanh"), conv(2, kernel=3, padding=2), act("tanh"), dense(1)),
        3, "logistic", 1,
    )  # fmt: skip
    yield Case(
        "no-padding-even-kernel-tanh-mse", (6, 7, 1),
        (conv(4, kernel=2, stride=2, padding=0, bias=False), act("tanh"), conv(3, kernel=3, padding=0, bias=False),
         act("tanh"), dense(2)),
        3, "mse", 2,
    )  # fmt: skip
    yield Case(
        "above-one-register-gelu-mse", (4, 5, 3),
        (conv(17, bias=False), act("gelu"), conv(9, kernel=1), act("gelu"), conv(2), dense(2)), 2, "mse", 2,
    )  # fmt: skip
    yield Case(
        "multipliers-tanh-exponential", (5, 4, 2),
        (conv(3, multiplier=0.5), act("tanh"), conv(3, stride=2, multiplier=1.75), act("tanh"), dense(1)),
        3, "exponential", 1,
    )  # fmt: skip
    yield Case(
        "pooling-relu-cross_entropy", (8, 7, 3),
        (conv(5), act("relu"), pool("maximum", 2, 3, 2), conv(4), act("tanh"), pool("average", 2, 2, 1), dense(3)),
        3, "cross_entropy", 3,
    )  # fmt: skip
    yield Case(
        "one-sample-global-tanh-mse", (6, 5, 2),
        (conv(4), act("tanh"), pool("average", 6, 5, 1), dense(2)), 1, "mse", 2,
    )  # fmt: skip
    yield Case(
        "residual-tanh-cross_entropy", (6, 6, 2),
        (conv(3, bias=False), act("tanh"), conv(3, bias=False), act("tanh"), conv(3, bias=False), add(1),
         act("tanh"), conv(5, stride=2, bias=False), act("tanh"), conv(5, bias=False), add(6, option_a(5, 2)),
         act("tanh"), pool("average", 3, 3, 1), dense(3)),
        4, "cross_entropy", 3, "soft",
    )  # fmt: skip
    yield Case(
        "projection-gelu-mse", (5, 6, 2),
        (conv(3, bias=False), act("gelu"), conv(4, stride=2, bias=False), act("gelu"), conv(4, bias=False),
         add(2, conv(4, kernel=1, stride=2, bias=False)), act("gelu"), pool("average", 3, 3, 1), dense(2)),
        3, "mse", 2,
    )  # fmt: skip


def shapes(case):
    """(shape, multiplier) of each parameter, in their order in the flat vector."""
    found = []
    sizes = [case.image]

    def parameters(layer, size):
        height, width, channels = size
        if layer["kind"] == "convolution":
            k = layer["kernel"]
            found.append(((layer["outputs"], channels, k, k), layer["multiplier"]))
            if layer["bias"]:
                found.append(((layer["outputs"],), 1.0))
        if layer["kind"] in ("convolution", "subsample"):
            k, p = layer.get("kernel", 1), layer.get("padding", 0)
            reach = lambda n: (n + 2 * p - k) // layer["stride"] + 1
            return reach(height), reach(width), layer["outputs"]
        if layer["kind"] == "dense":
            found.append(((layer["outputs"], height * width * channels), 1.0))
            found.append(((layer["outputs"],), 1.0))
            return 1, 1, layer["outputs"]
        if layer["kind"] == "pooling":
            (rows, columns), stride = layer["window"], layer["stride"]
            return (height - rows) // stride + 1, (width - columns) // stride + 1, channels
        return size

    for layer in case.layers:
        if layer["kind"] == "sum" and layer["shortcut"]:
            parameters(layer["shortcut"], sizes[layer["value"]])
        sizes.append(parameters(layer, sizes[-1]))
    return found


def forward(case, params, inputs):
    """Outputs, samples x outputs; inputs are samples x (rows x columns x channels)."""
    offset = 0

    def take(shape):
        nonlocal offset
        size = int(np.prod(shape))
        offset += size
        return params[offset - size : offset].reshape(shape)

    def apply(layer, x):
        kind = layer["kind"]
        if kind == "convolution":
            k, padding, stride = layer["kernel"], layer["padding"], layer["stride"]
            weight = take((layer["outputs"], x.shape[-1], k, k))
            y = layer["multiplier"] * lax.conv_general_dilated(
                x, weight, (stride, stride), [(padding, padding)] * 2,
                dimension_numbers=("NHWC", "OIHW", "NHWC"), precision=lax.Precision.HIGHEST,
            )  # fmt: skip
            return y + take((layer["outputs"],)) if layer["bias"] else y
        if kind == "activation":
            return ACTIVATIONS[layer["function"]](x)
        if kind == "pooling":
            window, stride = (1, *layer["window"], 1), (1, layer["stride"], layer["stride"], 1)
            if layer["kept"] == "maximum":
                return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, "VALID")
            total = lax.reduce_window(x, 0.0, lax.add, window, stride, "VALID")
            return total / np.prod(layer["window"])
        if kind == "subsample":
            kept = x[:, :: layer["stride"], :: layer["stride"]]
            return jnp.pad(kept, ((0, 0),) * 3 + ((0, layer["outputs"] - x.shape[-1]),))
        if kind == "dense":
            x = x.reshape(len(x), -1)
            weight = take((layer["outputs"], x.shape[1]))
            return x @ weight.T + take((layer["outputs"],))
        raise ValueError(kind)

    values = [inputs.reshape(-1, *case.image)]
    for layer in case.layers:
        if layer["kind"] == "sum":
            skip = values[layer["value"]]
            skip = apply(layer["shortcut"], skip) if layer["shortcut"] else skip
            values.append(values[-1] + skip)
        else:
            values.append(apply(layer, values[-1]))
    return values[-1]


def draw(case):
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    # Each tensor is divided by the factor with which it will be multiplied, so that values stay near one.
    tensors = [
        rng.normal(size=int(np.prod(shape))) * (1.2 / np.prod(shape[1:]) ** 0.5 if len(shape) > 1 else 0.3) / multiplier
        for shape, multiplier in shapes(case)
    ]
    params = np.concatenate(tensors)
    inputs = rng.normal(size=(case.samples, int(np.prod(case.image))))
    targets = draw_targets(case, rng)
    v = rng.normal(size=params.size)
    u = rng.normal(size=(case.samples, case.output_size))
    return params, inputs, targets, v, u


def measure_of(case, forward, params, inputs, targets, v, u):
    """The values that a network, outputs = forward(params, inputs), must reproduce."""
    outputs_at = lambda p: forward(p, inputs)
    loss_at = lambda p: loss_of_outputs(case, outputs_at(p), targets)
    outputs, jvp = jax.jvp(outputs_at, (params,), (v,))
    gradient, hvp = jax.jvp(jax.grad(loss_at), (params,), (v,))
    _, pull = jax.vjp(outputs_at, params)
    _, loss_hvp = jax.jvp(jax.grad(lambda f: loss_of_outputs(case, f, targets)), (outputs,), (jvp,))
    return {
        "outputs": outputs,
        "loss_value": loss_at(params),
        "gradient": gradient,
        "jvp": jvp,
        "vjp": pull(u)[0],
        "hvp": hvp,
        "gauss_newton": pull(loss_hvp)[0],
    }


def evaluate(case):
    data = dict(zip(("params", "inputs", "targets", "v", "u"), draw(case)))
    values = jax.jit(lambda data: measure_of(case, lambda p, x: forward(case, p, x), **data))(data)
    record = asdict(case) | {"parameter_count": data["params"].size} | data
    # jit hands a dictionary back sorted by key.
    order = ("outputs", "loss_value", "gradient", "jvp", "vjp", "hvp", "gauss_newton")
    record |= {key: values[key] for key in order}
    return {key: plain(value) for key, value in record.items()}


if __name__ == "__main__":
    run(__doc__, VALUES, (evaluate(case) for case in cases()))
