"""A table of records drawn line by line on demand, so that a hundred thousand rows cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.records import Record
from console.theme import palette
from console.widgets.columns import GAP, Column, Placed, View, fit
from console.widgets.ink import Part, drawn, fitted

_GUTTER = 2
"""Cells at the left for cursor and mark."""


class RecordTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows in the order they are given; keeps the cursor on the same record, at the same height, when they change."""

    DEFAULT_CSS = """
    RecordTable { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "key.up", show=False),
        Binding("down,j", "move(1)", "key.down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "key.page_up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "key.page_down", show=False),
        Binding("home,g", "edge(-1)", "key.top", show=False),
        Binding("end,G", "edge(1)", "key.bottom", show=False),
        Binding("enter", "open", "key.open"),
        Binding("space", "mark", "key.mark", show=False),
    ]

    @dataclass
    class Opened(Message):
        """Enter or a double click on a row."""

        record: Record

    @dataclass
    class Marked(Message):
        """A mark was set or taken away."""

    @dataclass
    class NearEnd(Message):
        """The cursor is close to the last row; more rows may be wanted."""

    def __init__(self, columns: Sequence[Column], view: View, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self.view = view
        self.marked: set[str] = set()
        self.note = ""
        """Shown in place of rows when there are none."""
        self.sorted_by: tuple[str, bool] | None = None
        """Key of the column the rows are sorted by, and whether downwards; only shown here."""
        self.held = False
        """True: even at the very top the cursor stays with its record, until it is moved by hand."""
        self._rows: Sequence[Record] = ()
        self._places: dict[str, int] = {}
        self._cursor = 0
        self._placed: list[Placed] = []
        self._strips: dict[tuple[int, bool], Strip] = {}

    # --- rows

    @property
    def rows(self) -> Sequence[Record]:
        """The rows shown, in order."""
        return self._rows

    @property
    def cursor(self) -> int:
        """Index of the row under the cursor."""
        return self._cursor

    @property
    def current(self) -> Record | None:
        """The record under the cursor, or None in an empty table."""
        return self._rows[self._cursor] if self._rows else None

    def set_rows(self, rows: Sequence[Record]) -> None:
        """Show these rows. The cursor stays with its record; at the very top it stays at the top, unless held."""
        held = self.current
        at_top = self._cursor == 0 and self.scroll_offset.y == 0 and not self.held
        before = self._cursor
        self._rows = rows
        self._places = {row["id"]: place for place, row in enumerate(rows)}
        if held is not None and not at_top:
            self._cursor = self._places.get(held["id"], self._cursor)
        self._cursor = max(0, min(self._cursor, len(rows) - 1))
        self._strips.clear()
        self._resize()
        if self._cursor != before:
            self.scroll_to(y=self.scroll_offset.y + self._cursor - before, animate=False)
        self._reveal()
        self.refresh()

    def replace_row(self, record: Record) -> bool:
        """Show a new version of a record in its place; False when it is not here."""
        place = self._places.get(record["id"])
        if place is None:
            return False
        rows = self._rows if isinstance(self._rows, list) else list(self._rows)
        rows[place] = record
        self._rows = rows
        self._redraw(place)
        return True

    def redraw(self) -> None:
        """Draw all anew: the language, the time, the colours or another noun's records changed."""
        self._strips.clear()
        self._resize()
        self.refresh()

    def select(self, record_id: str) -> bool:
        """Put the cursor on a record; False when it is not here."""
        place = self._places.get(record_id)
        if place is None:
            return False
        self._go(place)
        return True

    def columns_shown(self) -> set[str]:
        """Keys of the columns that fit."""
        return {placed.column.key for placed in self._placed}

    # --- keys and mouse

    def action_move(self, step: int) -> None:
        """One row up or down."""
        self._go(self._cursor + step)

    def action_page(self, step: int) -> None:
        """One screenful up or down."""
        lines = max(1, self.size.height - 2)
        self.scroll_to(y=self.scroll_offset.y + step * lines, animate=False)
        self._go(self._cursor + step * lines)

    def action_edge(self, step: int) -> None:
        """To the first or the last row."""
        self._go(0 if step < 0 else len(self._rows) - 1)

    def action_open(self) -> None:
        """Tell that the row under the cursor is to be opened."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self.current is None:
            return
        self.marked ^= {self.current["id"]}
        self.post_message(self.Marked())
        self._redraw(self._cursor)
        self._go(self._cursor + 1)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens."""
        place = self.scroll_offset.y + event.y - 1
        if event.y < 1 or place >= len(self._rows):
            return
        self._go(place)
        if event.chain == 2:
            self.action_open()

    def on_resize(self) -> None:
        """The columns are fitted to the new width."""
        self.redraw()
        self._reveal()

    # --- drawing

    def render_line(self, y: int) -> Strip:
        """Line 0 is the header, which never scrolls away."""
        width = self.scrollable_content_region.width
        colours = palette(self.app.theme)
        if y == 0:
            return drawn(self._header(), width, colours, colours.bar)
        place = self.scroll_offset.y + y - 1
        if place >= len(self._rows):
            note = self.note if y == 2 and not self._rows else ""
            return drawn([Part("  " + note, "dim")], width, colours, colours.ground)
        key = (place, place == self._cursor)
        strip = self._strips.get(key)
        if strip is None:
            ground = colours.cursor if key[1] else colours.ground
            strip = self._strips[key] = drawn(self._row(self._rows[place], key[1]), width, colours, ground)
        return strip

    def _header(self) -> list[Part]:
        parts = [Part(" " * (_GUTTER - GAP), "head")]
        for column, width in self._placed:
            parts.append(Part(" " * GAP, "head"))
            title = self.view.say(f"column.{column.key}") if column.key else ""
            if self.sorted_by and self.sorted_by[0] == column.key:
                title += "↓" if self.sorted_by[1] else "↑"
            parts.append(Part(fitted(title, width, column.right), "head"))
        return parts

    def _row(self, record: Record, under_cursor: bool) -> list[Part]:
        marked = record["id"] in self.marked
        parts = [Part("›" if under_cursor else " ", "accent"), Part("*" if marked else " ", "accent")]
        for place, (column, width) in enumerate(self._placed):
            if place:
                parts.append(Part(" " * GAP))
            cell = column.cell(record, self.view)
            parts.append(Part(fitted(cell.words(width), width, column.right), cell.tone))
        return parts

    # --- inside

    def _go(self, place: int) -> None:
        place = max(0, min(place, len(self._rows) - 1))
        if place != self._cursor:
            self.held = False
            before, self._cursor = self._cursor, place
            self._redraw(before)
            self._redraw(place)
        self._reveal()
        if place >= len(self._rows) - self.size.height:
            self.post_message(self.NearEnd())

    def _reveal(self) -> None:
        top, visible = self.scroll_offset.y, self.size.height - 1
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif visible > 0 and self._cursor >= top + visible:
            self.scroll_to(y=self._cursor - visible + 1, animate=False)

    def _redraw(self, place: int) -> None:
        self._strips.pop((place, True), None)
        self._strips.pop((place, False), None)
        self.refresh(Region(0, place - self.scroll_offset.y + 1, self.size.width, 1))

    def _resize(self) -> None:
        width = self.scrollable_content_region.width
        self._placed = fit(self._columns, width - _GUTTER)
        self.virtual_size = Size(width, len(self._rows) + 1)
