"""What a spec of Etalon's describes, built of PyTorch's own parts: network, loss, optimiser, schedule, curvature.

Specs are dictionaries of all keys, as `etalon spec` prints them. Names of parameters and running statistics are
Etalon's, so that its files of weights load strictly.
"""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler as schedulers

import batch_order
from check_with_torch import ACTIVATIONS, loss_of, rows

torch.set_default_dtype(torch.float64)
# More only wait for one another on networks so small.
torch.set_num_threads(1)

GAINS = {"he": 2.0, "lecun": 1.0}


class Linear(nn.Linear):
    """z = s x W^T + t b."""

    def __init__(self, inputs, outputs, bias, s=1.0, t=1.0):
        super().__init__(inputs, outputs, bias)
        self.s, self.t = s, t

    def forward(self, x):
        return F.linear(x, self.s * self.weight, None if self.bias is None else self.t * self.bias)


class Convolution(nn.Conv2d):
    """The same of an odd kernel, padded to keep the size at stride 1."""

    def __init__(self, inputs, outputs, kernel, stride, bias, s):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=bias)
        self.s = s

    def forward(self, x):
        return F.conv2d(x, self.s * self.weight, self.bias, self.stride, self.padding)


def normaliser(spec, channels):
    affine, epsilon = spec["affine"], spec["normalizer_epsilon"]
    images = spec["kind"] != "mlp"
    match spec["normalizer"]:
        case "none":
            return nn.Identity()
        case "batch":
            return (nn.BatchNorm2d if images else nn.BatchNorm1d)(channels, epsilon, affine=affine)
        case "layer" if not images:
            return nn.LayerNorm(channels, epsilon, elementwise_affine=affine)
        case "layer":
            return nn.GroupNorm(1, channels, epsilon, affine)
        case "group":
            return nn.GroupNorm(spec["groups"], channels, epsilon, affine)
        case "instance":
            return nn.InstanceNorm2d(channels, epsilon, affine=affine)


class Mlp(nn.Module):
    def __init__(self, spec, inputs, outputs):
        super().__init__()
        self.activation, self.residual = ACTIVATIONS[spec["activation"]], spec["residual"]
        # As Etalon counts them: layers with parameters or statistics.
        self.layers, self.hidden = nn.ModuleList(), []
        depth, width, bias = spec["depth"], spec["width"], spec["bias"]
        for index in range(depth + 1):
            is_output = index == depth
            fan_in, fan_out = width if index else inputs, outputs if is_output else width
            gain = spec["output_gain"] if is_output else GAINS[spec["init"]]
            s, t = 1.0, 1.0
            if spec["parametrization"] == "ntk":
                s = math.sqrt(gain / fan_in)
            elif spec["parametrization"] == "mup" and is_output:
                s = 1 / math.sqrt(fan_in)
            elif spec["parametrization"] == "mup":
                s, t = (1.0 if index else math.sqrt(width)), math.sqrt(width)
            linear = Linear(fan_in, fan_out, bias, s, t)
            self.layers.append(linear)
            if not is_output:
                norm = normaliser(spec, width)
                if norm.state_dict():
                    self.layers.append(norm)
                self.hidden.append((linear, norm))

    def forward(self, x):
        for index, (linear, norm) in enumerate(self.hidden):
            y = self.activation(norm(linear(x)))
            x = x + y if self.residual and index > 0 else y
        return self.layers[-1](x)


class OnImages(nn.Module):
    """What networks on square images of one channel share."""

    def __init__(self, spec, inputs):
        super().__init__()
        self.side, self.spec = math.isqrt(inputs), spec
        self.activation = ACTIVATIONS[spec["activation"]]

    def scale(self, gain, fan):
        return math.sqrt(gain / fan) if self.spec["parametrization"] == "ntk" else 1.0

    def convolution(self, inputs, outputs, kernel, stride, bias=False):
        fan = (inputs if self.spec["fan"] == "in" else outputs) * kernel**2
        return Convolution(inputs, outputs, kernel, stride, bias, self.scale(GAINS[self.spec["init"]], fan))

    def output_layer(self, inputs, outputs):
        return Linear(inputs, outputs, self.spec["bias"], self.scale(self.spec["output_gain"], inputs))

    def forward(self, x):
        features = self.features(x.reshape(-1, 1, self.side, self.side))
        return self.fc(features.mean(dim=(2, 3)))


