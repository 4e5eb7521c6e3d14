"""Lanczos from Python, against matrices whose eigenvalues are known."""

import signal

import etalon
import numpy as np
import pytest

DIAGONAL = np.concatenate([[-10.0, 1.0, 2.0, 3.0], np.linspace(-1, 0.9, 60)])


def product(x):
    return DIAGONAL * x


def test_ends_are_algebraic():
    spectrum = etalon.eigenvalues(product, 64, ends="both")
    assert abs(spectrum.largest[0].value - 3) < 1e-9
    assert abs(spectrum.smallest[0].value + 10) < 1e-9
    assert spectrum.converged and spectrum.asymmetry < 1e-14


def test_without_a_basis_the_ends_are_the_same():
    spectrum = etalon.eigenvalues(product, 64, ends="both", memory=3 * 64 * 8)
    assert abs(spectrum.largest[0].value - 3) < 1e-8
    assert abs(spectrum.smallest[0].value + 10) < 1e-8
    with pytest.raises(etalon.Error, match="needs a full basis"):
        etalon.eigenvalues(product, 64, count=2, memory=3 * 64 * 8)


def test_repeated_eigenvalues_and_their_vectors_are_found():
    diagonal = np.ones(30)
    diagonal[[3, 7]] = 5.0
    spectrum = etalon.eigenvalues(lambda x: diagonal * x, 30, count=3, vectors=True, tol=1e-10)
    assert np.allclose([e.value for e in spectrum.largest], [5, 5, 1], atol=1e-10)
    for eigenvalue, vector in zip(spectrum.largest, spectrum.largest_vectors):
        assert np.linalg.norm(diagonal * vector - eigenvalue.value * vector) < 1e-9


def test_a_float32_operator_is_given_float32():
    def single(x):
        assert x.dtype == np.float32
        return DIAGONAL.astype("float32") * x

    assert abs(etalon.eigenvalues(single, 64, dtype="float32").largest[0].value - 3) < 1e-6


def test_an_exception_comes_out_as_it_is():
    class Mine(Exception):
        pass

    def failing(x):
        raise Mine("at home")

    with pytest.raises(Mine, match="at home"):
        etalon.eigenvalues(failing, 5)


def test_ctrl_c_ends_within_one_product():
    calls = []

    def interrupted(x):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return product(x)

    with pytest.raises(KeyboardInterrupt):
        etalon.eigenvalues(interrupted, 64)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (dict(n=5, ends="top"), "ends"),
        (dict(n=5, tol=-1.0), "tolerance = -1"),
        (dict(n=5, count=0), "count = 0"),
        (dict(n=0), "n = 0"),
        (dict(), "give the dimension n"),
        (dict(n=5, start=np.ones(4)), "the start vector has 4 elements"),
    ],
)
def test_a_setting_out_of_range_is_named(arguments, says):
    with pytest.raises(etalon.Error, match=says):
        etalon.eigenvalues(lambda x: x, **arguments)


def test_an_operator_that_changes_or_is_not_symmetric_is_an_error():
    generator = np.random.default_rng(0)
    matrix = generator.standard_normal((40, 40))
    with pytest.raises(etalon.Error, match="not symmetric"):
        etalon.eigenvalues(lambda x: matrix @ x, 40, memory=3 * 40 * 8)
    with pytest.raises(etalon.Error, match="answers differently"):
        etalon.eigenvalues(lambda x: DIAGONAL * x * generator.uniform(size=64), 64, memory=3 * 64 * 8)


def test_a_wrong_shape_is_an_error():
    with pytest.raises(etalon.Error, match=r"shape \(3,\)"):
        etalon.eigenvalues(lambda x: x[:3], 5)


def test_results_are_plain_data_too():
    spectrum = etalon.eigenvalues(product, 64)
    assert spectrum.to_dict()["largest"][0]["value"] == spectrum.largest[0].value
    assert "<table>" in spectrum._repr_html_()
    with pytest.raises(AttributeError):
        spectrum.scale = 1.0
