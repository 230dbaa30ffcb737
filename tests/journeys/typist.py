"""An operator who types acts: goes to a list, finds the row, opens menu and form, fills it in, and sees it done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.widgets import Input

from console.app import Console
from console.screens.act_form import ActForm
from console.screens.acting import ActMenu
from console.screens.catalog import noun_named
from console.screens.listing import ListScreen
from console.settings import Settings
from tests.console.operator import Operator
from tests.journeys.front_door import Row

PATIENCE = 30.0
REASON = "story typed"


class Typist(Operator):
    """Types whole acts; every wait ends with the screen in the message."""

    async def waits(self, happened: Callable[[], object], what: str) -> None:
        """Until something holds of the screen."""
        end = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < end, f"waited for {what}:\n{self.text()}"
            await asyncio.sleep(0.02)

    # --- lists

    async def at(self, command: str) -> None:
        """Go to a list by its command, unless it is the one in front."""
        wanted = noun_named(command)
        assert wanted is not None, command
        if self.list_in_front() != wanted.path:
            await self.goes(command)
            await self.waits(lambda: self.list_in_front() == wanted.path, f"list {command}")

    def list_in_front(self) -> str:
        """The noun of the list in front; empty when something else is."""
        screen = self.app.screen
        return screen.noun.path if isinstance(screen, ListScreen) else ""

    async def row(self, command: str, words: str) -> None:
        """Go to a list and put the cursor on the row that holds the words."""
        await self.at(command)
        if not self.under_cursor(words):
            await self.press("/")
            await self.types(words)
            await self.press("enter")
        await self.waits(lambda: self.under_cursor(words), f"row {words}")

    def under_cursor(self, words: str) -> bool:
        """The words stand in the line of the cursor."""
        return any("›" in line[:4] and words in line for line in self.lines()[2:])

    async def row_says(self, *words: str) -> None:
        """The line of the cursor says this, sooner or later."""
        await self.waits(lambda: all(map(self.under_cursor, words)), f"row with {words}")

    # --- acts

    async def new(self, command: str, title: str, fields: Row) -> None:
        """Something new in a list by the form behind ``n``; the form's only act, or its act ``register``."""
        await self.at(command)
        await self.press("n")
        await self.sees(title)
        await self._fills(fields)
        await self.sees("完成")
        await self.press("escape")
        await self.waits(lambda: not isinstance(self.app.screen, ActForm), "the form to close")

    async def does(self, command: str, row: str, verb: str, says: str = "", fields: Row | None = None) -> None:
        """A verb on a row, seen to its end; then its row ``says`` what state it came to."""
        await self.row(command, row)
        await self._menu(verb, enabled=True)
        await self.press("enter")
        await self.waits(lambda: isinstance(self.app.screen, ActForm), "the form")
        await self._fills(fields or {})
        await self.waits(lambda: "已受理" in self.text() and "完成" in self.text(), f"{verb} done")
        await self.press("escape")
        await self.row_says(row, says)

    async def finds_greyed(self, command: str, row: str, verb: str, word: str) -> str:
        """The verb cannot be chosen, and its line says why; the reason."""
        await self.row(command, row)
        await self._menu(verb, enabled=False)
        await self.press("enter")
        menu = self.app.screen
        assert isinstance(menu, ActMenu) and menu.table.current is not None, self.text()
        why = str(menu.table.current["why"])
        assert why, f"{verb} is greyed without a reason"
        line = next(line for line in self.lines() if "│ ›" in line)
        assert word in line, line
        await self.sees(why[:20])
        await self.press("escape")
        return why

    async def _menu(self, verb: str, enabled: bool) -> None:
        """Open the menu and move to a verb, when it stands there as expected."""
        await self.press("a")
        await self.waits(lambda: isinstance(self.app.screen, ActMenu), "the menu")
        menu = self.app.screen
        assert isinstance(menu, ActMenu)

        def stands() -> bool:
            return any(row["id"] == verb and row["enabled"] == enabled for row in menu.table.rows)

        await self.waits(stands, f"{verb} enabled: {enabled}")
        await self.press("home")
        for _ in menu.table.rows:
            if menu.table.current is not None and menu.table.current["id"] == verb:
                return
            await self.press("down")
        raise AssertionError(f"{verb} not reached:\n{self.text()}")

    async def _fills(self, fields: Row) -> None:
        """Go through the form with Enter: given fields are typed, others stay as suggested, the reason is given."""
        form = self.app.screen
        assert isinstance(form, ActForm), self.text()
        optional = {arg.name for arg in form.verb.fields if arg.optional} | {"reason", "confirm"}
        unknown = fields.keys() - {field.id for field in form.query(Input)}
        assert not unknown, f"the form has no {unknown}"
        for field in list(form.query(Input)):
            name = str(field.id)
            given = {"reason": REASON, "confirm": form.confirmation}.get(name, fields.get(name))
            if given is None and name not in optional:
                await self.waits(lambda field=field: field.value, f"a suggestion for {name}")  # type: ignore[misc]
            await self.waits(lambda field=field: field.has_focus, f"focus on {name}")  # type: ignore[misc]
            if given is not None:
                await self.press("end", "ctrl+u")
                await self.types(str(given))
            await self.press("enter")


@asynccontextmanager
async def typist(url: str, token: str) -> AsyncIterator[Typist]:
    """A console in front of the product."""
    app = Console(Settings(url, token))
    async with app.run_test(size=(150, 40)) as pilot:
        yield Typist(app, pilot)
