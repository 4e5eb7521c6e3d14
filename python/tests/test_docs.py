"""The examples of the documentation run."""

import re
from pathlib import Path

import torch

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_examples_of_the_page_run_one_after_the_other(tmp_path, monkeypatch):
    # Trainers leave folders.
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    torch.manual_seed(0)
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["found"].limit.eta > 0 and len(names["spectrum"].largest) == 2
    assert names["watch"].finding().rows == 50 and names["callback"].finding().over_limit > 0
    assert names["callback_of_trainer"].finding().over_limit > 0
