"""The detail screen: one record, why it stands as it stands, and what belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from console.desk import Desk
from console.feed import Batch
from console.link import LinkProblem
from console.records import Record
from console.screens.acting import ActMenu
from console.screens.frame import Frame
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import heading, runbook_lines
from console.screens.related import RelatedScreen
from console.theme import SIGNS
from console.widgets.bars import Bar
from console.widgets.ink import Line, Part
from console.widgets.pane import Pane

_PARTS = 100
"""Records of a related list that are read for the page."""
_GAP = 0.3
_BESIDE = 116
"""Cells from which there is room for the runbook beside the page."""
_MARGIN = 4


class DetailScreen(Frame):
    """A page about one record, kept fresh by the feed."""

    DEFAULT_CSS = """
    DetailScreen Horizontal { height: 1fr; }
    DetailScreen #page { width: 3fr; }
    DetailScreen #runbook { width: 2fr; border-left: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "act", "key.act"),
        Binding("u", "related", "key.related"),
        Binding("r", "refresh", "key.refresh"),
    ]

    def __init__(self, desk: Desk, noun: Noun, record: Record) -> None:
        super().__init__(desk)
        self.noun = noun
        self.record = record
        self.related: Related = {}
        self.lookups: dict[str, dict[str, Record]] = {}
        self.missing: list[str] = []
        self.pane = Pane(id="page")
        self.runbook = Pane(id="runbook")
        self.title_bar = Bar(id="title")
        self._due = False

    def body(self) -> Sequence[Widget]:
        """The title over the page, the runbook beside it."""
        return (self.title_bar, Horizontal(self.pane, self.runbook))

    def focus_body(self) -> None:
        """The page takes the keys."""
        self.pane.focus()

    def crumb(self) -> str:
        """The record's name."""
        return self.noun.name(self.record) or self.desk.say(f"noun.{self.noun.path}")

    def on_mount(self) -> None:
        """Show what the list knew, then read the rest."""
        super().on_mount()
        self.focus_body()
        self.show_page()
        self.start(self.load())

    async def load(self) -> None:
        """Read the record and what belongs to it."""
        if self.noun.has_page:
            fresh = await self.desk.link.one(self.noun.path, self.record["id"])
            if isinstance(fresh.get("id"), str):
                self.record = fresh
        self.desk.readings.observe(self.record)
        self.show_page()
        self.missing = []
        relations = self.noun.parts(self.record)
        found = await asyncio.gather(*(self._part(relation) for relation in relations))
        self.related = {relation.noun: records for relation, records in zip(relations, found, strict=True)}
        for noun in self.noun.lookups:
            self.lookups[noun] = {record["id"]: record for record in await self._part(Relation(noun, ()))}
        self.show_page()

    async def _part(self, relation: Relation) -> list[Record]:
        try:
            page = await self.desk.link.page(relation.noun, _PARTS, dict(relation.filters))
        except LinkProblem as problem:
            self.missing.append(f"{relation.noun}: {problem.message}")
            return []
        return page.items

    def show_page(self) -> None:
        """Draw the page, and the runbook beside it where there is room, else below."""
        view = self.desk.view(self.lookups)
        view.readings[self.record["id"]] = self.desk.readings.of(self.record["id"])
        slug = view.say.told(trouble).runbook if (trouble := self.noun.trouble(self.record, self.related)) else ""
        beside = bool(slug) and self.size.width >= _BESIDE
        self.runbook.display = beside
        view.width = (self.size.width * 3 // 5 if beside else self.size.width) - _MARGIN
        lines = self.noun.page(self.record, view, self.related)
        lines += [Line((Part("  " + view.say("page.missing", text=words), "warn"),), 2) for words in self.missing]
        runbook = runbook_lines(view, slug)
        self.runbook.set_lines(runbook)
        if runbook and not beside:
            lines += [*heading(view, "runbook"), *runbook]
        self.pane.set_lines(lines)
        word = self.noun.verdict(self.record)
        name = self.desk.say(f"noun.{self.noun.path}")
        self.title_bar.show([Part(f" {SIGNS[word]} ", word), Part(f"{name} {self.noun.name(self.record)}", "strong")])
        self.show_bars()

    def on_resize(self) -> None:
        """The page is made anew for the new width."""
        super().on_resize()
        self.show_page()

    def deliver(self, batch: Batch) -> None:
        """Read afresh when this record, or something on its page, changed."""
        own = self.record["id"] in batch.changed.get(self.noun.path, ())
        parts = {relation.noun for relation in self.noun.parts(self.record)} & batch.changed.keys()
        if (own or parts or batch.resync) and not self._due:
            self._due = True
            self.set_timer(_GAP if own else 2.0, self._load_now)

    def _load_now(self) -> None:
        self._due = False
        self.start(self.load())

    def reword(self) -> None:
        """The language or the colours changed."""
        self.show_page()

    def action_refresh(self) -> None:
        """Read afresh now."""
        self.start(self.load())

    def action_act(self) -> None:
        """The acts on this record."""
        self.app.push_screen(ActMenu(self.desk, self.noun, self.record))

    def action_related(self) -> None:
        """What stands or falls with this record."""
        self.app.push_screen(RelatedScreen(self.desk, self.noun, self.record))
