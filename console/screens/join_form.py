"""The form that makes a one-use join token for a new agent, and shows it once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console.desk import Desk
from console.records import text
from console.screens.worker import guarded
from console.theme import Tone
from console.times import stamp
from console.verbs import Field, wrong
from console.widgets.bars import Bar
from console.widgets.ink import Line, Part
from console.widgets.pane import Pane

_FIELDS = (Field("host_id", "word"), Field("name", "word"))


class JoinForm(ModalScreen[None]):
    """Host and name of the agent to come."""

    DEFAULT_CSS = """
    JoinForm { align: center middle; }
    JoinForm > Vertical { width: 90%; max-width: 100; height: auto; border: round $accent; padding: 0 1; }
    JoinForm Horizontal { height: 1; margin-top: 1; }
    JoinForm Horizontal Bar { width: 36; }
    JoinForm Input { height: 1; width: 1fr; border: none; padding: 0; background: $panel; }
    JoinForm Input:focus { border: none; background: $surface-lighten-2; }
    JoinForm Pane { height: 6; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "key.close"),
        Binding("down", "app.focus_next", "key.next_field", show=False),
        Binding("up", "app.focus_previous", "key.previous_field", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.pane = Pane()
        self._asked = False

    def compose(self) -> ComposeResult:
        """One line per field, then what was said."""
        with Vertical():
            yield Bar(id="title")
            for arg in _FIELDS:
                yield from self._field(arg.name)
            yield self.pane
            yield Bar(id="hint")

    def _field(self, name: str) -> ComposeResult:
        with Horizontal():
            yield Bar(id=f"label-{name}")
            yield Input(id=name, compact=True)

    def on_mount(self) -> None:
        """Label everything."""
        say = self.desk.say
        self._show("title", say("key.join"), "strong")
        for arg in _FIELDS:
            self._show(f"label-{arg.name}", say.word("field", arg.name), "dim")
        self._show("hint", say("act.form_hint"), "dim")
        self.pane.can_focus = False
        self.query(Input).first().focus()

    def _show(self, bar: str, words: str, tone: Tone) -> None:
        self.query_one(f"#{bar}", Bar).show([Part(words, tone)])

    def _failed(self, words: str) -> None:
        self._asked = False
        self.pane.set_lines([Line((Part(words, "warn"),))])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter moves on; in the last field it asks for the token."""
        values = {arg.name: self.query_one(f"#{arg.name}", Input).value.strip() for arg in _FIELDS}
        for arg in _FIELDS:
            if arg.value(values[arg.name]) is None:
                self.query_one(f"#{arg.name}", Input).focus()
                if event.input.id == arg.name or values[arg.name]:
                    self._failed(wrong(arg, self.desk.say))
                return
        if not self._asked:
            self._asked = True
            self.run_worker(guarded(self._ask(values["host_id"], values["name"]), self.desk, self._failed))

    async def _ask(self, host_id: str, name: str) -> None:
        say = self.desk.say
        answer = await self.desk.link.join_token(host_id, name)
        token = text(answer, "token")
        self.pane.set_lines(
            [
                Line((Part(say("page.token"), "dim"),)),
                Line((Part(token, "strong"),)),
                Line((Part(say("page.token_expires", at=stamp(answer, "expires_at")), "dim"),)),
                Line((Part(f"{say('page.token_use')} taxplane-agent join {self.desk.settings.url} {token}"),), 2),
            ]
        )
