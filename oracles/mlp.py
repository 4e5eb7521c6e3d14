"""Reference values of small multilayer perceptrons, by dense autodiff in f64.

    python mlp.py            writes values/mlp.json
    python mlp.py --check    recomputes and compares with the file there

README.md states the conventions and the fields of a case.
"""

import argparse
import json
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp
import numpy as np

VALUES = Path(__file__).parent / "values" / "mlp.json"
# Above this number of parameters the spectrum would be most of the file.
MAX_PARAMETERS_FOR_SPECTRUM = 60

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
}
LOSSES = ("mse", "cross_entropy", "logistic", "exponential")
PARAMETRIZATIONS = ("standard", "ntk", "mup")


@dataclass(frozen=True)
class Case:
    """What a network and its data look like; the seed follows from the name."""

    name: str
    input_size: int
    hidden: tuple[int, ...]
    output_size: int
    samples: int
    activation: str
    loss: str
    parametrization: str
    bias: bool = True
    residual: bool = False
    target_kind: str = "hard"  # "soft": a random distribution for each sample
    input_kind: str = "normal"  # "growing": lengths 1 to 10000, for large outputs

    def sizes(self):
        return (self.input_size, *self.hidden, self.output_size)

    def multipliers(self):
        """(s_l, t_l), the factors of weights and bias, for each layer."""
        sizes = self.sizes()
        last = len(self.hidden)
        factors = []
        for layer, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:])):
            if self.parametrization == "ntk":
                factors.append((fan_in**-0.5, 1.0))
            elif self.parametrization == "standard" or last == 0:
                factors.append((1.0, 1.0))
            elif layer == last:
                factors.append((fan_in**-0.5, 1.0))
            else:
                factors.append((fan_out**0.5 if layer == 0 else 1.0, fan_out**0.5))
        return factors

    def shapes(self):
        """Shapes of the parameters, in their order in the flat vector."""
        sizes = self.sizes()
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            yield (fan_out, fan_in)
            if self.bias:
                yield (fan_out,)

    def parameter_count(self):
        return sum(int(np.prod(shape)) for shape in self.shapes())


