"""PyTorch and JAX on the works that Etalon is timed on.

    python peers.py WORK PEER --problem FOLDER [--repeats N] [--threads T]
    python peers.py --list

Prints one JSON line: {"work", "peer", "unit", "samples", "check"}, or
{"work", "peer", "skipped"} with the reason. README.md says what the works are.
FOLDER holds what the work is done on, as Etalon's `bench WORK --save FOLDER` leaves it.
`check` is a number that every peer must agree on up to f32 rounding, so that a
peer cannot be fast by computing something else.
"""

import argparse
import json
import os
import shutil
import time
from pathlib import Path

UNITS = {"w1": "ms", "w2": "s", "w3": "ms", "w4": "ms", "w7": "ms", "w11": "s", "w13": "s"}
LEARNING_RATES = [0.01 * 1.5**i for i in range(16)]
SWEEP_STEPS = 200
PEERS = {}
PROBLEM = Path()


class Skipped(Exception):
    """Why a peer cannot run on this machine."""


def peer(work, name):
    """Enters a function (repeats, threads) -> (samples, check) under a name."""

    def enter(function):
        PEERS[work, name] = function
        return function

    return enter


def tensors(path):
    """The f32 arrays of a safetensors file by name."""
    import numpy as np

    data = Path(path).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[end:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


def problem():
    """Inputs, labels, and the parameters by PyTorch's names, as Etalon saved them."""
    samples = tensors(PROBLEM / "samples")
    return samples["inputs"].copy(), samples["targets"].argmax(1), tensors(PROBLEM / "weights")


def dense_problem():
    """Inputs, labels, and (weight, bias) of each layer, weights out x in."""
    inputs, labels, weights = problem()
    count = len(weights) // 2
    return inputs, labels, [[weights[f"layers.{i}.{part}"].copy() for part in ("weight", "bias")] for i in range(count)]


def largest(size, product):
    """The largest eigenvalue of a symmetric product, as a user of SciPy finds it."""
    import numpy as np
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator = LinearOperator((size, size), matvec=lambda v: product(v.ravel()), dtype=np.float32)
    start = np.random.default_rng(0).normal(size=size).astype(np.float32)
    return float(eigsh(operator, k=1, which="LA", tol=1e-3, v0=start, return_eigenvectors=False)[0])


def timed(work, repeats, warm_up, scale):
    """Seconds times `scale` of each of `repeats` calls, after `warm_up` calls."""
    for _ in range(warm_up):
        work()
    samples = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        samples.append((time.perf_counter() - start) * scale)
    return samples


# ---------------------------------------------------------------- PyTorch


def torch_problem(threads):
    import torch

    torch.set_num_threads(threads)
    inputs, labels, layers = dense_problem()
    tensors = [torch.from_numpy(array) for layer in layers for array in layer]
    return torch, torch.from_numpy(inputs), torch.from_numpy(labels), tensors


def torch_loss(tensors, inputs, labels):
    from torch.nn import functional as F

    h = inputs
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2]):
        h = F.relu(F.linear(h, weight, bias))
    return F.cross_entropy(F.linear(h, tensors[-2], tensors[-1]), labels)


