"""Sparklines and gauges."""

import pytest

from console.widgets.gauge import gauge
from console.widgets.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "width", "shown"),
    [
        ([], 4, "    "),
        ([0, 0], 4, "  ··"),
        ([1], 2, " ▂"),
        ([1, 2, 4, 8], 4, "▁▂▄█"),
        ([9, 9, 9, 0, 8], 3, "█·█"),
        ([1, 2], 0, ""),
    ],
)
def test_sparkline(values: list[int], width: int, shown: str) -> None:
    assert sparkline(values, width) == shown


@pytest.mark.parametrize(
    ("value", "full", "shown"),
    [
        (0, 100, "····"),
        (100, 100, "████"),
        (50, 100, "██··"),
        (1, 1000, "▏···"),
        (500, 100, "████"),
        (-3, 9, "····"),
        (1, 0, "    "),
    ],
)
def test_gauge(value: float, full: float, shown: str) -> None:
    assert gauge(value, full, 4) == shown
