"""Small models that tests measure, each with a loss and a batch."""

import torch
from torch import nn
from torch.nn import functional


def cross_entropy(model, batch):
    inputs, targets = batch
    return functional.cross_entropy(model(inputs), targets)


def samples(*shape, classes=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(*shape, generator=generator, dtype=dtype)
    return inputs, torch.randint(0, classes, shape[:1], generator=generator)


def mlp(dropout=0.0, dtype=torch.float64):
    torch.manual_seed(0)
    layers = [nn.Linear(6, 10), nn.Tanh(), nn.Dropout(dropout), nn.Linear(10, 3)]
    return nn.Sequential(*layers).to(dtype), cross_entropy, samples(20, 6, dtype=dtype)


def frozen():
    model, loss, batch = mlp()
    model[0].weight.requires_grad_(False)
    return model, loss, batch


def convolutional(dtype=torch.float64):
    """With batch normalisation."""
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.GELU(),
        nn.Conv2d(4, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(16, 3),
    ]
    return nn.Sequential(*layers).to(dtype), cross_entropy, samples(12, 2, 5, 5, dtype=dtype)


class Tied(nn.Module):
    """An embedding that is the output layer too, as language models have it."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 6)
        self.middle = nn.Linear(6, 6)
        self.output = nn.Linear(6, 7, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, words):
        return self.output(torch.tanh(self.middle(self.embedding(words))))


def tied():
    torch.manual_seed(0)
    words = torch.arange(30) % 7
    loss = lambda model, batch: functional.cross_entropy(model(batch[0]), batch[1])
    return Tied().double(), loss, (words, (words * words + 1) % 7)


class Attention(nn.Module):
    """One block with scaled-dot-product attention."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.qkv = nn.Linear(4, 12)
        self.output = nn.Linear(4, 5)

    def forward(self, words):
        h = self.embedding(words)
        split = (part.unflatten(-1, (2, 2)).transpose(1, 2) for part in self.qkv(h).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(*split, is_causal=True)
        return self.output(h + mixed.transpose(1, 2).flatten(2))


def attention():
    """With a batch that is a dictionary."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    words = torch.randint(0, 5, (4, 7), generator=generator)
    loss = lambda model, batch: functional.cross_entropy(model(batch["words"]).transpose(1, 2), batch["next"])
    return Attention().double(), loss, {"words": words, "next": words.roll(-1, 1)}


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels) for _ in range(2)])

    def forward(self, x):
        h = functional.relu(self.norms[0](self.first(x)))
        return functional.relu(x + self.norms[1](self.second(h)))


def resnet():
    """At its start."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    layers += [Block(8) for _ in range(9)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)]
    model = nn.Sequential(*layers)
    return model, cross_entropy, samples(16, 3, 8, 8, classes=10, dtype=torch.float32)


ALL = {
    "mlp": mlp,
    "dropout": lambda: mlp(dropout=0.3),
    "frozen": frozen,
    "convolutional": convolutional,
    "tied": tied,
    "attention": attention,
}


def hessian(model, loss, batch, seed=0):
    """The whole matrix, one differentiation a row."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        torch.manual_seed(seed)
        gradients = torch.autograd.grad(loss(model, batch), parameters, create_graph=True)
    flat = torch.cat([g.reshape(-1) for g in gradients])
    rows = []
    for one in flat:
        row = torch.autograd.grad(one, parameters, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([torch.zeros_like(p).reshape(-1) if r is None else r.reshape(-1) for p, r in zip(parameters, row)]))
    return torch.stack(rows).detach(), flat.detach()
