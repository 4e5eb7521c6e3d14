"""Every call leaves everything as it was, bit by bit."""

import copy
import multiprocessing
import random
import signal

import etalon
import etalon.torch as et
import models
import numpy as np
import pytest
import torch
from torch import nn


def bits(value):
    """A copy that tells every bit."""
    if isinstance(value, torch.Tensor):
        return (id(value), value._version, value.detach().clone().contiguous().numpy().tobytes())
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(item) for item in value]
    return copy.deepcopy(value)


def everything(model, optimizer):
    state = np.random.get_state()
    return {
        "parameters": [bits(p) for p in model.parameters()],
        "gradients": [bits(p.grad) for p in model.parameters()],
        "requires": [p.requires_grad for p in model.parameters()],
        "buffers": [bits(b) for b in model.buffers()],
        "modes": [module.training for module in model.modules()],
        "optimiser": bits(optimizer.state_dict()),
        "torch": bits(torch.get_rng_state())[2],
        "random": random.getstate(),
        "numpy": (state[0], state[1].tobytes(), state[2:]),
    }


def prepared(kind=torch.optim.AdamW):
    """A model in the middle of training, with dropout and batch normalisation, and a backward pass done."""
    torch.manual_seed(0)
    layers = [nn.Linear(6, 10), nn.BatchNorm1d(10), nn.Tanh(), nn.Dropout(0.2), nn.Linear(10, 3)]
    model, batch = nn.Sequential(*layers), models.samples(20, 6, dtype=torch.float32)
    model[1].eval()
    optimizer = kind(model.parameters(), 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        models.cross_entropy(model, batch).backward()
        optimizer.step()
    model[3].train()
    model[1].train()
    model[2].eval()
    return model, optimizer, batch


CALLS = {
    "sharpness": lambda model, loss, batch, optimizer: et.sharpness(model, loss, batch, optimizer=optimizer),
    "sharpness of several": lambda model, loss, batch, optimizer: et.sharpness(model, loss, batch, count=2, ends="both"),
    "critical_lr": lambda model, loss, batch, optimizer: et.critical_lr(model, loss, batch),
    "critical_lr of an update": lambda model, loss, batch, optimizer: et.critical_lr(
        model, loss, batch, direction="update", optimizer=optimizer
    ),
    "range_test": lambda model, loss, batch, optimizer: et.range_test(
        model, optimizer, loss, [batch], min_lr=1e-3, max_lr=1e-1, steps=5
    ),
}


def meddling(after, then):
    """A loss that draws, changes modes and leaves a gradient behind, and at some evaluation does something else."""
    calls = []

    def loss(model, batch):
        calls.append(1)
        random.random(), np.random.rand()
        model[2].train()
        value = models.cross_entropy(model, batch)
        model[0].weight.grad = torch.ones_like(model[0].weight)
        if len(calls) == after:
            then()
        return value

    return loss


class Mine(Exception):
    pass


def fail():
    raise Mine


ENDINGS = {
    "success": (10**6, fail, None),
    "exception": (2, fail, Mine),
    "Ctrl-C": (2, lambda: signal.raise_signal(signal.SIGINT), KeyboardInterrupt),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_is_as_it_was(call, ending):
    model, optimizer, batch = prepared()
    after, then, raised = ENDINGS[ending]
    # A graph that the user holds survives too.
    held = models.cross_entropy(model.eval(), batch)
    model.train()
    before = everything(model, optimizer)
    run = lambda: CALLS[call](model, meddling(after, then), batch, optimizer)
    if raised:
        with pytest.raises(raised):
            run()
    else:
        run()
    assert everything(model, optimizer) == before
    held.backward()


def test_buffers_that_modules_share_stay_shared():
    model, optimizer, batch = prepared()
    model.register_buffer("again", model[1].running_mean)
    et.sharpness(model, models.cross_entropy, batch)
    assert model.again is model[1].running_mean


@pytest.mark.parametrize("call", CALLS)
def test_a_fork_after_a_call_does_not_hang(call):
    model, optimizer, batch = prepared()
    CALLS[call](model, models.cross_entropy, batch, optimizer)
    dataset = torch.utils.data.TensorDataset(*batch)
    loader = torch.utils.data.DataLoader(dataset, batch_size=5, num_workers=2, timeout=30, multiprocessing_context="fork")
    assert len(list(loader)) == 4
    # Torch itself does not bear backward passes in a forked child.
    child = multiprocessing.get_context("fork").Process(target=etalon.eigenvalues, args=(lambda x: 2 * x, 50))
    child.start()
    child.join(30)
    alive = child.is_alive()
    child.kill()
    assert not alive and child.exitcode == 0
