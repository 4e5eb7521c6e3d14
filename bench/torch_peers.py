"""PyTorch on the works that Etalon is timed on."""

import shutil

from peer import LEARNING_RATES, SWEEP_STEPS, Skipped, largest, peer, timed
from problem import dense_problem, problem


def torch_problem(threads):
    import torch

    torch.set_num_threads(threads)
    inputs, labels, layers = dense_problem()
    tensors = [torch.from_numpy(array) for layer in layers for array in layer]
    return torch, torch.from_numpy(inputs), torch.from_numpy(labels), tensors


def torch_loss(tensors, inputs, labels):
    from torch.nn import functional as F

    h = inputs
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2]):
        h = F.relu(F.linear(h, weight, bias))
    return F.cross_entropy(F.linear(h, tensors[-2], tensors[-1]), labels)


def torch_model(torch, tensors):
    """The network as a user writes it: a Sequential and an optimiser's step."""
    modules = []
    for weight, bias in zip(tensors[::2], tensors[1::2]):
        linear = torch.nn.utils.skip_init(torch.nn.Linear, weight.shape[1], weight.shape[0])
        linear.weight.data.copy_(weight)
        linear.bias.data.copy_(bias)
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def torch_steps(torch, model, optimizer, batch, repeats, compiled):
    """The times of steps of an optimiser in ms, and the loss before each."""
    forward = torch.compile(model) if compiled else model
    inputs, labels = batch
    losses = []

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(forward(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    return timed(step, repeats, warm_up=5, scale=1e3), losses


def torch_step(repeats, threads, compiled):
    torch, inputs, labels, tensors = torch_problem(threads)
    model = torch_model(torch, tensors)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    samples, losses = torch_steps(torch, model, optimizer, (inputs, labels), repeats, compiled)
    return samples, losses[-1]


@peer("w1", "torch-eager")
def _(repeats, threads):
    return torch_step(repeats, threads, compiled=False)


def compiled_or_skipped(run):
    """Runs what needs torch.compile, or says why it cannot."""
    if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
        raise Skipped("torch.compile needs a C++ compiler, and none is on PATH")
    try:
        return run()
    except Exception as error:  # torch.compile raises many types, by version
        reason = next(iter(str(error).strip().splitlines()), "")
        raise Skipped(f"torch.compile failed: {type(error).__name__}: {reason}") from error


@peer("w1", "torch-compile")
def _(repeats, threads):
    return compiled_or_skipped(lambda: torch_step(repeats, threads, compiled=True))


@peer("w2", "torch-vmap")
def _(repeats, threads):
    torch, inputs, labels, tensors = torch_problem(threads)
    rates = torch.tensor(LEARNING_RATES)
    gradient = torch.func.vmap(torch.func.grad(torch_loss), in_dims=(0, None, None))
    final = []

    def sweep():
        stacked = [tensor.expand(len(rates), *tensor.shape).clone() for tensor in tensors]
        for _ in range(SWEEP_STEPS):
            for tensor, slope in zip(stacked, gradient(stacked, inputs, labels)):
                tensor -= rates.reshape(-1, *[1] * (tensor.dim() - 1)) * slope
        final[:] = [tensor[0] for tensor in stacked]

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    return samples, torch_loss(final, inputs, labels).item()


@peer("w2", "torch-loop")
def _(repeats, threads):
    torch, inputs, labels, tensors = torch_problem(threads)
    final = []

    def sweep():
        final.clear()
        for rate in LEARNING_RATES:
            model = torch_model(torch, tensors)
            optimizer = torch.optim.SGD(model.parameters(), lr=rate)
            for _ in range(SWEEP_STEPS):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            final.append(list(model.parameters()))

    samples = timed(sweep, repeats, warm_up=0, scale=1.0)
    return samples, torch_loss(final[0], inputs, labels).item()


def torch_hvp(repeats, tensors, loss, retained):
    """One product at a fixed point. What is not retained is computed again for each."""
    import torch

    direction = [torch.ones_like(tensor) for tensor in tensors]

    def gradient():
        return torch.autograd.grad(loss(), tensors, create_graph=True)

    kept = gradient() if retained else None
    product = []

    def hvp():
        product[:] = torch.autograd.grad(
            kept or gradient(), tensors, grad_outputs=direction, retain_graph=retained
        )

    samples = timed(hvp, repeats, warm_up=3, scale=1e3)
    return samples, sum(entry.square().sum().item() for entry in product) ** 0.5


def torch_sharpness(repeats, tensors, loss):
    """The graph of the gradient and SciPy's eigsh, anew each time."""
    import torch

    values = []

    def find():
        slope = torch.cat([g.ravel() for g in torch.autograd.grad(loss(), tensors, create_graph=True)])

        def product(v):
            rows = torch.autograd.grad(slope, tensors, grad_outputs=torch.from_numpy(v), retain_graph=True)
            return torch.cat([row.ravel() for row in rows]).numpy()

        values.append(largest(slope.numel(), product))

    return timed(find, repeats, warm_up=0, scale=1.0), values[-1]


@peer("w11", "torch-eigsh")
def _(repeats, threads):
    _, inputs, labels, tensors = torch_problem(threads)
    for tensor in tensors:
        tensor.requires_grad_()
    return torch_sharpness(repeats, tensors, lambda: torch_loss(tensors, inputs, labels))


def torch_dense_hvp(repeats, threads, retained):
    _, inputs, labels, tensors = torch_problem(threads)
    for tensor in tensors:
        tensor.requires_grad_()
    return torch_hvp(repeats, tensors, lambda: torch_loss(tensors, inputs, labels), retained)


@peer("w4", "torch-retained-graph")
def _(repeats, threads):
    return torch_dense_hvp(repeats, threads, retained=True)


@peer("w4", "torch-double-backward")
def _(repeats, threads):
    return torch_dense_hvp(repeats, threads, retained=False)


def preresnet20(torch):
    """No bias in convolutions, shortcuts without parameters."""
    from torch import nn
    from torch.nn import functional as F

    def conv(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, stride)
            self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
            self.stride, self.new = stride, outputs - inputs

        def forward(self, x):
            y = self.conv1(F.relu(self.bn1(x), inplace=True))
            y = self.conv2(F.relu(self.bn2(y), inplace=True))
            if self.new:
                x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))
            return y + x

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = conv(3, 16)
            for stage, (inputs, outputs) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
                first = Block(inputs, outputs, 2 if stage > 1 else 1)
                blocks = [first, Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
                setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            self.bn, self.fc = nn.BatchNorm2d(64), nn.Linear(64, 10)

        def forward(self, x):
            x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
            return self.fc(F.relu(self.bn(x), inplace=True).mean((2, 3)))

    return Network()


def torch_images(threads):
    """A PreResNet-20 and a batch of images, channels last."""
    import torch

    torch.set_num_threads(threads)
    inputs, labels, weights = problem()
    inputs = torch.from_numpy(inputs).view(-1, 32, 32, 3).permute(0, 3, 1, 2)
    model = preresnet20(torch)
    state = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    statistics = {name: value for name, value in model.state_dict().items() if name not in state}
    model.load_state_dict(state | statistics)
    return torch, inputs, torch.from_numpy(labels), model.to(memory_format=torch.channels_last)


def torch_image_step(repeats, threads, compiled):
    torch, inputs, labels, model = torch_images(threads)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    samples, losses = torch_steps(torch, model, optimizer, (inputs, labels), repeats, compiled)
    # The first loss: later ones part, for training at this rate is chaotic in f32.
    return samples, losses[0]


@peer("w3", "torch-eager")
def _(repeats, threads):
    return torch_image_step(repeats, threads, compiled=False)


@peer("w3", "torch-compile")
def _(repeats, threads):
    return compiled_or_skipped(lambda: torch_image_step(repeats, threads, compiled=True))


def torch_image_loss(threads):
    """The parameters, and the loss as a function of nothing."""
    torch, inputs, labels, model = torch_images(threads)
    return list(model.parameters()), lambda: torch.nn.functional.cross_entropy(model(inputs), labels)


def torch_image_hvp(repeats, threads, retained):
    return torch_hvp(repeats, *torch_image_loss(threads), retained)


@peer("w13", "torch-eigsh")
def _(repeats, threads):
    return torch_sharpness(repeats, *torch_image_loss(threads))


@peer("w7", "torch-retained-graph")
def _(repeats, threads):
    return torch_image_hvp(repeats, threads, retained=True)


@peer("w7", "torch-double-backward")
def _(repeats, threads):
    return torch_image_hvp(repeats, threads, retained=False)
