"""Watch says of a log what the judge of ``etalon watch`` says of it."""

import csv
import json
import math
import re
from pathlib import Path

import etalon
import pytest

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "crates" / "etalon" / "tests" / "logs"
OPTIMIZERS = {"sgd": {}, "heavy": dict(momentum=0.9), "nesterov": dict(momentum=0.9, nesterov=True), "adam": dict(adam=0.9)}


def rows(path):
    return list(csv.DictReader(path.open()))


def pushed(path, optimizer):
    watch = etalon.Watch(**OPTIMIZERS[optimizer])
    for row in rows(path):
        optional = [float(row[name]) if row.get(name) else None for name in ("lr", "sharpness")]
        watch.push(int(row["step"]), float(row["loss"]), *optional)
    return watch


@pytest.mark.parametrize(("half", "title"), [("fresh", "Held out: "), ("held-out", "Held out before"), ("set", "Used to set")])
def test_it_judges_every_labelled_log_as_the_page_of_the_judge_has_it(half, title):
    section = re.search(rf"^## {title}.*?(?=^## |\Z)", (ROOT / "docs" / "judge.md").read_text(), re.DOTALL | re.MULTILINE)[0]
    wrong = {log: (state, why) for log, state, why in re.findall(r"^- `(.*?)` is .*?, called (.*?): (.*)$", section, re.MULTILINE)}
    labelled = rows(LOGS / half / "labels.csv")
    assert f"{len(labelled) - len(wrong)} of {len(labelled)} right" in section
    for row in labelled:
        found = pushed(LOGS / half / row["log"], row["optimizer"]).finding()
        label = "edge of stability" if row["label"] == "edge" else row["label"]
        state, why = wrong.get(row["log"], (label, found.why))
        assert (found.state.replace("_", " "), found.why) == (state, why), row["log"]
        # A file is read as its rows are pushed.
        assert etalon.Watch(**OPTIMIZERS[row["optimizer"]]).read(LOGS / half / row["log"]) == found


def test_a_catapult_at_a_known_limit():
    """The loss rises twentyfold and comes back; rate times curvature over (2 + 2 momentum) ends at the limit."""
    watch = etalon.Watch(momentum=0.5)
    for step in range(300):
        loss = math.exp(3 * math.exp(-(((step - 20) / 6) ** 2)) - step / 100)
        watch.push(step, loss, lr=0.1, sharpness=30 if step % 50 == 0 else None)
    found = watch.finding()
    assert watch.state == found.state == "catapult"
    assert found.greatest_rise.peak_step == 20 and found.greatest_rise.peak == pytest.approx(math.exp(2.8), rel=1e-6)
    assert found.over_limit == pytest.approx(1.0) and found.rises == 1
    assert json.loads(json.dumps(watch.to_dict())) == found.to_dict()
    picture = watch._repr_html_()
    assert picture.startswith("<svg") and "the limit" in picture and "catapult: the loss rose" in picture
    assert repr(watch).startswith("catapult: ") and "300 losses" in repr(watch)


def test_a_rate_that_no_column_has_can_be_given(tmp_path):
    log = tmp_path / "log.jsonl"
    steps = [{"step": step, "loss": 1 - step / 100} for step in range(40)]
    # The state after the last step has a curvature and no loss.
    log.write_text("\n".join(map(json.dumps, [*steps, {"step": 40, "hessian": 30}])))
    found = etalon.Watch().read(log, rate=0.1)
    assert found.over_limit == pytest.approx(1.5) and etalon.Watch().read(log).over_limit is None
    with pytest.raises(etalon.Error, match="must be a positive number"):
        etalon.Watch().read(log, rate=-1)


def test_bursts_that_weight_decay_brings_are_told_by_the_norm():
    """x^2 / (x^2 + y^2) under weight decay: the weights shrink until a step is too long for the valley, and are thrown far out."""

    def state(norm):
        watch, (x, y) = etalon.Watch(), (2.0, 0.3)
        for step in range(20_000):
            square = x * x + y * y
            watch.push(step, x * x / square, lr=0.1, norm=norm(square))
            x, y = 0.99 * x - 0.2 * x * y * y / square**2, 0.99 * y + 0.2 * y * x * x / square**2
        return watch.finding()

    found = state(lambda square: square)
    assert found.state == "norm_driven" and found.rises > 2 and found.norm_driven + 1 >= found.rises
    assert state(lambda square: 1.0).norm_driven == 0


def test_nan_is_divergence_with_advice_by_the_curvature():
    watch = etalon.Watch()
    watch.push(0, 1.0, lr=0.5, sharpness=8.0)
    watch.push(1, math.nan, lr=0.5)
    found = watch.finding()
    assert (found.state, found.loss, found.over_limit) == ("diverging", None, 2.0)
    assert "lower the rate to about 0.25" in found.advice


def test_a_long_course_is_drawn_from_few_points_with_its_peak():
    watch = etalon.Watch()
    for step in range(50_000):
        watch.push(step, 1000.0 if step == 23_456 else 1.0)
    assert len(watch.svg()) < 100_000 and watch.finding().peak == 1000.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: etalon.Watch(momentum=1.0), "momentum"),
        (lambda: etalon.Watch(nesterov=True), "needs a momentum"),
        (lambda: etalon.Watch(momentum=0.9, adam=0.9), "not both"),
        (lambda: etalon.Watch().push(-1, 1.0), "step = -1"),
        (lambda: etalon.Watch().read("nowhere.csv"), "cannot read nowhere.csv"),
        (lambda: etalon.Watch().read(ROOT / "docs"), "without TensorBoard event files"),
    ],
)
def test_what_is_wrong_is_said(call, says):
    with pytest.raises(etalon.Error, match=says):
        call()


def test_a_log_without_a_loss_is_told_the_keyword(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,accuracy\n0,0.5\n1,0.6\n")
    with pytest.raises(etalon.Error, match="no column for the loss: .* name one by loss="):
        etalon.Watch().read(log)
    assert etalon.Watch().read(log, loss="accuracy").rows == 2


def test_lines_that_are_no_rows_are_warned_of(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"loss": 1}\nnonsense\n{"loss": 0.5}\n')
    with pytest.warns(UserWarning, match="1 lines of .* are no rows"):
        assert etalon.Watch().read(log).rows == 2
