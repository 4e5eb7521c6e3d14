"""Who does a work: functions (repeats, threads) -> (samples, check) by work and name, and what they have in common."""

import time

LEARNING_RATES = [0.01 * 1.5**i for i in range(16)]
SWEEP_STEPS = 200
PEERS = {}


class Skipped(Exception):
    """Why a peer cannot run on this machine."""


def peer(work, name):
    """Enters a function (repeats, threads) -> (samples, check) under a name."""

    def enter(function):
        PEERS[work, name] = function
        return function

    return enter


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
