"""Questions that users ask as a command, timed with the start of the process and its imports.

    python commands.py WORK PEER [--repeats N] [--threads T]
    python commands.py --list

Prints one JSON line, as peers.py does. Every peer reads the parameters and the samples that `etalon measure` has saved, so
that `check`, its answer, is one on the same inputs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ETALON = ROOT / "target" / "release" / "etalon"
# The largest eigenvalue of the loss's Hessian, 784-512-512-10, cross-entropy on 1024 images.
KEYS = ["network.width=512", "network.depth=2", "data.train=1024", "measure.samples=1024"]
TOLERANCE = 1e-3


def tensors(path):
    """The arrays of a safetensors file by name."""
    import numpy as np

    data = Path(path).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[end:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


def read(weights, samples):
    """Inputs, targets (one-hot), and [weight, bias] of each layer, out x in."""
    weights, samples = tensors(weights), tensors(samples)
    layers = [[weights[f"layers.{i}.{part}"] for part in ("weight", "bias")] for i in range(3)]
    return samples["inputs"], samples["targets"], layers


def largest(size, product):
    """What a user of SciPy writes."""
    import numpy as np
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator = LinearOperator((size, size), matvec=product, dtype=np.float32)
    start = np.random.default_rng(0).normal(size=size).astype(np.float32)
    return float(eigsh(operator, k=1, which="LA", tol=TOLERANCE, v0=start, return_eigenvectors=False)[0])


def jax_sharpness(weights, samples):
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    inputs, targets, layers = read(weights, samples)
    flat, unflatten = ravel_pytree(layers)

    def loss(flat, inputs, targets):
        h, (*hidden, (last, bias)) = inputs, unflatten(flat)
        for weight, shift in hidden:
            h = jax.nn.relu(h @ weight.T + shift)
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(h @ last.T + bias), axis=1))

    slope = lambda p, x, y: jax.grad(lambda p: loss(p, x, y))(p)
    held = jax.jit(lambda p, x, y: jax.linearize(lambda p: slope(p, x, y), p)[1])(flat, inputs, targets)
    apply = jax.jit(lambda held, v: held(v))
    return largest(flat.size, lambda v: apply(held, v.ravel()))


def torch_sharpness(weights, samples):
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    inputs, targets, layers = read(weights, samples)
    inputs, targets = torch.tensor(inputs), torch.tensor(targets)
    parameters = [torch.tensor(array, requires_grad=True) for layer in layers for array in layer]
    h = inputs
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        h = F.relu(F.linear(h, weight, bias))
    loss = F.cross_entropy(F.linear(h, *parameters[-2:]), targets)
    slope = torch.cat([g.ravel() for g in torch.autograd.grad(loss, parameters, create_graph=True)])

    def product(v):
        v = torch.from_numpy(v.ravel())
        rows = torch.autograd.grad(slope, parameters, grad_outputs=v, retain_graph=True)
        return torch.cat([row.ravel() for row in rows]).numpy()

    return largest(slope.numel(), product)


SCRIPTS = {("w8", "jax-script"): jax_sharpness, ("w8", "torch-script"): torch_sharpness}


def etalon(folder, *more):
    """Measures, and gives the eigenvalue."""
    command = [ETALON, "measure", *KEYS, f"measure.tolerance={TOLERANCE}", "--only", "hessian.max", "--json", "-q", *more]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["hessian"]["max"]["value"]


def timed(peer, folder):
    """Seconds of the whole command, and its answer."""
    begin = time.perf_counter()
    if peer == "etalon":
        answer = etalon(folder, "--weights", "weights")
    else:
        command = [sys.executable, __file__, "w8", peer, "--answer", folder]
        answer = float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return time.perf_counter() - begin, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", nargs="?", choices=["w8"])
    parser.add_argument("peer", nargs="?")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every work and peer")
    parser.add_argument("--answer", metavar="DIR", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.list:
        for work, name in SCRIPTS:
            print(work, name)
        return
    if arguments.answer:
        files = [Path(arguments.answer) / name for name in ("weights", "samples")]
        print(SCRIPTS[arguments.work, arguments.peer](*files))
        return
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    line = {"work": arguments.work, "peer": arguments.peer, "unit": "s"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            etalon(folder, "--save-weights", "weights", "--save-batch", "samples")
            runs = [timed(arguments.peer, folder) for _ in range(arguments.repeats)]
        line |= {"samples": [seconds for seconds, _ in runs], "check": runs[-1][1]}
    except (OSError, subprocess.CalledProcessError) as error:
        line["skipped"] = str(error)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
