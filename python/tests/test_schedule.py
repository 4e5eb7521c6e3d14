"""SGD without weight decay under a growing rate learns what SGD with weight decay learns."""

import math
import warnings

import etalon
import etalon.schedule
import etalon.torch as et
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from torch import nn

RATE, MOMENTUM, DECAY, STEPS = 0.05, 0.9, 1e-2, 300
TINY = 1e-30


def network(eps=TINY, dtype=torch.float64):
    torch.manual_seed(1)
    norm = lambda: nn.BatchNorm1d(16, eps=eps)
    layers = [nn.Linear(8, 16, bias=False), norm(), nn.ReLU(), nn.Linear(16, 16, bias=False), norm(), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(16, 4)).to(dtype)


GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(256, 8, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (256,), generator=GENERATOR)
# One cosine, so that every rate is another.
COSINE = [RATE * (0.1 + 0.45 * (1 + math.cos(math.pi * step / STEPS))) for step in range(STEPS)]


def weights(model):
    return [model[0].weight, model[3].weight]


def sgd(model, decay):
    scaled = weights(model)
    others = [p for p in model.parameters() if not any(p is q for q in scaled)]
    groups = [dict(params=scaled, weight_decay=decay), dict(params=others, weight_decay=DECAY)]
    return torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM)


def train(grown, rates, eps=TINY, dtype=torch.float64, break_at=None, conversion="exact", steps=STEPS):
    """Logits of every batch, and the model with its schedule. At a step everything is saved, and loaded into new objects."""
    model = network(eps, dtype)
    inputs = INPUTS.to(dtype)
    optimizer = sgd(model, 0.0 if grown else DECAY)
    options = dict(weight_decay=DECAY, inputs=inputs[:8], conversion=conversion)
    schedule = et.ExponentialSchedule(optimizer, rates, model=model, **options) if grown else None
    logits = []
    for step in range(steps):
        if step == break_at:
            saved = [thing.state_dict() for thing in (model, optimizer, schedule)]
            model = network(eps, dtype)
            optimizer = sgd(model, 0.0)
            schedule = et.ExponentialSchedule(optimizer, rates, model=model, **options)
            for thing, state in zip((model, optimizer, schedule), saved):
                thing.load_state_dict(state)
        if not grown:
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
        batch = torch.arange(32 * step, 32 * step + 32) % 256
        optimizer.zero_grad()
        outputs = model(inputs[batch])
        nn.functional.cross_entropy(outputs, LABELS[batch]).backward()
        optimizer.step()
        if grown:
            schedule.step()
        logits.append(outputs.detach())
    return torch.stack(logits), model, schedule


def apart(a, b):
    return (a - b).abs().max().item()


@pytest.mark.parametrize(("rates", "conversion"), [([RATE] * STEPS, "exact"), (COSINE, "exact"), (COSINE, "phases")])
def test_the_same_functions_in_300_steps_across_a_save_and_a_load(rates, conversion):
    plain, plain_model, _ = train(False, rates)
    grown, model, schedule = train(True, rates, break_at=170, conversion=conversion)
    assert apart(plain, grown) < 1e-12
    assert schedule.drift < 1e-15 and schedule.last_epoch == STEPS
    assert apart(plain_model.eval()(INPUTS), model.eval()(INPUTS)) < 1e-12
    # At a constant rate the weights grow so long that they are rescaled on the way.
    assert (schedule.state_dict()["exponent"] > 0) == (rates is not COSINE)
    assert isinstance(schedule, torch.optim.lr_scheduler.LRScheduler)
    assert schedule.get_last_lr() == [group["lr"] for group in schedule.optimizer.param_groups]


def test_the_drift_of_a_usual_epsilon_is_measured_and_said():
    with pytest.warns(UserWarning, match=r"eps up to 1e-05.*the outputs change by \S+ of themselves.*eps=1e-30"):
        grown, _, schedule = train(True, [RATE] * STEPS, eps=1e-5)
    off = apart(train(False, [RATE] * STEPS, eps=1e-5)[0], grown)
    print(f"at 1e-5: drift {schedule.drift:.1e}, logits differ by {off:.2g} in {STEPS} steps")
    # What is said is where training goes on from, and no bound.
    assert 1e-6 < schedule.drift < off
    # By hand: the outputs with weights four times longer.
    model = network(eps=1e-5)
    before = model(INPUTS[:8])
    with torch.no_grad():
        for weight in weights(model):
            weight.mul_(4.0)
    assert schedule.drift == pytest.approx(((model(INPUTS[:8]) - before).norm() / before.norm()).item(), rel=1e-9)


