"""The search on functions of Python, against the library's own on the same closed form."""

import concurrent.futures as futures
import json
import math
import multiprocessing
import signal
import threading
from pathlib import Path

import closed_form
import etalon
import pytest

# Written by crates/etalon/tests/closed_form_search.rs, whose driver is the library's.
KEPT = json.loads((Path(__file__).parent / "closed_form.json").read_text())


class Job:
    """What submitit's and Dask's jobs have in common with a future: no condition to wait on."""

    def __init__(self, train, question):
        self.train, self.question, self.looks = train, question, 0

    def done(self):
        self.looks += 1
        return self.looks > 2

    def result(self):
        return self.train(*self.question)


class Cluster:
    def submit(self, train, *question):
        return Job(train, question)


def threads():
    return futures.ThreadPoolExecutor(4)


def processes():
    return futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("pool", [None, threads, processes, Cluster])
def test_it_is_the_librarys_own_search_bit_for_bit(pool):
    executor = pool and pool()
    found = etalon.find(closed_form.train, start=0.003, executor=executor, progress=False)
    if hasattr(executor, "shutdown"):
        executor.shutdown()
    star = KEPT["star"]
    assert (found.eta_star, found.low, found.high, found.coverage) == (star["median"], star["low"], star["high"], star["coverage"])
    for mine, kept in zip(found.seeds, star["seeds"], strict=True):
        assert [(p.eta, p.steps) for p in mine.probes] == [(p["eta"], p["steps"]) for p in kept["probes"]]
        assert [p.trained for p in mine.probes] == [p["verdict"] == "trained" for p in kept["probes"]]
        assert (mine.low, mine.high) == (kept["boundary"]["found"]["low"], kept["boundary"]["found"]["high"])
        assert mine.failure == kept["failure"] == "the loss grew"
    chosen = KEPT["recommended"]
    assert all(getattr(found.recommended, key) == chosen[key] for key in ("eta", "low", "high", "noise", "why", "chance"))
    assert found.recommended.metric == chosen["validation"]
    curve = {(p["eta"], p["seed"]): p["validation"] for p in chosen["curve"]}
    assert len(curve) == len(found.recommended.curve)
    assert all(p.metric == curve[p.eta, p.seed] for p in found.recommended.curve)


def test_what_failed_has_a_reason_and_no_metric():
    curve = etalon.find(closed_form.train, start=0.3, eta_star=False, progress=False).recommended.curve
    assert any(p.failure for p in curve)
    assert all((p.metric is None) == (p.failure is not None) for p in curve)
    assert {p.failure for p in curve if p.failure} == {"the loss grew"}


def test_no_training_is_made_twice_and_a_file_takes_up_where_it_ended(tmp_path):
    whole = etalon.find(closed_form.train, start=0.003, progress=False)
    path, asked = tmp_path / "found.jsonl", []

    def interrupted(eta, seed):
        asked.append((eta, seed))
        if len(asked) == 30:
            signal.raise_signal(signal.SIGINT)
        return closed_form.train(eta, seed)

    with pytest.raises(KeyboardInterrupt):
        etalon.find(interrupted, start=0.003, resume=path, progress=False)
    assert len(path.read_text().splitlines()) == 29
    # Half a line is dropped.
    with open(path, "a") as file:
        file.write('{"eta": 0.1, "se')
    again = etalon.find(interrupted, start=0.003, resume=path, progress=False)
    assert again == whole and len(set(asked)) == len(asked) - 1 == whole.trainings
    nothing = etalon.find(lambda eta, seed: 1 / 0, start=0.003, resume=path, progress=False)
    assert nothing == whole


def test_what_a_pool_has_ended_is_kept_when_one_training_fails(tmp_path):
    path, gate = tmp_path / "found.jsonl", threading.Barrier(2)

    def train(eta, seed):
        gate.wait(30)
        if seed == 1:
            raise OSError("a machine is gone")
        return True

    with futures.ThreadPoolExecutor(2) as pool, pytest.raises(OSError, match="a machine is gone"):
        etalon.find(train, seeds=2, executor=pool, resume=path, progress=False)
    assert all(json.loads(line)["seed"] != 1 for line in path.read_text().splitlines())


