"""A bar that shows how much is left of something, in plain text."""

from __future__ import annotations

from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def gauge(value: float, full: float, width: int) -> str:
    """``width`` cells, filled in eighths; values outside 0…full are clamped, and anything above zero shows a sliver."""
    if full <= 0 or width <= 0:
        return " " * max(0, width)
    share = min(1.0, max(0.0, value / full))
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    bar = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return bar + "·" * (width - len(bar))
