"""A row of small bars in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BARS: Final = "▁▂▃▄▅▆▇█"


_LEAST_TOP: Final = 4
"""A single event must not look like a peak."""


def sparkline(values: Sequence[int], width: int) -> str:
    """The last ``width`` values as bars scaled to their highest; a dot is zero, a blank is not yet known."""
    shown = list(values[-width:]) if width > 0 else []
    top = max(_LEAST_TOP, *shown) if shown else _LEAST_TOP
    bars = "".join(_bar(value, top) for value in shown)
    return " " * (width - len(shown)) + bars


def _bar(value: int, top: int) -> str:
    if value <= 0:
        return "·"
    return _BARS[min(len(_BARS) - 1, (value * len(_BARS) - 1) // top)]
