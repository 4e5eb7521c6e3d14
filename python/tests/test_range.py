"""The range test against a recursion that is known, and against the optimisers themselves."""

import copy

import etalon
import etalon.torch as et
import models
import pytest
import torch
from test_untouched import everything, prepared
from torch import nn


def bowl():
    """``a w^2 / 2`` with a = 8."""
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, 3.0)
    return model, lambda model, batch: 4.0 * model(batch).square().mean(), torch.ones(1, 1, dtype=torch.float64)


def test_on_a_quadratic_every_loss_is_known_and_the_suggestion_is_the_limit():
    model, loss, batch = bowl()
    found = et.range_test(model, torch.optim.SGD(model.parameters(), 0.1), loss, [batch], min_lr=1e-3, max_lr=10.0, steps=40)
    w = 3.0
    for rate, told in zip(found.rates, found.losses):
        assert told == pytest.approx(4 * w * w, rel=1e-12)
        w *= 1 - 8 * rate
    assert found.rates[0] == 1e-3 and "4 times its lowest" in found.stopped
    suggestion = found.suggestion()
    assert suggestion.eta == pytest.approx(2 / 8, rel=1e-9) == suggestion.limit.eta
    assert "2 / lambda_H" in suggestion.why and suggestion.lowest > suggestion.eta


def test_under_momentum_it_is_the_rate_that_a_search_begins_with():
    model, loss, batch = bowl()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.75)
    found = et.range_test(model, optimizer, loss, [batch], min_lr=1e-3, max_lr=1.0, steps=40)
    assert found.curvature == pytest.approx(0.5 * 2 / 8, rel=1e-9) and found.limit.eta == pytest.approx(1.75 * 2 / 8, rel=1e-9)


def test_where_the_loss_rises_below_the_limit_of_the_start_a_tenth_of_its_lowest_is_suggested():
    # Its curvature is 9 at the bottom, and a hundredth where it starts.
    model, _, batch = bowl()
    loss = lambda model, batch: (1 + 9 * model(batch).square()).sqrt().mean()
    found = et.range_test(model, torch.optim.SGD(model.parameters(), 0.1), loss, [batch], min_lr=1e-3, max_lr=100.0, steps=60)
    suggestion = found.suggestion()
    assert found.curvature > suggestion.lowest
    assert suggestion.eta == suggestion.lowest / 10 and "it rose below 2 / lambda_H" in suggestion.why


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_it_is_the_training_that_the_optimiser_would_have_made(kind):
    model, loss, batch = models.convolutional(torch.float32)
    settings = dict(momentum=0.9) if kind is torch.optim.SGD else dict(weight_decay=0.1)
    groups = [dict(params=list(model.parameters())[:3], lr=1e-3), dict(params=list(model.parameters())[3:], lr=5e-4)]
    optimizer = kind(groups, **settings)
    for _ in range(2):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
    batches = [batch, tuple(x[:6] for x in batch)]
    found = et.range_test(model, optimizer, loss, batches, min_lr=1e-4, max_lr=1e-2, steps=8)
    losses = []
    for step, rate in enumerate(found.rates):
        optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = rate, rate / 2
        optimizer.zero_grad()
        value = loss(model, batches[step % 2])
        losses.append(value.item())
        value.backward()
        optimizer.step()
    assert found.losses == pytest.approx(losses, rel=1e-5) and len(losses) == 8


def test_one_type_is_answered_whatever_is_known():
    model, loss, batch = models.mlp(dtype=torch.float32)
    found = et.range_test(model, torch.optim.RMSprop(model.parameters(), 0.1), loss, [batch], steps=30)
    suggestion = found.suggestion()
    assert isinstance(suggestion, et.Suggestion) and suggestion.limit is None
    assert suggestion.eta == suggestion.lowest / 10 and "no limit of RMSprop" in suggestion.why
    axes = found.plot()
    assert axes.get_xscale() == "log" and found.plot(axes) is axes
    assert found.to_dict()["losses"] == list(found.losses) and "suggestion" not in found.to_dict()
    short = et.range_test(model, torch.optim.Adam(model.parameters()), loss, [batch], min_lr=1e-3, max_lr=1e30, steps=2)
    assert isinstance(short.suggestion(), et.Suggestion) and short.plot() is not None


def test_what_breaks_under_way_leaves_everything_as_it_was():
    model, optimizer, batch = prepared()
    calls = []

    def loss(model, batch):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return models.cross_entropy(model, batch)

    before = everything(model, optimizer)
    with pytest.raises(KeyboardInterrupt):
        et.range_test(model, optimizer, loss, [batch], min_lr=1e-3, max_lr=1e-1, steps=20)
    assert len(calls) == 9 and everything(model, optimizer) == before


def test_what_is_given_wrongly_is_named():
    model, loss, batch = models.mlp(dtype=torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for loader, arguments, says in [
        ([], dict(), "it has no batch"),
        (iter([batch, batch]), dict(), "ended after 2 batches"),
        ([batch], dict(steps=1), "at least 2 steps"),
        ([batch], dict(min_lr=1.0, max_lr=0.1), "min_lr = 1"),
    ]:
        with pytest.raises(etalon.Error, match=says):
            et.range_test(model, optimizer, loss, loader, **arguments)
    optimizer = torch.optim.SGD(copy.deepcopy(model).parameters(), 0.1)
    with pytest.raises(etalon.Error, match="the loss depends on none of these parameters"):
        et.range_test(model, optimizer, loss, [batch])