def cases():
    """Every combination of activation, loss and parametrization, then variants."""
    outputs = {"mse": 2, "cross_entropy": 3, "logistic": 1, "exponential": 1}
    hidden_of_depth = {1: (4,), 2: (4, 3), 3: (3, 4, 2)}
    index = 0
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            for parametrization in PARAMETRIZATIONS:
                # Three parametrizations and a depth that moves on with each
                # loss, so that every pair of the two occurs.
                depth = 1 + (index + index // 3) % 3
                yield Case(
                    f"{activation}-{loss}-{parametrization}",
                    5, hidden_of_depth[depth], outputs[loss], 6,
                    activation, loss, parametrization,
                )  # fmt: skip
                index += 1
    for loss in LOSSES:
        for parametrization in PARAMETRIZATIONS:
            yield Case(
                f"linear-{loss}-{parametrization}",
                5, (), outputs[loss], 6, "identity", loss, parametrization,
            )  # fmt: skip

    def variant(name, activation, loss, parametrization, **changes):
        fields = dict(input_size=5, hidden=(4, 3), output_size=outputs[loss], samples=6)
        return Case(
            f"{name}-{activation}-{loss}-{parametrization}",
            activation=activation, loss=loss, parametrization=parametrization,
            **(fields | changes),
        )  # fmt: skip

    yield variant("no-bias", "relu", "mse", "mup", bias=False)
    yield variant("no-bias", "gelu", "cross_entropy", "ntk", bias=False)
    yield variant("no-bias", "tanh", "logistic", "standard", bias=False)
    yield variant("no-bias-linear", "identity", "cross_entropy", "ntk", bias=False, hidden=())
    # The two-layer linear network of the catapult's closed forms.
    yield variant(
        "uv", "identity", "mse", "ntk",
        bias=False, input_size=1, hidden=(7,), output_size=1, samples=1,
    )  # fmt: skip
    yield variant("residual", "relu", "cross_entropy", "standard", residual=True, hidden=(3, 3, 3))
    yield variant("residual", "tanh", "mse", "ntk", residual=True, hidden=(3, 3, 3))
    yield variant("residual", "gelu", "logistic", "mup", residual=True, hidden=(4, 4))
    yield variant("residual", "identity", "exponential", "mup", residual=True, hidden=(2, 2, 2, 2))
    yield variant("one-sample", "gelu", "mse", "standard", samples=1)
    yield variant("one-sample", "tanh", "cross_entropy", "mup", samples=1)
    yield variant("one-sample", "relu", "logistic", "ntk", samples=1)
    yield variant("one-sample", "tanh", "exponential", "standard", samples=1)
    yield variant("deep", "tanh", "cross_entropy", "ntk", hidden=(3, 2, 3, 2, 3))
    yield variant("deep", "relu", "mse", "standard", hidden=(4, 3, 5, 4, 3), samples=9)
    yield variant("deep", "gelu", "exponential", "mup", hidden=(2, 3, 2, 3, 2, 3))
    yield variant("one-wide", "tanh", "mse", "mup", input_size=1, hidden=(1, 1), output_size=1)
    yield variant("wide", "gelu", "cross_entropy", "standard", input_size=9, hidden=(17, 11))
    yield variant("wide", "relu", "cross_entropy", "mup", input_size=9, hidden=(17, 11), samples=13)
    yield variant("one-output", "relu", "mse", "ntk", output_size=1)
    yield variant("soft-targets", "tanh", "cross_entropy", "standard", target_kind="soft")
    yield variant("soft-targets", "relu", "cross_entropy", "mup", target_kind="soft", output_size=4)
    yield variant("large-outputs", "relu", "cross_entropy", "standard", input_kind="growing")
    yield variant("large-outputs", "relu", "logistic", "standard", input_kind="growing")


def unflatten(case, params):
    """The flat vector as a list of (weight, bias or None)."""
    offset, tensors = 0, []
    for shape in case.shapes():
        size = int(np.prod(shape))
        tensors.append(params[offset : offset + size].reshape(shape))
        offset += size
    if case.bias:
        return list(zip(tensors[::2], tensors[1::2]))
    return [(weight, None) for weight in tensors]


def forward(case, params, inputs):
    """Outputs, samples x outputs, and the pre-activations of each layer."""
    act = ACTIVATIONS[case.activation]
    h, preactivations = inputs, []
    layers = list(zip(unflatten(case, params), case.multipliers()))
    for index, ((weight, bias), (s, t)) in enumerate(layers):
        z = s * (h @ weight.T)
        if bias is not None:
            z = z + t * bias
        preactivations.append(z)
        if index == len(layers) - 1:
            return z, preactivations
        h = act(z) + h if case.residual and index >= 1 else act(z)


def loss_of_outputs(case, outputs, targets):
    samples = outputs.shape[0]
    if case.loss == "mse":
        return jnp.sum((outputs - targets) ** 2) / (2 * samples)
    if case.loss == "cross_entropy":
        return -jnp.sum(targets * jax.nn.log_softmax(outputs, axis=1)) / samples
    margin = targets * outputs
    if case.loss == "logistic":
        return jnp.sum(jax.nn.softplus(-margin)) / samples
    return jnp.sum(jnp.exp(-margin)) / samples


def draw_parameters(case, rng):
    """Normal parameters that keep every layer's values near one: each is
    divided by the factor with which it will be multiplied."""
    tensors = []
    for fan_in, fan_out, (s, t) in zip(case.sizes(), case.sizes()[1:], case.multipliers()):
        tensors.append(rng.normal(size=fan_out * fan_in) * 1.2 / (s * fan_in**0.5))
        if case.bias:
            tensors.append(rng.normal(size=fan_out) * 0.3 / t)
    return np.concatenate(tensors)


def draw_targets(case, rng):
    shape = (case.samples, case.output_size)
    if case.loss == "mse":
        return rng.normal(size=shape)
    if case.loss == "cross_entropy":
        if case.target_kind == "soft":
            return rng.dirichlet(np.ones(case.output_size), size=case.samples)
        return np.eye(case.output_size)[rng.integers(case.output_size, size=case.samples)]
    return rng.choice([-1.0, 1.0], size=shape)


def draw(case):
    """Parameters and data at which every derivative is well defined and alive.

    With ReLU, no pre-activation is near zero, where another order of summation
    could change its sign, and every hidden layer has both signs in it.
    """
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))

    @jax.jit
    def look(params, inputs, targets):
        loss = lambda p: loss_of_outputs(case, forward(case, p, inputs)[0], targets)
        return forward(case, params, inputs)[1][:-1], jax.grad(loss)(params)

    while True:
        params = draw_parameters(case, rng)
        inputs = rng.normal(size=(case.samples, case.input_size))
        if case.input_kind == "growing":
            inputs *= np.geomspace(1.0, 1e4, case.samples)[:, None]
        targets = draw_targets(case, rng)
        hidden, gradient = look(params, inputs, targets)
        hidden = [np.asarray(z) for z in hidden]
        alive = all(
            np.abs(z).min() > 1e-2 and (z > 0).any() and (z < 0).any() for z in hidden
        )
        weights = [weight for weight, _ in unflatten(case, np.asarray(gradient))]
        learns = all(np.abs(weight).max() > 1e-3 for weight in weights)
        if (case.activation != "relu" or alive) and learns:
            break
    v = rng.normal(size=params.size)
    u = rng.normal(size=(case.samples, case.output_size))
    return params, inputs, targets, v, u