def test_a_bool_is_an_answer_and_chooses_no_rate(capsys):
    found = etalon.find(lambda eta, seed: eta < 0.5, seeds=[7, 3])
    assert [seed.seed for seed in found.seeds] == [7, 3] and found.recommended is None
    assert found.eta_star == pytest.approx(0.5, rel=0.05) and found.low < 0.5 < found.high
    assert "eta 0.1, seed 7: trained" in capsys.readouterr().err
    assert "eta* = " in repr(found) and found.to_dict()["seeds"][0]["probes"][0]["trained"] is True


def test_a_metric_may_be_better_the_higher_it_is():
    turned = lambda eta, seed: etalon.Trial(True, None, 1, -closed_form.train(min(eta, 0.3), seed).metric)
    straight = lambda eta, seed: etalon.Trial(True, None, 1, closed_form.train(min(eta, 0.3), seed).metric)
    arguments = dict(range=(1e-3, 1.0), seeds=2, progress=False, chance=None)
    high = etalon.find(turned, mode="max", **arguments)
    low = etalon.find(straight, mode="min", **arguments)
    assert high.eta_star is None and "2 of 2 seeds trained at every rate" in high.reason
    assert math.log2(high.recommended.eta / low.recommended.eta) == pytest.approx(0, abs=0.5)
    assert 1e-3 <= high.recommended.eta <= 1.0


def test_without_eta_star_the_rate_alone_is_looked_for_from_the_nearest_that_trains():
    asked = []

    def train(eta, seed):
        """Best at 0.1, and learns nothing at 0.01 or at 1, where the metric says nothing of where to go."""
        asked.append((eta, seed))
        octaves = abs(math.log2(eta / 0.1))
        return etalon.Trial(octaves < 2, None, 1, max(0.1, 1 - 0.1 * octaves**2) + 1e-3 * math.sin(1e3 * eta))

    for start in [0.1, 3.0, 0.004]:
        asked.clear()
        found = etalon.find(train, start=start, eta_star=False, mode="max", chance=0.1, progress=False)
        assert found.eta_star is None and found.reason == "it was not asked for" and found.seeds == ()
        assert abs(math.log2(found.recommended.eta / 0.1)) < 0.4, (start, found)
        assert found.trainings == len(set(asked)) == len(asked) <= 22
        with threads() as pool:
            assert etalon.find(train, start=start, eta_star=False, mode="max", chance=0.1, executor=pool, progress=False) == found
    assert "not asked for, " in repr(found)


def test_what_is_given_wrongly_is_named(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("a line of mine\n")
    half = lambda eta, seed: closed_form.train(eta, seed) if seed == 0 else etalon.Trial(eta < 0.3)
    for train, arguments, says in [
        (closed_form.train, dict(mode="best"), "mode = 'best'"),
        (closed_form.train, dict(rates=-1), "rates = -1"),
        (closed_form.train, dict(seeds=0), "no seed was given"),
        (closed_form.train, dict(seeds=[1, 1]), "given twice"),
        (closed_form.train, dict(seeds=[-1]), "at least 0"),
        (closed_form.train, dict(start=0.0), "start of a search is 0"),
        (closed_form.train, dict(tolerance=2.0), "tolerance of a search is 2"),
        (closed_form.train, dict(range=(1.0, 0.1)), "range of rates"),
        (closed_form.train, dict(resume=other), "line 1 of .*notes.txt is no training"),
        (lambda eta, seed: 0.5, dict(), "answered with float"),
        (half, dict(), "without a metric at the rate"),
        (lambda eta, seed: eta < 0.3, dict(eta_star=False), "without a metric at the rate"),
        (closed_form.train, dict(eta_star=False, rates=0), "nothing is left to find"),
        (lambda eta, seed: etalon.Trial(True, steps=-1), dict(), "steps = -1"),
    ]:
        with pytest.raises(etalon.Error, match=says):
            etalon.find(train, progress=False, **arguments)
    assert other.read_text() == "a line of mine\n"


def test_a_fork_after_a_search_does_not_hang():
    etalon.find(closed_form.train, progress=False)
    child = multiprocessing.get_context("fork").Process(target=etalon.find, args=(closed_form.train,), kwargs=dict(progress=False))
    child.start()
    child.join(30)
    alive = child.is_alive()
    child.kill()
    assert not alive and child.exitcode == 0
