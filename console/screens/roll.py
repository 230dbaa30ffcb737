"""The records of a list in memory: filtered, sorted, and changed one by one without doing all of it again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from console.records import Record
from console.screens.noun import Noun
from console.screens.row_filter import RowFilter, parse
from console.theme import SEVERITY, Verdict
from console.widgets.columns import View


class Roll:
    """What a list screen has loaded, and the view of it that the operator asked for."""

    def __init__(self, noun: Noun, view: Callable[[], View]) -> None:
        self.noun = noun
        self._view = view
        self.records: dict[str, Record] = {}
        self.filter: RowFilter = parse("")
        self.faults_only = False
        self.column: int | None = None
        """Index of the column to sort by; None is the noun's own order."""
        self.downwards = False
        self._haystacks: dict[str, str] = {}

    # --- records

    def replace(self, records: Iterable[Record]) -> None:
        """These records and no others."""
        fresh = {record["id"]: record for record in records}
        for record_id, record in fresh.items():
            if self.records.get(record_id) != record:
                self._haystacks.pop(record_id, None)
        self.records = fresh

    def put(self, record: Record) -> bool:
        """One record, new or changed; True when it keeps its place among the others."""
        record_id = record["id"]
        before = self.records.get(record_id)
        stays = before is not None and self._place(before) == self._place(record)
        shown_before = before is not None and self.shows(before)
        self._haystacks.pop(record_id, None)
        self.records[record_id] = record
        return stays and shown_before and self.shows(record)

    def drop(self, record_id: str) -> None:
        """A record that is no more."""
        self.records.pop(record_id, None)
        self._haystacks.pop(record_id, None)

    def forget_words(self) -> None:
        """The language changed: what rows are searched by is made anew."""
        self._haystacks.clear()

    # --- what is asked for

    def search(self, typed: str) -> bool:
        """Filter by this; False when it is an incomplete regular expression, which filters nothing."""
        self.filter = parse(typed)
        return not self.filter.wrong

    def sort_next(self, visible: Container[str]) -> None:
        """Sort by the next visible column that can be sorted by; behind the last comes the noun's own order."""
        start = -1 if self.column is None else self.column
        columns = enumerate(self.noun.columns)
        later = [place for place, column in columns if place > start and column.sort and column.key in visible]
        self.column = later[0] if later else None
        self.downwards = False

    @property
    def sorted_by(self) -> tuple[str, bool] | None:
        """Key of the sort column and direction, for the header."""
        return None if self.column is None else (self.noun.columns[self.column].key, self.downwards)

    def shows(self, record: Record) -> bool:
        """True when faults toggle and filter let the record through."""
        if self.faults_only and self.noun.verdict(record) == "ok":
            return False
        return not self.filter.text or self.filter.matches(self._haystack(record))

    def arranged(self) -> list[Record]:
        """The rows to show, in order."""
        shown: Iterable[Record] = self.records.values()
        if self.faults_only or self.filter.text:
            shown = [record for record in shown if self.shows(record)]
        return sorted(shown, key=self._place, reverse=self._reversed())

    def tally(self) -> dict[Verdict, int]:
        """How many records stand under each verdict, worst first."""
        counts: dict[Verdict, int] = dict.fromkeys(SEVERITY, 0)
        for record in self.records.values():
            counts[self.noun.verdict(record)] += 1
        return counts

    def warm(self) -> Iterator[None]:
        """Make what rows are searched by, a slice at a time, so that typing finds it ready."""
        view = self._view()
        for place, record in enumerate(list(self.records.values())):
            self._haystack(record, view)
            if place % 200 == 199:
                yield

    def _reversed(self) -> bool:
        return self.downwards if self.column is not None else self.noun.newest_first != self.downwards

    def _place(self, record: Record) -> Any:
        sort = self.noun.columns[self.column].sort if self.column is not None else None
        return sort(record) if sort else self.noun.order(record)

    def _haystack(self, record: Record, view: View | None = None) -> str:
        found = self._haystacks.get(record["id"])
        if found is None:
            cells = (column.cell(record, view or self._view()).text for column in self.noun.columns)
            found = self._haystacks[record["id"]] = "\n".join((*cells, record["id"])).casefold()
        return found
