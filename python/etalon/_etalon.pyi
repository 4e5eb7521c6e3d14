"""The compiled library. Its functions take what their callers in this package have put in order."""

from typing import Any, Callable, Optional, Sequence, Union

__version__: str

class Error(ValueError):
    """What went wrong, where, and what to do."""

def eigenvalues(
    space: Any,
    product: Callable[[Any], Any],
    *,
    ends: str,
    count: int,
    tol: float,
    max_iterations: int,
    seed: int,
    memory: Optional[int],
    vectors: bool,
    start: Optional[Any],
) -> tuple[dict[str, Any], list[Any], list[Any]]: ...
def limit(
    rule: str,
    curvature: float,
    symbol: str,
    *,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    nesterov: bool = False,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> dict[str, Any]: ...
def convert(log_eta: Sequence[float], *, weight_decay: float, momentum: float, conversion: str) -> dict[str, Any]: ...
def schedule_class() -> str: ...
def thresholds(
    *,
    hessian: Optional[float],
    ntk: Optional[float],
    preconditioned: Optional[float],
    loss: str,
    activation: str,
    hidden_layers: Optional[int],
    outputs: int,
    momentum: float,
    nesterov: bool,
    adam: Optional[float],
    weight_decay: float,
    batch: Optional[int],
) -> dict[str, Any]: ...
def critical_eta(loss: str, constant: float, curvature: float) -> Optional[float]: ...
def catapult_eta(loss: str, constant: float, curvature: float, width: float) -> Optional[float]: ...
def largest_stable_eta(loss: str, constant: float, width: float) -> Optional[float]: ...
def power_law(
    names: Sequence[str], sizes: Sequence[Sequence[float]], values: Sequence[float], level: float, robust: bool
) -> dict[str, Any]: ...
def schedule_svg(plain: Sequence[float], converted: Sequence[float]) -> str: ...

class Judge:
    def __init__(self, momentum: float, nesterov: bool, adam: Optional[float]) -> None: ...
    def push(self, step: int, loss: float, rate: Optional[float], curvature: Optional[float], norm: Optional[float]) -> None: ...
    def read(
        self,
        path: str,
        step: Optional[str],
        loss: Optional[str],
        rate: Union[str, float, None],
        curvature: Optional[str],
        norm: Optional[str],
        run: Optional[str],
    ) -> tuple[int, Optional[str]]: ...
    def finding(self) -> dict[str, Any]: ...
    def svg(self) -> str: ...

class CriticalStep:
    def __init__(self, loss: float, slope: float, tolerance: float, most: int) -> None: ...
    def ask(self) -> Optional[float]: ...
    def tell(self, eta: float, loss: float) -> None: ...
    def so_far(self) -> dict[str, Any]: ...

class SeedSearch:
    def __init__(self, seed: int, start: float, tolerance: float, range: Optional[tuple[float, float]]) -> None: ...
    def ask(self) -> list[float]: ...
    def reach(self) -> Optional[float]: ...
    def begin_beyond(self, reach: float) -> None: ...
    def tell(self, eta: float, trained: bool, why: Optional[str], steps: int) -> None: ...

def eta_star(searches: list[SeedSearch], tolerance: float) -> dict[str, Any]: ...

class Climb:
    def __init__(
        self,
        start: float,
        seeds: list[int],
        higher_is_better: bool,
        chance: float,
        error: float,
        trainings: int,
        range: Optional[tuple[float, float]],
    ) -> None: ...
    def ask(self) -> list[tuple[float, int]]: ...
    def tell(self, eta: float, seed: int, failure: Optional[str], metric: float, steps: int) -> None: ...
    def so_far(self) -> dict[str, Any]: ...
