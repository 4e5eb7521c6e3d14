"""What models have, each with every call: the answer is that of a second way to it."""

import copy

import etalon.torch as et
import models
import pytest
import torch
from torch import nn


def autocast(model, batch):
    with torch.autocast("cpu", torch.bfloat16):
        return models.cross_entropy(model, batch)


def named(name, training=True):
    model, loss, batch = models.ALL[name]()
    return model.train(training), loss, batch


def compiled():
    model, loss, batch = models.mlp()
    return torch.compile(model), loss, batch


def mixed():
    model, _, batch = models.mlp(dtype=torch.float32)
    return model, autocast, batch


CASES = {
    "dropout": lambda: named("dropout"),
    "batch normalisation, training": lambda: named("convolutional"),
    "batch normalisation, eval": lambda: named("convolutional", False),
    "attention": lambda: named("attention"),
    "tied": lambda: named("tied"),
    "frozen": lambda: named("frozen"),
    "compiled": compiled,
    "bf16 autocast": mixed,
}


@pytest.mark.parametrize("case", CASES)
def test_sharpness_is_the_largest_eigenvalue_of_the_whole_matrix(case):
    model, loss, batch = CASES[case]()
    plain = getattr(model, "_orig_mod", model)
    exact = models.cross_entropy if loss is autocast else loss
    value = torch.linalg.eigvalsh(models.hessian(plain, exact, batch)[0])[-1]
    # Of bf16's 8 bits about as much is left in the curvature.
    tolerance = 2e-2 if loss is autocast else 1e-9
    found = et.sharpness(model, loss, batch, tol=1e-2 if loss is autocast else 1e-7, max_iterations=200)
    assert found.value == pytest.approx(value.item(), rel=tolerance)


@pytest.mark.parametrize("case", CASES)
def test_critical_lr_is_where_the_loss_is_what_it_was(case):
    model, loss, batch = CASES[case]()
    found = et.critical_lr(model, loss, batch, tol=1e-2)
    plain = getattr(model, "_orig_mod", model)

    def at(eta):
        moved = copy.deepcopy(plain)
        torch.manual_seed(0)
        loss(moved, batch).backward()
        with torch.no_grad():
            for p in moved.parameters():
                if p.grad is not None:
                    p -= eta * p.grad
        for module, fresh in zip(moved.modules(), plain.modules()):
            for name, buffer in fresh._buffers.items():
                module._buffers[name] = None if buffer is None else buffer.clone()
        torch.manual_seed(0)
        return loss(moved, batch).item()

    assert found.converged and found.high / found.low <= 1.01
    assert at(found.low) <= at(0.0) < at(found.high)


def test_at_the_edge_of_stability_twice_over_the_rate_is_the_sharpness():
    """Full-batch gradient descent, whose sharpness rises until ``eta lambda / 2`` is 1 and hovers there (2103.00065)."""
    torch.manual_seed(1)
    inputs = torch.randn(40, 6, dtype=torch.float64)
    batch = inputs, torch.sin(3 * inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3]
    layers = [nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1)]
    model = nn.Sequential(*layers).double()

    def loss(model, batch):
        return (model(batch[0]) - batch[1]).square().mean()

    eta = 0.1
    optimizer = torch.optim.SGD(model.parameters(), eta)
    ratios = []
    assert eta * et.sharpness(model, loss, batch).value / 2 < 0.5
    for step in range(1500):
        optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        optimizer.step()
        if step >= 1000 and step % 50 == 0:
            ratios.append(eta / et.sharpness(model, loss, batch, optimizer=optimizer).limit.eta)
    assert len(ratios) == 10 and all(abs(ratio - 1) < 0.05 for ratio in ratios), ratios
