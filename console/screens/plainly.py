"""Nouns told plainly: a list of what to show makes the columns, the page and the order of a whole noun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.records import Record, flag, pick, rows, text, whole
from console.screens.cells import (
    amount_cell,
    cell_of_kind,
    days_left,
    ordered,
    plain_cell,
    signed,
    state_cell,
    time_cell,
)
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, heading, table, trouble
from console.theme import SEVERITY, Tone, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import BLANK, Line, Part

Parts = Callable[[Record], Sequence[Relation]]
_TONES: Final[dict[str, Tone]] = {"ok": "plain", "warn": "warn", "stopped": "stopped", "unknown": "unknown"}
_WARN_DAYS: Final = 60
_BAR: Final = 10


@dataclass(frozen=True, slots=True)
class Show:
    """One field to show, labelled ``column.<key>`` in the list and ``fact.<key>`` on the page.

    ``kind``: text, count, time, day (a day and the days left to it), days (only the days left), flag, state (words of
    ``state.<noun>``), kind (invoice kind), list (texts joined), progress (a bar), or the name of a group of words.
    ``column`` 0 keeps it off the list, else it is the column's width; ``rank`` as in :class:`Column`.
    """

    key: str
    kind: str = "text"
    path: str = ""
    column: int = 0
    grow: int = 0
    rank: int = 0
    strong: bool = False

    @property
    def at(self) -> str:
        """The field's dotted path; its key when nothing else is said."""
        return self.path or self.key

    def cell(self, noun: str, verdicts: dict[str, Verdict]) -> Callable[[Record, View], Cell]:
        """The maker of its cell."""
        if self.kind == "count":
            return amount_cell(self.at)
        if self.kind == "time":
            return time_cell(self.at)
        if self.kind in ("day", "days"):
            return lambda record, view: _day(record, self.at, view, with_date=self.kind == "day")
        if self.kind == "flag":
            return lambda record, view: _flag(record, self.at, view)
        if self.kind == "kind":
            return cell_of_kind
        if self.kind == "progress":
            return _progress
        if self.kind == "list":
            return lambda record, view: Cell(_joined(pick(record, self.at)))
        if self.kind == "state":
            tones = {state: _TONES[word] for state, word in verdicts.items()}
            return state_cell(f"state.{noun}", self.at, tones)
        if self.kind != "text":
            return state_cell(self.kind, self.at)
        return plain_cell(self.at, "strong" if self.strong else "plain")

    def as_column(self, noun: str, verdicts: dict[str, Verdict]) -> Column:
        """Its column of the list."""
        right = self.kind in ("count", "days")
        cell = self.cell(noun, verdicts)
        return Column(self.key, self.column, cell, ordered(self.at), right=right, grow=self.grow, rank=self.rank)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list inside a record (``path``) or beside it, shown as a small table under ``section.<key>``."""

    key: str
    shows: tuple[Show, ...]
    path: str = ""


def _day(record: Record, path: str, view: View, with_date: bool) -> Cell:
    days = days_left(record, path, view)
    if days is None:
        return Cell("", "dim")
    tone: Tone = "stopped" if days < 0 else "warn" if days <= _WARN_DAYS else "plain"
    left = f"{days}d"
    return Cell(f"{text(record, path)[:10]} ({left})" if with_date else left, tone, left)


def _progress(record: Record, view: View) -> Cell:
    """How far something with many rows has come: a bar and n/total."""
    total = whole(record, "total") or 0
    done = next((n for name in ("ready", "done", "rows_done") if (n := whole(record, name)) is not None), None)
    if total <= 0:
        return Cell("", "dim")
    if done is None:
        return Cell(f"?/{total:,}", "dim")
    done = max(0, done)
    full = _BAR * min(done, total) // total
    return Cell("█" * full + "░" * (_BAR - full) + f" {done:,}/{total:,}", "ok" if done >= total else "accent")


def _flag(record: Record, path: str, view: View) -> Cell:
    answer = flag(record, path)
    if answer is None:
        return Cell("", "dim")
    return Cell(view.say("page.yes" if answer else "page.no"), "plain" if answer else "dim")


def _joined(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    return ", ".join(str(one) for one in value if isinstance(one, str | int | float))


def plain_noun(
    path: str,
    aliases: tuple[str, ...],
    shows: Sequence[Show],
    verdicts: dict[str, Verdict] | None = None,
    sheets: Sequence[Sheet] = (),
    **more: Any,
) -> Noun:
    """A noun from what it shows.

    ``verdicts``: state → how it stands; states that are missing stand well. ``more`` goes to :class:`Noun`; its
    ``verdict`` and ``order`` replace those made from the states. A record's ``problem`` (code, message, remedy,
    runbook) heads the page and brings its runbook page beside it.
    """
    known = verdicts or {}

    def judge(record: Record) -> Verdict:
        return known.get(text(record, "state"), "ok")

    verdict: Callable[[Record], Verdict] = more.pop("verdict", judge)

    def page(record: Record, view: View, related: Related) -> list[Line]:
        problem = pick(record, "problem")
        lines = trouble(view, problem, "warn") if isinstance(problem, dict) and problem else []
        lines += [_fact(show, record, view, path, known) for show in shows]
        for sheet in sheets:
            columns = [show.as_column(path, {}) for show in sheet.shows]
            lines += [*heading(view, sheet.key), *table(view, columns, rows(record, sheet.path or sheet.key))]
        for noun, records in related.items():
            lines += _beside(noun, records, view)
        return lines

    def named(record: Record) -> str:
        return next((text(record, show.at) for show in shows if show.strong and text(record, show.at)), "")

    def worst_first(record: Record) -> tuple[int, str]:
        return SEVERITY[verdict(record)], named(record)

    columns = tuple(show.as_column(path, known) for show in shows if show.column)
    more.setdefault("order", worst_first)
    more.setdefault("trouble", _problem)
    name = more.pop("name", named)
    return Noun(path, aliases, (signed(verdict), *columns), name, page, verdict, **more)


def _problem(record: Record, related: Related) -> Record:
    found = pick(record, "problem")
    return found if isinstance(found, dict) else {}


def _fact(show: Show, record: Record, view: View, noun: str, verdicts: dict[str, Verdict]) -> Line:
    if show.kind == "time":
        return fact(view, show.key, stamp(record, show.at))
    return cell_fact(view, show.key, show.cell(noun, verdicts)(record, view))


BESIDE: Final[dict[str, Sequence[Column]]] = {}
"""Noun → columns of its small table on other pages; filled by the catalog from the nouns' own columns."""


def _beside(noun: str, records: list[Record], view: View) -> list[Line]:
    columns = BESIDE.get(noun)
    if columns is None:
        return []
    title = Line((Part(view.say(f"noun.{noun}"), "strong"),))
    return [BLANK, title, *table(view, columns, records)]
