"""Sharpness against Etalon's own engine, which shares no code with PyTorch, on the same weights and samples."""

import json
from pathlib import Path

import etalon.torch as et
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

# Written by crates/etalon/tests/sharpness_for_python.rs, whose spec this network is.
KEPT = Path(__file__).parent / "engine"


def test_it_is_what_the_engine_measures_in_float32():
    layers = [nn.Linear(12, 24), nn.BatchNorm1d(24), nn.GELU()]
    for _ in range(2):
        layers += [nn.Linear(24, 24), nn.BatchNorm1d(24), nn.GELU()]
    model = nn.Sequential(*layers, nn.Linear(24, 1))
    numbered = [layer for layer in model if not isinstance(layer, nn.GELU)]
    weights = load_file(KEPT / "weights.safetensors")
    for index, layer in enumerate(numbered):
        prefix = f"layers.{index}."
        own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        layer.load_state_dict(own, strict=False)
    assert sum(value.numel() for key, value in weights.items() if "running" not in key) == sum(p.numel() for p in model.parameters())
    samples = load_file(KEPT / "samples.safetensors")
    loss, largest, smallest = json.loads((KEPT / "values.json").read_text())

    def half_mean_square(model, batch):
        return (model(batch["inputs"]) - batch["targets"]).square().mean() / 2

    found = et.sharpness(model, half_mean_square, samples, ends="both", tol=1e-4, max_iterations=200)
    assert found.loss == pytest.approx(loss, rel=1e-5)
    assert found.value == pytest.approx(largest, rel=1e-5)
    assert found.smallest[0].value == pytest.approx(smallest, rel=1e-5)
