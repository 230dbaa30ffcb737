"""Acts: the menu of what may be done now, and the form that asks for a reason and shows what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.desk import Desk
from console.feed import Batch
from console.records import Record, pick, text
from console.screens.act_form import ActForm
from console.screens.many_form import ManyForm
from console.screens.noun import Noun
from console.screens.worker import guarded
from console.verbs import ALWAYS, rank
from console.widgets.bars import Bar
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Part
from console.widgets.record_table import RecordTable


def choices(noun: str, record: Record) -> list[Record]:
    """Verbs of a record as rows: what can be done, the dangerous last, then the others with the reason why not."""
    allowed = pick(record, "allowed")
    found: list[Record] = []
    for entry in allowed if isinstance(allowed, list) else ALWAYS.get(noun, ()):
        if isinstance(entry, str):
            found.append({"id": entry, "noun": noun, "enabled": True, "why": ""})
        elif isinstance(entry, dict) and text(entry, "verb"):
            enabled = entry.get("enabled") is not False
            found.append({"id": text(entry, "verb"), "noun": noun, "enabled": enabled, "why": _why(entry)})
    return sorted(found, key=lambda row: (not row["enabled"], rank(noun, row["id"])))


def shared(noun: str, records: Sequence[Record]) -> list[Record]:
    """Verbs that at least one of the records allows, with how many do; the others with one record's reason."""
    found: dict[str, Record] = {}
    counts: Counter[str] = Counter()
    for record in records:
        for row in choices(noun, record):
            counts[row["id"]] += row["enabled"]
            if row["id"] not in found or row["enabled"]:
                found[row["id"]] = row
    rows = [{**row, "count": f"{counts[name]}/{len(records)}"} for name, row in found.items()]
    return sorted(rows, key=lambda row: (not row["enabled"], rank(noun, row["id"])))


def _enabled(noun: str, record: Record, name: str) -> bool:
    return any(row["id"] == name and row["enabled"] for row in choices(noun, record))


def _why(entry: Record) -> str:
    why = entry.get("why")
    if isinstance(why, dict):
        return text(why, "message") or text(why, "text") or text(why, "code")
    return why if isinstance(why, str) else ""


def _verb_cell(record: Record, view: View) -> Cell:
    return Cell(view.say.word_of("verb", record["noun"], record["id"]), "strong" if record["enabled"] else "dim")


def _why_cell(record: Record, view: View) -> Cell:
    return Cell(record.get("count", "") if record["enabled"] else record["why"] or view.say("act.not_now"), "dim")


_COLUMNS: Sequence[Column] = (Column("action", 22, _verb_cell), Column("why", 20, _why_cell, grow=1))


class ActMenu(ModalScreen[None]):
    """The verbs of one record. A greyed one says why it cannot be done now."""

    DEFAULT_CSS = """
    ActMenu { align: center middle; }
    ActMenu > Vertical { width: 90%; max-width: 100; height: 18; max-height: 90%; border: round $accent; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "key.close")]

    def __init__(self, desk: Desk, noun: Noun, record: Record, others: Sequence[Record] = ()) -> None:
        super().__init__()
        self.desk = desk
        self.noun = noun
        self.record = record
        self.marked = list(others)
        """All records it is for, when it is for several."""
        self.table = RecordTable(_COLUMNS, desk.view(), id="verbs")
        self.line = Bar(id="why")

    def compose(self) -> ComposeResult:
        """Title, verbs, hint."""
        with Vertical():
            yield Bar(id="title")
            yield self.table
            yield self.line

    def on_mount(self) -> None:
        """Show what the list knew, then what is allowed now."""
        names = self.desk.say("list.marked", n=len(self.marked)) if self.marked else self.noun.name(self.record)
        title = self.desk.say("act.title", name=names)
        self.query_one("#title", Bar).show([Part(title, "strong")])
        self.line.show([Part(self.desk.say("act.menu_hint"), "dim")])
        self.table.focus()
        self._show()
        self._read_soon()

    def deliver(self, batch: Batch) -> None:
        """The record may have moved while the menu is open."""
        if batch.resync or self.record["id"] in batch.changed.get(self.noun.path, ()) or "jobs" in batch.changed:
            self._read_soon()

    def _read_soon(self) -> None:
        if self.noun.has_page and not self.marked:
            self.run_worker(self._follow, exclusive=True, group="read")  # type: ignore[arg-type]

    async def _follow(self) -> None:
        await guarded(self._read(), self.desk, self._failed)

    async def _read(self) -> None:
        self.record = await self.desk.link.one(self.noun.path, self.record["id"])
        self._show()

    def _failed(self, words: str) -> None:
        self.line.show([Part(self.desk.say("list.failed", text=words), "warn")])

    def _show(self) -> None:
        say = self.desk.say
        rows = shared(self.noun.path, self.marked) if self.marked else choices(self.noun.path, self.record)
        if self.desk.settings.read_only:
            rows = [{**row, "enabled": False, "why": say("act.read_only")} for row in rows]
        self.table.note = say("act.none")
        self.table.set_rows(rows)

    def on_record_table_opened(self, event: RecordTable.Opened) -> None:
        """Fill in the form of an enabled verb; a greyed one repeats why not."""
        event.stop()
        row = event.record
        if not row["enabled"]:
            why = row["why"] or self.desk.say("act.not_now")
            self.line.show([Part(why, "warn")])
            return
        if self.marked:
            able = [one for one in self.marked if _enabled(self.noun.path, one, row["id"])]
            self.app.switch_screen(ManyForm(self.desk, self.noun, able, row["id"]))
        else:
            self.app.switch_screen(ActForm(self.desk, self.noun, self.record, row["id"]))
