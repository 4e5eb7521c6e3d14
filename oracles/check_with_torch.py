"""Check values/mlp.json with a second implementation, in PyTorch.

    python check_with_torch.py [NAME ...]     all cases, or those named

It shares no code with mlp.py: the network is built of PyTorch's own layers and
losses, derivatives come from its reverse mode alone, and Jacobian and Hessian
are assembled row by row. Exits with 1 if any value differs by more than 1e-12,
relative to the largest entry of its vector.
"""

import json
import math
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

VALUES = Path(__file__).parent / "values" / "mlp.json"
TOLERANCE = 1e-12

ACTIVATIONS = {"identity": lambda z: z, "relu": F.relu, "tanh": torch.tanh, "gelu": F.gelu}


class ScaledLinear(torch.nn.Linear):
    """z = s * x W^T + t * b."""

    def __init__(self, fan_in, fan_out, s, t, bias):
        super().__init__(fan_in, fan_out, bias=bias, dtype=torch.float64)
        self.s, self.t = s, t

    def forward(self, x):
        bias = None if self.bias is None else self.t * self.bias
        return F.linear(x, self.s * self.weight, bias)


class Mlp(torch.nn.Module):
    def __init__(self, case):
        super().__init__()
        widths = [case["input_size"], *case["hidden"], case["output_size"]]
        pairs = list(zip(widths[:-1], widths[1:]))
        self.layers = torch.nn.ModuleList()
        for position, (fan_in, fan_out) in enumerate(pairs):
            s, t = multipliers(case["parametrization"], position, fan_in, fan_out, len(pairs))
            self.layers.append(ScaledLinear(fan_in, fan_out, s, t, case["bias"]))
        self.activation = ACTIVATIONS[case["activation"]]
        self.residual = case["residual"]

    def forward(self, x):
        *hidden, last = self.layers
        for position, layer in enumerate(hidden):
            y = self.activation(layer(x))
            x = x + y if self.residual and position > 0 else y
        return last(x)


def multipliers(parametrization, position, fan_in, fan_out, layers):
    if parametrization == "ntk":
        return 1 / math.sqrt(fan_in), 1.0
    if parametrization == "mup" and layers > 1:
        if position == layers - 1:
            return 1 / math.sqrt(fan_in), 1.0
        return (math.sqrt(fan_out) if position == 0 else 1.0), math.sqrt(fan_out)
    return 1.0, 1.0


def loss_of(name, outputs, targets):
    if name == "mse":
        return F.mse_loss(outputs, targets, reduction="sum") / (2 * len(outputs))
    if name == "cross_entropy":
        return F.cross_entropy(outputs, targets)
    if name == "logistic":
        return F.binary_cross_entropy_with_logits(outputs, (targets + 1) / 2)
    return (-targets * outputs).exp().mean()


def flat(tensors):
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def gradient_of(scalar, parameters, keep_graph=True):
    """Flat; a tensor that the scalar does not depend on has a gradient of zero."""
    return flat(
        torch.autograd.grad(
            scalar,
            parameters,
            create_graph=keep_graph,
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
    )


def rows(vector, parameters):
    """The derivative of each entry, stacked."""
    derivatives = torch.autograd.grad(
        vector,
        parameters,
        torch.eye(len(vector), dtype=torch.float64),
        is_grads_batched=True,
        retain_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    return torch.cat([derivative.reshape(len(vector), -1) for derivative in derivatives], dim=1)


def values_of(case):
    def tensor(key, *shape):
        return torch.tensor(case[key], dtype=torch.float64).reshape(*shape)

    inputs = tensor("inputs", case["samples"], case["input_size"])
    targets = tensor("targets", case["samples"], case["output_size"])
    v, u = tensor("v", -1), tensor("u", -1)

    network = Mlp(case)
    torch.nn.utils.vector_to_parameters(tensor("params", -1), network.parameters())
    parameters = list(network.parameters())

    outputs = network(inputs)
    loss = loss_of(case["loss"], outputs, targets)
    gradient = gradient_of(loss, parameters)
    jacobian = rows(outputs.reshape(-1), parameters)

    detached = outputs.detach().requires_grad_()
    slope = gradient_of(loss_of(case["loss"], detached, targets), [detached])
    curvature = rows(slope, [detached])

    values = {
        "outputs": outputs.reshape(-1),
        "loss_value": loss,
        "gradient": gradient,
        "jvp": jacobian @ v,
        "vjp": u @ jacobian,
        "hvp": gradient_of(gradient @ v, parameters, keep_graph=False),
        "gauss_newton": (curvature @ (jacobian @ v)) @ jacobian,
        "ntk_top": torch.linalg.svdvals(jacobian)[0] ** 2 / case["samples"],
    }
    if case["hessian_eigenvalues"] is not None:
        values["hessian_eigenvalues"] = torch.linalg.eigvalsh(rows(gradient, parameters))
    return {key: value.detach() for key, value in values.items()}


def main():
    cases = json.loads(VALUES.read_text())["cases"]
    names = sys.argv[1:]
    unknown = set(names) - {case["name"] for case in cases}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")

    worst, failures = {}, []
    chosen = [case for case in cases if not names or case["name"] in names]
    for case in chosen:
        for key, value in values_of(case).items():
            expected = torch.tensor(case[key], dtype=torch.float64)
            gap = float((value - expected).abs().max() / expected.abs().max())
            worst[key] = max(worst.get(key, 0.0), gap)
            if not gap <= TOLERANCE:
                failures.append(f"{case['name']}: {key} differs by {gap:.1e}")
    print(f"{len(chosen)} cases; largest relative difference of each value:")
    for key, gap in worst.items():
        print(f"  {key:20} {gap:.1e}")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
