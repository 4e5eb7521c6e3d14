"""What learning rate a neural network can take, why, and what happens there.

This module needs nothing but Python; ``etalon.torch`` and ``etalon.jax`` import what they are named after, where they are
imported themselves.
"""

from ._etalon import Error, __version__
from .result import Limit, Omitted
from .spectrum import Eigenvalue, Spectrum, eigenvalues
from .watch import Finding, Rise, Watch

__all__ = [
    "Eigenvalue",
    "Error",
    "Finding",
    "Limit",
    "Omitted",
    "Rise",
    "Spectrum",
    "Watch",
    "__version__",
    "eigenvalues",
]
