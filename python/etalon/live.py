"""What the callbacks of trainers have in common: a watch at the side of a training."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Union

from ._etalon import Error
from .watch import Finding, Watch

STATES = (
    "undecided",
    "lazy",
    "catapult_in_progress",
    "catapult",
    "edge_of_stability",
    "norm_driven",
    "diverging",
    "stuck",
)


class Live:
    """Takes the numbers of a training as they come, says when the phase changes, and whether to stop.

    watch: the :class:`etalon.Watch` that has been given them, under the constants of the training's own optimiser.
    """

    def __init__(
        self,
        stop_on: Union[str, Sequence[str]],
        sharpness_every: Optional[int],
        loss: Optional[Callable[[Any, Any], Any]],
        batch: Any,
        verbose: bool,
    ) -> None:
        self.stop_on = (stop_on,) if isinstance(stop_on, str) else tuple(stop_on)
        unknown = [state for state in self.stop_on if state not in STATES]
        if unknown:
            raise Error(f"stop_on = {unknown[0]!r}: it must be among {', '.join(STATES)}")
        if sharpness_every is not None and sharpness_every < 1:
            raise Error(f"sharpness_every = {sharpness_every}: it must be at least 1")
        if sharpness_every is not None and loss is None:
            raise Error("sharpness_every needs loss=, a function of (model, batch) that answers with a scalar tensor")
        self.sharpness_every, self.loss, self.batch, self.verbose = sharpness_every, loss, batch, verbose
        self.watch = Watch()
        self._optimizer: Any = None
        self._state = "undecided"
        self._sharpness: Optional[float] = None

    def finding(self) -> Finding:
        """What the losses so far show."""
        return self.watch.finding()

    def _begin(self, optimizer: Any) -> None:
        from .torch.optimizer import unwrap

        self._optimizer = unwrap(optimizer)
        self.watch, self._state, self._sharpness = _watch(self._optimizer), "undecided", None

    def _measure(self, step: int, model: Any, batch: Any) -> None:
        """Sharpness before a step, where it is due; it goes with the next loss."""
        if self.sharpness_every is None or step % self.sharpness_every:
            return
        from .torch import sharpness

        assert self.loss is not None
        try:
            found = sharpness(model, self.loss, batch, optimizer=self._optimizer)
        except Error as error:
            self._say(f"step {step}: no sharpness: {error}")
            return
        # Without a limit it would be held against that of another optimiser.
        self._sharpness = None if found.limit is None else found.value

    def _push(self, step: int, loss: float, lr: Optional[float]) -> bool:
        """Takes a loss, and answers whether to stop."""
        self.watch.push(step, loss, lr, self._sharpness)
        self._sharpness = None
        finding = self.finding()
        if finding.state != self._state:
            self._state = finding.state
            self._say(f"step {step}: {finding}")
        return finding.state in self.stop_on

    def _say(self, text: str) -> None:
        raise NotImplementedError


def _watch(optimizer: Any) -> Watch:
    """A watch under the constants of an optimiser of torch; of one whose limit is not known, under those of gradient descent."""
    group = optimizer.param_groups[0]
    if "betas" in group:
        return Watch(adam=float(group["betas"][0]))
    momentum = float(group.get("momentum", 0.0))
    return Watch(momentum, nesterov=bool(group.get("nesterov", False)) and momentum > 0.0)
