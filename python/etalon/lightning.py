"""A callback for Lightning's trainer."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Union

try:
    import lightning.pytorch as pl
except ImportError:
    import pytorch_lightning as pl  # type: ignore[no-redef]

from .live import Live

# Processes agree on stopping by a message each.
_TOGETHER = 10


class Watch(Live, pl.Callback):
    """Names the phase of a training while it goes on, from the losses of its steps.

    Parameters
    ----------
    stop_on:
        States, see :class:`etalon.Finding`, at which the training is stopped, such as ``"diverging"``.
    sharpness_every:
        Steps from one measurement of sharpness to the next, before the step; it is logged as ``sharpness``, and tells the edge of
        stability for sure.
    loss:
        ``loss(module, batch)``, as of :func:`etalon.torch.sharpness`, whose sharpness it is. It must log nothing, so that it is
        hardly ``training_step``.
    batch:
        On which; default: that of the step.
    verbose:
        Whether to print a line when the phase changes.
    """

    def __init__(
        self,
        stop_on: Union[str, Sequence[str]] = (),
        *,
        sharpness_every: Optional[int] = None,
        loss: Optional[Callable[[Any, Any], Any]] = None,
        batch: Any = None,
        verbose: bool = True,
    ) -> None:
        super().__init__(stop_on, sharpness_every, loss, batch, verbose)
        self._trainer: Optional[pl.Trainer] = None
        self._losses: list[float] = []
        self._step, self._rate = 0, 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._trainer = trainer
        self._losses.clear()
        self._begin(trainer.optimizers[0])

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        if self._losses:
            return  # in the middle of accumulating gradients
        self._step, self._rate = trainer.global_step, float(trainer.optimizers[0].param_groups[0]["lr"])
        self._measure(self._step, pl_module, batch if self.batch is None else self.batch)
        if self._sharpness is not None:
            pl_module.log("sharpness", self._sharpness, on_step=True, on_epoch=False)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is None:
            return
        # Lightning divides it by the number of batches of a step.
        self._losses.append(float(loss) * trainer.accumulate_grad_batches)
        if trainer.global_step == self._step:
            return
        stop = self._push(self._step, sum(self._losses) / len(self._losses), self._rate)
        self._losses.clear()
        if self.stop_on and trainer.world_size > 1:
            stop = trainer.global_step % _TOGETHER == 0 and trainer.strategy.reduce_boolean_decision(stop, all=False)
        trainer.should_stop = trainer.should_stop or stop

    def _say(self, text: str) -> None:
        if self.verbose and self._trainer is not None:
            self._trainer.print(text)
