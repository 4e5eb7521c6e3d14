"""Thresholds, solvable models and fits against closed forms."""

import math

import etalon
import etalon.fit
import etalon.theory
import numpy as np
import pytest


@pytest.mark.parametrize(
    ("settings", "eta"),
    [
        (dict(), 2 / 4),
        (dict(momentum=0.9), 3.8 / 4),
        (dict(momentum=0.9, nesterov=True), 3.8 / 2.8 / 4),
        (dict(weight_decay=1.0), 2 / 5),
    ],
)
def test_the_limit_of_the_optimiser_is_the_closed_form(settings, eta):
    found = etalon.theory.thresholds(hessian=4.0, **settings)
    assert found.limit.eta == pytest.approx(eta, rel=1e-14) and found.entries[found.limit.name] == found.limit
    assert found.entries["lazy-limit"].formula and "cross-entropy" in found.limit.assumes


def test_thresholds_of_the_squared_loss_and_of_adam():
    squared = etalon.theory.thresholds(ntk=2.0, loss="mse", hidden_layers=3)
    assert squared.entries["catapult-limit"].eta == 2.0 and squared.entries["empirical-limit-paper"].eta == 6.0
    adam = etalon.theory.thresholds(preconditioned=2.0, adam=0.9)
    assert adam.limit.eta == pytest.approx(3.8 / (0.1 * 2.0), rel=1e-14)
    assert "gradient descent alone" in adam.omitted[0].reason
    assert adam.to_dict()["entries"]["lazy-limit-adamw"]["eta"] == adam.limit.eta
    flat = etalon.theory.thresholds(hessian=-1.0)
    assert flat.limit is None and any("not positive" in omitted.reason for omitted in flat.omitted)
    assert "no lazy-limit: " in repr(flat)


def test_rates_of_models_that_can_be_solved():
    assert etalon.theory.critical_eta(3.0) == pytest.approx(2 / 3)
    assert etalon.theory.critical_eta(3.0, loss="logistic") == pytest.approx(8 / 3)
    assert etalon.theory.critical_eta(3.0, loss="exponential", positive=0.2) == pytest.approx(1 / (3 * 0.4))
    assert etalon.theory.critical_eta(3.0, loss="logistic", positive=1.0) is None
    assert etalon.theory.catapult_eta(3.0) == pytest.approx(4 / 3)
    assert etalon.theory.catapult_eta(3.0, loss="logistic", width=50) == pytest.approx(20)
    assert etalon.theory.largest_stable_eta(100.0, target=2.0) == pytest.approx(5)
    assert etalon.theory.largest_stable_eta(100.0) is None


def test_a_power_law_is_found_with_students_interval():
    x = np.array([4.0, 8.0, 16.0, 32.0, 64.0, 128.0])
    noise = np.array([0.1, -0.2, 0.05, 0.15, -0.1, 0.0])
    law = etalon.fit.power_law(x, 3 * x**-0.5 * np.exp(noise), level=0.9, robust=True)
    u, v = np.log(x) - np.log(x).mean(), math.log(3) - 0.5 * np.log(x) + noise
    slope = (u @ v) / (u @ u)
    deviation = math.sqrt(((v - v.mean() - slope * u) ** 2).sum() / 4)
    # Student's quantile at 95 % with 4 degrees of freedom.
    half = 2.13184678 * deviation / math.sqrt(u @ u)
    assert law.exponent.value == pytest.approx(slope, rel=1e-12)
    assert (law.exponent.low, law.exponent.high) == pytest.approx((slope - half, slope + half), rel=1e-7)
    assert law.joint.residual_deviation == pytest.approx(deviation, rel=1e-12)
    slopes = [(v[j] - v[i]) / (u[j] - u[i]) for i in range(6) for j in range(i + 1, 6)]
    assert law.robust.exponent == pytest.approx(np.median(slopes), rel=1e-12)
    assert law.free is None and "b = -0.5" in repr(law)


def test_two_sizes_have_an_exponent_each_and_bad_points_are_listed():
    width = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0]
    depth = [1.0, 3.0, 2.0, 5.0, 1.0, 2.0, 1.0]
    y = [2 * w**-1 * d**0.5 if w else 1.0 for w, d in zip(width, depth)]
    law = etalon.fit.power_law({"width": width, "depth": depth}, y)
    assert law.names == ("width", "depth") and law.points == 6
    assert [one.value for one in law.free.exponents] == pytest.approx([-1.0, 0.5], abs=1e-12)
    assert law.excluded[0].name == "point 6"
    assert law.to_dict()["free"]["exponents"][1]["name"] == "depth"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: etalon.theory.thresholds(hessian=1.0, loss="hinge"), "loss = \"hinge\": it must be among mse, cross-entropy"),
        (lambda: etalon.theory.thresholds(hessian=1.0, activation="swish"), "activation = \"swish\""),
        (lambda: etalon.theory.critical_eta(1.0, loss="logistic", positive=2.0), "positive = 2.0"),
        (lambda: etalon.theory.critical_eta(1.0, target=math.nan), "target = nan"),
        (lambda: etalon.fit.power_law([1, 2, 4], [1, 2, 4]), "3 distinct sizes of x are left"),
        (lambda: etalon.fit.power_law([1, 2, 4, 8], [1, 2]), "x has 4 numbers and y has 2"),
        (lambda: etalon.fit.power_law([1, 2, 4, 8], [1, 2, 3, 4], level=95), "the level of an interval is 95"),
        (lambda: etalon.fit.power_law({}, [1.0]), "x has no sizes"),
    ],
)
def test_what_is_wrong_is_said(call, says):
    with pytest.raises(etalon.Error, match=says):
        call()
