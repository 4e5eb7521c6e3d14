"""Sharpness against the whole matrix, and limits against the optimisers themselves."""

import etalon
import etalon.torch as et
import models
import pytest
import torch
from torch import nn


@pytest.mark.parametrize("name", models.ALL)
@pytest.mark.parametrize("training", [True, False])
def test_it_is_the_largest_eigenvalue_of_the_whole_matrix(name, training):
    model, loss, batch = models.ALL[name]()
    model.train(training)
    values = torch.linalg.eigvalsh(models.hessian(model, loss, batch)[0])
    found = et.sharpness(model, loss, batch, ends="both", tol=1e-7, max_iterations=200)
    assert found.converged and found.asymmetry < 1e-10
    assert abs(found.value - values[-1]) < 1e-9 * values[-1]
    assert abs(found.smallest[0].value - values[0]) < 1e-9 * abs(values[0])
    rounding = 1e-13 * values[-1]
    assert found.interval[0] - rounding <= values[-1] <= found.interval[1] + rounding


def test_no_start_hides_the_largest():
    """From some of them the residual falls below the tolerance at the second eigenvalue first."""
    model, loss, batch = models.mlp(dtype=torch.float32)
    values = torch.linalg.eigvalsh(models.hessian(model, loss, batch)[0].double())
    assert values[-2] < 0.95 * values[-1]
    for seed in range(200):
        found = et.sharpness(model, loss, batch, seed=seed)
        assert found.converged and found.products <= 25
        assert abs(found.value / values[-1] - 1) < 1e-2, (seed, found)


def test_several_and_the_smallest():
    model, loss, batch = models.mlp()
    values = torch.linalg.eigvalsh(models.hessian(model, loss, batch)[0])
    found = et.sharpness(model, loss, batch, ends="both", count=3, tol=1e-8, max_iterations=200)
    assert torch.allclose(torch.tensor([e.value for e in found.largest], dtype=torch.float64), values[-3:].flip(0), rtol=1e-9)
    assert torch.allclose(torch.tensor([e.value for e in found.smallest], dtype=torch.float64), values[:3], rtol=1e-9)


def test_the_largest_is_returned_where_the_smallest_is_larger_in_size():
    """A ResNet at its start, where power iteration would answer with the smallest."""
    model, loss, batch = models.resnet()
    both = et.sharpness(model, loss, batch, ends="both", tol=1e-3)
    assert -both.smallest[0].value > 2 * both.largest[0].value > 0
    assert et.sharpness(model, loss, batch).value == pytest.approx(both.value, rel=1e-3)


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("decoupled", [True, False])
@pytest.mark.parametrize("amsgrad", [True, False])
def test_adams_matrix_is_that_of_its_own_step(steps, decoupled, amsgrad):
    """The preconditioner is what the optimiser divides by: read off a step with a known mean of gradients."""
    model, loss, batch = models.mlp()
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer = kind(model.parameters(), 0.01, weight_decay=0.1, amsgrad=amsgrad)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
    found = et.sharpness(model, loss, batch, optimizer=optimizer, tol=1e-9, max_iterations=200)
    matrix, gradient = models.hessian(model, loss, batch)
    weights = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    if not decoupled:
        matrix += 0.1 * torch.eye(len(matrix), dtype=torch.float64)
        gradient = gradient + 0.1 * weights
    if steps == 0:
        diagonal = gradient.abs() + 1e-8
    else:
        states = [optimizer.state[p] for p in model.parameters()]
        squares = torch.cat([s["max_exp_avg_sq" if amsgrad else "exp_avg_sq"].reshape(-1) for s in states])
        diagonal = (squares / (1 - 0.999**steps)).sqrt() + 1e-8
    root = diagonal.rsqrt()
    top = torch.linalg.eigvalsh(root[:, None] * matrix * root)[-1]
    assert abs(found.value - top) < 1e-8 * top
    extra = 0.1 * 1.9 / 0.1 if decoupled else 0.0
    assert found.limit.name == "adamw"
    assert found.limit.eta == pytest.approx(3.8 / (0.1 * (top.item() + extra)), rel=1e-7)
    assert any("no step yet" in warning for warning in found.warnings) == (steps == 0)


