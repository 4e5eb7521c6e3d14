"""The parameters to measure in, and the modes of what they belong to."""

from __future__ import annotations

from typing import Iterable, Optional

from torch import Tensor, nn
from torch.optim import Optimizer

from .._etalon import Error


def choose(model: nn.Module, optimizer: Optional[Optimizer], params: Optional[Iterable[Tensor]]) -> list[Tensor]:
    """The parameters to measure in, each once."""
    if isinstance(model, nn.parallel.DistributedDataParallel):
        raise Error("the model is wrapped for distributed training: pass model.module; the batch is this process's own")
    moved = None if optimizer is None else [p for group in optimizer.param_groups for p in group["params"]]
    given = list(params) if params is not None else list(model.parameters()) if moved is None else moved
    chosen = list({id(p): p for p in given if p.requires_grad}.values())
    if not chosen:
        raise Error("no parameter requires a gradient: is all of the model frozen?")
    if moved is not None and {id(p) for p in chosen} - {id(p) for p in moved}:
        raise Error("params has parameters that the optimiser does not move: leave params or the optimiser out")
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in chosen):
        raise Error("the model has parameters without a shape: call it once before it is measured")
    if any(type(p).__name__ == "DTensor" or type(p.data).__name__ == "DTensor" for p in chosen):
        raise Error("the parameters are sharded over processes, which is not covered: gather them first")
    devices = sorted({str(p.device) for p in chosen})
    if len(devices) > 1:
        raise Error(f"the parameters lie on {', '.join(devices)}: measure in those of one device, by params=")
    return chosen


def modes(model: nn.Module) -> list[str]:
    """What the modes of modules mean for the loss that was measured."""
    training = [module for module in model.modules() if module.training]
    warnings = []
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in training):
        warnings.append("batch normalisation is in training mode: this is the loss with the statistics of this batch")
    if any(isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0 for module in training):
        warnings.append("dropout is on: this is the loss under one mask, that of the seed; eval() measures without")
    return warnings
