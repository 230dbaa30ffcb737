"""The frame every full screen hangs in: where we are, whether the line holds, what the keys do."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from console.desk import Desk
from console.feed import Batch
from console.records import text
from console.screens.moves import Command
from console.screens.worker import guarded
from console.theme import Tone
from console.times import moment
from console.widgets.bars import Banner, Bar
from console.widgets.command_bar import Candidate, CommandBar
from console.widgets.ink import Part

_NOTICE_SECONDS = 8.0


class Frame(Screen[None]):
    """Bars around a body. Subclasses give the body, their title and what they do with changes."""

    AUTO_FOCUS = ""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._notice: tuple[str, Tone] | None = None
        self._missed: Batch | None = None

    def body(self) -> Sequence[Widget]:
        """The widgets between the bars, always the same ones; the last takes the keys."""
        raise NotImplementedError

    def crumb(self) -> str:
        """This screen's place in the breadcrumbs."""
        raise NotImplementedError

    def deliver(self, batch: Batch) -> None:
        """Changes arrived."""

    def reword(self) -> None:
        """The language or the colours changed."""

    def compose(self) -> ComposeResult:
        """Bars at the top and the bottom, the body between them."""
        yield Bar(id="top", raised=True)
        yield Banner(id="emergency")
        yield Banner(id="link")
        yield from self.body()
        yield Bar(id="bottom", raised=True)
        yield CommandBar()

    def on_mount(self) -> None:
        """Fill the bars, and keep their clock going."""
        self.show_bars()
        self.set_interval(20, self.show_bars)

    def on_resize(self) -> None:
        """As many hints as there is room for."""
        self.show_bars()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while this screen was covered."""
        self.show_bars()
        missed, self._missed = self._missed, None
        if missed is not None:
            self.deliver(missed)

    def hear(self, batch: Batch, covered: bool) -> None:
        """Changes arrived; a covered screen keeps them for later."""
        if not covered:
            self.deliver(batch)
            return
        if self._missed is None:
            self._missed = Batch()
        self._missed.merge(batch)

    # --- work beside the screen

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the screen; what goes wrong ends up in the bottom line, never in a crash."""
        self.run_worker(guarded(work, self.desk, self.failed))

    def failed(self, words: str) -> None:
        """Something could not be read."""
        if self.is_mounted:
            self.notice(self.desk.say("list.failed", text=words), "warn")

    # --- bars

    def show_bars(self) -> None:
        """Fill all bars anew; a screen that is still coming or already going has none."""
        if not self.is_mounted or not self.query("#bottom"):
            return
        self.query_one("#top", Bar).show(self._crumbs(), self._standing())
        self.query_one("#emergency", Banner).say(*self._emergency())
        self.query_one("#link", Banner).say(*self._line_trouble())
        self.query_one("#bottom", Bar).show(self._hints())

    def notice(self, words: str, tone: Tone = "plain") -> None:
        """Say something in the bottom line for a few seconds."""
        self._notice = (words, tone)
        self.show_bars()
        self.set_timer(_NOTICE_SECONDS, self._forget_notice)

    def _forget_notice(self) -> None:
        self._notice = None
        self.show_bars()

    def _crumbs(self) -> list[Part]:
        crumbs = [screen.crumb() for screen in self.app.screen_stack if isinstance(screen, Frame)]
        parts = [Part(" taxplane ", "dim")]
        for place, crumb in enumerate(crumbs[-4:]):
            parts += [Part("› ", "dim"), Part(crumb + " ", "strong" if place == len(crumbs[-4:]) - 1 else "plain")]
        return parts

    def _standing(self) -> list[Part]:
        say, desk = self.desk.say, self.desk
        role = say.word("role", text(desk.principal, "role"))
        tone: Tone = "ok" if desk.standing == "live" else "dim" if desk.standing == "connecting" else "warn"
        parts = [Part(f"{say('link.read_only')} ", "accent")] if desk.settings.read_only else []
        return [
            *parts,
            Part(f"{text(desk.principal, 'name')} {role} ", "dim"),
            Part(("● " if desk.standing == "live" else "▲ ") + say(f"link.{desk.standing}"), tone),
            Part(f" {moment(desk.clock(), desk.clock())[:5]} ", "dim"),
        ]

    def _emergency(self) -> list[Part]:
        words = self.desk.emergency
        return [Part(" ■ " + self.desk.say("command.emergency", text=words), "alarm")] if words else []

    def _line_trouble(self) -> list[Part]:
        desk = self.desk
        if desk.standing not in ("lost", "signed_out"):
            return []
        at = moment(desk.heard_at, desk.clock())
        return [Part(" ▲ " + desk.say(f"link.{desk.standing}_banner", at=at, reason=desk.reason), "warn")]

    def _hints(self) -> list[Part]:
        if self._notice:
            return [Part(" " + self._notice[0], self._notice[1])]
        parts: list[Part] = [Part(" ")]
        left = self.size.width - 1
        for binding in hinted(self):
            hint = [
                Part(self.app.get_key_display(binding), "accent"),
                Part(f" {self.desk.say(binding.description)}", "dim"),
            ]
            left -= sum(cell_len(part.text) for part in hint)
            if left < 0:
                break
            parts += [*hint, Part("   ")]
            left -= 3
        return parts

    # --- the command bar

    def open_command(self, candidates: Sequence[Candidate]) -> None:
        """Let a command be typed."""

        def matching(typed: str) -> Sequence[Candidate]:
            word = typed.strip().lower()
            return [one for one in candidates if one.word.startswith(word)] if word else []

        self.query_one(CommandBar).open("command", "", self.desk.say("hint.command"), matching)

    def on_command_bar_submitted(self, event: CommandBar.Submitted) -> None:
        """A command goes to the app; a filter stays and the keys go back to the table."""
        self.close_bar()
        if event.purpose == "command":
            self.post_message(Command(event.text))

    def type_on(self, character: str) -> bool:
        """Put a character into the open bar; False when none is open."""
        bar = self.query_one(CommandBar)
        if bar.is_open:
            bar.type_on(character)
        return bar.is_open

    def close_bar(self) -> bool:
        """Close an open bar; False when none was open."""
        bar = self.query_one(CommandBar)
        if not bar.is_open:
            return False
        bar.close()
        self.focus_body()
        return True

    def focus_body(self) -> None:
        """Give the keys back to the body."""
        self.body()[-1].focus()

    def leave(self) -> bool:
        """Escape: close what is open here; False when the screen itself is to be left."""
        return self.close_bar()


_HINT_ORDER = ("open", "act", "command", "filter", "help", "back", "quit", "faults", "related", "sort", "fold", "join")


def hinted(screen: Screen[None]) -> list[Binding]:
    """Bindings worth a place in the bottom line, each once; the ones a stranger needs first."""
    found: dict[str, Binding] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and binding.description.startswith("key.") and binding.action not in found:
            found[binding.action] = binding
    order = {action: place for place, action in enumerate(_HINT_ORDER)}
    return sorted(found.values(), key=lambda binding: order.get(binding.action, len(order)))