class Cnn(OnImages):
    def __init__(self, spec, inputs, outputs):
        super().__init__(spec, inputs)
        channels = [1]
        for layer in range(spec["depth"]):
            channels.append(spec["width"] * 2 ** (layer // spec["stage"]))
            stride = 2 if self.halves(layer) and spec["pool"] == "stride" else 1
            convolution = self.convolution(*channels[-2:], 3, stride, spec["bias"])
            setattr(self, f"conv{layer + 1}", convolution)
            setattr(self, f"bn{layer + 1}", normaliser(spec, channels[-1]))
        self.fc = self.output_layer(channels[-1], outputs)

    def halves(self, layer):
        return layer > 0 and layer % self.spec["stage"] == 0

    def features(self, x):
        pool = {"average": F.avg_pool2d, "maximum": F.max_pool2d}.get(self.spec["pool"])
        for layer in range(self.spec["depth"]):
            if self.halves(layer) and pool:
                x = pool(x, 2)
            x = getattr(self, f"conv{layer + 1}")(x)
            x = self.activation(getattr(self, f"bn{layer + 1}")(x))
        return x


class Block(nn.Module):
    def __init__(self, network, inputs, outputs, stride):
        super().__init__()
        self.activation, self.outputs, self.stride = network.activation, outputs, stride
        self.bn1 = normaliser(network.spec, inputs)
        self.conv1 = network.convolution(inputs, outputs, 3, stride)
        self.bn2 = normaliser(network.spec, outputs)
        if inputs != outputs and network.spec["skip"] == "projection":
            self.downsample = nn.Sequential(network.convolution(inputs, outputs, 1, stride))
        self.conv2 = network.convolution(outputs, outputs, 3, 1)

    def forward(self, x):
        y = self.conv1(self.activation(self.bn1(x)))
        y = self.conv2(self.activation(self.bn2(y)))
        if hasattr(self, "downsample"):
            return y + self.downsample(x)
        x = x[:, :, :: self.stride, :: self.stride]
        return y + F.pad(x, (0, 0, 0, 0, 0, self.outputs - x.shape[1]))


class PreResNet(OnImages):
    def __init__(self, spec, inputs, outputs):
        super().__init__(spec, inputs)
        channels = spec["width"]
        self.conv1 = self.convolution(1, channels, 3, 1)
        for stage in (1, 2, 3):
            blocks = nn.Sequential()
            for block in range((spec["depth"] - 2) // 6):
                stride = 2 if stage > 1 and block == 0 else 1
                width = spec["width"] * 2 ** (stage - 1)
                blocks.append(Block(self, channels, width, stride))
                channels = width
            setattr(self, f"layer{stage}", blocks)
        self.bn = normaliser(spec, channels)
        self.fc = self.output_layer(channels, outputs)

    def features(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.activation(self.bn(x))


NETWORKS = {"mlp": Mlp, "cnn": Cnn, "preresnet": PreResNet}


def network_of(spec, inputs, outputs, weights):
    """With the tensors of one of Etalon's files, each by its name."""
    network = NETWORKS[spec["network"]["kind"]](spec["network"], inputs, outputs)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(".num_batches_tracked")}
    network.load_state_dict({**weights, **counters})
    return network


def factors_of(spec, network):
    """The factor of the rate of each parameter."""
    optimizer = spec["optimizer"]
    names = [name for name, _ in network.named_parameters()]
    layer = [name.rpartition(".")[0] for name in names]
    return [
        (optimizer["input_factor"] if of == layer[0] else 1.0) * optimizer["factors"].get(name, 1.0)
        for name, of in zip(names, layer)
    ]


def optimizer_of(spec, network):
    keys = spec["optimizer"]
    groups = [
        {"params": [parameter], "lr": keys["eta"] * factor}
        for parameter, factor in zip(network.parameters(), factors_of(spec, network))
    ]
    return torch.optim.SGD(
        groups, keys["eta"], keys["momentum"], weight_decay=keys["weight_decay"], nesterov=keys["nesterov"]
    )


def scheduler_of(spec, optimizer):
    keys, steps, eta = spec["schedule"], spec["train"]["steps"], spec["optimizer"]["eta"]
    warmup = keys["warmup"]
    match keys["kind"]:
        case "constant":
            then = schedulers.ConstantLR(optimizer, 1.0)
        case "step":
            then = schedulers.MultiStepLR(optimizer, keys["milestones"], keys["factor"])
        case "cosine":
            then = schedulers.CosineAnnealingLR(optimizer, steps - warmup, keys["end"] * eta)
        case "one_cycle":
            rates = [group["lr"] for group in optimizer.param_groups]
            then = schedulers.OneCycleLR(
                optimizer,
                rates,
                steps,
                pct_start=keys["rise"],
                cycle_momentum=False,
                div_factor=keys["divisor"],
                final_div_factor=keys["final_divisor"],
            )
    if warmup == 0:
        return then
    rising = schedulers.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
    return schedulers.SequentialLR(optimizer, [rising, then], [warmup])


def train(spec, network, inputs, targets):
    """The rate and the loss of each step; the network is changed."""
    optimizer = optimizer_of(spec, network)
    scheduler = scheduler_of(spec, optimizer)
    # The last parameter stands for all: its factor is 1.
    assert factors_of(spec, network)[-1] == 1.0
    samples, batch = len(inputs), spec["train"]["batch"]
    rates, losses = [], []
    for step in range(spec["train"]["steps"]):
        rows = batch_order.indices(spec["seed"], samples, samples if batch == "full" else batch, step)
        loss = loss_of(spec["loss"], network(inputs[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        rates.append(optimizer.param_groups[-1]["lr"])
        losses.append(loss.item())
        optimizer.step()
        scheduler.step()
    return rates, losses


def evaluate(spec, network, inputs, targets):
    """The loss with the running statistics."""
    with torch.no_grad():
        loss = loss_of(spec["loss"], network.eval()(inputs), targets).item()
    network.train()
    return loss


def curvature(spec, network, inputs, targets):
    """Loss, ends of the Hessian's spectrum and top of the NTK's, from the dense matrices in the coordinates of the
    rates' factors; normalisation over the batch takes the statistics of these samples."""
    # A pass moves running statistics.
    network = copy.deepcopy(network)
    parameters = list(network.parameters())
    root = torch.cat(
        [torch.full((p.numel(),), math.sqrt(f)) for p, f in zip(parameters, factors_of(spec, network))]
    )
    moves = root > 0
    outputs = network(inputs)
    loss = loss_of(spec["loss"], outputs, targets)
    gradient = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, parameters, create_graph=True)])
    jacobian = (rows(outputs.reshape(-1), parameters) * root)[:, moves]
    hessian = (rows(gradient, parameters) * root * root[:, None])[moves][:, moves]
    eigenvalues = torch.linalg.eigvalsh(hessian)
    return {
        "loss": [loss.item()],
        "hessian": [eigenvalues[-1].item(), eigenvalues[0].item()],
        "ntk": [(torch.linalg.svdvals(jacobian)[0] ** 2 / len(inputs)).item()],
    }
