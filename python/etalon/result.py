"""What every result is: a frozen dataclass with a fixed set of fields."""

from __future__ import annotations

import dataclasses
import html
from dataclasses import dataclass
from typing import Any


class Result:
    """A result that shows itself in a notebook and turns into plain data."""

    def to_dict(self) -> dict[str, Any]:
        """All fields, in dictionaries, lists, numbers and text: what ``json.dumps`` takes."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def _repr_html_(self) -> str:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        rows = ((field.name, _text(getattr(self, field.name))) for field in fields)
        cells = (f"<tr><th>{name}</th><td style='text-align:left'>{html.escape(text)}</td></tr>" for name, text in rows)
        return f"<table><caption>{type(self).__name__}</caption>{''.join(cells)}</table>"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(_text(item) for item in value.values()) or "none"
    return str(value)


def number(value: float) -> str:
    """A number to four digits."""
    return f"{value:.4g}"


@dataclass(frozen=True)
class Limit(Result):
    """A learning rate at which an optimiser becomes unstable.

    name: the rule, such as ``heavy-ball``. eta: the rate. formula: how it follows from the curvature. assumes: when it
    holds; that the loss is a quadratic with this curvature is assumed by all.
    """

    name: str
    eta: float
    formula: str
    assumes: str

    def __str__(self) -> str:
        return f"{self.name}: eta < {number(self.eta)} = {self.formula}"


@dataclass(frozen=True)
class Omitted(Result):
    """A limit that cannot be given. name: the optimiser. reason: why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"
