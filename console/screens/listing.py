"""The list screen: loads a noun page by page, keeps it fresh by the feed, filters, sorts, opens and acts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from console.desk import Desk
from console.feed import Batch
from console.link import LinkProblem
from console.records import Record
from console.screens.acting import ActMenu
from console.screens.frame import Frame
from console.screens.moves import GoTo, Open
from console.screens.new_form import new_screen
from console.screens.noun import Noun
from console.screens.pages import MOST_REREAD, Pages
from console.screens.related import RelatedScreen
from console.screens.roll import Roll
from console.theme import SEVERITY, SIGNS
from console.widgets.bars import Bar
from console.widgets.command_bar import CommandBar
from console.widgets.ink import Part
from console.widgets.record_table import RecordTable

_REFETCH_AT_ONCE = 8
_TOO_MANY = 200
"""More changed records than this are read as a list."""
RELOAD_GAP = 2.0
"""Seconds between two readings of the whole list that the feed asks for."""
_TIDE = 30.0
"""Seconds after which a list is read again because time itself changes facts."""


class ListScreen(Frame):
    """One list, seen as it was asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("/", "filter", "key.filter"),
        Binding("a", "act", "key.act"),
        Binding("n", "new", "key.new"),
        Binding("e", "faults", "key.faults"),
        Binding("s", "sort", "key.sort"),
        Binding("S", "reverse", "key.reverse", show=False),
        Binding("u", "related", "key.related"),
        Binding("r", "refresh", "key.refresh", show=False),
    ]

    def __init__(self, desk: Desk, noun: Noun, asked: GoTo) -> None:
        super().__init__(desk)
        self.noun = noun
        self.filters = asked.filters
        self.scope = asked.scope
        self.lookups: dict[str, dict[str, Record]] = {}
        self.roll = Roll(noun, lambda: self.desk.view(self.lookups))
        self.roll.search(asked.search)
        self.table = RecordTable(noun.columns, desk.view(self.lookups), id="table")
        self.summary = Bar(id="summary")
        self.pages = Pages(desk.link, noun.path, dict(asked.filters))
        self._loading = False
        self._stale: set[str] = set()
        self._catching_up = False
        self._reload_due = False
        self._moved = False
        """A record was taken in that changes the order of the rows."""

    def body(self) -> Sequence[Widget]:
        """The summary over the table."""
        return (self.summary, self.table)

    def crumb(self) -> str:
        """The noun's name, and the filters it is seen through."""
        name = self.desk.say(f"noun.{self.noun.path}")
        return f"{name} [{self.scope}]" if self.scope else name

    def on_mount(self) -> None:
        """Begin to load."""
        super().on_mount()
        self.focus_body()
        self.show_rows()
        self.start(self.load())
        self.set_interval(_TIDE, self._turn)

    def _turn(self) -> None:
        if self.is_current:
            self.reload_soon()

    # --- loading

    def failed(self, words: str) -> None:
        """A reading went wrong: what is shown stays, and the bottom line says so."""
        self._loading = False
        self.table.note = self.desk.say("list.failed", text=words)
        self.table.redraw()
        super().failed(words)

    async def load(self) -> None:
        """Read the first page, then what the cells look up."""
        self._loading = True
        self.show_rows()
        found = await self.pages.first()
        self._loading = False
        self.desk.heard_at = self.desk.clock()
        self.roll.replace(found)
        self.show_rows()
        await self.load_lookups()

    async def load_lookups(self) -> None:
        """Read the records that cells look up by id."""
        for noun in self.noun.lookups:
            try:
                found = await self.desk.link.every(noun)
            except LinkProblem:
                continue  # not everyone may read everything; the cells stay empty
            self.lookups[noun] = {record["id"]: record for record in found}
        if self.noun.lookups:
            self.show_rows()

    async def load_more(self) -> None:
        """Read one more page behind those already here."""
        for record in await self.pages.more():
            self.roll.put(record)
        self.show_rows()

    async def reload(self) -> None:
        """Read afresh what is already here; the operator's place is kept."""
        have = len(self.roll.records)
        found = await self.pages.again(have)
        self.desk.heard_at = self.desk.clock()
        if have <= MOST_REREAD:
            self.roll.replace(found)
        else:
            for record in found:
                self.roll.put(record)
        self.show_rows()
        await self.load_lookups()

    # --- the feed

    def deliver(self, batch: Batch) -> None:
        """Read changed records afresh, one by one while they are few."""
        if batch.resync or self.noun.watched & batch.changed.keys():
            self.reload_soon()
        changed = batch.changed.get(self.noun.path, set())
        if not changed:
            return
        self._stale |= changed
        if len(self._stale) > _TOO_MANY or not self.noun.has_page or self.filters:
            self._stale.clear()
            self.reload_soon()
        elif not self._catching_up:
            self.start(self._catch_up())

    def reload_soon(self) -> None:
        """Read the list afresh, but not too often."""
        if not self._reload_due:
            self._reload_due = True
            self.set_timer(self.reload_gap(), self._reload_now)

    def reload_gap(self) -> float:
        """Seconds until the list may be read again."""
        return RELOAD_GAP

    def _reload_now(self) -> None:
        self._reload_due = False
        self.start(self.reload())

    async def _catch_up(self) -> None:
        self._catching_up = True
        try:
            while self._stale:
                ids = [self._stale.pop() for _ in range(min(len(self._stale), 5 * _REFETCH_AT_ONCE))]
                for start in range(0, len(ids), _REFETCH_AT_ONCE):
                    await asyncio.gather(
                        *(self._refetch(record_id) for record_id in ids[start : start + _REFETCH_AT_ONCE])
                    )
                self.settle()
        finally:
            self._catching_up = False

    async def _refetch(self, record_id: str) -> None:
        try:
            self.take(await self.desk.link.one(self.noun.path, record_id))
        except LinkProblem as problem:
            if problem.status != 404:
                raise
            if record_id in self.roll.records:
                self.roll.drop(record_id)
                self._moved = True
            else:  # the feed named something else by this id, such as the device that holds the record
                self.reload_soon()

    def take(self, record: Record) -> None:
        """A record as it is now; shown at the next ``settle``."""
        if isinstance(record.get("id"), str) and not (self.roll.put(record) and self.table.replace_row(record)):
            self._moved = True

    def settle(self) -> None:
        """Show what ``take`` took in."""
        if self._moved:
            self._moved = False
            self.show_rows()
        else:
            self.show_summary()

    # --- drawing

    def show_rows(self) -> None:
        """Arrange and draw the rows."""
        say = self.desk.say
        note = "list.loading" if self._loading else "list.no_match" if self.roll.records else "list.empty"
        self.table.note = say(note)
        self.table.view = self.desk.view(self.lookups)
        self.table.sorted_by = self.roll.sorted_by
        self.table.set_rows(self.arranged())
        self.show_summary()

    def arranged(self) -> list[Record]:
        """The rows in order."""
        return self.roll.arranged()

    def show_summary(self) -> None:
        """How many there are, how they stand, and through what they are seen."""
        say, roll = self.desk.say, self.roll
        parts = [Part(" ")]
        counts = roll.tally()
        for word in SEVERITY:
            if counts[word]:
                parts.append(Part(f"{SIGNS[word]} {counts[word]}  ", "dim" if word == "ok" else word))
        shown = len(self.table.rows)
        parts.append(Part(self._count(shown, len(roll.records)), "dim"))
        if self.pages.cursor:
            parts.append(Part("  " + say("list.more"), "dim"))
        self.summary.show(parts, self._scope())

    def _count(self, shown: int, all_of_them: int) -> str:
        say = self.desk.say
        return say("list.count", n=shown) if shown == all_of_them else say("list.shown", n=shown, all=all_of_them)

    def _scope(self) -> list[Part]:
        say, roll = self.desk.say, self.roll
        found = [say("list.marked", n=len(self.table.marked))] if self.table.marked else []
        if roll.faults_only:
            found.append(say("list.faults"))
        if roll.filter.text:
            found.append(say("list.filter", text=roll.filter.text))
        return [Part("  ".join(found) + " ", "accent")]

    def reword(self) -> None:
        """The language or the colours changed."""
        self.roll.forget_words()
        self.show_rows()
        self.show_bars()

    # --- keys

    def action_filter(self) -> None:
        """Open the filter bar."""
        self.query_one(CommandBar).open("filter", self.roll.filter.text, self.desk.say("hint.filter"))
        self.start(self._warm())

    async def _warm(self) -> None:
        for _ in self.roll.warm():
            await asyncio.sleep(0)

    def search(self, typed: str) -> None:
        """Filter by this, as if it had been typed into the bar."""
        self.roll.search(typed)
        self.show_rows()

    def on_command_bar_changed(self, event: CommandBar.Changed) -> None:
        """Filter while it is being typed."""
        if event.purpose != "filter":
            return
        if self.roll.search(event.text):
            self.show_rows()
        else:
            self.query_one(CommandBar).warn(self.desk.say("hint.bad_pattern", text=event.text))

    def leave(self) -> bool:
        """Escape closes the bar, then clears the filter, then leaves."""
        bar = self.query_one(CommandBar)
        filtering = bar.is_open and bar.purpose == "filter"
        closed = self.close_bar()
        if self.roll.filter.text and (filtering or not closed):
            self.roll.search("")
            self.show_rows()
            return True
        return closed

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.roll.sort_next(self.table.columns_shown())
        self.show_rows()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.roll.downwards = not self.roll.downwards
        self.show_rows()

    def action_faults(self) -> None:
        """Only what is not well, or everything."""
        self.roll.faults_only = not self.roll.faults_only
        self.show_rows()

    def action_refresh(self) -> None:
        """Read afresh now."""
        self.start(self.reload())

    def noun_of(self, record: Record) -> Noun:
        """The noun of a row; a list of mixed rows says otherwise."""
        return self.noun

    def action_act(self) -> None:
        """The acts on the marked records, or on the one under the cursor."""
        marked = [record for record in self.table.rows if record["id"] in self.table.marked]
        record = marked[0] if marked else self.table.current
        if record is not None:
            others = marked if len(marked) > 1 else ()
            self.table.held = True  # what is acted on may change its place, and is watched
            self.app.push_screen(ActMenu(self.desk, self.noun_of(record), record, others))

    def action_new(self) -> None:
        """Something new in this list."""
        if self.desk.settings.read_only:
            self.notice(self.desk.say("act.read_only"), "warn")
            return
        screen = new_screen(self.desk, self.noun)
        if screen is None:
            self.notice(self.desk.say("act.nothing_new"), "dim")
        else:
            self.app.push_screen(screen)

    def action_related(self) -> None:
        """What stands or falls with the record under the cursor."""
        record = self.table.current
        if record is not None:
            self.app.push_screen(RelatedScreen(self.desk, self.noun_of(record), record))

    def on_record_table_opened(self, event: RecordTable.Opened) -> None:
        """Enter on a row: why it stands as it stands."""
        self.post_message(Open(self.noun_of(event.record).path, event.record))

    def on_record_table_marked(self, event: RecordTable.Marked) -> None:
        """Say how many are marked."""
        self.show_summary()

    def on_record_table_near_end(self, event: RecordTable.NearEnd) -> None:
        """More rows are wanted."""
        if self.pages.cursor is not None:
            self.start(self.load_more())
