"""A trainer that knows nothing of Etalon: a network of two layers in numpy, f64, by stochastic gradient descent.

    python two_layer.py WEIGHTS BATCH --eta ETA --seed SEED --batch B --steps N --log LOG

    f(x) = tanh(x W1^T / sqrt(inputs)) W2^T / sqrt(width),   loss = mean over samples of (f - y)^2 / 2

WEIGHTS and BATCH are safetensors of initial weights (`layers.0.weight`, `layers.1.weight`) and of all samples. The log has a row
a step, before the update: the loss of its batch and `all`, that of all samples; a last row has the end. The first row has
`sharpness`, the largest eigenvalue of J J^T / samples, with J the derivative of the outputs.
"""

import argparse
import json

import numpy as np
from safetensors.numpy import load_file

import batch_order


def outputs(w1, w2, x):
    """Hidden units and outputs."""
    hidden = np.tanh(x @ w1.T / np.sqrt(x.shape[1]))
    return hidden, hidden @ w2.T / np.sqrt(w1.shape[0])


def loss(w1, w2, x, y):
    return float(np.mean(np.sum((outputs(w1, w2, x)[1] - y) ** 2, axis=1)) / 2)


def gradient(w1, w2, x, y):
    hidden, out = outputs(w1, w2, x)
    error = (out - y) / len(x)
    back = error @ w2 / np.sqrt(w1.shape[0]) * (1 - hidden**2)
    return back.T @ x / np.sqrt(x.shape[1]), error.T @ hidden / np.sqrt(w1.shape[0])


def sharpness(w1, w2, x):
    """Of one output: K = (x x^T / inputs) * (D D^T / width) + h h^T / width, with D = tanh' W2."""
    hidden, _ = outputs(w1, w2, x)
    slopes = (1 - hidden**2) * w2
    kernel = (x @ x.T / x.shape[1]) * (slopes @ slopes.T / w1.shape[0]) + hidden @ hidden.T / w1.shape[0]
    return float(np.linalg.eigvalsh(kernel / len(x))[-1])


def training(w1, w2, x, y, eta, seed, batch, steps):
    """The rows of its log."""
    for step in range(steps + 1):
        visited = batch_order.indices(seed, len(x), batch, step)
        row = {"step": step, "loss": loss(w1, w2, x[visited], y[visited]), "all": loss(w1, w2, x, y)}
        if step == 0:
            row["sharpness"] = sharpness(w1, w2, x)
        yield row
        d1, d2 = gradient(w1, w2, x[visited], y[visited])
        w1, w2 = w1 - eta * d1, w2 - eta * d2


def start(weights, samples):
    """The weights of both layers, inputs and targets."""
    weights, samples = load_file(weights), load_file(samples)
    return weights["layers.0.weight"], weights["layers.1.weight"], samples["inputs"], samples["targets"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("samples")
    parser.add_argument("--eta", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args()
    np.seterr(all="ignore")
    settings = options.eta, options.seed, options.batch, options.steps
    with open(options.log, "w") as log:
        for row in training(*start(options.weights, options.samples), *settings):
            print(json.dumps(row), file=log, flush=True)


if __name__ == "__main__":
    main()
