"""What a loss may do wrong, each with cause and remedy."""

import etalon
import etalon.torch as et
import models
import pytest
import torch
from torch import nn

CALLS = {
    "sharpness": et.sharpness,
    "critical_lr": et.critical_lr,
    "range_test": lambda model, loss, batch: et.range_test(
        model, torch.optim.SGD(model.parameters(), 0.1), loss, [batch], min_lr=1e-3, steps=5
    ),
}

MODEL, LOSS, BATCH = models.mlp(dtype=torch.float32)
GENERATOR = torch.Generator()


def own_dropout(model, batch):
    mask = torch.rand(20, 6, generator=GENERATOR) < 0.5
    return models.cross_entropy(model, (batch[0] * mask, batch[1]))


WRONG = {
    "dropout that changes": (own_dropout, BATCH, "draws from a generator of its own"),
    "NaN": (lambda model, batch: LOSS(model, batch) * float("nan"), BATCH, "the loss is nan"),
    "infinite": (lambda model, batch: LOSS(model, batch) / 0, BATCH, "the loss is inf"),
    "constant": (lambda model, batch: torch.tensor(1.0), BATCH, "does not depend on the parameters"),
    "empty batch": (LOSS, (BATCH[0][:0], BATCH[1][:0]), "pass at least one sample"),
    "vector": (lambda model, batch: model(batch[0]).mean(1), BATCH, r"shape \(20,\): it must be a scalar; take its mean"),
    "number": (lambda model, batch: LOSS(model, batch).item(), BATCH, "without .item"),
    "another device": (LOSS, tuple(x.to("meta") for x in BATCH), "move the batch to the model's device"),
    "detached": (lambda model, batch: LOSS(model, batch).detach(), BATCH, "detach"),
}


# A training may draw at every step.
PAIRS = [(call, what) for call in CALLS for what in WRONG if (call, what) != ("range_test", "dropout that changes")]


@pytest.mark.parametrize(("call", "what"), PAIRS)
def test_a_loss_that_will_not_do_is_named_with_its_remedy(call, what):
    loss, batch, says = WRONG[what]
    with pytest.raises(etalon.Error, match=says):
        CALLS[call](MODEL, loss, batch)


def test_parameters_that_the_loss_does_not_know():
    other = nn.Linear(2, 2)
    with pytest.raises(etalon.Error, match="depends on none of these parameters"):
        et.sharpness(MODEL, LOSS, BATCH, params=other.parameters())


def test_a_flat_loss_is_told_from_a_flat_direction():
    with pytest.raises(etalon.Error, match="constant around these parameters"):
        et.sharpness(MODEL, lambda model, batch: 0 * LOSS(model, batch) + 1, BATCH)


def test_everything_frozen():
    model, loss, batch = models.mlp()
    model.requires_grad_(False)
    with pytest.raises(etalon.Error, match="all of the model frozen"):
        et.sharpness(model, loss, batch)


def test_an_operation_without_a_second_derivative_is_named():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x * 2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context, gradient):
            return gradient * 2

    with pytest.raises(etalon.Error, match="no second derivative"):
        et.sharpness(MODEL, lambda model, batch: Once.apply(model(batch[0])).square().mean(), BATCH)


def test_what_the_loss_raises_comes_out_as_it_is():
    with pytest.raises(KeyError, match="labels"):
        et.sharpness(MODEL, lambda model, batch: batch["labels"], {"words": BATCH[0]})