def test_single_precision_holds_a_rate_that_outgrows_it():
    """Weight decay so strong that the rate is 0.5 * 0.8^-(2 step + 1), past what 32 bits hold from step 200 on."""
    rates = [0.5] * STEPS
    converted = etalon.schedule.convert(rates, weight_decay=0.4, momentum=0.0)
    assert converted.leaves_f32 == 200 and converted.leaves_f64 is None
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4, bias=False), nn.LayerNorm(4, eps=0.0, elementwise_affine=False))
    # So long that it takes a while until rounding parts any two trainings at such a rate.
    model[0].weight.data.mul_(1000.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = et.ExponentialSchedule(optimizer, rates, weight_decay=0.4, model=model, inputs=INPUTS[:8].float())
    twin = nn.Sequential(nn.Linear(8, 4, bias=False), nn.LayerNorm(4, eps=0.0, elementwise_affine=False))
    twin.load_state_dict(model.state_dict())
    plain = torch.optim.SGD(twin.parameters(), lr=0.5, weight_decay=0.4)
    off = []
    for _ in range(STEPS):
        outputs = []
        for each, optim in ((model, optimizer), (twin, plain)):
            optim.zero_grad()
            outputs.append(each(INPUTS.float()))
            nn.functional.cross_entropy(outputs[-1], LABELS).backward()
            optim.step()
        off.append(apart(*outputs))
        schedule.step()
    # The rate outgrew 32 bits, and nothing else did.
    assert all(torch.isfinite(p).all() and p.abs().max() < 1e4 for p in model.parameters())
    # Weights were divided by 4 four times by then.
    assert max(off[:30]) < 1e-3


def test_layers_that_a_normalisation_follows_are_found():
    model = network()
    state = torch.get_rng_state()
    found = et.scale_invariant(model, INPUTS[:8])
    # The affine part of the first normalisation is followed by the second one.
    expected = [model[0].weight, model[1].weight, model[1].bias, model[3].weight]
    assert len(found) == 4 and all(a is b for a, b in zip(found, expected))
    assert torch.equal(torch.get_rng_state(), state)


def refused(make):
    model = network()
    return et.ExponentialSchedule(make(model), [RATE] * 3, weight_decay=DECAY, model=model, inputs=INPUTS[:8])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda m: torch.optim.SGD(weights(m), lr=RATE, momentum=0.9, nesterov=True), "nesterov=False"),
        (lambda m: torch.optim.SGD(weights(m), lr=RATE, momentum=0.9, dampening=0.1), "dampening=0"),
        (lambda m: torch.optim.AdamW(weights(m), lr=RATE), "for torch.optim.SGD, not AdamW"),
        (lambda m: torch.optim.SGD(weights(m), lr=RATE, weight_decay=DECAY), "group 0 has weight decay"),
        (lambda m: torch.optim.SGD(m.parameters(), lr=RATE), "the outputs change by .* when the scaled parameters are doubled"),
        (lambda m: torch.optim.SGD(network().parameters(), lr=RATE), "not the model's"),
    ],
)
def test_what_is_not_covered_is_refused(make, says):
    with pytest.raises(etalon.Error, match=says):
        refused(make)


def test_a_conversion_is_that_of_the_closed_form():
    """Without momentum a = 1 - eta lambda, and the rate grows by a^-2 a step."""
    found = etalon.schedule.convert([0.2] * 50, weight_decay=0.1)
    growth = -2 * math.log1p(-0.02)
    assert np.allclose(np.diff(found.log_eta), growth, rtol=1e-12)
    assert found.log_scale[50] == pytest.approx(25 * growth, rel=1e-12)
    assert found.rates[1] == pytest.approx(0.2 / 0.98**3) and found.corrections == ()
    by_function = etalon.schedule.convert(lambda step: 0.2, steps=50, weight_decay=0.1)
    assert by_function == found and len(found.to_dict()["log_eta"]) == 50
    assert "50 steps without weight decay 0.1" in repr(found) and found._repr_html_().startswith("<svg")
    assert etalon.schedule.convert([0.1, 0.0], weight_decay=0.1).plain_log_eta[1] == -math.inf


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (dict(rates=[0.1, -1.0], weight_decay=0.1), "the rate at step 1 is -1.0"),
        (dict(rates=[], weight_decay=0.1), "there are no rates"),
        (dict(rates=lambda step: 0.1, weight_decay=0.1), "by steps="),
        (dict(rates=[0.1], weight_decay=-1.0), "the weight decay is -1"),
        (dict(rates=[0.1], weight_decay=0.1, momentum=1.0), "momentum is 1"),
        (dict(rates=[10.0], weight_decay=0.2, momentum=0.9), "step 0: the factor a"),
        (dict(rates=[0.1], weight_decay=0.1, conversion="some"), 'conversion = "some"'),
    ],
)
def test_a_schedule_without_an_equivalent_is_refused(arguments, says):
    with pytest.raises(etalon.Error, match=says):
        etalon.schedule.convert(**arguments)


def test_optax_learns_the_same_functions_under_it():
    converted = etalon.schedule.convert(COSINE[:100], weight_decay=DECAY, momentum=MOMENTUM)
    plain_rates = jnp.asarray(COSINE[:100])

    def directions(transform):
        """A loss of the direction of w alone: a quadratic form on the sphere."""
        form = jnp.diag(jnp.arange(1.0, 6.0))
        gradient = jax.grad(lambda w: w @ form @ w / (w @ w))

        def step(carry, _):
            w, state = carry
            updates, state = transform.update(gradient(w), state, w)
            w = optax.apply_updates(w, updates)
            return (w, state), w / jnp.linalg.norm(w)

        start = jnp.array([3.0, -1.0, 2.0, 0.5, 1.0])
        return jax.lax.scan(step, (start, transform.init(start)), length=100)[1]

    with jax.enable_x64(True):
        plain_rates = jnp.asarray(COSINE[:100])
        with_decay = optax.chain(optax.add_decayed_weights(DECAY), optax.sgd(lambda count: plain_rates[count], MOMENTUM))
        without = optax.sgd(converted.optax(), MOMENTUM)
        assert jnp.abs(directions(with_decay) - directions(without)).max() < 1e-12


def test_optax_is_refused_a_rate_that_it_cannot_hold():
    long = etalon.schedule.convert([0.5] * 300, weight_decay=0.4)
    with pytest.raises(etalon.Error, match="the rate at step 200 is larger than any number of 32 bits.*jax_enable_x64"):
        long.optax()
    phases = etalon.schedule.convert([0.1] * 5, weight_decay=DECAY, momentum=MOMENTUM, conversion="phases")
    with pytest.raises(etalon.Error, match='take "exact"'):
        phases.optax()
