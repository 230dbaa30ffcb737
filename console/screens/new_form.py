"""Acts on a list: registering something new, importing, asking for a whole table; menu and form."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.desk import Desk
from console.link import Act, LinkDown, LinkProblem
from console.plain import plain
from console.records import Record, mapping, text
from console.screens.act_form import ActForm
from console.screens.noun import Noun
from console.verbs import collection_verbs
from console.widgets.bars import Bar
from console.widgets.columns import Cell, Column, View
from console.widgets.ink import Line, Part
from console.widgets.record_table import RecordTable

_SHOWN_ONCE: Final = ("password", "one_time_password", "token")
"""Fields of an answer that are never answered again."""


class NewForm(ActForm):
    """One act on the list of a noun; what it answers is shown, secrets once."""

    wants_reason = False

    def __init__(self, desk: Desk, noun: Noun, name: str) -> None:
        super().__init__(desk, noun, {"id": ""}, name)

    def heading(self) -> str:
        """The verb and the noun."""
        verb = self.desk.say.word_of("verb", self.noun.path, self.name_of_verb)
        return f"{verb} · {self.desk.say(f'noun.{self.noun.path}')}"

    async def send(self, act: Act) -> None:
        """Send it and show the answer."""
        try:
            answer = await self.desk.link.collect(act.noun, act.verb, act.args)
        except LinkProblem as problem:
            self.sending = False
            await self.refused(problem)
        except LinkDown as down:
            self.sending = False
            self.said_plainly(self.desk.say("act.lost", text=str(down)))
        else:
            self.sent(mapping(answer, "record") or answer, mapping(answer, "job") or None)
            self._show_answer(answer)

    def _show_answer(self, answer: Record) -> None:
        say = self.desk.say
        lines = [Line((Part(say("act.done"), "ok"), Part("  " + self._name_of(answer))), 2)]
        for field in _SHOWN_ONCE:
            if text(answer, field):
                words = (Part(say("act.shown_once") + "  ", "warn"), Part(plain(text(answer, field)), "strong"))
                lines.append(Line(words, 2))
        lines += [Line((Part("! " + plain(str(warning)), "warn"),), 2) for warning in answer.get("warnings") or ()]
        self.say(*lines)

    def _name_of(self, answer: Record) -> str:
        return plain(self.noun.name(answer) if text(answer, "id") else text(answer, "name"))


def _verb_cell(record: Record, view: View) -> Cell:
    return Cell(view.say.word_of("verb", record["noun"], record["id"]), "strong")


class NewMenu(ModalScreen[None]):
    """The acts on a list, where there are several."""

    DEFAULT_CSS = """
    NewMenu { align: center middle; }
    NewMenu > Vertical { width: 60; height: 12; max-height: 90%; border: round $accent; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "key.close")]

    def __init__(self, desk: Desk, noun: Noun) -> None:
        super().__init__()
        self.desk = desk
        self.noun = noun
        self.table = RecordTable((Column("action", 30, _verb_cell, grow=1),), desk.view(), id="verbs")

    def compose(self) -> ComposeResult:
        """Title and verbs."""
        with Vertical():
            yield Bar(id="title")
            yield self.table

    def on_mount(self) -> None:
        """One row per act."""
        self.query_one("#title", Bar).show([Part(self.desk.say(f"noun.{self.noun.path}"), "strong")])
        self.table.set_rows([{"id": spec.verb, "noun": self.noun.path} for spec in collection_verbs(self.noun.path)])
        self.table.focus()

    def on_record_table_opened(self, event: RecordTable.Opened) -> None:
        """Fill in the form."""
        event.stop()
        self.app.switch_screen(NewForm(self.desk, self.noun, event.record["id"]))


def new_screen(desk: Desk, noun: Noun) -> ModalScreen[None] | None:
    """The form of the only act on a noun's list, the menu of several, None when there is none."""
    verbs = collection_verbs(noun.path)
    if not verbs:
        return None
    return NewForm(desk, noun, verbs[0].verb) if len(verbs) == 1 else NewMenu(desk, noun)
