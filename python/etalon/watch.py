"""Which phase a training is in, by what its log shows."""

from __future__ import annotations

import html
import os
import warnings
from dataclasses import dataclass
from typing import Any, Optional, Union

from ._etalon import Error, Judge
from .result import Result, number


@dataclass(frozen=True)
class Rise(Result):
    """A rise of the loss that came back.

    level_step, level: the lowest level before it, a median of five losses. peak_step, peak: its largest loss.
    """

    level_step: int
    level: float
    peak_step: int
    peak: float

    def __str__(self) -> str:
        return f"{number(self.peak / self.level)}-fold, to {number(self.peak)} at step {self.peak_step}"


@dataclass(frozen=True)
class Finding(Result):
    """What a log shows at its present end.

    state: ``undecided``, ``lazy``, ``catapult_in_progress``, ``catapult``, ``edge_of_stability``, ``norm_driven``,
    ``diverging`` or ``stuck``. why: the reason, with its numbers. advice: what to do, if anything. rows: losses so far. step, loss,
    rate: the last ones; a loss that is no finite number is None. first_loss: the first. noise: of one loss at the level of the
    start, as a share of the first. peak: the largest loss over the first, at ``peak_step``. over_limit: the last learning rate
    times curvature over the limit of stability. greatest_rise: the largest rise that came back; ``rises`` is how many did,
    ``norm_driven`` how many of them came when the norm of the weights had shrunk, which grew in them.
    """

    state: str
    why: str
    advice: Optional[str]
    rows: int
    step: Optional[int]
    loss: Optional[float]
    first_loss: Optional[float]
    noise: Optional[float]
    peak: Optional[float]
    peak_step: Optional[int]
    rate: Optional[float]
    over_limit: Optional[float]
    greatest_rise: Optional[Rise]
    rises: int
    norm_driven: int

    def __str__(self) -> str:
        text = f"{self.state.replace('_', ' ')}: {self.why}"
        return text if self.advice is None else f"{text}; {self.advice}"


class Watch:
    """Names the phase of a training from its losses, as ``etalon watch`` does from a log, in constant memory.

    Parameters
    ----------
    momentum, nesterov:
        Of SGD, in PyTorch's form.
    adam:
        In their place: beta1 of Adam or AdamW. The sharpness is then that of the preconditioned Hessian.
    """

    def __init__(self, momentum: float = 0.0, nesterov: bool = False, adam: Optional[float] = None) -> None:
        if nesterov and momentum == 0.0:
            raise Error("nesterov = True: it needs a momentum above 0")
        if adam is not None and momentum != 0.0:
            raise Error("give the momentum of SGD or the beta1 of Adam, and not both")
        self._judge = Judge(momentum, nesterov, adam)

    def push(
        self,
        step: int,
        loss: float,
        lr: Optional[float] = None,
        sharpness: Optional[float] = None,
        norm: Optional[float] = None,
    ) -> None:
        """Takes the loss of a step, with the learning rate, the largest eigenvalue of the Hessian, and the norm of the weights
        whose scale does not matter (or its square) where they are known. NaN and infinity are losses too. It costs next to
        nothing; :meth:`finding` costs about a millisecond."""
        if step < 0:
            raise Error(f"step = {step}: steps are counted from 0")
        optional = (None if value is None else float(value) for value in (lr, sharpness, norm))
        self._judge.push(int(step), float(loss), *optional)

    def read(
        self,
        path: Union[str, "os.PathLike[str]"],
        *,
        step: Optional[str] = None,
        loss: Optional[str] = None,
        rate: Union[str, float, None] = None,
        curvature: Optional[str] = None,
        norm: Optional[str] = None,
        run: Optional[str] = None,
    ) -> Finding:
        """Takes all rows of a log: JSON, CSV with a header, plain text, a TensorBoard event file or a folder of them. Columns are
        recognised by their usual names where none are given; ``rate`` may be the learning rate itself where no column has it. Where
        a log has several runs, ``run`` chooses.

        Raises
        ------
        Error
            A file that cannot be read, or is no log, or has no column of that name.
        """
        skipped, first = self._judge.read(os.fspath(path), step, loss, rate, curvature, norm, run)
        if skipped:
            warnings.warn(f"{skipped} lines of {path} are no rows of the log; the first: {first}", stacklevel=2)
        return self.finding()

    def finding(self) -> Finding:
        """What the losses so far show."""
        found = self._judge.finding()
        rise = found["greatest_rise"]
        if rise is not None:
            found["greatest_rise"] = Rise(rise["from_step"], rise["from"], rise["peak_step"], rise["peak"])
        return Finding(**found)

    @property
    def state(self) -> str:
        """The state alone, see :class:`Finding`."""
        return self.finding().state

    def svg(self) -> str:
        """The course of the losses, and of the rate over the limit of stability where sharpness is known, as a picture."""
        return self._judge.svg()

    def __repr__(self) -> str:
        finding = self.finding()
        return f"{finding} ({finding.rows} losses)"

    def _repr_html_(self) -> str:
        finding = self.finding()
        return (self.svg() if finding.rows > 1 else "") + f"<p>{html.escape(str(finding))}</p>"

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain data."""
        return self.finding().to_dict()
