"""A callback for the trainer of Hugging Face's transformers."""

from __future__ import annotations

import warnings
from typing import Any, Callable, Optional, Sequence, Union

from tqdm.auto import tqdm
from transformers import TrainerCallback

from ._etalon import Error
from .live import Live


def _of_model(model: Any, batch: Any) -> Any:
    return model(**batch).loss


class Watch(Live, TrainerCallback):
    """Names the phase of a training while it goes on, from the losses that it logs: set ``logging_steps`` to 1 or a few, because a
    mean of many hides what happens among them.

    Parameters
    ----------
    stop_on:
        States, see :class:`etalon.Finding`, at which the training is stopped, such as ``"diverging"``.
    sharpness_every:
        Steps from one measurement of sharpness to the next, before the step; it tells the edge of stability for sure.
    batch:
        On which: a dictionary, as ``model(**batch)`` takes it. The trainer does not show its own.
    loss:
        ``loss(model, batch)``, as of :func:`etalon.torch.sharpness`, whose sharpness it is; default: that of the model itself.
    verbose:
        Whether to print a line when the phase changes.
    """

    def __init__(
        self,
        stop_on: Union[str, Sequence[str]] = (),
        *,
        sharpness_every: Optional[int] = None,
        batch: Any = None,
        loss: Callable[[Any, Any], Any] = _of_model,
        verbose: bool = True,
    ) -> None:
        if sharpness_every is not None and batch is None:
            raise Error("sharpness_every needs batch=, on which to measure: a dictionary, as model(**batch) takes it")
        super().__init__(stop_on, sharpness_every, loss, batch, verbose)
        self._speaks = False

    def on_train_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **others: Any) -> None:
        self._speaks = state.is_world_process_zero
        if args.logging_nan_inf_filter:
            warnings.warn(
                "logging_nan_inf_filter is on: the trainer logs a mean of earlier losses in place of NaN and infinity, which hides "
                "divergence; pass TrainingArguments(logging_nan_inf_filter=False)",
                stacklevel=2,
            )
        if isinstance(self.batch, dict):
            self.batch = {key: x.to(args.device) if hasattr(x, "to") else x for key, x in self.batch.items()}
        self._begin(optimizer)

    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        self._measure(state.global_step, model, self.batch)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
        # Evaluations and the summary at the end are logged too.
        if logs and "loss" in logs and self._push(state.global_step, float(logs["loss"]), logs.get("learning_rate")):
            control.should_training_stop = True

    def _say(self, text: str) -> None:
        if self.verbose and self._speaks:
            tqdm.write(text)
