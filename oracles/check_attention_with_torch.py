"""Check values/attention.json with a second implementation, in PyTorch.

    python check_attention_with_torch.py

Attention is PyTorch's own; derivatives come from its reverse mode, and Jacobian products are assembled row by row. Exits
with 1 if any value differs by more than 1e-12, relative to the largest entry of its vector.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.attention
from torch.nn import functional

from check_with_torch import gradient_of, loss_of, rows

VALUES = Path(__file__).parent / "values" / "attention.json"
TOLERANCE = 1e-12


def forward(case, params, inputs):
    positions, head, offset = case["positions"], case["head"], 0

    def take(*shape):
        nonlocal offset
        size = torch.Size(shape).numel()
        offset += size
        return params[offset - size : offset].reshape(shape)

    h = inputs
    if case["projected"]:
        width = 3 * positions * head
        h = functional.linear(h, take(width, case["input_size"]), take(width))
    q, k, v = h.reshape(-1, 3, positions, head).unbind(1)
    # Its other implementations have no second derivative.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        h = functional.scaled_dot_product_attention(q, k, v, attn_mask=take(positions, positions))
    outputs = case["output_size"]
    return functional.linear(h.flatten(1), take(outputs, positions * head), take(outputs))


def values_of(case):
    def tensor(key, *shape):
        return torch.tensor(case[key], dtype=torch.float64).reshape(*shape)

    params = tensor("params", -1).requires_grad_()
    targets = tensor("targets", case["samples"], -1)
    outputs = forward(case, params, tensor("inputs", case["samples"], -1))
    loss = loss_of(case["loss"], outputs, targets)
    gradient = gradient_of(loss, [params])
    jacobian = rows(outputs.reshape(-1), [params])
    detached = outputs.detach().requires_grad_()
    slope = gradient_of(loss_of(case["loss"], detached, targets), [detached])
    v = tensor("v", -1)
    return {
        "outputs": outputs.reshape(-1),
        "loss_value": loss,
        "gradient": gradient,
        "jvp": jacobian @ v,
        "vjp": tensor("u", -1) @ jacobian,
        "hvp": gradient_of(gradient @ v, [params]),
        "gauss_newton": (rows(slope, [detached]) @ (jacobian @ v)) @ jacobian,
    }


def main():
    cases = json.loads(VALUES.read_text())["cases"]
    worst, failures = {}, []
    for case in cases:
        for key, value in values_of(case).items():
            expected = torch.tensor(case[key], dtype=torch.float64)
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