def quadratic(curvatures):
    weights = nn.Parameter(torch.zeros(len(curvatures), dtype=torch.float64))
    model = nn.ParameterList([weights])
    curvatures = torch.tensor(curvatures, dtype=torch.float64)
    return model, lambda model, batch: 0.5 * (curvatures * (model[0] - batch) ** 2).sum(), torch.ones(len(curvatures)).double()


def grows(model, loss, batch, optimizer, steps=1500):
    """Whether the optimiser itself leaves the minimum of a quadratic."""
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
    return not model[0].abs().max().item() < 1e3


@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(momentum=0.9),
        dict(momentum=0.8, nesterov=True),
        dict(momentum=0.5, weight_decay=0.7),
    ],
)
def test_the_limit_is_where_the_optimiser_itself_begins_to_grow(settings):
    def run(factor):
        model, loss, batch = quadratic([0.3, 2.0, 5.0])
        optimizer = torch.optim.SGD(model.parameters(), 1.0, **settings)
        limit = et.sharpness(model, loss, batch, optimizer=optimizer).limit
        optimizer.param_groups[0]["lr"] = limit.eta * factor
        return grows(model, loss, batch, optimizer)

    assert not run(0.99) and run(1.01)


def test_the_limit_holds_with_rates_and_decays_of_groups():
    def run(factor):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False)).double()
        for p in model.parameters():
            nn.init.zeros_(p)
        # A quadratic in the weights of both layers together.
        mixing = torch.randn(18, 18, dtype=torch.float64)
        mixing = mixing @ mixing.T

        def loss(model, batch):
            flat = torch.cat([p.reshape(-1) for p in model.parameters()])
            return 0.5 * (flat - batch) @ mixing @ (flat - batch)

        groups = [
            dict(params=model[0].parameters(), lr=1.0, weight_decay=3.0),
            dict(params=model[1].parameters(), lr=0.25, weight_decay=0.0),
        ]
        optimizer = torch.optim.SGD(groups, momentum=0.6)
        found = et.sharpness(model, loss, torch.ones(18).double(), optimizer=optimizer, tol=1e-6)
        assert found.matrix == "R^1/2 (H + D) R^1/2"
        for group, share in zip(optimizer.param_groups, (1.0, 0.25)):
            group["lr"] = found.limit.eta * share * factor
        wrapped = nn.ParameterList([model[0].weight])
        return grows(wrapped, lambda _, batch: loss(model, batch), torch.ones(18).double(), optimizer)

    assert not run(0.99) and run(1.01)


def test_an_optimiser_whose_limit_is_not_known_is_omitted_with_the_reason():
    model, loss, batch = models.mlp()
    found = et.sharpness(model, loss, batch, optimizer=torch.optim.RMSprop(model.parameters()))
    assert found.limit is None and found.matrix == "H"
    assert "known of SGD, Adam and AdamW" in found.omitted[0].reason
    turned = torch.optim.SGD(model.parameters(), 0.1, maximize=True)
    assert "maximize" in et.sharpness(model, loss, batch, optimizer=turned).omitted[0].reason


def test_a_result_says_itself():
    model, loss, batch = models.mlp()
    found = et.sharpness(model, loss, batch, optimizer=torch.optim.SGD(model.parameters(), 0.1, momentum=0.9))
    assert "heavy-ball: eta <" in repr(found) and len(repr(found).splitlines()) < 6
    assert found.to_dict()["limits"]["heavy-ball"]["eta"] == found.limit.eta == found.limits["heavy-ball"].eta
    assert isinstance(found.limit, etalon.Limit)
    assert found.limits["heavy-ball"].eta == pytest.approx(1.9 * found.limits["gradient-descent"].eta)
