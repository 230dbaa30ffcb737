"""The line at the bottom in which commands and filters are typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from console.widgets.bars import Bar
from console.widgets.ink import Part

Purpose = Literal["command", "filter"]
_MARK: dict[Purpose, str] = {"command": ":", "filter": "/"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A completion: the word to be put in, and what it means."""

    word: str
    meaning: str


class _Line(Input):
    """The input itself; Tab completes instead of moving on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "key.next_field", show=False)]

    def action_complete(self) -> None:
        """Ask the bar to complete."""
        bar = self.parent.parent if self.parent else None
        if isinstance(bar, CommandBar):
            bar.complete()


class CommandBar(Vertical):
    """Hidden until opened; the only focused input outside dialogs, because an input eats every letter."""

    DEFAULT_CSS = """
    CommandBar { dock: bottom; height: 2; display: none; }
    CommandBar Horizontal { height: 1; }
    CommandBar #mark { width: 2; }
    CommandBar Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    CommandBar Input:focus { border: none; }
    """

    @dataclass
    class Changed(Message):
        """The text of an open bar changed."""

        purpose: Purpose
        text: str

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

        purpose: Purpose
        text: str

    def __init__(self) -> None:
        super().__init__()
        self.purpose: Purpose = "command"
        self._hint = ""
        self._candidates: Callable[[str], Sequence[Candidate]] = lambda text: ()

    def compose(self) -> ComposeResult:
        """Candidates above, the line below."""
        yield Bar(id="candidates", raised=True)
        with Horizontal():
            yield Bar(id="mark")
            yield _Line(compact=True, select_on_focus=False)

    @property
    def is_open(self) -> bool:
        """True while something is being typed."""
        return bool(self.display)

    def open(
        self, purpose: Purpose, text: str, hint: str, candidates: Callable[[str], Sequence[Candidate]] | None = None
    ) -> None:
        """Show the bar with a text to start from."""
        self.purpose, self._hint = purpose, hint
        self._candidates = candidates or (lambda typed: ())
        self.query_one("#mark", Bar).show([Part(_MARK[purpose], "accent")])
        self.display = True
        line = self.query_one(_Line)
        line.value = text
        line.cursor_position = len(text)
        self.screen.set_focus(line)  # at once: the next keys may be here already
        self._suggest(text)

    def type_on(self, character: str) -> None:
        """A character that was typed for the bar before it had the keys."""
        self.query_one(_Line).insert_text_at_cursor(character)

    def close(self) -> None:
        """Hide the bar."""
        self.display = False

    def warn(self, text: str) -> None:
        """Say what is wrong with the text, in place of the candidates."""
        self.query_one("#candidates", Bar).show([Part(text, "warn")])

    def complete(self) -> None:
        """Put in the first candidate."""
        line = self.query_one(_Line)
        found = self._candidates(line.value)
        if found:
            line.value = found[0].word
            line.cursor_position = len(line.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer candidates for what is typed so far."""
        event.stop()
        if self.is_open:
            self._suggest(event.value)
            self.post_message(self.Changed(self.purpose, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the text on."""
        event.stop()
        self.post_message(self.Submitted(self.purpose, event.value))

    def _suggest(self, text: str) -> None:
        parts: list[Part] = []
        for place, candidate in enumerate(self._candidates(text)[:8]):
            parts.append(Part(candidate.word, "accent" if place == 0 else "plain"))
            parts.append(Part(f" {candidate.meaning}   ", "dim"))
        self.query_one("#candidates", Bar).show(
            parts or [Part(self._hint, "dim")], [Part(self._hint, "dim")] if parts else ()
        )
