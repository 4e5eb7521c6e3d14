"""Products with the Hessian of a loss, on a graph that is kept."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import torch
from torch import Tensor, nn

from .._etalon import Error
from .guard import Loss, Untouched, evaluate, require_dependence, same_twice

_CHUNK = 1 << 20


class Tensors:
    """Vectors that hold a number for each element of the parameters, one after the other, on their device: of float64 where all
    parameters are, else of float32."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.sizes = [parameter.numel() for parameter in parameters]
        self.dim = sum(self.sizes)
        self.device = parameters[0].device
        self.dtype = torch.float64 if all(p.dtype == torch.float64 for p in parameters) else torch.float32
        information = torch.finfo(self.dtype)
        self.nbytes, self.epsilon = self.dim * information.bits // 8, float(information.eps)
        # Apple's GPUs have no float64.
        self.sum = torch.float32 if self.device.type == "mps" else torch.float64

    def length(self, x: Tensor) -> int:
        return x.numel()

    def zeros(self) -> Tensor:
        return torch.zeros(self.dim, dtype=self.dtype, device=self.device)

    def copy(self, x: Tensor) -> Tensor:
        return x.clone()

    def random(self, seed: int) -> Tensor:
        generator = torch.Generator(self.device).manual_seed(seed)
        return torch.randn(self.dim, dtype=self.dtype, device=self.device, generator=generator)

    def dot(self, a: Tensor, b: Tensor) -> float:
        chunks = zip(a.split(_CHUNK), b.split(_CHUNK))
        return float(sum(torch.dot(x.to(self.sum), y.to(self.sum)) for x, y in chunks))

    def axpy(self, factor: float, x: Tensor, y: Tensor) -> Tensor:
        return y.add_(x, alpha=factor)

    def scale(self, factor: float, x: Tensor) -> Tensor:
        return x.mul_(factor)

    def join(self, parts: Sequence[Optional[Tensor]]) -> Tensor:
        """A vector of one part a parameter, zero where there is none."""
        whole = torch.empty(self.dim, dtype=self.dtype, device=self.device)
        for to, part in zip(whole.split(self.sizes), parts):
            to.zero_() if part is None else to.copy_(part.detach().reshape(-1))
        return whole


class Hessian:
    """The Hessian of ``loss(model, batch)`` in some parameters, at their values.

    ``scale`` and ``shift``, vectors or None, make of it ``S (H + D) S``: coordinates and weight decay of an optimiser.
    """

    def __init__(self, model: nn.Module, loss: Loss, batch: Any, parameters: Sequence[Tensor], guard: Untouched) -> None:
        self.parameters = list(parameters)
        self.space = Tensors(self.parameters)
        self.scale: Optional[Tensor] = None
        self.shift: Optional[Tensor] = None
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
        self.gradient = self.space.join(self._graph)
        self.gradient_norm = self.space.dot(self.gradient, self.gradient) ** 0.5
        if not self.gradient_norm < float("inf"):
            raise Error("the gradient is not finite at these parameters: look for a root or a logarithm of 0 in the loss")
        self._moving = [index for index, g in enumerate(self._graph) if g is not None and g.requires_grad]

    def product(self, x: Tensor) -> Tensor:
        """``S (H + D) S x``, newly made."""
        y = x if self.scale is None else x * self.scale
        if not self._moving:
            product = self.space.zeros()
        else:
            parts = y.split(self.space.sizes)
            directions = [parts[i].view_as(self.parameters[i]).to(self._graph[i].dtype) for i in self._moving]
            outputs = [self._graph[i] for i in self._moving]
            found = _differentiate(outputs, self.parameters, grad_outputs=directions, retain_graph=True)
            product = self.space.join(found)
        if self.shift is not None:
            product.addcmul_(y, self.shift)
        return product if self.scale is None else product.mul_(self.scale)


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
