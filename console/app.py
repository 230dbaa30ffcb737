"""The console: puts link, feed and screens together, and knows where the operator has been."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.filter import LineFilter

from console.desk import Desk
from console.feed import Batch, Feed, Standing
from console.link import HttpTransport, Link, LinkError
from console.records import text
from console.screens.act_form import ActForm
from console.screens.acting import ActMenu
from console.screens.catalog import COMMANDS, NOUNS, candidates, command_named, noun_named, screen_of
from console.screens.detail import DetailScreen
from console.screens.frame import Frame
from console.screens.help import HelpScreen, keys_of
from console.screens.listing import ListScreen
from console.screens.moves import Command, GoTo, Open
from console.settings import THEMES, Settings
from console.theme import themes
from console.widgets.inert import InertLines

_DEEPEST = 16
"""Screens one may be away from the board; going further begins from there again."""
_MOST_STOPS = 20
"""Emergency stops named in the banner."""


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Console(App[int]):
    """The operators' console. The transport is closed with it."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    CSS = """
    Screen { background: $background; color: $foreground; }
    ModalScreen { background: $background 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(":", "command", "key.command"),
        Binding("?", "help", "key.help"),
        Binding("escape", "back", "key.back"),
        Binding("ctrl+l", "language", "key.language", show=False),
        Binding("q", "quit", "key.quit"),
    ]

    def __init__(
        self,
        settings: Settings,
        transport: HttpTransport | None = None,
        clock: Callable[[], datetime] = utc_now,
        chance: random.Random | None = None,
    ) -> None:
        super().__init__()
        self.transport = transport or HttpTransport(settings.url, settings.token)
        self.desk = Desk(settings, Link(self.transport), clock)
        self.feed = Feed(self.desk.link, self, chance or random.Random())
        self._net = InertLines()
        for theme in themes():
            self.register_theme(theme)
        self.theme = f"taxplane-{settings.theme}"

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and behind them the net for control characters."""
        return [*super().get_line_filters(), self._net]

    async def on_mount(self) -> None:
        """Open the board, find out who is asking, follow the feed."""
        await self.push_screen(screen_of(self.desk, GoTo("board")))
        self.run_worker(self._introduce())
        self.run_worker(self.feed.follow())

    async def _introduce(self) -> None:
        try:
            self.desk.principal = await self.desk.link.me()
        except LinkError:
            return  # the feed and the board tell what is wrong
        await self._look_for_stops()

    async def _look_for_stops(self) -> None:
        """Fill the banner with the emergency stops in force."""
        try:
            found = (await self.desk.link.page("stops", _MOST_STOPS, {"active": "true"})).items
        except LinkError:
            return  # what stood there stands on: a lost line ends no stop
        holding = [stop for stop in found if text(stop, "state") == "active"]
        self.desk.emergency = " · ".join(
            f"{text(stop, 'target_name')}: {text(stop, 'reason')} ({text(stop, 'stopped_by')})" for stop in holding
        )
        self.show_standing()

    async def on_unmount(self) -> None:
        """Let go of the connections."""
        await self.transport.close()

    # --- the feed

    def feed_delivered(self, batch: Batch) -> None:
        """Hand changes to what is on screen; a covered screen hears of them when it is seen again."""
        self.desk.heard_at = self.desk.clock()
        if batch.resync or "stops" in batch.changed:
            self.run_worker(self._look_for_stops())
        covered = False
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ActForm | ActMenu):
                screen.deliver(batch)
            elif isinstance(screen, Frame):
                screen.hear(batch, covered)
                covered = True

    def feed_stands(self, standing: Standing, reason: str) -> None:
        """The line came up or went down."""
        if standing == "live":
            self.desk.heard_at = self.desk.clock()
        self.desk.standing, self.desk.reason = standing, reason
        self.show_standing()

    def show_standing(self) -> None:
        """Tell every screen how the line stands."""
        for screen in self.screen_stack:
            if isinstance(screen, Frame):
                screen.show_bars()

    # --- going somewhere

    async def on_go_to(self, event: GoTo) -> None:
        """Open a list; the one that is already on top only takes over what to search for."""
        top = self.screen
        if isinstance(top, ListScreen) and top.noun.path == event.noun and top.filters == event.filters:
            top.search(event.search)
            return
        if self._frames() >= _DEEPEST:
            while self._frames() > 1:
                await self.pop_screen()
        await self.push_screen(screen_of(self.desk, event))

    def on_open(self, event: Open) -> None:
        """Open a record's page."""
        self.push_screen(DetailScreen(self.desk, NOUNS[event.noun], event.record))

    async def action_back(self) -> None:
        """Close what is open here, else go back one screen."""
        screen = self.screen
        if isinstance(screen, Frame) and not screen.leave() and self._frames() > 1:
            await self.pop_screen()

    def _frames(self) -> int:
        return sum(isinstance(screen, Frame) for screen in self.screen_stack)

    # --- keys and commands

    def action_command(self) -> None:
        """Open the command bar."""
        if isinstance(self.screen, Frame):
            self.screen.open_command(candidates(self.desk.say))

    def action_help(self) -> None:
        """Show the keys of this screen."""
        self.push_screen(HelpScreen(self.desk, keys_of(self.screen)))

    def action_language(self) -> None:
        """Chinese to English and back."""
        self.desk.turn_language()
        for screen in self.screen_stack:
            if isinstance(screen, Frame):
                screen.reword()
                screen.show_bars()

    async def action_quit(self) -> None:
        """Leave."""
        self.exit(0)

    def action_help_quit(self) -> None:
        """Ctrl+C, pressed out of habit: say how to leave."""
        if isinstance(self.screen, Frame):
            self.screen.notice(self.desk.say("hint.quit"))

    def on_key(self, event: Key) -> None:
        """A key that was on its way to the list while the bar opened belongs to the bar: it quits nothing."""
        screen = self.screen
        if isinstance(screen, Frame) and event.is_printable and event.character and screen.type_on(event.character):
            event.stop()
            event.prevent_default()

    async def on_command(self, event: Command) -> None:
        """Run a typed command: a noun with what to search for, or one of the few others."""
        word, _, rest = event.text.strip().partition(" ")
        command = command_named(word)
        if command is not None:
            await self._run_command(command, rest.strip())
            return
        noun = noun_named(word)
        if noun is not None:
            self.post_message(GoTo(noun.path, search=rest.strip()))
        elif word and isinstance(self.screen, Frame):
            self.screen.notice(self.desk.say("hint.no_command", text=word), "warn")

    async def _run_command(self, command: str, rest: str) -> None:
        assert command in COMMANDS
        if command == "quit":
            await self.action_quit()
        elif command == "help":
            self.action_help()
        elif command == "lang":
            self.action_language()
        elif command == "theme":
            self._recolour(rest)

    def _recolour(self, wanted: str) -> None:
        current = self.theme.removeprefix("taxplane-")
        following = THEMES[(THEMES.index(current) + 1) % len(THEMES)]
        self.theme = f"taxplane-{wanted if wanted in THEMES else following}"
        for screen in self.screen_stack:
            if isinstance(screen, Frame):
                screen.reword()
                screen.refresh(layout=True)


def run(settings: Settings) -> int:
    """Run the console until the operator leaves; the exit code."""
    return Console(settings).run() or 0