def torch_model(torch, tensors):
    """The network as a user writes it: a Sequential and an optimiser's step."""
    modules = []
    for weight, bias in zip(tensors[::2], tensors[1::2]):
        linear = torch.nn.utils.skip_init(torch.nn.Linear, weight.shape[1], weight.shape[0])
        linear.weight.data.copy_(weight)
        linear.bias.data.copy_(bias)
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def torch_step(repeats, threads, compiled):
    torch, inputs, labels, tensors = torch_problem(threads)
    model = torch_model(torch, tensors)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    forward = torch.compile(model) if compiled else model
    losses = []

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(forward(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    samples = timed(step, repeats, warm_up=5, scale=1e3)
    return samples, losses[-1]


@peer("w1", "torch-eager")
def _(repeats, threads):
    return torch_step(repeats, threads, compiled=False)


def compiled_or_skipped(run):
    """Runs what needs torch.compile, or says why it cannot."""
    if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
        raise Skipped("torch.compile needs a C++ compiler, and none is on PATH")
    try:
        return run()
    except Exception as error:  # torch.compile raises many types, by version
        reason = next(iter(str(error).strip().splitlines()), "")
        raise Skipped(f"torch.compile failed: {type(error).__name__}: {reason}") from error


@peer("w1", "torch-compile")
def _(repeats, threads):
    return compiled_or_skipped(lambda: torch_step(repeats, threads, compiled=True))


@peer("w2", "torch-vmap")
def _(repeats, threads):
    torch, inputs, labels, tensors = torch_problem(threads)
    rates = torch.tensor(LEARNING_RATES)
    gradient = torch.func.vmap(torch.func.grad(torch_loss), in_dims=(0, None, None))
    final = []

    def sweep():
        stacked = [tensor.expand(len(rates), *tensor.shape).clone() for tensor in tensors]
        for _ in range(SWEEP_STEPS):
            for tensor, slope in zip(stacked, gradient(stacked, inputs, labels)):
                tensor -= rates.reshape(-1, *[1] * (tensor.dim() - 1)) * slope
        final[:] = [tensor[0] for tensor in stacked]

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    return samples, torch_loss(final, inputs, labels).item()


@peer("w2", "torch-loop")
def _(repeats, threads):
    torch, inputs, labels, tensors = torch_problem(threads)
    final = []

    def sweep():
        final.clear()
        for rate in LEARNING_RATES:
            model = torch_model(torch, tensors)
            optimizer = torch.optim.SGD(model.parameters(), lr=rate)
            for _ in range(SWEEP_STEPS):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            final.append(list(model.parameters()))

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    return samples, torch_loss(final[0], inputs, labels).item()


def torch_hvp(repeats, tensors, loss, retained):
    """One product at a fixed point. What is not retained is computed again for each."""
    import torch

    direction = [torch.ones_like(tensor) for tensor in tensors]

    def gradient():
        return torch.autograd.grad(loss(), tensors, create_graph=True)

    kept = gradient() if retained else None
    product = []

    def hvp():
        product[:] = torch.autograd.grad(
            kept or gradient(), tensors, grad_outputs=direction, retain_graph=retained
        )

    samples = timed(hvp, repeats, warm_up=3, scale=1e3)
    return samples, sum(entry.square().sum().item() for entry in product) ** 0.5


def torch_sharpness(repeats, tensors, loss):
    """The graph of the gradient and SciPy's eigsh, anew each time."""
    import torch

    values = []

    def find():
        slope = torch.cat([g.ravel() for g in torch.autograd.grad(loss(), tensors, create_graph=True)])

        def product(v):
            rows = torch.autograd.grad(slope, tensors, grad_outputs=torch.from_numpy(v), retain_graph=True)
            return torch.cat([row.ravel() for row in rows]).numpy()

        values.append(largest(slope.numel(), product))

    return timed(find, repeats, warm_up=0, scale=1.0), values[-1]


@peer("w11", "torch-eigsh")
def _(repeats, threads):
    _, inputs, labels, tensors = torch_problem(threads)
    for tensor in tensors:
        tensor.requires_grad_()
    return torch_sharpness(repeats, tensors, lambda: torch_loss(tensors, inputs, labels))


def torch_dense_hvp(repeats, threads, retained):
    _, inputs, labels, tensors = torch_problem(threads)
    for tensor in tensors:
        tensor.requires_grad_()
    return torch_hvp(repeats, tensors, lambda: torch_loss(tensors, inputs, labels), retained)


@peer("w4", "torch-retained-graph")
def _(repeats, threads):
    return torch_dense_hvp(repeats, threads, retained=True)


@peer("w4", "torch-double-backward")
def _(repeats, threads):
    return torch_dense_hvp(repeats, threads, retained=False)


def preresnet20(torch):
    """No bias in convolutions, shortcuts without parameters."""
    from torch import nn
    from torch.nn import functional as F

    def conv(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, stride)
            self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
            self.stride, self.new = stride, outputs - inputs

        def forward(self, x):
            y = self.conv1(F.relu(self.bn1(x), inplace=True))
            y = self.conv2(F.relu(self.bn2(y), inplace=True))
            if self.new:
                x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))
            return y + x

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = conv(3, 16)
            for stage, (inputs, outputs) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
                first = Block(inputs, outputs, 2 if stage > 1 else 1)
                blocks = [first, Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
                setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            self.bn, self.fc = nn.BatchNorm2d(64), nn.Linear(64, 10)

        def forward(self, x):
            x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
            return self.fc(F.relu(self.bn(x), inplace=True).mean((2, 3)))

    return Network()


def torch_images(threads):
    """A PreResNet-20 and a batch of images, channels last."""
    import torch

    torch.set_num_threads(threads)
    inputs, labels, weights = problem()
    inputs = torch.from_numpy(inputs).view(-1, 32, 32, 3).permute(0, 3, 1, 2)
    model = preresnet20(torch)
    state = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    statistics = {name: value for name, value in model.state_dict().items() if name not in state}
    model.load_state_dict(state | statistics)
    return torch, inputs, torch.from_numpy(labels), model.to(memory_format=torch.channels_last)


def torch_image_step(repeats, threads, compiled):
    torch, inputs, labels, model = torch_images(threads)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    forward = torch.compile(model) if compiled else model
    losses = []

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(forward(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    samples = timed(step, repeats, warm_up=5, scale=1e3)
    # The first loss: later ones part, for training at this rate is chaotic in f32.
    return samples, losses[0]


@peer("w3", "torch-eager")
def _(repeats, threads):
    return torch_image_step(repeats, threads, compiled=False)


@peer("w3", "torch-compile")
def _(repeats, threads):
    return compiled_or_skipped(lambda: torch_image_step(repeats, threads, compiled=True))


def torch_image_loss(threads):
    """The parameters, and the loss as a function of nothing."""
    torch, inputs, labels, model = torch_images(threads)
    return list(model.parameters()), lambda: torch.nn.functional.cross_entropy(model(inputs), labels)


def torch_image_hvp(repeats, threads, retained):
    return torch_hvp(repeats, *torch_image_loss(threads), retained)


@peer("w13", "torch-eigsh")
def _(repeats, threads):
    return torch_sharpness(repeats, *torch_image_loss(threads))


@peer("w7", "torch-retained-graph")
def _(repeats, threads):
    return torch_image_hvp(repeats, threads, retained=True)


@peer("w7", "torch-double-backward")
def _(repeats, threads):
    return torch_image_hvp(repeats, threads, retained=False)


# -------------------------------------------------------------------- JAX


def jax_problem():
    import jax
    import jax.numpy as jnp

    inputs, labels, layers = dense_problem()
    # JAX's users keep weights in x out.
    params = [(jnp.asarray(weight.T), jnp.asarray(bias)) for weight, bias in layers]
    return jax, jnp.asarray(inputs), jnp.asarray(labels), params


def jax_loss(params, inputs, labels):
    import jax
    import jax.numpy as jnp

    h = inputs
    for weight, bias in params[:-1]:
        h = jax.nn.relu(h @ weight + bias)
    weight, bias = params[-1]
    log_p = jax.nn.log_softmax(h @ weight + bias)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))


@peer("w1", "jax-jit")
def _(repeats, threads):
    jax, inputs, labels, params = jax_problem()

    def descend(params, inputs, labels):
        loss, slope = jax.value_and_grad(jax_loss)(params, inputs, labels)
        return jax.tree.map(lambda p, g: p - 0.01 * g, params, slope), loss

    compiled = jax.jit(descend, donate_argnums=0)
    state = [params, None]

    def step():
        state[:] = jax.block_until_ready(compiled(state[0], inputs, labels))

    samples = timed(step, repeats, warm_up=5, scale=1e3)
    return samples, float(state[1])


@peer("w2", "jax-vmap")
def _(repeats, threads):
    jax, inputs, labels, params = jax_problem()

    def trial(rate, params, inputs, labels):
        def step(params, _):
            slope = jax.grad(jax_loss)(params, inputs, labels)
            return jax.tree.map(lambda p, g: p - rate * g, params, slope), None

        return jax.lax.scan(step, params, length=SWEEP_STEPS)[0]

    rates = jax.numpy.asarray(LEARNING_RATES)
    over_rates = jax.jit(jax.vmap(trial, in_axes=(0, None, None, None)))
    # Compiled outside the clock.
    compiled = over_rates.lower(rates, params, inputs, labels).compile()
    final = []

    def sweep():
        final[:] = jax.block_until_ready(compiled(rates, params, inputs, labels))

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    first = jax.tree.map(lambda tensor: tensor[0], final)
    return samples, float(jax_loss(first, inputs, labels))


def jax_products(repeats, linearized, problem, loss):
    jax, inputs, labels, params = problem
    direction = jax.tree.map(jax.numpy.ones_like, params)
    slope = lambda inputs, labels: jax.grad(lambda p: loss(p, inputs, labels))

    if linearized:
        # The linear map leaves jit with the activations as its arguments, so that
        # they are computed once and are no constants of the second compilation.
        held = jax.jit(lambda p, x, y: jax.linearize(slope(x, y), p)[1])(params, inputs, labels)
        apply = jax.jit(lambda held, v: held(v))
        call = lambda: apply(held, direction)
    else:
        jvp = jax.jit(lambda p, x, y, v: jax.jvp(slope(x, y), (p,), (v,))[1])
        call = lambda: jvp(params, inputs, labels, direction)

    samples = timed(lambda: jax.block_until_ready(call()), repeats, warm_up=3, scale=1e3)
    square = sum(float((entry**2).sum()) for entry in jax.tree.leaves(call()))
    return samples, square**0.5


@peer("w4", "jax-jvp-of-grad")
def _(repeats, threads):
    return jax_products(repeats, False, jax_problem(), jax_loss)


@peer("w4", "jax-linearize")
def _(repeats, threads):
    return jax_products(repeats, True, jax_problem(), jax_loss)


def jax_preresnet20(weights, x):
    """The logits; normalisation by the batch's statistics. Convolutions are height x width x inputs x outputs."""
    import jax
    from jax import numpy as jnp

    def conv(x, name, stride=1):
        numbers = ("NHWC", "HWIO", "NHWC")
        # PyTorch's padding: one pixel on each side, whatever the stride.
        return jax.lax.conv_general_dilated(
            x, weights[name + ".weight"], (stride, stride), ((1, 1), (1, 1)), dimension_numbers=numbers
        )

    def normalized(x, name):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        x = (x - mean) * jax.lax.rsqrt(variance + 1e-5)
        return jax.nn.relu(x * weights[name + ".weight"] + weights[name + ".bias"])

    x = conv(x, "conv1")
    for stage in (1, 2, 3):
        for block in range(3):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = conv(normalized(x, name + ".bn1"), name + ".conv1", stride)
            y = conv(normalized(y, name + ".bn2"), name + ".conv2")
            x = x[:, ::stride, ::stride]
            x = y + jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, y.shape[3] - x.shape[3])))
    return normalized(x, "bn").mean((1, 2)) @ weights["fc.weight"].T + weights["fc.bias"]