def measure(case, params, inputs, targets, v, u):
    """The values that a network with this case's data must reproduce."""
    outputs_at = lambda p: forward(case, p, inputs)[0]
    loss_at = lambda p: loss_of_outputs(case, outputs_at(p), targets)

    outputs, jvp = jax.jvp(outputs_at, (params,), (v,))
    gradient, hvp = jax.jvp(jax.grad(loss_at), (params,), (v,))

    # Dense from here on: J as (samples * outputs) x parameters, and the loss's
    # Hessian in the outputs, so that no product below shares code with those above.
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
        "ntk_top": jnp.linalg.eigvalsh(jacobian @ jacobian.T / case.samples)[-1],
    }
    if params.size >= MAX_PARAMETERS_FOR_SPECTRUM:
        return values | {"hessian_eigenvalues": None}
    hessian = jax.hessian(loss_at)(params)
    return values | {"hessian_eigenvalues": jnp.linalg.eigvalsh(hessian)}


def evaluate(case):
    """The case's record: what it is, its data, its values."""
    data = dict(zip(("params", "inputs", "targets", "v", "u"), draw(case)))
    values = jax.jit(lambda data: measure(case, **data))(data)
    record = asdict(case) | {"parameter_count": case.parameter_count()} | data
    # jit hands a dictionary back sorted by key.
    order = ("outputs", "loss_value", "gradient", "jvp", "vjp", "hvp", "gauss_newton", "ntk_top")
    record |= {key: values[key] for key in (*order, "hessian_eigenvalues")}
    return {key: plain(value) for key, value in record.items()}


def plain(value):
    """Arrays as flat row-major lists: the shapes follow from the case."""
    if isinstance(value, (np.ndarray, jax.Array)):
        flat = np.asarray(value, dtype=np.float64).reshape(-1).tolist()
        return flat if np.ndim(value) else flat[0]
    return list(value) if isinstance(value, tuple) else value


def write(records, path):
    """One case a line, floats as `repr` prints them: they read back bit by bit."""
    lines = ",\n".join(json.dumps(record, allow_nan=False) for record in records)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"format": 1, "cases": [\n{lines}\n]}}\n')


def differences(records, path):
    """The largest normwise relative difference of each field from the file."""
    stored = {record["name"]: record for record in json.loads(path.read_text())["cases"]}
    if set(stored) != {record["name"] for record in records}:
        sys.exit(f"{path}: not the same cases; run without --check to write them anew")
    worst = {}
    for record in records:
        for key, value in record.items():
            old = stored[record["name"]][key]
            if isinstance(value, float) or (isinstance(value, list) and key != "hidden"):
                a, b = np.atleast_1d(value), np.atleast_1d(old)
                size = np.abs(b).max()
                gap = float(np.abs(a - b).max() / size) if size else float(np.abs(a).max())
                worst[key] = max(worst.get(key, 0.0), gap)
            elif value != old:
                sys.exit(f"{record['name']}: {key} was {old}, is {value}")
    return worst


def run(doc, path, records):
    """The command line of a script that makes the values in `path`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    records = list(records)
    if not arguments.check:
        write(records, path)
        print(f"{len(records)} cases, {path.stat().st_size} bytes: {path}")
        return
    worst = differences(records, path)
    for key, gap in worst.items():
        print(f"{key:20} {gap:.1e}")
    if max(worst.values()) > 1e-12:
        sys.exit("the values differ by more than 1e-12")


if __name__ == "__main__":
    run(__doc__, VALUES, (evaluate(case) for case in cases()))
