"""The examples of the documentation run."""

import ast
import json
import re
from pathlib import Path

import torch

DOCS = Path(__file__).parents[2] / "docs"


def test_the_examples_of_the_page_run_one_after_the_other(tmp_path, monkeypatch):
    # Trainers leave folders.
    monkeypatch.chdir(tmp_path)
    page = DOCS / "python.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
    torch.manual_seed(0)
    names = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert names["found"].limit.eta > 0 and len(names["spectrum"].largest) == 2
    assert names["watch"].finding().rows == 50 and names["callback"].finding().over_limit > 0
    assert names["callback_of_trainer"].finding().over_limit > 0


def shown(cell, names):
    """Runs a cell of a notebook: what its last line shows, if that is an expression."""
    *before, last = ast.parse(cell).body
    is_shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(before if is_shown else [*before, last], []), "python.ipynb", "exec"), names)
    return eval(compile(ast.Expression(last.value), "python.ipynb", "eval"), names) if is_shown else None


def test_the_notebook_runs_from_top_to_bottom():
    cells = json.loads((DOCS / "python.ipynb").read_text())["cells"]
    names = {}
    results = [shown("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]
    _, axes, suggestion, sharpness, found, watch, finding = results
    assert axes.get_xlabel() == "learning rate" and suggestion.eta > 0 and sharpness.limit.eta > 0
    assert found.recommended.eta > 0 and found.trainings < 20 and found.recommended.metric > 0.5
    assert finding.rows == 80 and finding.state == "diverging" and "times the first" in finding.why, finding
    for result in [suggestion, sharpness, found, watch, finding]:
        assert "<" in result._repr_html_()
