"""Check values/normalization.json with a second implementation, in PyTorch.

    python check_normalization_with_torch.py

The network is built of PyTorch's own layers, in training and in evaluation; derivatives come from its reverse mode, and
Jacobian products are assembled row by row. Exits with 1 if any value differs by more than 1e-12, relative to the largest
entry of its vector.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from check_with_torch import ACTIVATIONS, gradient_of, loss_of, rows

VALUES = Path(__file__).parent / "values" / "normalization.json"
TOLERANCE = 1e-12


class Normalized(nn.Module):
    """Features as positions x channels, where PyTorch has channels x positions."""

    def __init__(self, case):
        super().__init__()
        channels, kind = case["channels"], case["normalizer"]
        # PyTorch refuses 0; this vanishes beside any variance.
        epsilon = max(case["epsilon"], 1e-200)
        options = {"affine": case["affine"], "eps": epsilon, "dtype": torch.float64}
        if kind == "batch":
            self.norm = nn.BatchNorm1d(channels, **options)
        else:
            groups = {"layer": 1, "instance": channels}.get(kind, case["groups"])
            self.norm = nn.GroupNorm(groups, channels, **options)
        self.shape = (case["positions"], channels)

    def forward(self, x):
        y = self.norm(x.reshape(-1, *self.shape).transpose(1, 2))
        return y.transpose(1, 2).reshape(x.shape)


class Network(nn.Module):
    def __init__(self, case):
        super().__init__()
        width = case["positions"] * case["channels"]
        self.first = Normalized(case) if case["rich"] else nn.Identity()
        self.hidden = nn.ModuleList()
        for _ in range(2):
            linear = nn.Linear(width, width, dtype=torch.float64)
            self.hidden.append(nn.Sequential(linear, Normalized(case)))
        self.last = nn.Linear(width, case["output_size"], dtype=torch.float64)
        self.activation, self.rich = ACTIVATIONS[case["activation"]], case["rich"]

    def forward(self, x):
        x = self.activation(self.hidden[0](self.first(x)))
        y = self.activation(self.hidden[1](x))
        return self.last(x + y if self.rich else y)


def values_of(case):
    def tensor(key, *shape):
        return torch.tensor(case[key], dtype=torch.float64).reshape(*shape)

    inputs = tensor("inputs", case["samples"], -1)
    targets = tensor("targets", case["samples"], -1)
    network = Network(case)
    torch.nn.utils.vector_to_parameters(tensor("params", -1), network.parameters())
    parameters = list(network.parameters())

    outputs = network(inputs)
    state = [buffer for buffer in network.buffers() if buffer.dtype == torch.float64]
    state = torch.cat(state) if state else torch.zeros(0, dtype=torch.float64)
    loss = loss_of(case["loss"], outputs, targets)
    gradient = gradient_of(loss, parameters)
    jacobian = rows(outputs.reshape(-1), parameters)
    detached = outputs.detach().requires_grad_()
    slope = gradient_of(loss_of(case["loss"], detached, targets), [detached])
    v = tensor("v", -1)
    network.eval()
    return {
        "outputs": outputs.reshape(-1),
        "loss_value": loss,
        "gradient": gradient,
        "jvp": jacobian @ v,
        "vjp": tensor("u", -1) @ jacobian,
        "hvp": gradient_of(gradient @ v, parameters),
        "gauss_newton": (rows(slope, [detached]) @ (jacobian @ v)) @ jacobian,
        "ntk_top": torch.linalg.svdvals(jacobian)[0] ** 2 / case["samples"],
        "state": state,
        "evaluated": network(inputs).reshape(-1),
    }


def main():
    cases = json.loads(VALUES.read_text())["cases"]
    worst, failures = {}, []
    for case in cases:
        for key, value in values_of(case).items():
            expected = torch.tensor(case[key], dtype=torch.float64)
            if expected.numel() == 0:
                continue
            gap = float((value.detach() - expected).abs().max() / expected.abs().max())
            worst[key] = max(worst.get(key, 0.0), gap)
            if not gap <= TOLERANCE:
                failures.append(f"{case['name']}: {key} differs by {gap:.1e}")
    print(f"{len(cases)} cases; largest relative difference of each value:")
    for key, gap in worst.items():
        print(f"  {key:20} {gap:.1e}")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
