"""Leaving a model as it was, and a loss that is the same function at every call."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import Any, Callable, Iterator, Optional, Sequence

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from .._etalon import Error

Loss = Callable[[Any, Any], Tensor]


class Untouched:
    """While it is entered, buffers are copies, gradients are put aside, and all generators of random numbers start from a seed;
    when it is left, all of that, and the modes of modules, are what they were: the same tensors with the same bits."""

    def __init__(self, model: nn.Module, seed: int) -> None:
        self.seed = seed
        self.modules = list(model.modules())
        self.modes = [module.training for module in self.modules]
        self.buffers = [dict(module._buffers) for module in self.modules]
        self.parameters = list(model.parameters())
        self.gradients = [parameter.grad for parameter in self.parameters]

    def __enter__(self) -> Untouched:
        self.random = _random_states()
        try:
            for parameter in self.parameters:
                parameter.grad = None
            self.again()
        except BaseException:
            self.__exit__()
            raise
        return self

    def again(self) -> None:
        """Goes back to what the first evaluation of the loss found."""
        copies: dict[int, Tensor] = {}
        for module, buffers in zip(self.modules, self.buffers):
            for name, buffer in buffers.items():
                if buffer is not None:
                    # A buffer may belong to several modules.
                    module._buffers[name] = copies.setdefault(id(buffer), buffer.detach().clone())
        _seed(self.seed)

    def __exit__(self, *_: object) -> None:
        for module, mode, buffers in zip(self.modules, self.modes, self.buffers):
            module.training = mode
            module._buffers.clear()
            module._buffers.update(buffers)
        for parameter, gradient in zip(self.parameters, self.gradients):
            parameter.grad = gradient
        _restore(self.random)


def _random_states() -> dict[str, Any]:
    states: dict[str, Any] = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state_all()
    if "numpy" in sys.modules:
        states["numpy"] = sys.modules["numpy"].random.get_state()
    return states


def _seed(seed: int) -> None:
    random.seed(seed)
    # Those of all devices.
    torch.manual_seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def _restore(states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])
    if "numpy" in states:
        sys.modules["numpy"].random.set_state(states["numpy"])


@contextlib.contextmanager
def uncompiled() -> Iterator[None]:
    """Runs compiled modules uncompiled: they would be compiled anew for a few calls."""
    with contextlib.ExitStack() as stack:
        if hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


@contextlib.contextmanager
def eager() -> Iterator[None]:
    """Runs compiled modules uncompiled, and attention by plain arithmetic: neither has second derivatives otherwise."""
    with uncompiled(), sdpa_kernel(SDPBackend.MATH):
        yield


def leaves(batch: Any) -> Iterator[Tensor]:
    """The tensors of a batch: a tensor, or lists, tuples, dictionaries and the like of batches."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, (list, tuple)):
        for item in batch:
            yield from leaves(item)
    elif hasattr(batch, "values") and callable(batch.values):
        for item in batch.values():
            yield from leaves(item)


def evaluate(model: nn.Module, loss: Loss, batch: Any, finite: bool = True) -> Tensor:
    """The loss as a scalar, finite unless it need not be, or an error that says what it is instead."""
    for tensor in leaves(batch):
        if tensor.numel() == 0:
            raise Error(f"the batch holds a tensor of shape {tuple(tensor.shape)}, which is empty: pass at least one sample")
    try:
        value = loss(model, batch)
    except Exception as raised:
        _explain_devices(model, batch, raised)
        raise
    if not isinstance(value, Tensor):
        raise Error(
            f"loss(model, batch) answered with {type(value).__name__}: it must answer with the scalar tensor itself, without "
            ".item() or float()"
        )
    if value.numel() != 1:
        raise Error(f"loss(model, batch) answered with shape {tuple(value.shape)}: it must be a scalar; take its mean()")
    if value.device.type == "meta":
        _explain_devices(model, batch, None)
    if finite and not torch.isfinite(value.detach()).item():
        raise Error(
            f"the loss is {value.item()} at these parameters: there is no curvature to measure; look for what is not finite in "
            "parameters and batch"
        )
    return value.reshape(())


def require_dependence(value: Tensor, gradients: Optional[Sequence[Optional[Tensor]]] = None) -> None:
    """An error if a loss, or its gradients in the parameters, say that it does not depend on them."""
    if not value.requires_grad:
        raise Error(
            "the loss does not depend on the parameters: is there a detach(), no_grad() or .item() on the way, is it a "
            "constant, or are all parameters frozen?"
        )
    if gradients is not None and all(gradient is None for gradient in gradients):
        raise Error("the loss depends on none of these parameters: pass those of the model that it calls")


def _explain_devices(model: nn.Module, batch: Any, raised: Any) -> None:
    homes = {str(parameter.device) for parameter in model.parameters()}
    away = {str(tensor.device) for tensor in leaves(batch)} - homes
    if away:
        places = f"the model is on {', '.join(sorted(homes))} and the batch has tensors on {', '.join(sorted(away))}"
        raise Error(f"{places}: move the batch to the model's device") from raised


def same_twice(first: float, again: Tensor) -> None:
    """An error if two evaluations of one loss differ by more than rounding."""
    second = again.item()
    # Sums on a GPU may take another order at each call.
    digits = 1e-3 if again.dtype in (torch.float16, torch.bfloat16) else 1e-5
    if not abs(first - second) <= digits * max(abs(first), abs(second)):
        raise Error(
            f"the loss is {first:.6g} at the first evaluation and {second:.6g} at the second: it draws from a generator of its own "
            "(dropout? augmentation? a shuffled loader?) or changes something that it reads; draw once, outside of the loss, or "
            "from torch's, numpy's or random's global generator, which is seeded for every evaluation"
        )
