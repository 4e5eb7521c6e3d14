"""What learning rate a neural network can take, why, and what happens there.

This module needs nothing but Python; ``etalon.torch`` and ``etalon.jax`` import what they are named after, where they are
imported themselves.
"""

from ._etalon import Error, __version__
from .result import Limit, Omitted
from .search import Found, Probe, Recommended, Seed, Tried, find
from .spectrum import Eigenvalue, Spectrum, eigenvalues
from .trainings import Trial
from .watch import Finding, Rise, Watch

__all__ = [
    "Eigenvalue",
    "Error",
    "Finding",
    "Found",
    "Limit",
    "Omitted",
    "Probe",
    "Recommended",
    "Rise",
    "Seed",
    "Spectrum",
    "Trial",
    "Tried",
    "Watch",
    "__version__",
    "eigenvalues",
    "find",
]