def jax_images():
    import jax
    from jax import numpy as jnp

    inputs, labels, weights = problem()
    named = {name: jnp.asarray(a.transpose(2, 3, 1, 0) if a.ndim == 4 else a) for name, a in weights.items()}

    def loss(weights, inputs, labels):
        log_p = jax.nn.log_softmax(jax_preresnet20(weights, inputs))
        return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))

    return named, loss, jnp.asarray(inputs.reshape(-1, 32, 32, 3)), jnp.asarray(labels)


def jax_sharpness(repeats, params, loss, inputs, labels):
    """The gradient linearised and SciPy's eigsh, anew each time, compiled before."""
    import jax
    from jax.flatten_util import ravel_pytree

    flat, unflatten = ravel_pytree(params)
    slope = lambda x, y: jax.grad(lambda p: loss(unflatten(p), x, y))
    held = jax.jit(lambda p, x, y: jax.linearize(slope(x, y), p)[1])
    apply = jax.jit(lambda held, v: held(v))
    # Compiled outside the clock.
    jax.block_until_ready(apply(held(flat, inputs, labels), flat))
    values = []

    def find():
        at = held(flat, inputs, labels)
        values.append(largest(flat.size, lambda v: apply(at, v)))

    return timed(find, repeats, warm_up=0, scale=1.0), values[-1]


