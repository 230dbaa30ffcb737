"""The help page, made from the bindings that are in force on the screen beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from console.desk import Desk
from console.screens.catalog import COMMANDS, NOUNS
from console.theme import SIGNS
from console.widgets.bars import Bar
from console.widgets.ink import BLANK, Line, Part, fitted
from console.widgets.pane import Pane

_KEYS = 22


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """(keys, description) of every binding of ours in force on a screen, each action once with all its keys."""
    found: dict[tuple[str, str], list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description.startswith("key."):
            found.setdefault((binding.action, binding.description), []).append(screen.app.get_key_display(binding))
    return [(" ".join(keys), description) for (_, description), keys in found.items()]


class HelpScreen(ModalScreen[None]):
    """Keys, commands, signs and the filter language."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 90%; max-width: 92; height: 90%; border: round $accent; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "key.close")]

    def __init__(self, desk: Desk, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.desk = desk
        self.keys = keys
        self.pane = Pane()

    def compose(self) -> ComposeResult:
        """A title over the page."""
        with Vertical():
            yield Bar(id="title")
            yield self.pane

    def on_mount(self) -> None:
        """Write the page."""
        say = self.desk.say
        self.query_one("#title", Bar).show([Part(say("noun.help"), "strong")], [Part("Esc", "accent")])
        lines = [_head(say("page.help_keys"))]
        lines += [_entry(keys, say(description)) for keys, description in self.keys]
        lines += [BLANK, _head(say("page.help_commands"))]
        lines += [
            _entry(":" + noun.aliases[0], _named(say(f"noun.{noun.path}"), noun.aliases)) for noun in NOUNS.values()
        ]
        lines += [_entry(":" + name, _named(say(f"command.{name}"), aliases)) for name, aliases in COMMANDS.items()]
        lines += [BLANK, _head(say("page.help_signs"))]
        lines += [_entry(sign, say.word("verdict", word)) for word, sign in SIGNS.items()]
        lines += [BLANK, _head(say("page.help_filter")), Line((Part("  " + say("hint.filter")),), 2)]
        self.pane.set_lines(lines)
        self.pane.focus()


def _head(words: str) -> Line:
    return Line((Part(words, "strong"),))


def _entry(keys: str, words: str) -> Line:
    return Line((Part("  " + fitted(keys, _KEYS), "accent"), Part(words)), _KEYS + 2)


def _named(words: str, aliases: Sequence[str]) -> str:
    return f"{words}   {' '.join(aliases[1:])}"
