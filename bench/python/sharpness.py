"""The largest Hessian eigenvalue of a network of ten million parameters, by three programs.

    python sharpness.py PROGRAM SEED

prints {"value", "products", "seconds", "memory", "parameters"}: `seconds` of the processor, `memory` the bytes by which the most that
the process held exceeds what it held before. A process each, because that is never given back.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy

SIZES = [1024, 2048, 2048, 2048]
TOLERANCE = 1e-2
# As many as Etalon takes: that program makes as many as it is told.
ITERATIONS = 28


def problem():
    """1024-2048-2048-2048-10, ReLU, at its start, and 64 samples."""
    torch.manual_seed(0)
    layers = [layer for pair in zip(SIZES, SIZES[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(SIZES[-1], 10))
    return model, (torch.randn(64, SIZES[0]), torch.randint(0, 10, (64,)))


def loss(model, batch):
    return cross_entropy(model(batch[0]), batch[1])


def etalon(model, batch, seed):
    import etalon.torch as et

    found = et.sharpness(model, loss, batch, tol=TOLERANCE, seed=seed)
    return found.value, found.products


def hessian_eigenthings(model, batch, seed):
    from hessian_eigenthings import HessianOperator, lanczos

    operator = HessianOperator(model, [batch], loss)
    found = lanczos(operator, k=1, max_iter=ITERATIONS, tol=TOLERANCE, which="LA", seed=seed)
    return found.eigenvalues[0].item(), found.iterations


def curvlinops(model, batch, seed):
    import numpy
    from curvlinops import HessianLinearOperator
    from scipy.sparse.linalg import LinearOperator, eigsh

    parameters = list(model.parameters())
    operator = HessianLinearOperator(model, nn.CrossEntropyLoss(), parameters, [batch]).to_scipy(numpy.float32)
    products = 0

    def product(vector):
        nonlocal products
        products += 1
        return operator @ vector

    counted = LinearOperator(operator.shape, matvec=product, dtype=operator.dtype)
    start = numpy.random.default_rng(seed).normal(size=operator.shape[0]).astype(numpy.float32)
    values = eigsh(counted, k=1, which="LA", tol=TOLERANCE, v0=start, return_eigenvectors=False)
    return float(values[0]), products


PROGRAMS = {"etalon": etalon, "hessian-eigenthings": hessian_eigenthings, "curvlinops": curvlinops}


def most():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    program, seed = PROGRAMS[sys.argv[1]], int(sys.argv[2])
    torch.set_num_threads(1)
    model, batch = problem()
    # What libraries load at a first call is theirs, and no part of the work.
    small = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 10))
    program(small, (batch[0][:, :8], batch[1]), seed)
    before, start = most(), time.process_time()
    value, products = program(model, batch, seed)
    seconds, memory = time.process_time() - start, most() - before
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps(dict(value=value, products=products, seconds=seconds, memory=memory, parameters=parameters)))


if __name__ == "__main__":
    main()