@peer("w11", "jax-eigsh")
def _(repeats, threads):
    _, inputs, labels, params = jax_problem()
    return jax_sharpness(repeats, params, jax_loss, inputs, labels)


@peer("w13", "jax-eigsh")
def _(repeats, threads):
    params, loss, inputs, labels = jax_images()
    return jax_sharpness(repeats, params, loss, inputs, labels)


def jax_image_products(repeats, linearized):
    import jax

    params, loss, inputs, labels = jax_images()
    return jax_products(repeats, linearized, (jax, inputs, labels, params), loss)


@peer("w7", "jax-linearize")
def _(repeats, threads):
    return jax_image_products(repeats, linearized=True)


# ------------------------------------------------------------------- main


def limit_threads(threads):
    """Before the libraries are imported: they count their threads then.

    JAX has no option of its own; XLA's pool has one thread for each core that
    the process may run on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", nargs="?", choices=UNITS)
    parser.add_argument("peer", nargs="?")
    parser.add_argument("--problem", type=Path, metavar="FOLDER", help="what `bench WORK --save FOLDER` left")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every work and peer")
    arguments = parser.parse_args()
    if arguments.list:
        for work, name in PEERS:
            print(work, name)
        return
    if (arguments.work, arguments.peer) not in PEERS:
        parser.error("give a WORK and a PEER that --list names")
    if arguments.repeats < 1 or arguments.threads < 1:
        parser.error("--repeats and --threads must be at least 1")

    if arguments.problem is None:
        parser.error("--problem: which folder holds what the work is done on?")
    global PROBLEM
    PROBLEM = arguments.problem
    line = {"work": arguments.work, "peer": arguments.peer}
    limit_threads(arguments.threads)
    try:
        run = PEERS[arguments.work, arguments.peer]
        samples, check = run(arguments.repeats, arguments.threads)
        line |= {"unit": UNITS[arguments.work], "samples": samples, "check": check}
    except ImportError as error:
        line["skipped"] = f"{error}: pip install -r bench/requirements.txt"
    except Skipped as reason:
        line["skipped"] = str(reason)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
