"""The critical step against closed forms, and directions against the optimisers' own steps."""

import copy
import gc
import math

import etalon
import etalon.torch as et
import models
import pytest
import torch
from torch import nn


class Quadratic(nn.Module):
    """``w.H.w / 2 - b.w + 3`` with a known H, in two tensors."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)
        root = draw(12, 12)
        self.first, self.second = nn.Parameter(draw(3, 2)), nn.Parameter(draw(6))
        self.matrix, self.linear = root @ root.T, draw(12)

    def flat(self):
        return torch.cat([self.first.reshape(-1), self.second])

    def forward(self):
        w = self.flat()
        return w @ self.matrix @ w / 2 - self.linear @ w + 3

    def critical(self, d):
        """``2 g.d / d.H.d``."""
        gradient = self.matrix @ self.flat().detach() - self.linear
        return (2 * (gradient @ d) / (d @ self.matrix @ d)).item(), (d @ self.matrix @ d / (d @ d)).item()


def quadratic(model, batch):
    return model()


def test_along_the_gradient_of_a_quadratic_it_is_exact():
    model = Quadratic()
    gradient = model.matrix @ model.flat().detach() - model.linear
    eta, curvature = model.critical(gradient)
    found = et.critical_lr(model, quadratic, None)
    assert found.eta == pytest.approx(eta, rel=1e-12) and found.directional_curvature == pytest.approx(curvature, rel=1e-12)
    assert found.converged and found.low <= eta * (1 + 1e-12) and eta <= found.high * (1 + 1e-12)
    # Two at the start, two that grow by the most they may, one beyond, one there, one just below.
    assert found.high / found.low <= 1.05 and found.passes <= 7
    # At most the largest eigenvalue, and here far below it.
    assert found.directional_curvature < et.sharpness(model, quadratic, None).value


def test_along_tensors_of_ones_own_it_is_exact():
    model = Quadratic()
    gradient = model.matrix @ model.flat().detach() - model.linear
    direction = gradient.sign()
    found = et.critical_lr(model, quadratic, None, direction=[direction[:6].view(3, 2), direction[6:]])
    assert found.eta == pytest.approx(model.critical(direction)[0], rel=1e-12)
    with pytest.raises(etalon.Error, match=r"shapes \[\(12,\)\]: it must have one for each parameter"):
        et.critical_lr(model, quadratic, None, direction=[direction])


OPTIMISERS = {
    "SGD": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.3),
    "Adam": lambda p: torch.optim.Adam(p, 0.003, weight_decay=0.3),
    "AdamW": lambda p: torch.optim.AdamW(p, torch.tensor(0.003, dtype=torch.float64), amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.003),
    "NAdam": lambda p: torch.optim.NAdam(p, 0.003),
    "groups": lambda p: torch.optim.AdamW([dict(params=p[:1], lr=0.003), dict(params=p[1:], lr=0.001)]),
}


@pytest.mark.parametrize("kind", OPTIMISERS)
@pytest.mark.parametrize("steps", [0, 4])
def test_the_update_is_that_of_the_optimisers_next_step(kind, steps):
    model = Quadratic()
    optimizer = OPTIMISERS[kind](list(model.parameters()))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        model().backward()
        optimizer.step()
    found = et.critical_lr(model, quadratic, None, direction="update", optimizer=optimizer)
    # What it then does.
    there = copy.deepcopy(model)
    optimizer.zero_grad()
    model().backward()
    optimizer.step()
    rate = float(optimizer.param_groups[0]["lr"])
    direction = ((there.flat() - model.flat()) / rate).detach()
    eta, curvature = there.critical(direction)
    if eta > 0:
        assert found.eta == pytest.approx(eta, rel=1e-6)
        assert found.directional_curvature == pytest.approx(curvature, rel=1e-6)
    else:
        assert found.eta == 0 and "does not descend" in found.warnings[0]
    assert schedule.last_epoch == 0


def test_an_optimiser_that_is_not_torchs_is_followed_too():
    class Mine(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, dict(lr=lr))
            self.scale = 7.0

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                # Its parameters together.
                norm = sum((p.grad**2).sum() for p in group["params"]) ** 0.5
                for p in group["params"]:
                    p.sub_(p.grad * (self.scale * group["lr"] / norm))

    model = Quadratic()
    optimizer = Mine(model.parameters(), 0.1)
    found = et.critical_lr(model, quadratic, None, direction="update", optimizer=optimizer)
    gradient = model.matrix @ model.flat().detach() - model.linear
    assert found.eta == pytest.approx(model.critical(7 * gradient / gradient.norm())[0], rel=1e-9)


def test_a_direction_that_does_not_descend_is_said():
    model = Quadratic()
    gradient = model.matrix @ model.flat().detach() - model.linear
    found = et.critical_lr(model, quadratic, None, direction=[-gradient[:6].view(3, 2), -gradient[6:]])
    assert (found.eta, found.low, found.high, found.passes) == (0, 0, 0, 2)
    assert math.isnan(found.directional_curvature) and "does not descend" in found.warnings[0]


def test_what_is_asked_wrongly_is_named():
    model = Quadratic()
    for arguments, says in [
        (dict(direction="up"), "direction = 'up'"),
        (dict(direction="update"), "pass optimizer="),
        (dict(direction="update", optimizer=torch.optim.LBFGS(model.parameters())), "LBFGS evaluates the loss"),
        (dict(direction="update", optimizer=torch.optim.SGD(model.parameters(), 0.0)), "learning rate of the optimiser is 0"),
        (dict(tol=0.0), "tolerance of a search is 0"),
        (dict(max_passes=2), "max_passes = 2"),
    ]:
        with pytest.raises(etalon.Error, match=says):
            et.critical_lr(model, quadratic, None, **arguments)
    with torch.no_grad():
        model.matrix.zero_()
        model.linear.zero_()
    with pytest.raises(etalon.Error, match="the gradient is zero"):
        et.critical_lr(model, quadratic, None)


@pytest.mark.parametrize("name", ["mlp", "convolutional", "tied", "attention", "resnet"])
@pytest.mark.parametrize("direction", ["gradient", "update"])
def test_it_takes_twelve_passes_at_most(name, direction):
    model, loss, batch = {**models.ALL, "resnet": models.resnet}[name]()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(3):
        found = et.critical_lr(model, loss, batch, direction=direction, optimizer=optimizer)
        assert found.converged and found.passes <= 12, found
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()


def test_it_takes_one_copy_of_the_parameters_beside_the_gradient():
    """Counted in tensors of the largest parameter's size that are alive at an evaluation."""
    model = nn.Linear(300, 200, bias=False)
    inputs = torch.randn(4, 300)
    size, most = model.weight.untyped_storage().nbytes(), []

    def loss(model, batch):
        # Asked by its type: some objects answer isinstance with a warning.
        tensors = [t for t in gc.get_objects() if issubclass(type(t), torch.Tensor)]
        storages = {t.untyped_storage().data_ptr() for t in tensors if t.untyped_storage().nbytes() == size}
        # The present ``p.data`` is no object of Python's own.
        most.append(len(storages | {model.weight.data_ptr()}))
        return (model(batch) - 1).square().mean()

    et.critical_lr(model, loss, inputs)
    # Parameters, gradient, and the copy.
    assert max(most) == 3


def test_a_result_says_itself():
    model = Quadratic()
    found = et.critical_lr(model, quadratic, None)
    assert "no sharpness" in repr(found) and "no sharpness" in type(found).__doc__
    assert found.to_dict()["history"][0] == list(found.history[0])
    axes = found.plot()
    assert "no sharpness" in axes.get_title() and found.plot(axes) is axes
    open_ = et.critical_lr(model, quadratic, None, max_passes=3)
    assert not open_.converged and "not converged" in repr(open_)
