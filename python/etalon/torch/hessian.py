"""Products with the Hessian of a loss, on a graph that is kept."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import torch
from torch import Tensor, nn

from .._etalon import Error
from .guard import Loss, Untouched, evaluate, require_dependence, same_twice

_CHUNK = 1 << 20


Vector = list[Tensor]
"""A tensor for each parameter, of its shape."""


class Tensors:
    """Vectors that hold a number for each element of the parameters, on their device: of float64 where all parameters are, else
    of float32."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.shapes = [parameter.shape for parameter in parameters]
        self.dim = sum(parameter.numel() for parameter in parameters)
        self.device = parameters[0].device
        self.dtype = torch.float64 if all(p.dtype == torch.float64 for p in parameters) else torch.float32
        information = torch.finfo(self.dtype)
        self.nbytes, self.epsilon = self.dim * information.bits // 8, float(information.eps)
        # Apple's GPUs have no float64.
        self.sum = torch.float32 if self.device.type == "mps" else torch.float64

    def length(self, x: Vector) -> int:
        return sum(part.numel() for part in x)

    def zeros(self) -> Vector:
        return self.spread([0.0] * len(self.shapes))

    def spread(self, numbers: Sequence[float]) -> Vector:
        """One number for each parameter."""
        pairs = zip(self.shapes, numbers)
        return [torch.full(shape, number, dtype=self.dtype, device=self.device) for shape, number in pairs]

    def copy(self, x: Vector) -> Vector:
        return [part.clone() for part in x]

    def random(self, seed: int) -> Vector:
        generator = torch.Generator(self.device).manual_seed(seed)
        return [torch.randn(shape, dtype=self.dtype, device=self.device, generator=generator) for shape in self.shapes]

    def dot(self, a: Sequence[Tensor], b: Sequence[Tensor]) -> float:
        total = torch.zeros((), dtype=self.sum, device=self.device)
        for x, y in zip(a, b):
            for one, other in zip(x.reshape(-1).split(_CHUNK), y.reshape(-1).split(_CHUNK)):
                total += torch.dot(one.to(self.sum), other.to(self.sum))
        return float(total)

    def axpy(self, factor: float, x: Vector, y: Vector) -> Vector:
        return [to.add_(part, alpha=factor) for part, to in zip(x, y)]

    def scale(self, factor: float, x: Vector) -> Vector:
        return [part.mul_(factor) for part in x]

    def own(self, parts: list[Optional[Tensor]]) -> Vector:
        """A vector of copies of these parts, zero where there is none. Each is let go of before the next is copied, because
        autograd may answer with a tensor that is somebody else's."""
        vector = []
        for index, shape in enumerate(self.shapes):
            part, parts[index] = parts[index], None
            to = torch.empty(shape, dtype=self.dtype, device=self.device)
            vector.append(to.zero_() if part is None else to.copy_(part.detach()))
        return vector


class Hessian:
    """The Hessian of ``loss(model, batch)`` in some parameters, at their values.

    ``scale`` and ``shift``, vectors or None, make of it ``S (H + D) S``: coordinates and weight decay of an optimiser.
    """

    def __init__(self, model: nn.Module, loss: Loss, batch: Any, parameters: Sequence[Tensor], guard: Untouched) -> None:
        self.parameters = list(parameters)
        self.space = Tensors(self.parameters)
        self.scale: Optional[Vector] = None
        self.shift: Optional[Vector] = None
        # Its graph is gone before the second is made.
        first = evaluate(model, loss, batch).item()
        guard.again()
        value = evaluate(model, loss, batch)
        same_twice(first, value)
        require_dependence(value)
        self.loss = float(value.detach())
        self._graph = _differentiate([value], self.parameters, create_graph=True)
        require_dependence(value, self._graph)
        _twice(self._graph)
        self.unused = sum(gradient is None for gradient in self._graph)
        self.gradient = [None if gradient is None else gradient.detach() for gradient in self._graph]
        there = [gradient for gradient in self.gradient if gradient is not None]
        self.gradient_norm = self.space.dot(there, there) ** 0.5
        if not self.gradient_norm < float("inf"):
            raise Error("the gradient is not finite at these parameters: look for a root or a logarithm of 0 in the loss")
        self._moving = [index for index, g in enumerate(self._graph) if g is not None and g.requires_grad]

    def product(self, x: Vector) -> Vector:
        """``S (H + D) S x``, newly made."""
        y = x if self.scale is None else [part * scale for part, scale in zip(x, self.scale)]
        if not self._moving:
            product = self.space.zeros()
        else:
            directions = [y[i].to(self._graph[i].dtype) for i in self._moving]
            outputs = [self._graph[i] for i in self._moving]
            product = self.space.own(_differentiate(outputs, self.parameters, grad_outputs=directions, retain_graph=True))
        if self.shift is not None:
            product = [to.addcmul_(part, shift) for to, part, shift in zip(product, y, self.shift)]
        return product if self.scale is None else [to.mul_(scale) for to, scale in zip(product, self.scale)]


def _differentiate(outputs: Sequence[Tensor], parameters: Sequence[Tensor], **how: Any) -> list[Any]:
    try:
        return list(torch.autograd.grad(outputs, parameters, allow_unused=True, **how))
    except RuntimeError as raised:
        text = str(raised)
        for symptom, remedy in _REMEDIES:
            if symptom in text:
                raise Error(f"a product with the Hessian failed: {text.splitlines()[0]}; {remedy}") from raised
        raise


def _twice(gradients: Sequence[Optional[Tensor]]) -> None:
    """An error if an operation in the gradients has no derivative: autograd leaves its share out without a word where no
    parameter lies behind it."""
    seen: set[Any] = set()
    ahead = [gradient.grad_fn for gradient in gradients if gradient is not None]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        if node.name() in ("torch::autograd::Error", "torch::autograd::NotImplemented"):
            raise Error(f"there is no Hessian: {_PLAIN}")
        seen.add(node)
        ahead.extend(following for following, _ in node.next_functions)


_PLAIN = "an operation in the model has no second derivative; take its plain implementation"
_REMEDIES = (
    ("heckpoint", "checkpoint with use_reentrant=False, or not at all"),
    ("double backward", _PLAIN),
    ("once_differentiable", _PLAIN),
    ("is not implemented", _PLAIN),
    ("out of memory", "measure on a smaller batch"),
)
