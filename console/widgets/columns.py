"""Columns of a table: what a cell shows, how rows sort by it, and which columns a narrow terminal keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from rich.cells import cell_len

from console.messages import Messages
from console.plain import plain
from console.records import Record
from console.theme import Tone

GAP: Final = 2
"""Cells between two columns."""


@dataclass(slots=True)
class View:
    """What a cell may need besides its record: the language, the time, and records of other nouns by id."""

    say: Messages
    now: datetime
    lookups: dict[str, dict[str, Record]] = field(default_factory=dict)
    trends: dict[str, list[int]] = field(default_factory=dict)
    """Issued per interval, oldest first, by record id."""
    readings: dict[str, list[Record]] = field(default_factory=dict)
    """The last readings of a record, newest first, by record id."""
    width: int = 100
    """Cells a page has for its lines."""


class Cell(NamedTuple):
    """What stands in one place of a table; ``short`` is shown where the text does not fit."""

    text: str
    tone: Tone = "plain"
    short: str = ""

    def words(self, width: int) -> str:
        """The text, or the short one where only that fits into ``width`` cells."""
        return self.short if self.short and cell_len(plain(self.text)) > width else self.text


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``rank`` 0 always stays; higher ranks leave first when the terminal is narrow."""

    key: str
    width: int
    cell: Callable[[Record, View], Cell]
    sort: Callable[[Record], Any] | None = None
    right: bool = False
    grow: int = 0
    rank: int = 0


class Placed(NamedTuple):
    """A column with the width it got."""

    column: Column
    width: int


def fit(columns: Iterable[Column], width: int) -> list[Placed]:
    """The columns that fit into ``width`` cells; what is left over goes to those that grow."""
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        last = max(range(len(kept)), key=lambda place: (kept[place].rank, place))
        if kept[last].rank == 0:
            break
        del kept[last]
    spare = max(0, width - _needed(kept))
    weights = sum(column.grow for column in kept)
    return [Placed(column, column.width + (spare * column.grow // weights if weights else 0)) for column in kept]


def _needed(columns: list[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
