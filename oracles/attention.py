"""Reference values of small networks with attention, by autodiff in f64.

    python attention.py            writes values/attention.json
    python attention.py --check    recomputes and compares with the file there

README.md states the conventions and the fields of a case.
"""

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from convolution import measure_of
from mlp import draw_targets, plain, run

VALUES = Path(__file__).parent / "values" / "attention.json"


@dataclass(frozen=True)
class Case:
    """A dense layer, attention of one head, a dense layer; without the first, the inputs are queries, keys and values."""

    name: str
    input_size: int
    positions: int
    head: int
    samples: int
    loss: str
    output_size: int
    projected: bool = True
    target_kind: str = "hard"

    def shapes(self):
        """Shapes of the parameters, in their order in the flat vector."""
        width = self.positions * self.head
        if self.projected:
            yield from ((3 * width, self.input_size), (3 * width,))
        yield (self.positions, self.positions)
        yield from ((self.output_size, width), (self.output_size,))


def cases():
    yield Case("cross_entropy", 5, 4, 3, 6, "cross_entropy", 3)
    yield Case("above-one-register", 3, 9, 5, 3, "mse", 2)
    yield Case("one-position", 4, 1, 2, 3, "mse", 2)
    yield Case("of-the-inputs", 24, 4, 2, 5, "cross_entropy", 3, projected=False, target_kind="soft")
    yield Case("logistic", 4, 3, 4, 4, "logistic", 1)


def forward(case, params, inputs):
    """Outputs, samples x outputs."""
    shapes = list(case.shapes())
    parts = jnp.split(params, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    tensors = iter(part.reshape(shape) for part, shape in zip(parts, shapes))
    dense = lambda h: h @ next(tensors).T + next(tensors)
    h = dense(inputs) if case.projected else inputs
    q, k, v = jnp.moveaxis(h.reshape(-1, 3, case.positions, case.head), 1, 0)
    scores = jnp.einsum("aph,aqh->apq", q, k) / case.head**0.5 + next(tensors)
    h = jnp.einsum("apq,aqh->aph", jax.nn.softmax(scores, axis=-1), v)
    return dense(h.reshape(len(inputs), -1))


def evaluate(case):
    """The case's record: what it is, its data, its values."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    scale = lambda shape: 1.5 * shape[1] ** -0.5 if len(shape) > 1 else 0.3
    params = np.concatenate([scale(s) * rng.normal(size=int(np.prod(s))) for s in case.shapes()])
    inputs = rng.normal(size=(case.samples, case.input_size))
    data = dict(params=params, inputs=inputs, targets=draw_targets(case, rng))
    data |= dict(v=rng.normal(size=params.size), u=rng.normal(size=(case.samples, case.output_size)))
    values = jax.jit(lambda data: measure_of(case, lambda p, x: forward(case, p, x), **data))(data)
    # jit hands a dictionary back sorted by key.
    order = ("outputs", "loss_value", "gradient", "jvp", "vjp", "hvp", "gauss_newton")
    record = asdict(case) | data | {key: values[key] for key in order}
    return {key: plain(value) for key, value in record.items()}


if __name__ == "__main__":
    run(__doc__, VALUES, (evaluate(case) for case in cases()))
