"""What stands or falls with a record: each list that hangs on it, with its count, one Enter away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from console.desk import Desk
from console.link import LinkProblem
from console.records import Record, text, whole
from console.screens import impact
from console.screens.frame import Frame
from console.screens.moves import GoTo
from console.screens.noun import Noun
from console.screens.page_lines import paragraph
from console.widgets.bars import Bar
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line, Part
from console.widgets.pane import Pane
from console.widgets.record_table import RecordTable

_COUNTED = 1000
_MARGIN = 4


def _noun_cell(record: Record, view: View) -> Cell:
    return Cell(view.say(f"noun.{record['noun']}"), "strong")


def _count_cell(record: Record, view: View) -> Cell:
    count = whole(record, "count")
    if count is None:
        return Cell(text(record, "count"), "dim")
    return Cell(f"{count}+" if record.get("more") else str(count), "plain" if count else "dim")


def _scope_cell(record: Record, view: View) -> Cell:
    states = [view.say.word(f"state.{record['noun']}", value) for key, value in record["filters"] if key == "state"]
    return Cell(" ".join(states), "dim")


_COLUMNS = (
    Column("noun", 16, _noun_cell),
    Column("count", 8, _count_cell, right=True),
    Column("state", 30, _scope_cell, grow=1, rank=1),
)


class RelatedScreen(Frame):
    """The relations of one record; of some nouns also what stops if it stops."""

    DEFAULT_CSS = """
    RelatedScreen.-impact #table { height: 8; }
    RelatedScreen #impact { height: 1fr; border-top: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "refresh", "key.refresh")]

    def __init__(self, desk: Desk, noun: Noun, record: Record) -> None:
        super().__init__(desk)
        self.noun = noun
        self.record = record
        self.table = RecordTable(_COLUMNS, desk.view(), id="table")
        self.title_bar = Bar(id="title")
        self.pane = Pane(id="impact")
        self.pane.display = noun.impact
        self.set_class(noun.impact, "-impact")
        self.impact: Record | None = None
        self.missing = ""

    def body(self) -> Sequence[Widget]:
        """The record's name over its relations, and below them what stops."""
        return (self.title_bar, self.table, self.pane)

    def focus_body(self) -> None:
        """The relations take the keys; what stops below them is only read."""
        self.table.focus()

    def crumb(self) -> str:
        """What this screen shows."""
        return self.desk.say("noun.related")

    def on_mount(self) -> None:
        """Show the relations, then count them."""
        super().on_mount()
        self.focus_body()
        self.table.note = self.desk.say("page.none")
        self.table.set_rows(self._rows())
        self.reword()
        self.start(self.load())

    def _rows(self) -> list[Record]:
        relations = self.noun.depends(self.record)
        return [
            {"id": str(place), "noun": relation.noun, "filters": relation.filters, "count": "…"}
            for place, relation in enumerate(relations)
        ]

    async def load(self) -> None:
        """Count what hangs on the record."""
        for row in self._rows():
            try:
                page = await self.desk.link.page(row["noun"], _COUNTED, dict(row["filters"]))
                counted = {**row, "count": len(page.items), "more": page.next is not None}
            except LinkProblem as problem:
                counted = {**row, "count": problem.message}
            self.table.replace_row(counted)
        if self.noun.impact:
            await self.load_impact()

    async def load_impact(self) -> None:
        """Ask what stops if the record stops."""
        try:
            self.impact, self.missing = await self.desk.link.impact(self.noun.path, self.record["id"]), ""
        except LinkProblem as problem:
            self.missing = problem.message
        self.show_impact()

    def show_impact(self) -> None:
        """Draw what stops, for the width there is."""
        view = self.desk.view()
        view.width = self.size.width - _MARGIN
        lines: list[Line] = [paragraph(self.missing, "warn")] if self.missing else []
        if self.impact is not None:
            lines += impact.lines(view, self.impact)
        self.pane.set_lines(lines)

    def on_resize(self) -> None:
        """What stops is drawn anew for the new width."""
        super().on_resize()
        self.show_impact()

    def reword(self) -> None:
        """The language or the colours changed."""
        self.table.view = self.desk.view()
        self.table.redraw()
        self.show_impact()
        name = self.desk.say(f"noun.{self.noun.path}")
        self.title_bar.show([Part(f" {name} {self.noun.name(self.record)}", "strong")])
        self.show_bars()

    def action_refresh(self) -> None:
        """Count again."""
        self.start(self.load())

    def on_record_table_opened(self, event: RecordTable.Opened) -> None:
        """Open the list behind a relation."""
        self.post_message(GoTo(event.record["noun"], event.record["filters"], self.noun.name(self.record)))
