"""The instruments on PyTorch's models.

Every call leaves model, gradients, buffers, modes, generators of random numbers and optimiser as they were, bit by bit, also
where it raises or is interrupted.
"""

from ..critical import CriticalRate
from .critical import critical_lr
from .range_test import RangeTest, Suggestion, range_test
from .schedule import ExponentialSchedule, scale_invariant
from .sharpness import Sharpness, sharpness

__all__ = [
    "CriticalRate",
    "ExponentialSchedule",
    "RangeTest",
    "Sharpness",
    "Suggestion",
    "critical_lr",
    "range_test",
    "scale_invariant",
    "sharpness",
]
