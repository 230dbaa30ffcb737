"""What the bench tells: one row a subject, with its goal, what was measured, and the raw figures of both sides."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_WIDTHS = (4, 60, 9, 9, 11)


@dataclass(frozen=True)
class Row:
    """One subject. ``goal`` None: a figure for scale; ``measured`` None: its peer is not on this machine."""

    number: str
    subject: str
    goal: float | None
    measured: float | None
    ours: str
    theirs: str = ""
    at_least: bool = True
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """In one word or two."""
        if self.measured is None:
            return "skipped"
        if self.goal is None:
            return ""
        reached = self.measured >= self.goal if self.at_least else self.measured <= self.goal
        return "reached" if reached else "not reached"

    def shown(self) -> list[str]:
        """The row's short cells."""
        sign = ">=" if self.at_least else "<="
        goal = "" if self.goal is None else f"{sign} {self.goal:g}{self.unit}"
        measured = "" if self.measured is None else f"{self.measured:.3g}{self.unit}"
        return [self.number, self.subject, goal, measured, self.verdict]


@dataclass(frozen=True)
class Figures:
    """One figure over the rounds of a run."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def over(self, other: Figures) -> float:
        """Median of the rounds' ratios: noise hits both sides of a round alike."""
        return statistics.median(one / two for one, two in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.4g} [{low:,.4g}..{high:,.4g}]"


def text(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The table as plain text."""
    head = ["", "subject", "goal", "measured", "verdict"]
    lines = [_line(head), _line(["-" * width for width in _WIDTHS])]
    for row in rows:
        lines.append(_line(row.shown()))
        lines += [_line(["", f"  {what}", "", "", ""]) for what in (f"ours: {row.ours}", row.theirs) if what]
    return "\n".join([*lines, "", *notes])


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def as_json(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The same for programs."""
    found = [asdict(row) | {"verdict": row.verdict} for row in rows]
    return json.dumps({"rows": found, "notes": list(notes)}, ensure_ascii=False, indent=1)
